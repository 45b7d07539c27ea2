"""The way through the house: read, map, validate, plan, deliver, record, report."""

from importer.pipeline.run import import_file

__all__ = ["import_file"]

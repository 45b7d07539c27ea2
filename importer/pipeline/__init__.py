"""The runs: from a file to an exit status, for an import and for an undo."""

from importer.pipeline.import_run import import_file
from importer.pipeline.undo_run import undo_file

__all__ = ["import_file", "undo_file"]

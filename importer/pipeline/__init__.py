"""The runs: from a file to an exit status, for an import and for an undo."""

from importer.pipeline.import_run import import_file
from importer.pipeline.undo_run import undo_file
from importer.pipeline.undo_survey import Survey

__all__ = ["Survey", "import_file", "undo_file"]

"""The undo room: deletes the contacts that a run has created, and no others."""

from importer.undoing.run import undo_file
from importer.undoing.survey import Survey

__all__ = ["Survey", "undo_file"]

"""The undo room: deletes the contacts that a run has created, and no others."""

from importer.undoing.survey import Survey

__all__ = ["Survey"]

"""What was sent and what came of it, on disk. This package alone knows SQLite."""

from importer.journal.claims import Claims
from importer.journal.entries import Entry, Sender, State
from importer.journal.journal import Journal

__all__ = ["Claims", "Entry", "Journal", "Sender", "State"]

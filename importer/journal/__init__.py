"""What was sent and what came of it, on disk. This package alone knows SQLite."""

from importer.journal.claims import Claims
from importer.journal.journal import Entry, Journal, State

__all__ = ["Claims", "Entry", "Journal", "State"]

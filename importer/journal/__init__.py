"""What was sent and what came of it, on disk. Only this package knows SQLite."""

from importer.journal.claims import Claims
from importer.journal.database import Wait
from importer.journal.digests import changed_fields, identity_of, merged_digests
from importer.journal.entries import Entry, Run, Sender, State
from importer.journal.journal import Journal
from importer.journal.location import create_folder, default_path, existing_journals
from importer.journal.sharing import SharedGuests, SharedIdentifiers

__all__ = [
    "Claims",
    "Entry",
    "Journal",
    "Run",
    "Sender",
    "SharedGuests",
    "SharedIdentifiers",
    "State",
    "Wait",
    "changed_fields",
    "create_folder",
    "default_path",
    "existing_journals",
    "identity_of",
    "merged_digests",
]

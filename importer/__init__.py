"""Imports order contacts from a CSV file into Sitecore CDP, each exactly once.

From Python::

    import importer

    summary = importer.import_contacts("contacts.csv", region="eu", out="results.csv")
    print(summary.headline, summary.statuses)
"""

from typing import TYPE_CHECKING

from importer._version import __version__
from importer.errors import (
    CredentialsError,
    ExitStatus,
    ImportContactsError,
    InputError,
    JournalLockedError,
    StoppedError,
    UsageError,
)

if TYPE_CHECKING:
    from importer.library import ImportOptions, import_contacts
    from importer.records import Status
    from importer.reporting import Summary

__all__ = [
    "CredentialsError",
    "ExitStatus",
    "ImportContactsError",
    "ImportOptions",
    "InputError",
    "JournalLockedError",
    "Status",
    "StoppedError",
    "Summary",
    "UsageError",
    "__version__",
    "import_contacts",
]

# What follows needs pandas, which takes half a second to load, so it is loaded on demand.
_ON_DEMAND = {
    "ImportOptions": "importer.library",
    "Status": "importer.records",
    "Summary": "importer.reporting",
    "import_contacts": "importer.library",
}


def __getattr__(name: str) -> object:
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - so is this

    return getattr(import_module(_ON_DEMAND[name]), name)

"""Reports about a run: lines on standard error, JSON, and an HTML page."""

from importer.reporting.summary import JournalUse, Summary
from importer.reporting.warnings import WARNINGS

__all__ = ["WARNINGS", "JournalUse", "Summary"]

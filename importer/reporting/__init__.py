"""Reports about a run: lines on standard error, JSON, and an HTML page."""

from importer.reporting.summary import JournalUse, Summary

__all__ = ["JournalUse", "Summary"]

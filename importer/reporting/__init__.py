"""What happened, in figures: on standard error, as JSON, and as a page to look at."""

from importer.reporting.summary import Summary

__all__ = ["Summary"]

"""Reports about a run: lines on standard error, JSON, and an HTML page."""

from importer.reporting.summary import Summary

__all__ = ["Summary"]

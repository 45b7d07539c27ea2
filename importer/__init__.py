"""Imports order contacts from a CSV file into Sitecore CDP, each exactly once."""

from importer._version import __version__

__all__ = ["__version__"]

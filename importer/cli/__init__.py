"""The command line: click and the process around it; the work is done elsewhere."""

from importer.cli.main import main

__all__ = ["main"]

"""The command line: it parses and wires, and does no work itself."""

from importer.cli.main import main

__all__ = ["main"]

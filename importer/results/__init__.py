"""Writes the result of each record, in input order, to files that appear whole."""

from importer.results.columns import contacts_there
from importer.results.recorder import Recorder
from importer.results.tally import Tally

__all__ = ["Recorder", "Tally", "contacts_there"]

"""The record room: each record's outcome, in input order, in files that appear whole."""

from importer.results.earlier import contacts_there
from importer.results.recorder import Recorder
from importer.results.tally import Tally

__all__ = ["Recorder", "Tally", "contacts_there"]

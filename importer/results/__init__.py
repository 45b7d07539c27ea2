"""Writes the result of each record, in input order, to files that appear whole."""

from importer.results.columns import has_results_of_changes
from importer.results.recorder import Recorder
from importer.results.tally import Tally

__all__ = ["Recorder", "Tally", "has_results_of_changes"]

"""The results of an earlier run."""

import csv
from pathlib import Path

from importer.records import Status

_THERE = {Status.CREATED, Status.EXISTS, Status.UPDATED}


def contacts_there(path: Path) -> int:
    """How many contacts an earlier results file says are there; 0 if it is none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            return sum(row.get("status") in _THERE and bool(row.get("ref")) for row in rows)
    except (OSError, ValueError, csv.Error):
        return 0

"""Helpers of the tests of ``undo-import``."""

import csv
from collections.abc import Callable
from pathlib import Path

from command import Ran, Workplace
from servers.reference import Fault, ReferenceServer, Request

from schemas.results import RESULT_COLUMNS

Contacts = Callable[[int], Path]

HTML = b"<html><body>Not found</body></html>"
PAST, LATER = "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:02.000Z"


def imported(workplace: Workplace, contacts: Contacts, server: ReferenceServer, rows: int) -> Ran:
    """Import so many contacts, each in its own order."""
    ran = workplace.send(contacts(rows), server)
    assert ran.statuses == ["created"] * rows
    server.requests.clear()
    return ran


def results(workplace: Workplace, *rows: dict[str, object]) -> None:
    """Write a results file by hand."""
    with workplace.out.open("w", newline="") as file:
        writer = csv.DictWriter(file, RESULT_COLUMNS, restval="")
        writer.writeheader()
        writer.writerows({"status": "created", **row} for row in rows)


def deletions(server: ReferenceServer) -> list[str]:
    """Return the refs of the DELETE requests, in order of arrival."""
    return [r.path.rpartition("/")[2] for r in server.requests if r.method == "DELETE"]


def at_first_delete(fault: Fault) -> Callable[[Request], Fault | None]:
    """Return a function with a fault for the first DELETE request of each contact."""
    met: set[str] = set()

    def fault_of(request: Request) -> Fault | None:
        if request.method != "DELETE" or request.path in met:
            return None
        met.add(request.path)
        return fault

    return fault_of

"""If the journal cannot be written, nothing is sent, and finished outcomes are reported."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest

from importer.engine import Outbox
from importer.errors import StoppedError
from importer.journal import Entry, State
from importer.records import Outcome, Status

ORDER = "00000000-0000-4000-8000-000000000001"


class Full:
    """A journal on a full disk.

    Attributes:
        tries: How often it was written to.
    """

    tries = 0

    def write(self, _entries: Sequence[Entry]) -> None:
        """Fail."""
        self.tries += 1
        raise StoppedError("No space left.")


def created(ref: str) -> tuple[list[Entry], Outcome]:
    """Return an entry of a contact that was just created."""
    outcome = Outcome(row=1, status=Status.CREATED, order_ref=ORDER, ref=ref)
    return [Entry(ref.encode(), ORDER, State.CREATED, ref)], outcome


def test_unrecorded_refs_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also those of requests in flight; their outcomes are reported, as they are correct."""
    journal, reported = Full(), list[Outcome]()
    outbox = Outbox(journal, reported.extend, lambda: 0.0)
    with caplog.at_level(logging.ERROR, "importer"):
        outbox.hold(*created("r1"))
        with pytest.raises(StoppedError, match="No space left"):
            outbox.commit()
        outbox.hold([Entry(b"k", ORDER, State.INTENT)])
        outbox.commit()
        outbox.hold(*created("r2"))
        outbox.commit()
    events: list[Any] = [record.__dict__ for record in caplog.records]
    assert [one["event"] for one in events] == ["journal.lost"] * 2
    assert [one["fields"]["refs"] for one in events] == [["r1"], ["r2"]]
    assert [outcome.ref for outcome in reported] == ["r1", "r2"]
    assert journal.tries == 1


def test_dry_run_records_nothing_and_reports_everything() -> None:
    """The journal that it reads is not changed."""
    reported = list[Outcome]()
    outbox = Outbox(None, reported.extend, lambda: 0.0)
    outbox.hold(*created("r1"))
    outbox.commit()
    assert [outcome.ref for outcome in reported] == ["r1"]

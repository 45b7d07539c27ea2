"""What goes on record in one commit: entries of the journal, then the outcomes they allow."""

import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from importer.errors import StoppedError
from importer.journal import Entry
from importer.log import event
from importer.records import Outcome

_GROUP: Final = 128  # held entries and outcomes that make a commit due
_LONGEST_HOLD: Final = 0.05  # seconds that one may be held


class EntryStore(Protocol):
    """Where entries go; the journal."""

    def write(self, entries: Sequence[Entry], /) -> None:
        """Put entries on disk in one transaction.

        Raises:
            StoppedError: The disk does not take them.
        """


class Outbox:
    """Holds what the next commit puts on record.

    Args:
        store: Where the entries go; None to drop them, as a dry run does.
        report: Called with outcomes once their entries are on disk.
        clock: Seconds of a monotonic clock.
    """

    def __init__(
        self,
        store: EntryStore | None,
        report: Callable[[list[Outcome]], None],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._report = report
        self._clock = clock
        self._entries: list[Entry] = []
        self._outcomes: list[Outcome] = []
        self._held_since = 0.0
        self._lost: StoppedError | None = None  # why the store takes nothing any more

    @property
    def due(self) -> float:
        """When to commit, by the clock; infinity when there is nothing to commit."""
        held = len(self._entries) + len(self._outcomes)
        if held == 0:
            return float("inf")
        return self._held_since + (0.0 if held >= _GROUP else _LONGEST_HOLD)

    def hold(self, entries: Sequence[Entry], outcome: Outcome | None = None) -> None:
        """Keep entries, and the outcome that they belong to, for the next commit."""
        if not self._entries and not self._outcomes:
            self._held_since = self._clock()
        if self._store is not None:
            self._entries.extend(entries)
        if outcome is not None:
            self._outcomes.append(outcome)

    def commit(self) -> None:
        """Put everything that is held on record.

        Raises:
            StoppedError: The store did not take the entries: the requests they announce must
                not leave. The outcomes are reported all the same, because they are true.
        """
        lost = self._write() if self._entries else None
        if self._outcomes:
            outcomes, self._outcomes = self._outcomes, []
            self._report(outcomes)
        if lost is not None:
            raise lost

    def _write(self) -> StoppedError | None:
        entries, self._entries = self._entries, []
        refs = [entry.ref for entry in entries if entry.ref]
        if self._lost is not None:
            if refs:  # of requests that were in flight when it was lost
                _log_lost(self._lost, refs)
            return None
        try:
            if self._store is not None:
                self._store.write(entries)
        except StoppedError as error:
            self._lost = error
            _log_lost(error, refs)
            return error
        return None


def _log_lost(error: StoppedError, refs: list[str]) -> None:
    event(
        logging.ERROR,
        "journal.lost",
        f"{error} Done, but not in the journal: {', '.join(refs) or 'none'}",
        refs=refs,
    )

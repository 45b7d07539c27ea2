"""What is to go on record: entries for the journal first, then the outcomes for the results."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from importer.errors import StoppedError
from importer.journal import Entry, Journal
from importer.log import event
from importer.records import Outcome

_GROUP: Final = 128  # held entries and outcomes that make a commit due
_LONGEST_HOLD: Final = 0.05  # seconds that one may be held


class Outbox:
    """Holds what one commit puts on record.

    Args:
        journal: Where the entries go.
        tell: Called with outcomes once their entries are on disk.
    """

    def __init__(self, journal: Journal, tell: Callable[[list[Outcome]], None]) -> None:
        self._journal = journal
        self._tell = tell
        self._entries: list[Entry] = []
        self._outcomes: list[Outcome] = []
        self._held_since = 0.0
        self._lost: StoppedError | None = None  # why the journal takes nothing any more

    @property
    def due(self) -> float:
        """When to commit, by the monotonic clock; infinity when there is nothing to."""
        held = len(self._entries) + len(self._outcomes)
        if held == 0:
            return float("inf")
        return self._held_since + (0.0 if held >= _GROUP else _LONGEST_HOLD)

    def hold(self, entries: Sequence[Entry], outcome: Outcome | None = None) -> None:
        """Keep entries, and the outcome that they belong to, for the next commit."""
        if not self._entries and not self._outcomes:
            self._held_since = time.monotonic()
        self._entries.extend(entries)
        if outcome is not None:
            self._outcomes.append(outcome)

    def commit(self) -> None:
        """Put all that is held on record.

        Raises:
            StoppedError: The journal did not take the entries: the requests they announce
                must not leave. The outcomes are told all the same, because they are true.
        """
        lost = None
        if self._entries:
            lost = self._write()
        if self._outcomes:
            self._tell(self._outcomes)
            self._outcomes = []
        if lost is not None:
            raise lost

    def _write(self) -> StoppedError | None:
        entries, self._entries = self._entries, []
        refs = [entry.ref for entry in entries if entry.ref]
        if self._lost is not None:
            if refs:  # of requests that were in flight when it was lost
                _tell_lost(self._lost, refs)
            return None
        try:
            self._journal.write(entries)
        except StoppedError as error:
            self._lost = error
            _tell_lost(error, refs)
            return error
        return None


def _tell_lost(error: StoppedError, refs: list[str]) -> None:
    event(
        logging.ERROR,
        "journal.lost",
        f"{error} Done, but not in the journal: {', '.join(refs) or 'none'}",
        refs=refs,
    )

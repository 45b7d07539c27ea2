"""Finds identifiers that different people share, and guests with different identifiers.

Threads: the reader of the source file calls :meth:`Sharing.read`, it and the sending loop call
:meth:`Sharing.record`. One lock guards the guests; the identifiers belong to the reader.

Source: docs/identity.md.
"""

import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from importer.journal import SharedGuests, SharedIdentifiers
from importer.journal.sharing import Holder, Identifiers
from importer.records import GUESTS_SHARED, IDENTIFIERS_SHARED, Outcome
from importer.results import Tally
from importer.results.tally import FIRST_LINES
from schemas.fields import IDENTIFIERS
from schemas.text import comparable

if TYPE_CHECKING:
    import pandas as pd

_PERSON: Final = ("firstName", "lastName", "dateOfBirth")
_GUESTS_AT_ONCE: Final = 500


class Sharing:
    """Who has which identifier in a run, and which guest has which."""

    def __init__(self) -> None:
        self._identifiers = SharedIdentifiers()
        self._guests = SharedGuests()
        self._lock = threading.Lock()
        self._of_row: dict[int, Identifiers] = {}  # of rows without an outcome: these are few
        self._linked: list[tuple[str, Identifiers]] = []

    def read(self, valid: "pd.DataFrame", lines: "pd.Series[int]") -> None:
        """Take note of the identifiers of rows, before any of them has an outcome.

        Args:
            valid: Rows in the normal form of :mod:`schemas.contact`. Index: row number.
            lines: The line of the source file at which each record starts, by row number.
        """
        if IDENTIFIERS not in valid or not len(valid):
            return
        self._identifiers.add(self._holders(valid, lines))

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Take note of the guests of rows."""
        with self._lock:
            for outcome in outcomes:
                identifiers = self._of_row.pop(outcome.row, ())
                if outcome.guest_ref and identifiers:
                    self._linked.append((outcome.guest_ref, identifiers))
            if len(self._linked) >= _GUESTS_AT_ONCE:
                self._add_linked()

    def count(self, tally: Tally) -> None:
        """Count what is shared, after the last outcome."""
        with self._lock:
            self._add_linked()
        if shared := self._identifiers.count():
            tally.warnings[IDENTIFIERS_SHARED] = shared
            tally.first_lines[IDENTIFIERS_SHARED] = self._identifiers.first_lines(FIRST_LINES)
        if shared := self._guests.count():
            tally.warnings[GUESTS_SHARED] = shared
            tally.shared_guests = self._guests.refs(FIRST_LINES)

    def close(self) -> None:
        """Delete the temporary databases."""
        self._identifiers.close()
        self._guests.close()

    def _add_linked(self) -> None:
        self._guests.add(self._linked)
        self._linked = []

    def _holders(self, valid: "pd.DataFrame", lines: "pd.Series[int]") -> Iterator[Holder]:
        rows = valid.index.tolist()
        starts = lines.tolist() if len(lines) == len(rows) else lines.loc[rows].tolist()
        nothing: list[int | None] = [None] * len(rows)
        person = [
            list(map(_digest, valid[field].tolist())) if field in valid else nothing
            for field in _PERSON
        ]
        of_row = self._of_row
        for row, line, pairs, first, last, birth in zip(
            rows, starts, valid[IDENTIFIERS].tolist(), *person, strict=True
        ):
            if pairs:
                digests = tuple((hash(provider), hash(number)) for provider, number in pairs)
                of_row[row] = digests
                for digest in digests:
                    yield hash(digest), first, last, birth, line


def _digest(text: str) -> int | None:
    """Return a number that is equal for equal texts, within this process; None for a blank."""
    return hash(text if text.isascii() else comparable(text)) if text else None

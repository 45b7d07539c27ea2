"""The counts of a run."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from importer.records import CONTACT_DUPLICATED, Outcome, Status

_FIRST_LINES: Final = 5


@dataclass(slots=True)
class Tally:
    """How many records came to what.

    Attributes:
        statuses: Status to records.
        errors: Error code to records.
        notes: The same, of records with which nothing is left to do.
        warnings: Stable word to what it was counted for, records mostly.
        first_lines: Error code to the lines in the file of its first records.
    """

    statuses: Counter[Status] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    first_lines: dict[str, list[int]] = field(default_factory=dict)

    def count(self, outcome: Outcome) -> None:
        """Count one record."""
        self.statuses[outcome.status] += 1
        if outcome.error_code:
            self.errors[outcome.error_code] += 1
            if outcome.status.is_done and outcome.error_code != CONTACT_DUPLICATED:
                self.notes[outcome.error_code] += 1

    def place(self, outcome: Outcome, line: int) -> None:
        """Keep the line of a record, if it is among the first with its error; in input order."""
        if outcome.error_code:
            lines = self.first_lines.setdefault(outcome.error_code, [])
            if len(lines) < _FIRST_LINES:
                lines.append(line)

    @property
    def rows(self) -> int:
        """All records counted."""
        return self.statuses.total()

    @property
    def is_all_done(self) -> bool:
        """Whether nothing is left to do for any record, and nothing to look at."""
        return (
            all(status.is_done for status in self.statuses)
            and not (self.errors[CONTACT_DUPLICATED])
        )

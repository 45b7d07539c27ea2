"""The counts of a run."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from importer.records import CONTACT_DUPLICATED, Outcome, Status

FIRST_LINES: Final = 5
"""At most so many lines, or guests, are named for one kind of trouble."""


@dataclass(slots=True)
class Tally:
    """How many records have which result.

    Attributes:
        statuses: Status to records.
        errors: Error code to records.
        notes: Error code to records, of records that are done.
        warnings: Stable word to the number of records, or of whatever the word counts.
        first_lines: Error code, or word of a warning, to the lines of its first records in the
            source file.
        shared_guests: Refs of some guests with different identifiers.
    """

    statuses: Counter[Status] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    first_lines: dict[str, list[int]] = field(default_factory=dict)
    shared_guests: list[str] = field(default_factory=list)

    def count(self, outcome: Outcome) -> None:
        """Count one record."""
        self.statuses[outcome.status] += 1
        if outcome.error_code:
            self.errors[outcome.error_code] += 1
            if outcome.status.is_done and outcome.error_code != CONTACT_DUPLICATED:
                self.notes[outcome.error_code] += 1

    def add_line(self, outcome: Outcome, line: int) -> None:
        """Keep the line of a record if it is among the first of its error code.

        Called in input order.
        """
        if outcome.error_code:
            lines = self.first_lines.setdefault(outcome.error_code, [])
            if len(lines) < FIRST_LINES:
                lines.append(line)

    @property
    def rows(self) -> int:
        """All records counted."""
        return self.statuses.total()

    @property
    def is_all_done(self) -> bool:
        """Whether every record is done, and no contact was created twice."""
        return (
            all(status.is_done for status in self.statuses) and not self.errors[CONTACT_DUPLICATED]
        )

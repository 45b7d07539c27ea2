"""``--max-errors``: when so much went wrong that somebody should look first."""

from importer.delivery.policy import Stop
from importer.records import Outcome, Status
from importer.settings import MaxErrors


class Gate:
    """Counts rows that were rejected or failed.

    Args:
        most: How many may be; None is any number.
    """

    def __init__(self, most: MaxErrors | None) -> None:
        self._most = most
        self._rows = 0
        self._errors = 0

    def count(self, outcome: Outcome) -> Stop | None:
        """Count one row; why the run stops, if it was one too many."""
        self._rows += 1
        self._errors += outcome.status in {Status.REJECTED, Status.FAILED}
        if self._most is None or not self._most.exceeded(self._errors, self._rows):
            return None
        return Stop(
            "max_errors",
            f"More rows were rejected or failed than --max-errors allows ({self._errors} of "
            f"{self._rows}). Look at the errors in the results, then run again.",
        )

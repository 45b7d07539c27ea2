"""From what came of a request to the next step of its task, and of the run."""

import time
from dataclasses import dataclass
from random import Random
from typing import Final

from importer.api import Answer, Listing
from importer.delivery import outcomes, policy
from importer.delivery.health import Health
from importer.delivery.pace import Pace
from importer.delivery.policy import Action, Step, Stop
from importer.delivery.settling import candidates
from importer.delivery.tasks import Task
from importer.delivery.workers import Exchanged
from importer.journal import Journal
from importer.records import Outcome, Status
from importer.settings import DeliveryOptions

_MISSING_ORDERS_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Advance:
    """What a finished request leads to: a further step, or the outcome; and a stop, if any."""

    step: Step | None = None
    outcome: Outcome | None = None
    stop: Stop | None = None


class Steps:
    """Decides, and keeps the pace and the health of the run informed.

    Args:
        journal: Tells which refs belong to other rows.
        pace: Learns of every answer.
        options: Limits of attempts and errors.
        random: Source of jitter.
    """

    def __init__(
        self, journal: Journal, pace: Pace, options: DeliveryOptions, random: Random
    ) -> None:
        self._journal = journal
        self._pace = pace
        self._options = options
        self._random = random
        self.health = Health()
        self._missing_orders: dict[str, Answer] = {}
        self._rows = 0
        self._errors = 0
        self.settled = 0

    def after(self, exchanged: Exchanged) -> Advance:
        """The way on after a request."""
        task, now = exchanged.task, time.monotonic()
        match exchanged.result:
            case Listing(failure=None) as listing:
                self._pace.went_well(exchanged.started, now)
                self.health.answered = True
                advance = self._after_reading(task, listing)
            case Listing(failure=Answer() as answer):
                stop = self._observe(task, answer, exchanged.started, now)
                task.failed_readings += 1
                step = policy.after_failed_reading(
                    answer, task.failed_readings, self._options.attempts, self._random
                )
                advance = self._advance(task, step, answer, stop)
            case Answer() as answer:
                task.attempts += 1
                task.answer = answer
                stop = self._observe(task, answer, exchanged.started, now)
                advance = self._after_create(task, answer, stop)
            case error:
                # Its type alone: the text of an error may quote a cell.
                kind = type(error).__name__
                raise_later = Stop("fault", f"A fault of import-contacts: {kind}. Report it.")
                advance = Advance(
                    outcome=outcomes.undone(task, Status.UNKNOWN, task.answer), stop=raise_later
                )
        return self._counted(advance)

    def refused_order(self, order_ref: str) -> Answer | None:
        """The answer that said that there is no such order, if any did."""
        return self._missing_orders.get(order_ref)

    def given_up(self, task: Task, stop: Stop) -> Outcome:
        """The outcome of a task that the end of the run finds on its way."""
        if task.action is Action.SETTLE:
            return outcomes.undone(
                task, Status.UNKNOWN, task.unclear, "The run stopped before it could be settled."
            )
        if task.attempts == 0:
            return outcomes.not_sent(task.contact.row, task.order_ref, stop)
        return outcomes.undone(task, Status.FAILED, task.answer)

    def _after_create(self, task: Task, answer: Answer, stop: Stop | None) -> Advance:
        step = policy.after_create(answer, task.attempts, self._options.attempts, self._random)
        if step.action is Action.SETTLE:
            task.unclear = answer
            task.readings = task.failed_readings = 0
        if answer.http_status == 404:  # noqa: PLR2004
            stop = stop or self.health.order_missing(task.order_ref)
            if len(self._missing_orders) >= _MISSING_ORDERS_KEPT:
                del self._missing_orders[next(iter(self._missing_orders))]
            self._missing_orders[task.order_ref] = answer
        if step.status is Status.CREATED:
            self.health.created()
            outcome = outcomes.created(task, answer.ref, answer.href, answer.guest_ref)
            return Advance(outcome=outcome, stop=stop)
        return self._advance(task, step, answer, stop)

    def _after_reading(self, task: Task, listing: Listing) -> Advance:
        owned = {
            ref for ref, key in self._journal.owned_refs(task.order_ref).items() if key != task.key
        }
        found = candidates(task.contact, listing.items, owned)
        applied = (
            task.unclear is not None
            and task.unclear.http_status is not None
            and (
                200 <= task.unclear.http_status < 300  # noqa: PLR2004
            )
        )
        if len(found) == 1:
            self.settled += 1
            one = found[0]
            return Advance(outcome=outcomes.created(task, one.ref, one.href, one.guest_ref))
        if found:
            refs = [one.ref for one in found]
            if applied:
                return Advance(outcome=outcomes.created_without_ref(task, refs))
            note = f"Several contacts of the order are equal to it: {', '.join(refs)}."
            return Advance(outcome=outcomes.undone(task, Status.UNKNOWN, task.unclear, note))
        return self._after_absence(task, applied=applied)

    def _after_absence(self, task: Task, *, applied: bool) -> Advance:
        delays = policy.settle_delays(task.unclear)
        task.readings += 1
        if task.readings < len(delays):
            return Advance(step=Step(Action.SETTLE, delay=delays[task.readings]))
        if applied:
            return Advance(outcome=outcomes.created_without_ref(task, ()))
        self.settled += 1
        step = policy.after_absent(task.attempts, self._options.attempts, self._random)
        return self._advance(task, step, task.unclear, None)

    def _advance(self, task: Task, step: Step, answer: Answer | None, stop: Stop | None) -> Advance:
        stop = step.stop or stop
        if step.action is not Action.FINISH:
            return Advance(step=step, stop=stop)
        match step.status:
            case Status.NOT_SENT if stop is not None:
                outcome = outcomes.not_sent(task.contact.row, task.order_ref, stop, answer)
            case Status.UNKNOWN:
                note = "Sent, but reading back failed."
                outcome = outcomes.undone(task, Status.UNKNOWN, answer, note)
            case Status.REJECTED | Status.FAILED as status:
                outcome = outcomes.undone(task, status, answer)
            case status:
                raise ValueError(status)
        return Advance(outcome=outcome, stop=stop)

    def _observe(self, task: Task, answer: Answer, started: float, now: float) -> Stop | None:
        self.health.answered = self.health.answered or answer.http_status is not None
        if not policy.is_trouble(answer):
            self._pace.went_well(started, now)
            self.health.well()
            return None
        self._pace.went_badly(started, now)
        if answer.retry_after is not None:
            self._pace.pause(now + min(answer.retry_after, policy.LONGEST_RETRY_AFTER))
        # Not the API's own words: a stop is told in the log, and they may quote a cell.
        is_quoting = answer.error_code.startswith("http.")
        what = f"HTTP {answer.http_status}" if is_quoting else answer.message
        stop = self.health.trouble(task.contact.row, what, now)
        if self.health.is_probing:
            self._pace.pause(now + self.health.next_probe(self._random))
        return stop

    def _counted(self, advance: Advance) -> Advance:
        if advance.outcome is None:
            return advance
        self._rows += 1
        self._errors += advance.outcome.status in {Status.REJECTED, Status.FAILED}
        most = self._options.max_errors
        if advance.stop is None and most is not None and most.exceeded(self._errors, self._rows):
            stop = Stop(
                "max_errors",
                f"More rows were rejected or failed than --max-errors allows ({self._errors} of "
                f"{self._rows}). Look at the errors in the results, then run again.",
            )
            return Advance(outcome=advance.outcome, stop=stop)
        return advance

"""From what came of a request to the next step of its task, and of the run."""

import time
from dataclasses import dataclass
from random import Random
from typing import Final

from importer.api import Answer, Listing, Verdict
from importer.delivery import outcomes, policy
from importer.delivery.health import Health
from importer.delivery.orders import Refusal, order_of
from importer.delivery.pace import Pace
from importer.delivery.policy import Action, Step, Stop
from importer.delivery.settling import Found, Sighting, look_for
from importer.delivery.tasks import Task
from importer.delivery.workers import Exchanged
from importer.journal import Journal
from importer.records import Outcome, Status
from importer.settings import DeliveryOptions
from schemas.canonical import differing_fields

_MISSING_ORDERS_KEPT: Final = 10_000
_RECENT_REFS_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Advance:
    """What a finished request leads to: a further step, or the outcome; and a stop, if any."""

    step: Step | None = None
    outcome: Outcome | None = None
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a request for the order of a number leads to.

    Attributes:
        found: The order's ref or why there is none; None when it is to be asked again.
        delay: Seconds until then.
    """

    found: str | Refusal | None = None
    delay: float = 0.0
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
        self._recent_refs: dict[str, None] = {}
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
            case Listing(failure=Answer() as answer) if task.created is not None:
                stop = self._observe(task, answer, exchanged.started, now)
                advance = Advance(outcome=task.created, stop=stop)
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
                raise_later = Stop("fault", f"A fault of import-contacts: {error!r}. Report it.")
                advance = Advance(
                    outcome=outcomes.undone(task, Status.UNKNOWN, task.answer), stop=raise_later
                )
        return self._counted(advance)

    def after_look_up(self, exchanged: Exchanged) -> LookedUp:
        """The way on after a request for the order of a number."""
        task, now = exchanged.task, time.monotonic()
        reference_id = task.contact.reference_id
        match exchanged.result:
            case Listing(failure=None) as listing:
                self._pace.went_well(exchanged.started, now)
                self.health.answered = True
                return LookedUp(found=order_of(reference_id, listing.items))
            case Listing(failure=Answer() as answer):
                stop = self._observe(task, answer, exchanged.started, now)
                if answer.http_status == 404:  # noqa: PLR2004
                    return LookedUp(found=order_of(reference_id, ()), stop=stop)
                task.failed_readings += 1
                step = policy.after_failed_reading(
                    answer, task.failed_readings, self._options.attempts, self._random
                )
                if step.action is not Action.FINISH or step.stop is not None:
                    return LookedUp(delay=step.delay, stop=step.stop or stop)
                message = f"The order could not be looked up. {answer.message}"
                refusal = Refusal(answer.error_code, message, answer.http_status, is_final=False)
                return LookedUp(found=refusal, stop=stop)
            case error:
                raise TypeError(error)

    def refused_order(self, order_ref: str) -> Answer | None:
        """The answer that said that there is no such order, if any did."""
        return self._missing_orders.get(order_ref)

    def given_up(self, task: Task, stop: Stop) -> Outcome:
        """The outcome of a task that the end of the run finds on its way."""
        if task.created is not None:
            return task.created
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
        if step.status is Status.CREATED and self._is_repeated(answer.ref):
            # A ref that another row has been given is none: reading back tells the true one.
            task.unclear, task.readings, step = answer, 0, Step(Action.SETTLE)
        if step.status is Status.CREATED:
            self.health.created()
            return self._after_creation(task, answer, stop)
        return self._advance(task, step, answer, stop)

    def _after_creation(self, task: Task, answer: Answer, stop: Stop | None) -> Advance:
        outcome = outcomes.created(task, answer.ref, answer.href, answer.guest_ref)
        sent, stored = task.contact.body, answer.contact or {}
        # The careful comparison takes 20 µs, and nearly every answer repeats what was sent.
        if any(stored.get(field, value) != value for field, value in sent.items()):
            told = {field: value for field, value in sent.items() if field in stored}
            if fields := differing_fields(told, stored):
                outcome = outcomes.stored_differently(outcome, fields)
        if not task.is_resent:
            return Advance(outcome=outcome, stop=stop)
        task.created = outcome
        return Advance(step=Step(Action.AUDIT, delay=policy.AUDIT_DELAY), stop=stop)

    def _is_repeated(self, ref: str) -> bool:
        if ref in self._recent_refs:
            return True
        self._recent_refs[ref] = None
        if len(self._recent_refs) > _RECENT_REFS_KEPT:
            del self._recent_refs[next(iter(self._recent_refs))]
        return False

    def _after_reading(self, task: Task, listing: Listing) -> Advance:
        owned = self._journal.owned_refs(task.order_ref, {task.key, task.alias or task.key})
        sighting = look_for(task.contact, listing.items, owned)
        if task.created is not None:
            others = [one for one in sighting.equal if one.ref != task.created.ref]
            outcome = outcomes.duplicated(task.created, _refs(others)) if others else task.created
            return Advance(outcome=outcome)
        if len(sighting.equal) == 1:
            self.settled += 1
            one = sighting.equal[0]
            return Advance(outcome=outcomes.created(task, one.ref, one.href, one.guest_ref))
        if sighting.equal:
            note = f"Several contacts of the order equal it: {', '.join(_refs(sighting.equal))}."
            return self._undecided(task, sighting.equal, note)
        return self._after_absence(task, sighting)

    def _after_absence(self, task: Task, sighting: Sighting) -> Advance:
        delays = policy.settle_delays(task.unclear)
        task.readings += 1
        if task.readings < len(delays):
            return Advance(step=Step(Action.SETTLE, delay=delays[task.readings]))
        if sighting.alike or _is_applied(task.unclear):
            note = "None of the order's contacts equals it"
            alike = f", but {', '.join(_refs(sighting.alike))} may be it" if sighting.alike else ""
            return self._undecided(task, sighting.alike, f"{note}{alike}.")
        self.settled += 1
        step = policy.after_absent(task.attempts, self._options.attempts, self._random)
        task.is_resent = task.is_resent or (step.action is Action.SEND and task.attempts > 0)
        return self._advance(task, step, task.unclear, None)

    def _undecided(self, task: Task, found: list[Found], note: str) -> Advance:
        if _is_applied(task.unclear):
            return Advance(outcome=outcomes.created_without_ref(task, _refs(found)))
        return Advance(outcome=outcomes.undone(task, Status.UNKNOWN, task.unclear, note))

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
        stop = self.health.trouble(task.contact.row, _trouble_of(answer), now)
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


def _refs(found: list[Found]) -> list[str]:
    return [one.ref for one in found]


def _is_applied(answer: Answer | None) -> bool:
    return answer is not None and answer.verdict is Verdict.APPLIED


def _trouble_of(answer: Answer) -> str:
    # The API's own words may quote what was sent, so they are for the results alone.
    return answer.message if answer.http_status is None else answer.error_code

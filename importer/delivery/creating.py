"""From the answer to a create, or from reading back, to the contact's next step."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Final

from importer.api import Answer, Listing, Verdict
from importer.delivery import outcomes, policy
from importer.delivery.dating import Dating
from importer.delivery.observing import Observer
from importer.delivery.policy import Action, Step, Stop
from importer.delivery.settling import Found, Sighting, look_for
from importer.delivery.tasks import Advance, Task
from importer.journal import Journal
from importer.records import Status
from schemas.canonical import differing_fields

_RECENT_REFS_KEPT: Final = 10_000


class Creating:
    """Takes a contact from its create to its outcome.

    Args:
        journal: Tells which refs belong to other rows.
        observer: Learns of orders that are none, and of success.
        attempts: Most requests that try to create one contact.
        random: Source of jitter.
    """

    def __init__(self, journal: Journal, observer: Observer, attempts: int, random: Random) -> None:
        self._journal = journal
        self._observer = observer
        self._attempts = attempts
        self._random = random
        self._dating = Dating()
        self._recent_refs = OrderedDict[str, None]()  # a dict would be slow to drop its first
        self.settled = 0
        """Unclear answers that reading back has settled."""

    def after_create(self, task: Task, answer: Answer, stop: Stop | None) -> Advance:
        """The way on after the answer to a create."""
        step = policy.after_create(answer, task.attempts, self._attempts, self._random)
        if step.action is Action.SETTLE:
            task.unclear = answer
            task.readings = task.failed_readings = 0
        if answer.http_status == 404:  # noqa: PLR2004
            stop = stop or self._observer.saw_missing_order(task.order_ref, answer)
        if step.status is Status.CREATED and self._is_repeated(answer.ref):
            # A ref that another row has been given is none: reading back tells the true one.
            task.unclear, task.readings, step = answer, 0, Step(Action.SETTLE)
        if step.status is Status.CREATED:
            self._observer.health.created()
            return self._after_creation(task, answer, stop)
        return self._advance(task, step, answer, stop)

    def _after_creation(self, task: Task, answer: Answer, stop: Stop | None) -> Advance:
        outcome = outcomes.created(task, answer.ref, answer.href, answer.guest_ref)
        sent, stored = task.contact.fields, answer.contact or {}
        self._dating.saw_created(stored)
        # The careful comparison takes 20 µs, and nearly every answer repeats what was sent.
        if not sent.items() <= stored.items():
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
            self._recent_refs.popitem(last=False)
        return False

    def after_failed_reading(self, task: Task, answer: Answer, stop: Stop | None) -> Advance:
        """The way on when the order's contacts could not be read back."""
        if task.created is not None:
            return Advance(outcome=task.created, stop=stop)
        task.failed_readings += 1
        step = policy.after_failed_reading(
            answer, task.failed_readings, self._attempts, self._random
        )
        if step.action is Action.FINISH and is_created(task.unclear):
            outcome = outcomes.created_without_ref(task, ())
            return Advance(outcome=outcome, stop=step.stop or stop)
        return self._advance(task, step, answer, stop)

    def after_reading(self, task: Task, listing: Listing) -> Advance:
        """The way on when the order's contacts were read back."""
        owned = self._journal.owned_refs(task.order_ref, task.keys)
        sighting = look_for(task.contact, listing.items, owned)
        sent_at = task.entry.sent_at if task.entry else 0
        since = self._dating.there_since
        dates = {one.ref: since(one.ref, listing, sent_at) for one in sighting.equal}
        own = [one for one in sighting.equal if dates[one.ref] is None]
        if task.created is not None:
            others = [one for one in own if one.ref != task.created.ref]
            outcome = outcomes.duplicated(task.created, _refs(others)) if others else task.created
            return Advance(outcome=outcome)
        if len(own) == 1:
            return self._found(task, own[0])
        if own:
            return self._undecided(task, own, _several(own))
        return self._after_absence(task, sighting, dates)

    def _after_absence(
        self, task: Task, sighting: Sighting, dates: Mapping[str, datetime | None]
    ) -> Advance:
        delays = policy.settle_delays(task.unclear)
        task.readings += 1
        if task.readings < len(delays):
            return Advance(step=Step(Action.SETTLE, delay=delays[task.readings]))
        if sighting.equal:
            # All of them were there before it was sent, say their dates, which may be wrong.
            if len(sighting.equal) > 1:
                return self._undecided(task, sighting.equal, _several(sighting.equal))
            return self._found(task, sighting.equal[0], dates[sighting.equal[0].ref])
        if sighting.alike or is_created(task.unclear):
            note = "None of the order's contacts equals it"
            alike = f", but {', '.join(_refs(sighting.alike))} may be it" if sighting.alike else ""
            return self._undecided(task, sighting.alike, f"{note}{alike}.")
        self.settled += 1
        step = policy.after_absent(task.attempts, self._attempts, self._random)
        task.is_resent = task.is_resent or (step.action is Action.SEND and task.attempts > 0)
        return self._advance(task, step, task.unclear, None)

    def _found(self, task: Task, one: Found, since: datetime | None = None) -> Advance:
        self.settled += 1
        outcome = outcomes.created(task, one.ref, one.href, one.guest_ref)
        return Advance(outcome=outcomes.there_before(outcome, since) if since else outcome)

    def _undecided(self, task: Task, found: list[Found], note: str) -> Advance:
        if is_created(task.unclear):
            return Advance(outcome=outcomes.created_without_ref(task, _refs(found)))
        return Advance(outcome=outcomes.undone(task, Status.UNKNOWN, task.unclear, note))

    def _advance(self, task: Task, step: Step, answer: Answer | None, stop: Stop | None) -> Advance:
        stop = step.stop or stop
        if step.action is not Action.FINISH:
            return Advance(step=step, stop=stop)
        match step.status:
            case Status.NOT_SENT if stop is not None:
                outcome = outcomes.not_sent(
                    task.contact.row, task.order_ref, stop, answer, task.attempts
                )
            case Status.UNKNOWN:
                note = "Sent, but reading back failed."
                outcome = outcomes.undone(task, Status.UNKNOWN, answer, note)
            case Status.REJECTED | Status.FAILED as status:
                outcome = outcomes.undone(task, status, answer)
            case status:
                raise ValueError(status)
        return Advance(outcome=outcome, stop=stop)


def _refs(found: list[Found]) -> list[str]:
    return [one.ref for one in found]


def _several(found: list[Found]) -> str:
    return f"Several contacts of the order equal it: {', '.join(_refs(found))}."


def is_created(answer: Answer | None) -> bool:
    """Whether the API has said that the contact is there, if not under which ref."""
    return answer is not None and answer.verdict is Verdict.APPLIED

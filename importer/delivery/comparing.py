"""``--if-exists``: what to do about a contact when the order's contacts are known.

The order's contacts are read once. The same person is the one that shares an identifier, or
without identifiers an e-mail address, or else first name, last name and birth date.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from importer.api import Answer, Listing, Verdict, unusable
from importer.delivery import outcomes, policy
from importer.delivery.listings import Listed, Listings
from importer.delivery.observing import Observer
from importer.delivery.policy import Action, Step, Stop
from importer.delivery.settling import Found, is_same_person, of_item
from importer.delivery.tasks import Advance, Task
from importer.journal import Entry, State
from importer.records import Outcome, Status
from importer.settings import IfExists
from schemas.canonical import differing_fields


@dataclass(slots=True)
class _Match:
    """The contact of the order that is the same person, and the fields in which it differs."""

    found: Found
    fields: tuple[str, ...]


class Comparing:
    """Decides between creating, leaving alone and changing.

    Args:
        if_exists: What to do about a contact that is there.
        preview: Whether only to say what would be done.
        observer: Learns of orders that are none.
        attempts: How often a request for one row may fail.
        random: Source of jitter.
    """

    def __init__(
        self,
        if_exists: IfExists,
        observer: Observer,
        attempts: int,
        random: Random,
        *,
        preview: bool,
    ) -> None:
        self._if_exists = if_exists
        self._preview = preview
        self._observer = observer
        self._attempts = attempts
        self._random = random
        self._listed = Listings()

    def decide(self, task: Task) -> Advance | None:
        """The way on from what is known of the order's contacts; None when they must be read."""
        listed = self._listed.get(task.order_ref)
        return None if listed is None else self._decided(task, listed)

    def after_reading(self, task: Task, listing: Listing) -> Advance:
        """The way on when the order's contacts were read."""
        self._observer.health.created()  # the order is there, so the destination is the right one
        task.failed_readings = 0
        self._listed.keep(task.order_ref, listing.items)
        return self._decided(task, listing.items)

    def after_failed_reading(self, task: Task, answer: Answer, stop: Stop | None) -> Advance:
        """The way on when the order's contacts, or the journal's, could not be read."""
        task.failed_readings += 1
        if answer.http_status == 404 and task.action is Action.COMPARE:  # noqa: PLR2004
            missing = self._observer.saw_missing_order(task.order_ref, answer)
            # A preview says of every order whether it exists.
            stop = stop or (None if self._preview else missing)
            return Advance(outcome=outcomes.undone(task, Status.REJECTED, answer), stop=stop)
        step = policy.after_failed_reading(
            answer, task.failed_readings, self._attempts, self._random
        )
        if step.stop is not None and task.there is None:
            given_up = outcomes.not_sent(
                task.contact.row, task.order_ref, step.stop, answer, task.attempts
            )
            return Advance(outcome=given_up, stop=step.stop)
        if step.action is Action.FINISH:
            status = Status.FAILED if task.there is None else Status.UNKNOWN
            return Advance(outcome=outcomes.undone(task, status, answer), stop=step.stop or stop)
        return Advance(step=Step(task.action, delay=step.delay), stop=stop)

    def after_check(self, task: Task, answer: Answer, stop: Stop | None) -> Advance:
        """The way on after the contact was read that the journal knows and the order does not."""
        own, contact = task.entry.ref if task.entry else "", answer.contact
        if contact is not None and contact.get("ref") == own:
            task.failed_readings = 0
            self._listed.add(task.order_ref, contact)
            return self._decided(task, [contact])
        if policy.is_gone(answer):
            return self._create(task)
        if contact is not None:
            answer = unusable("The API answered with another contact than was asked for")
        return self.after_failed_reading(task, answer, stop)

    def after_update(self, task: Task, answer: Answer, stop: Stop | None) -> Advance:
        """The way on after the answer to a PATCH, which can be sent again without harm."""
        if answer.verdict is Verdict.APPLIED:
            self._observer.health.created()
            return Advance(outcome=outcomes.updated(task, task.there), stop=stop)
        step = policy.after_update(answer, task.attempts, self._attempts, self._random)
        if step.action is Action.COMPARE:
            self._listed.forget(task.order_ref)
        if step.action is not Action.FINISH or step.status is None:
            return Advance(step=step, stop=stop)
        if step.status is Status.NOT_SENT and step.stop is not None:
            outcome = outcomes.not_sent(
                task.contact.row, task.order_ref, step.stop, answer, task.attempts
            )
        else:
            outcome = outcomes.undone(task, step.status, answer)
        return Advance(outcome=outcome, stop=step.stop or stop)

    def learn(self, task: Task, outcome: Outcome) -> None:
        """Remember a contact that this run has created or changed, for rows that follow."""
        if self._listed.get(task.order_ref) is None:
            return  # it was not read, as none is where nothing is compared
        match outcome.status:
            case Status.CREATED | Status.UPDATED | Status.VALID if outcome.ref or self._preview:
                own = {"ref": outcome.ref, "href": outcome.href}
                guest = {"guest": {"href": outcome.guest_ref}} if outcome.guest_ref else {}
                self._listed.add(task.order_ref, {**task.contact.fields, **own, **guest})
            case Status.CREATED | Status.UNKNOWN | Status.FAILED if task.attempts:
                # Nobody can tell from here what the order holds now.
                self._listed.forget(task.order_ref)
            case _:
                pass

    def _decided(self, task: Task, listed: Sequence[Listed]) -> Advance:
        own = task.entry if task.entry and task.entry.state is State.CREATED else None
        own_ref = own.ref if own else ""
        matches = _matches(task, listed, own_ref)
        if not matches:
            return self._after_absence(task, own)
        match = next((match for match in matches if not match.fields), matches[0])
        is_own = bool(own_ref) and match.found.ref == own_ref
        if not match.fields and task.there and match.found.ref == task.there.ref:
            # An unclear answer to a change is settled: it was carried out.
            return Advance(outcome=outcomes.updated(task, match.found))
        if self._if_exists is IfExists.ERROR and not is_own:
            return Advance(outcome=outcomes.refused_existing(task, match.found))
        if self._if_exists is not IfExists.UPDATE or not match.fields:
            return Advance(outcome=outcomes.there(task, match.found, match.fields))
        if len(matches) > 1:
            refs = [one.found.ref for one in matches]
            return Advance(outcome=outcomes.ambiguous(task, refs))
        return self._update(task, match)

    def _after_absence(self, task: Task, own: Entry | None) -> Advance:
        # A list can be behind: what this journal has created is asked for by its ref.
        if own is None:
            return self._create(task)
        if own.ref:
            return Advance(step=Step(Action.CHECK))
        note = "The API has said that it is there, under no ref, and its order does not show it."
        return Advance(outcome=outcomes.undone(task, Status.UNKNOWN, None, note))

    def _create(self, task: Task) -> Advance:
        # What the journal holds of it is of a contact that is gone.
        task.entry = task.there = None
        if self._preview:
            return Advance(outcome=outcomes.would_create(task))
        return Advance(step=Step(Action.SEND))

    def _update(self, task: Task, match: _Match) -> Advance:
        if self._preview:
            return Advance(outcome=outcomes.would_update(task, match.found, match.fields))
        task.there = match.found
        if task.attempts >= self._attempts:
            return Advance(outcome=outcomes.undone(task, Status.FAILED, task.answer))
        sent = task.contact.fields
        task.changes = {name: sent[name] for name in match.fields}
        return Advance(step=Step(Action.UPDATE))


def _matches(task: Task, listed: Sequence[Listed], own_ref: str) -> list[_Match]:
    sent = task.contact.fields
    found = [
        item
        for item in listed
        if isinstance(item.get("ref"), str)
        and ((own_ref and item["ref"] == own_ref) or is_same_person(sent, item))
    ]
    # The journal's own word comes before any likeness.
    own = [item for item in found if own_ref and item["ref"] == own_ref]
    return [_Match(of_item(item), differing_fields(sent, item)) for item in own or found]

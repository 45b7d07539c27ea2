"""From what came of a request to the next step of its task, and of the run."""

from random import Random

from importer.api import Answer, Listing
from importer.delivery import outcomes, policy
from importer.delivery.comparing import Comparing
from importer.delivery.creating import Creating, is_created
from importer.delivery.looking_up import LookedUp, after_look_up
from importer.delivery.observing import Observer
from importer.delivery.pace import Pace
from importer.delivery.policy import Action, Stop
from importer.delivery.tasks import Advance, Task
from importer.delivery.workers import Exchanged
from importer.journal import Journal
from importer.records import Outcome, Status
from importer.settings import DeliveryOptions, IfExists


class Steps:
    """Leads every answer to whoever knows what to do after it.

    Args:
        journal: Tells which refs belong to other rows.
        pace: Learns of every answer.
        options: Limits of attempts.
        random: Source of jitter.
    """

    def __init__(
        self, journal: Journal, pace: Pace, options: DeliveryOptions, random: Random
    ) -> None:
        self._attempts = options.attempts
        self._compares = options.if_exists is not IfExists.CREATE
        self._random = random
        self.observer = Observer(pace, random)
        self.creating = Creating(journal, self.observer, options.attempts, random)
        self.comparing = Comparing(
            options.if_exists, self.observer, options.attempts, random, preview=options.preview
        )

    def after(self, exchanged: Exchanged[Task]) -> Advance:
        """The way on after a request about a contact."""
        task = exchanged.task
        match exchanged.result:
            case Listing() as listing:
                return self._after_list(exchanged, listing)
            case Answer() as answer if task.action is Action.CHECK:
                stop = self.observer.saw(
                    task.contact.row, answer, exchanged.started, exchanged.ended
                )
                return self.comparing.after_check(task, answer, stop)
            case Answer() as answer:
                task.attempts += 1
                task.answer = answer
                stop = self.observer.saw(
                    task.contact.row, answer, exchanged.started, exchanged.ended
                )
                if task.action is Action.UPDATE:
                    return self.comparing.after_update(task, answer, stop)
                return self.creating.after_create(task, answer, stop)
            case Exception() as error:
                unknown = outcomes.undone(task, Status.UNKNOWN, task.answer)
                return Advance(outcome=unknown, stop=policy.fault(error))
            case other:
                raise TypeError(other)

    def _after_list(self, exchanged: Exchanged[Task], listing: Listing) -> Advance:
        task = exchanged.task
        room = self.comparing if task.action is Action.COMPARE else self.creating
        if listing.failure is None:
            self.observer.saw_list(exchanged.started, exchanged.ended, listing.requests)
            advance = room.after_reading(task, listing)
            is_earlier = room is self.creating and task.attempts == 0
            if self._compares and is_earlier and _is_undecided(advance):
                # What an earlier run has left is not there for sure, so it is looked for as
                # any other is.
                return self.comparing.after_reading(task, listing)
            return advance
        stop = self.observer.saw(
            task.contact.row, listing.failure, exchanged.started, exchanged.ended
        )
        return room.after_failed_reading(task, listing.failure, stop)

    def after_look_up(self, exchanged: Exchanged[Task]) -> LookedUp:
        """The way on after a request for the order of a number."""
        return after_look_up(exchanged, self.observer, self._attempts, self._random)

    def given_up(self, task: Task, stop: Stop) -> Outcome:
        """The outcome of a task that the end of the run finds on its way."""
        if task.created is not None:
            return task.created
        if task.action is Action.SETTLE and is_created(task.unclear):
            return outcomes.created_without_ref(task, ())
        if task.action is Action.SETTLE:
            return outcomes.undone(
                task, Status.UNKNOWN, task.unclear, "The run stopped before it could be settled."
            )
        if task.attempts == 0:
            return outcomes.not_sent(task.contact.row, task.order_ref, stop)
        if task.action is Action.COMPARE:
            return outcomes.undone(
                task, Status.UNKNOWN, task.answer, "The run stopped before it could be settled."
            )
        return outcomes.undone(task, Status.FAILED, task.answer)


def _is_undecided(advance: Advance) -> bool:
    """Whether reading back says to send it, or leaves open whether or where it is there."""
    if advance.outcome is not None:
        return advance.outcome.status is Status.UNKNOWN or not advance.outcome.ref
    return advance.step is not None and advance.step.action is Action.SEND

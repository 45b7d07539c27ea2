"""From what came of a request to the next step of its task, and of the run."""

from dataclasses import replace
from random import Random
from typing import Final

from importer.api import Answer
from importer.delivery.observing import Observer
from importer.delivery.pace import Pace
from importer.delivery.policy import Action, Step
from importer.delivery.policy import fault as fault_of
from importer.delivery.tasks import Advance
from importer.delivery.workers import Exchanged
from importer.records import CONTACT_OLDER, Status
from importer.undoing import policy, tasks
from importer.undoing.candidates import Candidate
from importer.undoing.tasks import Task


class Steps:
    """Decides, and keeps the pace and the health of the run informed.

    Args:
        pace: Learns of every answer.
        attempts: Most requests that try to delete one contact.
        force: Delete what somebody has changed as well.
        dry_run: Read only.
    """

    def __init__(self, pace: Pace, attempts: int, *, force: bool, dry_run: bool) -> None:
        self._random = Random()  # noqa: S311 - jitter
        self.observer = Observer(pace, self._random)
        self._attempts = attempts
        self._force = force
        self._dry_run = dry_run
        self.settled = 0

    def after(self, exchanged: Exchanged[Task]) -> Advance:
        """The way on after a request."""
        task, answer = exchanged.task, exchanged.result
        if not isinstance(answer, Answer):
            error = answer if isinstance(answer, Exception) else TypeError()
            fault = fault_of(error)
            return Advance(outcome=tasks.given_up(task, fault), stop=fault)
        stop = self.observer.saw(task.candidate.row, answer, exchanged.started, exchanged.ended)
        task.answer = answer
        if task.action is Action.SEND:
            advance = self._after_delete(task, answer)
        elif answer.contact is not None:
            advance = self._after_presence(task, answer.contact)
        else:
            task.failed_readings += 1
            step = policy.after_reading(answer, task.failed_readings, self._attempts, self._random)
            advance = self._advance(task, answer, step)
        return replace(advance, stop=advance.stop or stop)

    def _after_delete(self, task: Task, answer: Answer) -> Advance:
        task.attempts += 1
        step = policy.after_delete(answer, task.attempts, self._attempts, self._random)
        if step.action is Action.SETTLE:
            task.unclear, task.is_there = answer, False
        return self._advance(task, answer, step)

    def _after_presence(self, task: Task, contact: dict[str, object]) -> Advance:
        if not task.candidate.is_called(contact.get("ref")):
            why = "The API answered with another contact than was asked for"
            return Advance(outcome=tasks.left_alone(task, "response.invalid", why))
        task.failed_readings, task.is_there = 0, True
        if not self._force and (doubt := _doubt_of(task.candidate, contact)):
            return Advance(outcome=tasks.left_alone(task, *doubt, remedy=_FORCE))
        if self._dry_run:
            return Advance(outcome=tasks.done(task, Status.VALID))
        if task.attempts >= self._attempts:
            return Advance(outcome=tasks.still_there(task))
        return Advance(step=policy.after_presence(task.attempts, self._random))

    def _advance(self, task: Task, answer: Answer, step: Step) -> Advance:
        match step.status:
            case None:
                return Advance(step=step)
            case Status.FAILED if step.stop is not None:
                return Advance(outcome=tasks.given_up(task, step.stop), stop=step.stop)
            case Status.FAILED:
                return Advance(outcome=tasks.failed(task, answer))
            case status:
                self.settled += task.unclear is not None
                return Advance(outcome=tasks.done(task, status))


_FORCE: Final = " --force deletes it all the same."


def _doubt_of(candidate: Candidate, contact: dict[str, object]) -> tuple[str, str] | None:
    """Error code and text for a contact that may not be what the run has created, or any more."""
    if candidate.error_code == CONTACT_OLDER:
        return CONTACT_OLDER, "It was there before the import sent its row"
    try:
        instant = policy.modified(contact)
    except ValueError:
        return "response.invalid", "The API does not say whether somebody has changed it"
    if instant is None:
        return None
    when = instant.isoformat(timespec="milliseconds")
    return "contact.changed", f"Somebody has changed it since it was created, at {when}"

"""One contact that is to be deleted, and what comes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from importer.api import Answer, Connection
from importer.delivery import Stop
from importer.delivery.policy import Action
from importer.journal import Entry, State
from importer.records import Outcome, Status
from importer.undoing.candidates import Candidate
from importer.undoing.policy import is_final


@dataclass(slots=True)
class Task:
    """One contact and how far it has come in this run.

    Attributes:
        entries: What the journal holds on it, or will with the next commit.
        before: What it held when the run began.
        action: What comes next: ``SETTLE`` reads it, ``SEND`` deletes it.
        attempts: Requests that tried to delete it.
        failed_readings: Readings that failed since the last that did not.
        is_there: The last word of the API was that it is there.
        unclear: The last answer to a request to delete it that did not tell; if it is gone
            later, that was it.
        answer: The last answer.
    """

    candidate: Candidate
    entries: tuple[Entry, ...] = ()
    before: tuple[Entry, ...] = ()
    action: Action = Action.SETTLE
    attempts: int = 0
    failed_readings: int = 0
    is_there: bool = False
    unclear: Answer | None = None
    answer: Answer | None = None

    @property
    def order_ref(self) -> str:
        """The order, as it stands in the results file."""
        return self.candidate.order_ref


def carry_out(connection: Connection, task: Task) -> Answer:
    """Send the request that comes next for a contact."""
    if task.action is Action.SEND:
        return connection.delete(task.candidate.ref)
    return connection.contact(task.candidate.ref)


def done(task: Task, status: Status) -> Outcome:
    """It is gone, or with a dry run it could be."""
    if status is Status.ABSENT and task.unclear is not None:
        status = Status.DELETED
    http_status = task.answer.http_status if task.answer else None
    outcome = _outcome(task.candidate, status)
    return replace(outcome, attempts=task.attempts, http_status=http_status)


def failed(task: Task, answer: Answer) -> Outcome:
    """Nobody could find out, or delete it."""
    return replace(
        done(task, Status.FAILED),
        http_status=answer.http_status,
        retryable=not is_final(answer),
        error_code=answer.error_code,
        error=f"{_doubt(task)}{answer.message}",
    )


def still_there(task: Task) -> Outcome:
    """It is there after the last attempt to delete it."""
    last = task.unclear
    return replace(
        done(task, Status.FAILED),
        http_status=last.http_status if last else None,
        retryable=True,
        error_code=(last.error_code if last else "") or "response.invalid",
        error=f"It is still there. {last.message if last else ''}".strip(),
    )


def left_alone(task: Task, code: str, why: str, remedy: str = "") -> Outcome:
    """It stays, because it may not be what the run has created."""
    error = f"{why}, so it was left alone.{remedy}"
    return replace(done(task, Status.FAILED), retryable=False, error_code=code, error=error)


def without_ref(candidate: Candidate) -> Outcome:
    """Nobody can tell which contact it is."""
    return replace(
        _outcome(candidate, Status.FAILED),
        retryable=False,
        error_code="contact.no_ref",
        error="The results file does not say its ref; look for it among the order's contacts.",
    )


def given_up(task: Task, stop: Stop) -> Outcome:
    """The run stopped before it was settled."""
    return replace(
        done(task, Status.FAILED),
        retryable=True,
        error_code=f"stopped.{stop.why}",
        error=f"{_doubt(task)}{stop.message}",
    )


def intended(task: Task) -> list[Entry]:
    """What the journal is told before a request to delete it leaves.

    Should nobody learn what came of it, the next import reads the order's contacts first.
    """
    return _changed(task, [State.INTENT for _ in task.entries])


def concluded(task: Task, outcome: Outcome) -> list[Entry]:
    """What the journal is told in the end; a contact that is gone can be created again."""
    if outcome.status in {Status.DELETED, Status.ABSENT}:
        return _changed(task, [State.ABSENT for _ in task.entries])
    if not task.is_there:
        return []
    # What an undo left that was killed is there after all.
    kept = [one.state if one.is_there else State.CREATED for one in task.before]
    return _changed(task, kept)


def _changed(task: Task, states: Sequence[State]) -> list[Entry]:
    # The ref always stays: it says to the next undo that the journal has learnt of it.
    before = task.entries
    task.entries = tuple(
        replace(entry, state=state) for entry, state in zip(before, states, strict=True)
    )
    return [now for now, then in zip(task.entries, before, strict=True) if now != then]


def _doubt(task: Task) -> str:
    return "" if task.unclear is None else "It may be deleted all the same. "


def _outcome(candidate: Candidate, status: Status) -> Outcome:
    return Outcome(
        row=candidate.row,
        status=status,
        order_ref=candidate.order_ref,
        ref=candidate.ref,
        href=candidate.href,
        guest_ref=candidate.guest_ref,
    )

"""The deletion of one contact: read it, delete it, and settle what is unclear by reading again.

A contact is deleted only after a reading that shows it as it was created. Deleting twice does
no harm. Source: docs/undo.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from importer.api import Answer, NextStep, instant_of
from importer.api.calls import DeleteContact, ReadContact
from importer.engine import (
    Done,
    Procedure,
    Record,
    Retry,
    Stop,
    Stopped,
    backoff,
    send,
    wait,
)
from importer.journal import Entry, State
from importer.records import CONTACT_OLDER, Outcome, Status
from importer.undoing.candidates import Candidate

_UNCHANGED: Final = timedelta(seconds=1)
"""How far apart creation and last change of a contact may be that has not been changed."""
_FORCE: Final = " --force deletes it all the same."


@dataclass(slots=True)
class UndoState:
    """What the procedures of one run share.

    Attributes:
        retry: The patience of the run.
        force: Whether contacts are deleted that were changed since.
        dry_run: Whether they are only read.
        settled: Unclear answers that reading has settled.
    """

    retry: Retry
    force: bool = False
    dry_run: bool = False
    settled: int = 0


@dataclass(slots=True)
class CandidateState:
    """One contact and how far its deletion has come.

    Attributes:
        entries: Its entries in the journal, or those that the next commit writes.
        before: Its entries when the run began.
        attempts: Requests that tried to delete it.
        is_there: Whether the last reading showed it.
        unclear: The last unclear answer to a deletion; if it is gone later, that was the cause.
        answer: The last answer.
    """

    candidate: Candidate
    entries: tuple[Entry, ...] = ()
    before: tuple[Entry, ...] = ()
    attempts: int = 0
    is_there: bool = False
    unclear: Answer | None = None
    answer: Answer | None = None


def delete(state: CandidateState, run: UndoState) -> Procedure[Done]:
    """Take a contact that is to be deleted to its outcome."""
    try:
        outcome = yield from _delete(state, run)
    except Stopped as stopped:
        outcome = _at_stop(state, stopped.stop)
    run.settled += state.unclear is not None and outcome.status is Status.DELETED
    return Done(outcome, _concluded(state, outcome))


def without_ref(candidate: Candidate) -> Outcome:
    """Return the outcome of a contact whose ref the import did not learn."""
    return replace(
        _outcome(candidate, Status.FAILED),
        retryable=False,
        error_code="contact.no_ref",
        error="The API never gave its ref; look for it among the order's contacts.",
    )


def _delete(state: CandidateState, run: UndoState) -> Procedure[Outcome]:
    while True:
        contact = yield from _read(state, run)
        if isinstance(contact, Outcome):
            return contact
        if not run.force and (doubt := _doubt(state.candidate, contact)):
            return _left_alone(state, *doubt, remedy=_FORCE)
        if run.dry_run:
            return _done(state, Status.VALID)
        if state.attempts >= run.retry.attempts:
            return _still_there(state)
        if state.attempts:
            yield from wait(backoff(state.attempts, run.retry.random))
        outcome = yield from _delete_present(state, run.retry)
        if outcome is not None:
            return outcome


def _read(state: CandidateState, run: UndoState) -> Procedure[Mapping[str, object] | Outcome]:
    """Return the contact, or the outcome if it is gone or cannot be read."""
    failures = 0
    while True:
        answer = yield from _send(state, ReadContact(state.candidate.ref))
        if answer.contact is not None:
            if not state.candidate.is_called(answer.contact.get("ref")):
                why = "The API answered with another contact than was asked for"
                return _left_alone(state, "response.invalid", why)
            state.is_there = True
            return answer.contact
        if answer.is_gone:
            return _done(state, Status.ABSENT)
        failures += 1
        if failures >= run.retry.attempts or _is_final(answer):
            return _failed(state, answer)
        yield from wait(run.retry.delay(answer, failures))


def _delete_present(state: CandidateState, retry: Retry) -> Procedure[Outcome | None]:
    """Delete a contact that is there; return None if only reading can show what came of it."""
    while True:
        # If its result is never learned, the next import reads the order's contacts first.
        if intent := _changed(state, [State.INTENT for _ in state.entries]):
            yield Record(intent)
        answer = yield from _send(state, DeleteContact(state.candidate.ref))
        match answer.rule.next_step:
            case NextStep.DONE:
                return _done(state, Status.DELETED)
            case _ if answer.is_gone:
                return _done(state, Status.ABSENT)
            case NextStep.SETTLE:
                state.unclear, state.is_there = answer, False
                return None
        if _is_final(answer) or state.attempts >= retry.attempts:
            return _failed(state, answer)
        yield from wait(retry.delay(answer, state.attempts))


def _send(state: CandidateState, call: ReadContact | DeleteContact) -> Procedure[Answer]:
    is_deletion = isinstance(call, DeleteContact)
    try:
        state.answer = answer = yield from send(call)
    except Stopped as stopped:
        if stopped.answer is not None:
            state.attempts, state.answer = state.attempts + is_deletion, stopped.answer
        raise
    state.attempts += is_deletion
    return answer


def _is_final(answer: Answer) -> bool:
    """Return whether asking again is of no use; a gateway's 404 says nothing of contacts."""
    is_refusal = answer.rule.next_step is NextStep.REJECT
    return is_refusal and answer.http_status not in {404, 410}


def _doubt(candidate: Candidate, contact: Mapping[str, object]) -> tuple[str, str] | None:
    """Return error code and text for a contact that may not be what the run created."""
    if candidate.error_code == CONTACT_OLDER:
        return CONTACT_OLDER, "It was there before the import sent its row"
    created_at, modified_at = (instant_of(contact, name) for name in ("createdAt", "modifiedAt"))
    if created_at is None or modified_at is None:
        return "response.invalid", "The API does not say whether it was changed"
    if modified_at - created_at <= _UNCHANGED:
        return None
    when = modified_at.isoformat(timespec="milliseconds")
    return "contact.changed", f"It was changed since it was created, at {when}"


# Outcomes and entries.


def _outcome(candidate: Candidate, status: Status) -> Outcome:
    return Outcome(
        row=candidate.row,
        status=status,
        order_ref=candidate.order_ref,
        ref=candidate.ref,
        href=candidate.href,
        guest_ref=candidate.guest_ref,
    )


def _done(state: CandidateState, status: Status) -> Outcome:
    if status is Status.ABSENT and state.unclear is not None:
        status = Status.DELETED
    http_status = state.answer.http_status if state.answer else None
    outcome = _outcome(state.candidate, status)
    return replace(outcome, attempts=state.attempts, http_status=http_status)


def _failed(state: CandidateState, answer: Answer) -> Outcome:
    return replace(
        _done(state, Status.FAILED),
        http_status=answer.http_status,
        retryable=not _is_final(answer),
        error_code=answer.error_code,
        error=f"{_caution(state)}{answer.message}",
    )


def _still_there(state: CandidateState) -> Outcome:
    last = state.unclear
    return replace(
        _done(state, Status.FAILED),
        http_status=last.http_status if last else None,
        retryable=True,
        error_code=(last.error_code if last else "") or "response.invalid",
        error=f"It is still there. {last.message if last else ''}".strip(),
    )


def _left_alone(state: CandidateState, code: str, why: str, remedy: str = "") -> Outcome:
    error = f"{why}, so it was left alone.{remedy}"
    return replace(_done(state, Status.FAILED), retryable=False, error_code=code, error=error)


def _at_stop(state: CandidateState, stop: Stop) -> Outcome:
    return replace(
        _done(state, Status.FAILED),
        retryable=True,
        error_code=f"stopped.{stop.why}",
        error=f"{_caution(state)}{stop.message}",
    )


def _caution(state: CandidateState) -> str:
    return "" if state.unclear is None else "It may be deleted all the same. "


def _concluded(state: CandidateState, outcome: Outcome) -> list[Entry]:
    """Return what the journal keeps; a contact that is gone can be created again."""
    if outcome.status in {Status.DELETED, Status.ABSENT}:
        return _changed(state, [State.ABSENT for _ in state.entries])
    if not state.is_there:
        return []
    # What a killed undo left behind is there after all.
    kept = [entry.state if entry.is_there else State.CREATED for entry in state.before]
    return _changed(state, kept)


def _changed(state: CandidateState, states: Sequence[State]) -> list[Entry]:
    # The ref always stays: it shows the next undo that the journal knows the contact.
    before = state.entries
    state.entries = tuple(
        replace(entry, state=one) for entry, one in zip(before, states, strict=True)
    )
    return [now for now, then in zip(state.entries, before, strict=True) if now != then]

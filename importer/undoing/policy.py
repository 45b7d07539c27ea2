"""What to do after an answer: the table of an undo, as pure functions.

A DELETE harms nobody when it is sent twice. It is sent only after a reading that has shown the
contact as it was created; what is unclear is settled by reading the contact again.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from random import Random
from typing import Final

from importer.api import Answer, Verdict
from importer.delivery.dating import instant_of
from importer.delivery.policy import (
    Action,
    Step,
    backoff,
    delay_after,
    is_gone,
    is_refused,
    stop_after,
)
from importer.records import Status

_AT_ONCE: Final = timedelta(seconds=1)
"""How far apart the two instants of a contact may be that nobody has changed."""


def after_delete(answer: Answer, attempt: int, attempts: int, random: Random) -> Step:
    """The step after the answer to a DELETE.

    Args:
        answer: What came of it.
        attempt: Which attempt it was, from 1.
        attempts: How many are allowed.
        random: Source of jitter.
    """
    if answer.http_status == HTTPStatus.NO_CONTENT:
        return Step(Action.FINISH, status=Status.DELETED)
    if is_gone(answer):
        return Step(Action.FINISH, status=Status.ABSENT)
    if answer.verdict is Verdict.NOT_APPLIED:
        return _after_failure(answer, Action.SEND, attempt, attempts, random)
    # Any other success may come from a log-in page in between: reading shows.
    return Step(Action.SETTLE)


def after_reading(answer: Answer, tries: int, attempts: int, random: Random) -> Step:
    """The step when a contact could not be read, or is gone.

    Args:
        answer: What came of the reading.
        tries: How often reading has failed for this contact, this time included.
        attempts: How often it may.
        random: Source of jitter.
    """
    if is_gone(answer):
        return Step(Action.FINISH, status=Status.ABSENT)
    return _after_failure(answer, Action.SETTLE, tries, attempts, random)


def after_presence(attempts_made: int, random: Random) -> Step:
    """The step when a contact is there, and may be deleted once more."""
    return Step(Action.SEND, delay=backoff(attempts_made, random) if attempts_made else 0.0)


def is_final(answer: Answer) -> bool:
    """Whether asking again is of no use; a 404 that is not the API's own is of the way there."""
    return is_refused(answer) and answer.http_status not in {404, 410}


def modified(contact: Mapping[str, object]) -> datetime | None:
    """When somebody changed a contact after it was created; None when nobody has.

    Raises:
        ValueError: The contact does not say when it was created and changed.
    """
    created_at, modified_at = (instant_of(contact, f) for f in ("createdAt", "modifiedAt"))
    if created_at is None or modified_at is None:
        raise ValueError("no instant")
    return modified_at if modified_at - created_at > _AT_ONCE else None


def _after_failure(
    answer: Answer, again: Action, tries: int, attempts: int, random: Random
) -> Step:
    stop = stop_after(answer)
    if stop or is_final(answer) or tries >= attempts:
        return Step(Action.FINISH, status=Status.FAILED, stop=stop)
    return Step(again, delay=delay_after(answer, tries, random))

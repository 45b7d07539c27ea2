"""Turns a reply, or the lack of one, into an :class:`Answer`.

Pure functions: the same reply always gives the same answer. Source: docs/promise.md.
"""

from enum import Enum, auto, unique
from http import HTTPStatus
from typing import Final

from importer.api import rules
from importer.api.answers import Answer
from importer.api.replies import (
    Failure,
    Reply,
    Secrets,
    date_of,
    is_api_error,
    message_of,
    parse,
    pause_of,
)
from importer.api.rules import Rule, rule_for_failure, rule_for_status
from importer.records import ContactRefs

RESPONSE_INVALID: Final = "response.invalid"


@unique
class Expected(Enum):
    """What a success must look like."""

    CONTACT = auto()
    """The contact that was created or changed, with its ref."""
    OBJECT = auto()
    """A JSON object."""
    NOTHING = auto()
    """204 and no body."""


def answer_to(expected: Expected, reply: Reply, seconds: float, secrets: Secrets) -> Answer:
    """Classify a reply."""
    value = parse(reply.body) if not reply.flaw else None
    if HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES:
        return _success(expected, reply, value, seconds)
    retry_after = pause_of(reply) if reply.retry_after else None
    api_error = is_api_error(value, reply.status)
    return Answer(
        rule=rule_for_status(
            reply.status, is_api_error=api_error, asks_to_wait=retry_after is not None
        ),
        seconds=seconds,
        http_status=reply.status,
        error_code=f"http.{reply.status}",
        message=message_of(reply, value, secrets),
        retry_after=retry_after,
        is_api_error=api_error,
    )


def answer_to_failure(failure: Failure, seconds: float) -> Answer:
    """Classify a request that got no reply."""
    return Answer(
        rule=rule_for_failure(failure.error_code, is_certain=failure.certain),
        seconds=seconds,
        sent=failure.sent,
        error_code=failure.error_code,
        message=failure.message,
    )


def unusable(message: str) -> Answer:
    """Return the answer to a read whose reply was well formed and useless."""
    return Answer(rule=rules.NOT_THE_API, seconds=0.0, error_code=RESPONSE_INVALID, message=message)


def _success(expected: Expected, reply: Reply, value: object, seconds: float) -> Answer:
    contact: dict[str, object] | None = value if isinstance(value, dict) else None
    refs = ContactRefs() if contact is None else ContactRefs.from_json(contact)
    rule, message = _rule_for_success(expected, reply, contact, refs.ref)
    return Answer(
        rule=rule,
        seconds=seconds,
        http_status=reply.status,
        error_code=(reply.flaw or RESPONSE_INVALID) if message else "",
        message=message,
        refs=refs,
        contact=contact,
        date=date_of(reply) if expected is Expected.OBJECT else None,
    )


def _rule_for_success(
    expected: Expected, reply: Reply, contact: dict[str, object] | None, ref: str
) -> tuple[Rule, str]:
    """Return the rule for a 2xx, and what is wrong with it, ``""`` if nothing is.

    A maintenance or log-in page with status 200 never reached the API.
    """
    status = reply.status
    match expected:
        case Expected.CONTACT if ref:
            return rules.APPLIED, ""
        case Expected.CONTACT if status == HTTPStatus.CREATED:
            return (
                rules.CREATED_UNREADABLE,
                f"HTTP {status}, but the body does not hold the contact's ref",
            )
        case Expected.OBJECT if contact is not None:
            return rules.APPLIED, ""
        case Expected.NOTHING if status == HTTPStatus.NO_CONTENT:
            return rules.APPLIED, ""
        case Expected.CONTACT:
            missing = "the contact's ref"
        case Expected.OBJECT:
            missing = "a whole JSON object"
        case Expected.NOTHING:
            return rules.NOT_THE_API, f"HTTP {status} instead of 204 to a deletion"
    return rules.NOT_THE_API, f"HTTP {status}, but the body does not hold {missing}"

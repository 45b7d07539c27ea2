"""The table of answers: what each status and each failure means for the request and the run.

Creates, updates, deletions and reads all consult this one table, and the table in
``docs/promise.md`` is tested against it. Only a request that is known not to have been applied
may be sent again without looking. Source: docs/promise.md.
"""

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum, unique
from functools import lru_cache
from http import HTTPStatus
from typing import Final


@unique
class Verdict(StrEnum):
    """Whether a request did what it asked for.

    APPLIED: It did; for a read, the answer holds what was asked for.
    NOT_APPLIED: It certainly did not, so sending it again cannot do it twice.
    UNKNOWN: It may have; only reading can show.
    """

    APPLIED = "applied"
    NOT_APPLIED = "not applied"
    UNKNOWN = "unknown"


@unique
class NextStep(StrEnum):
    """What to do after an answer."""

    DONE = "done"
    SETTLE = "settle"
    """Read what the API holds; a read is simply sent again."""
    RESEND = "send again"
    REJECT = "reject"
    """Sending the same request again would get the same answer."""
    STOP = "stop the run"
    """Other requests would fail in the same way."""


@unique
class WhenAbsent(StrEnum):
    """What to do when settling shows for certain that the contact is not there."""

    RESEND = "send again"
    KEEP = "never send again"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table.

    Attributes:
        answer: The answers it is about, as the documentation names them.
        when_absent: Set if the next step is to settle.
        trouble: The kind of trouble that the answer is a sign of, ``""`` for an answer that a
            working API gives.
        slows: Whether the answer means that the API cannot keep up, so that fewer requests
            may be in flight.
        stop: The second half of ``stopped.<why>`` if the next step is to stop the run.
    """

    answer: str
    verdict: Verdict
    next_step: NextStep
    when_absent: WhenAbsent | None = None
    trouble: str = ""
    slows: bool = False
    stop: str = ""


def _done(answer: str) -> Rule:
    return Rule(answer, Verdict.APPLIED, NextStep.DONE)


def _refused(answer: str) -> Rule:
    return Rule(answer, Verdict.NOT_APPLIED, NextStep.REJECT)


def _stop(answer: str, why: str, trouble: str = "") -> Rule:
    return Rule(answer, Verdict.NOT_APPLIED, NextStep.STOP, trouble=trouble, stop=why)


def _temporary(answer: str, trouble: str, *, slows: bool = True) -> Rule:
    return Rule(answer, Verdict.NOT_APPLIED, NextStep.RESEND, trouble=trouble, slows=slows)


def _unclear(answer: str, trouble: str) -> Rule:
    return Rule(
        answer, Verdict.UNKNOWN, NextStep.SETTLE, WhenAbsent.RESEND, trouble=trouble, slows=True
    )


BUSY: Final = "too many requests"
SERVER_ERROR: Final = "server error"
TIME_OUT: Final = "time-out"
CONNECTION: Final = "no connection"
BROKEN: Final = "broken connection"
UNREADABLE: Final = "unreadable answer"

APPLIED: Final = _done("201 or another 2xx with the contact's `ref`; 204 to a deletion")
CREATED_UNREADABLE: Final = Rule(
    "201 without a usable `ref`", Verdict.APPLIED, NextStep.SETTLE, WhenAbsent.KEEP
)
NOT_THE_API: Final = _unclear(
    "another 2xx without the contact: a page, a text, nothing", UNREADABLE
)
REDIRECT: Final = _stop("3xx", "redirect")
UNAUTHORIZED: Final = _stop("401", "credentials")
FORBIDDEN: Final = Rule(
    "403: stops the run before any success, or when five come in a row",
    Verdict.NOT_APPLIED,
    NextStep.REJECT,
    stop="credentials",
)
REQUEST_TIMEOUT: Final = _unclear("408", TIME_OUT)
TOO_LARGE_NOW: Final = _temporary("413 with `Retry-After`", BUSY)
MEDIA_TYPE: Final = _stop("415", "media_type")
MISDIRECTED: Final = _temporary("421, 425", BUSY, slows=False)
TOO_MANY: Final = _temporary("429", BUSY)
REFUSED: Final = _refused("another 4xx")
UNAVAILABLE: Final = _temporary("503 in the API's own form", SERVER_ERROR)
FAILED: Final = _unclear("another 5xx, and any other status", SERVER_ERROR)
NO_CONNECTION: Final = _temporary("`network.connect`", CONNECTION, slows=False)
NO_TLS: Final = _stop("`network.tls`", "tls", CONNECTION)
NOT_SENT: Final = _temporary("the connection broke before the request left", BROKEN)
NO_ANSWER: Final = _unclear("`network.timeout`", TIME_OUT)
BROKE: Final = _unclear("`network.reset`", BROKEN)
NOT_HTTP: Final = _unclear("`response.invalid`: not HTTP", UNREADABLE)

TABLE: Final = (
    APPLIED, CREATED_UNREADABLE, NOT_THE_API, REDIRECT, UNAUTHORIZED, FORBIDDEN, REQUEST_TIMEOUT,
    TOO_LARGE_NOW, MEDIA_TYPE, MISDIRECTED, TOO_MANY, REFUSED, UNAVAILABLE, FAILED, NO_CONNECTION,
    NO_TLS, NOT_SENT, NO_ANSWER, BROKE, NOT_HTTP,
)  # fmt: skip
"""All rules, in the order of the documentation."""

_BY_STATUS: Final[tuple[tuple[Container[int], Rule], ...]] = (
    (range(300, 400), REDIRECT),
    ({HTTPStatus.UNAUTHORIZED}, UNAUTHORIZED),
    ({HTTPStatus.FORBIDDEN}, FORBIDDEN),
    ({HTTPStatus.REQUEST_TIMEOUT}, REQUEST_TIMEOUT),
    ({HTTPStatus.UNSUPPORTED_MEDIA_TYPE}, MEDIA_TYPE),
    ({HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.TOO_EARLY}, MISDIRECTED),
    ({HTTPStatus.TOO_MANY_REQUESTS}, TOO_MANY),
    (range(400, 500), REFUSED),
)
_BY_FAILURE: Final = {
    "network.connect": NO_CONNECTION,
    "network.tls": NO_TLS,
    "network.timeout": NO_ANSWER,
    "network.reset": BROKE,
}


@lru_cache(maxsize=256)
def rule_for_status(status: int, *, is_api_error: bool, asks_to_wait: bool) -> Rule:
    """Return the rule for a reply that is no success.

    Args:
        status: HTTP status of the final reply.
        is_api_error: Whether the body has the API's documented error form. It distinguishes a
            503 of the API, which asks to try again immediately, from one of a gateway, behind
            which the request may have been carried out.
        asks_to_wait: Whether the reply has a usable Retry-After.
    """
    if status == HTTPStatus.SERVICE_UNAVAILABLE and is_api_error:
        return UNAVAILABLE
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and asks_to_wait:
        return TOO_LARGE_NOW
    return next((rule for statuses, rule in _BY_STATUS if status in statuses), FAILED)


def rule_for_failure(error_code: str, *, is_certain: bool) -> Rule:
    """Return the rule for a request that got no reply.

    Args:
        error_code: ``network.connect``, ``network.tls``, ``network.timeout``,
            ``network.reset`` or ``response.invalid``.
        is_certain: Whether it is proven that the API did not act.
    """
    rule = _BY_FAILURE.get(error_code, NOT_HTTP)
    if is_certain and rule.verdict is Verdict.UNKNOWN:
        return NOT_SENT
    return rule

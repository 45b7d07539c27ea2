"""What the API said to one request, as far as the rest of the program needs to know."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, unique


@unique
class Verdict(StrEnum):
    """Whether a request did what it asked for.

    APPLIED: It did; for a read, what was asked for is here.
    NOT_APPLIED: It did not, and that is certain: sending it again cannot do it twice.
    UNKNOWN: It may have; only reading back can tell.
    """

    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outcome of one request.

    Attributes:
        verdict: Whether the request did what it asked for.
        seconds: Time from the call to the end of the exchange, on a monotonic clock.
        sent: Whether any byte of the request may have left.
        http_status: Status of the answer, None when none came.
        error_code: Stable word, ``""`` when all is well. ``network.connect`` no connection,
            ``network.tls`` the certificate or the TLS set-up (no attempt will mend it),
            ``network.timeout``, ``network.reset`` the exchange broke,
            ``response.invalid`` an answer without the documented meaning, ``http.<status>``.
        message: Text for a person, one line, at most 300 characters. It may quote the API,
            and the API may quote a value that was sent: for the results, not for a log.
        ref: Reference of the contact, a UUID; ``""`` when the answer holds none.
        href: Address of the contact, or ``""``.
        guest_ref: Reference of the guest that the contact was linked to, or ``""``.
        contact: The JSON object of an APPLIED answer, as the API stored it.
        retry_after: Seconds from now that the API asks to wait, at most a year; None when
            it asks for none, or not in a way that can be understood, or for a time gone by.
        is_api_error: The body is the API's documented error form, so that it is the API
            that speaks and not something in between.
        date: When the server sent it, by its own clock; None when it does not say, and for
            creates, where nobody asks.
    """

    verdict: Verdict
    seconds: float
    sent: bool = True
    http_status: int | None = None
    error_code: str = ""
    message: str = field(default="", repr=False)
    ref: str = ""
    href: str = ""
    guest_ref: str = ""
    contact: dict[str, object] | None = field(default=None, repr=False)
    retry_after: float | None = None
    is_api_error: bool = False
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """All the items of a list, read page by page, or why they could not be read.

    Attributes:
        items: JSON objects, each with a ``ref``; empty when there was a failure.
        failure: The answer that ended the reading early; None when the list is complete.
            Its verdict is never APPLIED.
        requests: How many requests it took.
        is_given_up: Whether a page was not asked for because the run ends; it tells of nothing
            else.
        clock_lead: How far the server's clock is ahead of the one of this machine; None when
            it does not tell the time.
    """

    items: tuple[dict[str, object], ...] = field(repr=False)
    failure: Answer | None
    requests: int
    is_given_up: bool = False
    clock_lead: timedelta | None = None

"""The answer of the API to one call, as far as the rest of the program needs to know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from importer.api.rules import Rule, Verdict
from importer.records import ContactRefs


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The outcome of one request.

    Attributes:
        rule: What the answer means for the request and the run.
        seconds: Time from the call to the end of the exchange, on a monotonic clock.
        sent: Whether any byte of the request may have left.
        http_status: Status of the answer, None when none came.
        error_code: Stable word, ``""`` when all is well. ``network.connect`` no connection,
            ``network.tls`` the certificate or the TLS set-up (another attempt will not help),
            ``network.timeout``, ``network.reset`` the exchange broke,
            ``response.invalid`` an answer without the documented meaning, ``http.<status>``.
        message: Text for a person, one line, at most 300 characters. It may quote the API,
            and the API may quote a value that was sent: for the results, not for a log.
        refs: What the API calls the contact and its guest; blank where the answer holds none.
        contact: The JSON object of an APPLIED answer, as the API stored it.
        retry_after: Seconds from now that the API asks to wait, at most a year; None without
            a usable Retry-After.
        is_api_error: The body has the API's documented error form, so the answer comes from
            the API and not from something in between.
        date: When the server sent it, by its own clock; None if unknown, and for creates,
            where it is not needed.
    """

    rule: Rule
    seconds: float
    sent: bool = True
    http_status: int | None = None
    error_code: str = ""
    message: str = field(default="", repr=False)
    refs: ContactRefs = field(default_factory=ContactRefs)
    contact: dict[str, object] | None = field(default=None, repr=False)
    retry_after: float | None = None
    is_api_error: bool = False
    date: datetime | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether the request did what it asked for."""
        return self.rule.verdict

    @property
    def is_gone(self) -> bool:
        """Whether the API itself says that there is no such contact.

        The 404 of a gateway says nothing about contacts. Trusting it would make the journal
        forget contacts that are there, and create them again.
        """
        return self.http_status in {404, 410} and self.is_api_error


@dataclass(frozen=True, slots=True)
class Listing:
    """All items of a list, read page by page, or why they could not be read.

    Attributes:
        items: JSON objects, each with a ``ref``; empty when there was a failure.
        failure: The answer that ended the reading early; None when the list is complete.
            Its verdict is never APPLIED.
        requests: How many requests it took.
        is_given_up: Whether a page was not requested because the run is ending; the failure
            then means nothing else.
        clock_lead: How far the server's clock is ahead of this machine's; None if unknown.
    """

    items: tuple[dict[str, object], ...] = field(repr=False)
    failure: Answer | None
    requests: int
    is_given_up: bool = False
    clock_lead: timedelta | None = None


def instant_of(item: Mapping[str, object], field: str) -> datetime | None:
    """Return an instant of a contact as the API gives it; None without a usable one."""
    value = item.get(field)
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant and not instant.tzinfo else instant

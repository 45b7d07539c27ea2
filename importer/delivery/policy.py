"""What to do after an answer: the table of the program's promise, as pure functions.

Only what is known not to be applied may be sent again blindly. What is unclear is settled by
reading the order's contacts back; it is sent again when it is surely not there.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto, unique
from random import Random
from typing import Final, assert_never

from importer._version import __version__
from importer.api import Answer, Verdict
from importer.errors import kind_and_place
from importer.records import Status

BACKOFF_BASE: Final = 0.5  # seconds
BACKOFF_CAP: Final = 30.0  # seconds
LONGEST_RETRY_AFTER: Final = 120.0  # seconds; a server that asks for more ends the run
SETTLE_ANSWERED: Final = (0.0, 1.0, 2.0)
"""Seconds before each reading back when an answer came: the server has let go of it."""
SETTLE_UNANSWERED: Final = (0.0, 2.0, 5.0)
"""The same when none came: the server may still be at work on it."""
SETTLE_EARLIER: Final = (0.0, 1.0, 2.0)
"""The same for a request of an earlier run, whose connection died with its process."""
AUDIT_DELAY: Final = 2.0
"""Seconds after a contact that was sent again is there, until its order is looked at for the
one that was given up: the API may have carried out that request late."""
_IMMEDIATE_503: Final = 2  # "try again immediately as servers are clustered"


@unique
class Action(Enum):
    """What comes next for one contact."""

    LOOK_UP = auto()
    SEND = auto()
    SETTLE = auto()
    AUDIT = auto()
    COMPARE = auto()
    CHECK = auto()
    UPDATE = auto()
    FINISH = auto()


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the whole run ends early.

    Attributes:
        why: Stable word, the second half of ``stopped.<why>``.
        message: What happened and what to do, for a person.
    """

    why: str
    message: str


@dataclass(frozen=True, slots=True)
class Step:
    """The next step for one contact, and for the run.

    Attributes:
        delay: Seconds to wait before it.
        status: What became of the contact, with ``FINISH``.
        stop: Set when the run ends with this step.
    """

    action: Action
    delay: float = 0.0
    status: Status | None = None
    stop: Stop | None = None


def backoff(attempt: int, random: Random) -> float:
    """Seconds to wait after the given attempt (from 1): capped, exponential, full jitter."""
    return random.uniform(0.0, min(BACKOFF_CAP, BACKOFF_BASE * 2.0 ** min(attempt - 1, 16)))


def after_create(answer: Answer, attempt: int, attempts: int, random: Random) -> Step:
    """The step after the answer to a POST.

    Args:
        answer: What came of it.
        attempt: Which attempt it was, from 1.
        attempts: How many are allowed.
        random: Source of jitter.
    """
    match answer.verdict:
        case Verdict.APPLIED if answer.ref:
            return Step(Action.FINISH, status=Status.CREATED)
        case Verdict.APPLIED:
            return Step(Action.SETTLE)
        case Verdict.UNKNOWN:
            return Step(Action.SETTLE, delay=settle_delays(answer)[0])
        case Verdict.NOT_APPLIED:
            return _after_not_applied(answer, attempt, attempts, random)
        case never:
            assert_never(never)


def _after_not_applied(answer: Answer, attempt: int, attempts: int, random: Random) -> Step:
    if stop := stop_after(answer):
        return Step(Action.FINISH, status=_status_at_stop(answer), stop=stop)
    if is_refused(answer):
        return Step(Action.FINISH, status=Status.REJECTED)
    if attempt >= attempts:
        return Step(Action.FINISH, status=Status.FAILED)
    return Step(Action.SEND, delay=delay_after(answer, attempt, random))


def after_update(answer: Answer, attempt: int, attempts: int, random: Random) -> Step:
    """The step after a PATCH that is not known to be applied: what is unclear is read again."""
    if answer.verdict is not Verdict.NOT_APPLIED:
        return Step(Action.COMPARE, delay=delay_after(answer, attempt, random))
    if is_gone(answer) and attempt < attempts:
        return Step(Action.COMPARE)
    step = _after_not_applied(answer, attempt, attempts, random)
    return replace(step, action=Action.UPDATE) if step.action is Action.SEND else step


def after_absent(attempt: int, attempts: int, random: Random) -> Step:
    """The step when reading back has shown for sure that the contact is not there."""
    if attempt >= attempts:
        return Step(Action.FINISH, status=Status.FAILED)
    return Step(Action.SEND, delay=backoff(attempt, random) if attempt else 0.0)


def after_failed_reading(answer: Answer, tries: int, attempts: int, random: Random) -> Step:
    """The step when the order's contacts could not be read back: never to send again.

    Args:
        answer: What came of the reading.
        tries: How often reading has failed for this contact.
        attempts: How often it may.
        random: Source of jitter.
    """
    stop = stop_after(answer)
    if stop or tries >= attempts or is_refused(answer):
        return Step(Action.FINISH, status=Status.UNKNOWN, stop=stop)
    return Step(Action.SETTLE, delay=delay_after(answer, tries, random))


def settle_delays(answer: Answer | None) -> tuple[float, ...]:
    """Seconds before each reading back that finds nothing; None is an earlier run's request."""
    if answer is None:
        return SETTLE_EARLIER
    return SETTLE_UNANSWERED if answer.http_status is None else SETTLE_ANSWERED


def is_trouble(answer: Answer) -> bool:
    """Whether the answer speaks of a server or a network that cannot keep up."""
    status = answer.http_status
    if status is None or answer.verdict is Verdict.UNKNOWN:
        return True
    return status == 429 or status >= 500  # noqa: PLR2004 - HTTP's own numbers


def stop_after(answer: Answer) -> Stop | None:
    """Why no row can get through after this answer, if so."""
    status = answer.http_status
    if status in {401, 403}:
        return Stop(
            "credentials",
            f"The API refused the credentials (HTTP {status}). Check SITECORE_CDP_CLIENT_KEY and "
            "SITECORE_CDP_API_TOKEN (or the credentials file) and the region, then run again.",
        )
    if answer.error_code == "network.tls":
        return Stop(
            "tls",
            f"No trusted connection to the API ({answer.message}). Check the base URL and, behind "
            "a company proxy, REQUESTS_CA_BUNDLE, then run again.",
        )
    if status is not None and 300 <= status < 400:  # noqa: PLR2004
        return Stop(
            "redirect",
            f"The API answered with a redirect (HTTP {status}), which is never followed. "
            "Check --region or --base-url, then run again.",
        )
    if status == 415:  # noqa: PLR2004
        return Stop(
            "media_type",
            "The API refused the media type (HTTP 415), so it would refuse every row. "
            "Check --base-url; if it is right, this is a fault of import-contacts.",
        )
    if status in {429, 503} and (answer.retry_after or 0.0) > LONGEST_RETRY_AFTER:
        return Stop(
            "retry_after",
            f"The API asks to wait {answer.retry_after:.0f} seconds (HTTP {status}). "
            "Run the same command again after that.",
        )
    return None


def fault(error: Exception) -> Stop:
    """Why the run ends when this program itself is at fault."""
    return Stop(
        "fault",
        f"A fault of import-contacts {__version__}: {kind_and_place(error)}. Please report it.",
    )


def _status_at_stop(answer: Answer) -> Status:
    if answer.http_status in {401, 403} or answer.error_code == "network.tls":
        return Status.NOT_SENT
    return Status.REJECTED if is_refused(answer) else Status.FAILED


def is_refused(answer: Answer) -> bool:
    """Whether the API refused this very request, so that sending it again is of no use."""
    status = answer.http_status
    return status is not None and 400 <= status < 500 and status not in {408, 429}  # noqa: PLR2004


def is_gone(answer: Answer) -> bool:
    """Whether the API itself says that there is no such contact.

    The 404 of a gateway says nothing of contacts. Who took it for the API's word would have
    the journal forget contacts that are there, and create them again.
    """
    return answer.http_status in {404, 410} and answer.is_api_error


def delay_after(answer: Answer, attempt: int, random: Random) -> float:
    """Seconds until a request may be sent again that is known not to be applied."""
    jitter = backoff(attempt, random)
    if answer.retry_after is not None:
        # The jitter comes on top: all who were told the same second would return in it.
        return answer.retry_after + jitter
    if answer.http_status == 503 and attempt <= _IMMEDIATE_503:  # noqa: PLR2004
        return 0.0
    return jitter

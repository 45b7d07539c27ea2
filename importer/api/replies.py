"""What stands in a reply: its JSON, its error text, the pause it asks for."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

MAX_MESSAGE: Final = 300
MAX_RETRY_AFTER: Final = 366.0 * 24 * 3600
_MAX_TEXTS: Final = 10

_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.")
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]*)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply as it came over the wire.

    Attributes:
        status: HTTP status of the final reply.
        body: The decoded body, or as much of it as came.
        flaw: Error code of what kept the body from being whole, ``""`` when it is.
        content_type: The header as it stands.
        retry_after: The values of all Retry-After headers.
        date: The Date header as it stands.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    flaw: str = ""
    content_type: str = ""
    retry_after: Sequence[str] = ()
    date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why no reply came.

    Attributes:
        error_code: Stable word.
        message: Text for a person.
        certain: Whether it is proven that the API did not act.
        sent: Whether any byte of the request may have left.
    """

    error_code: str
    message: str
    certain: bool
    sent: bool


@dataclass(frozen=True, slots=True)
class Secrets:
    """Texts that a server might echo, and that must not be shown to anybody."""

    texts: Sequence[str] = field(default=(), repr=False)

    def hide(self, text: str) -> str:
        """Replaces each secret in a text."""
        for secret in self.texts:
            text = text.replace(secret, "***")
        return text


def _no_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _no_constants(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_doubles, parse_constant=_no_constants)


def parse(body: bytes) -> object:
    """Returns the JSON value of a body, None when it is not strict JSON in UTF-8.

    A member that stands twice makes the value ambiguous, so it counts as no JSON.
    """
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def is_api_error(value: object, status: int) -> bool:
    """Whether a JSON value is the documented error form for that status.

    Gateways answer in JSON as well, so ``message`` alone does not prove that the API spoke.
    """
    return (
        isinstance(value, dict)
        and value.get("code") == status
        and isinstance(value.get("message"), str)
    )


def message_of(reply: Reply, value: object, secrets: Secrets) -> str:
    """Says in one line what a reply that is not a success says.

    The texts of a JSON body are quoted, a page never is.
    """
    quoted = "; ".join(_texts(value))
    message = clean(secrets.hide(quoted))
    if message:
        return message
    media_type = clean(secrets.hide(reply.content_type.partition(";")[0]))[:60]
    try:
        phrase = f" {HTTPStatus(reply.status).phrase}"
    except ValueError:
        phrase = ""
    kind = f"a body of type {media_type}" if media_type else "a body of no type"
    return f"HTTP {reply.status}{phrase}, with {kind if reply.body else 'no body'}"


def clean(text: str) -> str:
    """Makes one printable line of at most 300 characters of a text that others wrote."""
    # No more is looked at than can matter, for a message may be as long as the body.
    text = _ESCAPES.sub("", text[: 8 * MAX_MESSAGE])
    printable = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(printable.split())
    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"


def pause_of(reply: Reply, now: datetime | None = None) -> float | None:
    """Returns the seconds that the Retry-After headers ask to wait, the longest of them.

    A date counts from the reply's own Date header, so that a wrong clock here does not
    matter. None stands for no pause, and for what is negative, gone by or junk.

    Args:
        reply: The reply.
        now: The time to count from when the reply has no date; None is the clock's.
    """
    pauses = [pause for value in reply.retry_after if (pause := _pause(value, reply, now))]
    return min(max(pauses), MAX_RETRY_AFTER) if pauses else None


def _pause(value: str, reply: Reply, now: datetime | None) -> float | None:
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = _instant(value)
    if until is None:
        return None
    return max(0.0, (until - (date_of(reply) or now or datetime.now(UTC))).total_seconds())


def date_of(reply: Reply) -> datetime | None:
    """Returns when the server sent a reply, by its own clock; None when it does not say."""
    return _instant(reply.date)


def _instant(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _texts(value: object) -> Iterator[str]:
    """Yields the messages of an error body: an object, or an array of objects or texts."""
    match value:
        case str():
            yield value
        case Mapping():
            yield from _texts(value.get("message"))
        case list():
            for item in value[:_MAX_TEXTS]:
                yield from _texts(item)
        case _:
            pass

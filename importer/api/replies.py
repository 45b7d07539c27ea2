"""The contents of a reply: its JSON, its error message, and the pause it requests."""

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
    """A reply as received.

    Attributes:
        status: HTTP status of the final reply.
        body: The decoded body, or the part of it that arrived.
        flaw: Error code of the reason why the body is incomplete; ``""`` if it is complete.
        content_type: The Content-Type header, unchanged.
        retry_after: The values of all Retry-After headers.
        date: The Date header, unchanged.
    """

    status: int
    body: bytes = field(default=b"", repr=False)
    flaw: str = ""
    content_type: str = ""
    retry_after: Sequence[str] = ()
    date: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no reply.

    Attributes:
        error_code: A stable code for programs.
        message: The reason, for people.
        certain: Whether it is proven that the API did not act on the request.
        sent: Whether any byte of the request may have been sent.
    """

    error_code: str
    message: str
    certain: bool
    sent: bool


@dataclass(frozen=True, slots=True)
class Secrets:
    """Texts that a server might echo and that must never be shown."""

    texts: Sequence[str] = field(default=(), repr=False)

    def hide(self, text: str) -> str:
        """Replace each secret in a text."""
        for secret in self.texts:
            text = text.replace(secret, "***")
        return text


def _no_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _no_constants(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_doubles, parse_constant=_no_constants)


def parse(body: bytes) -> object:
    """Return the JSON value of a body; None if it is not strict JSON in UTF-8.

    A name that occurs twice makes an object ambiguous, so such a body is not strict JSON.
    """
    try:
        return _DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def is_api_error(value: object, status: int) -> bool:
    """Whether a JSON value is an error of the API in its documented form.

    Gateways answer in JSON as well, so ``message`` alone does not prove that it is the API's.
    """
    return (
        isinstance(value, dict)
        and value.get("code") == status
        and isinstance(value.get("message"), str)
    )


def message_of(reply: Reply, value: object, secrets: Secrets) -> str:
    """Return the message of a reply that is not a success, in one line.

    The messages of a JSON body are quoted; an HTML page never is.
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
    """Return an untrusted text as one printable line of at most 300 characters."""
    # A message may be as long as the body, so only as much as can matter is examined.
    text = _ESCAPES.sub("", text[: 8 * MAX_MESSAGE])
    printable = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(printable.split())
    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"


def pause_of(reply: Reply, now: datetime | None = None) -> float | None:
    """Return the longest pause in seconds that the Retry-After headers request.

    A date is relative to the Date header of the reply, so that a wrong local clock does not
    matter. Values that cannot be read are ignored; without any other, there is no pause (None).

    Args:
        reply: The reply.
        now: Used if the reply has no date; None for the current time.
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
    """Return when the server sent a reply, by its own clock; None without a Date header."""
    return _instant(reply.date)


def _instant(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _texts(value: object) -> Iterator[str]:
    """Yield the messages of an error body: an object, or an array of objects or texts."""
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

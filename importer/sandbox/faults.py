"""Faults: which requests they happen to, and how they break an answer.

A share is drawn from a hash of the seed, the rule, the order, and the number of matching
requests of that order. So it does not depend on how the requests of different orders
interleave, and a repeated import meets the same faults.
"""

import asyncio
import math
import socket
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, unique
from hashlib import blake2b
from http import HTTPStatus
from typing import Final, assert_never

from importer.sandbox.messages import Answer, Call, error_answer

_LATENCY: Final = "latency"
_GARBAGE: Final = b"\x00\xff}]<garbled>\xfe"
_NOT_HTTP: Final = b"\x16\x03HTPP/1.1 2O1 \xff\xfe\r\n\r\n"
_PIECES_PER_SECOND: Final = 20
_GATEWAY_PAGE: Final = """<html>
<head><title>{status} {phrase}</title></head>
<body>
<center><h1>{status} {phrase}</h1></center>
<hr><center>gateway</center>
</body>
</html>
"""


@unique
class FaultAction(StrEnum):
    """What goes wrong.

    A call is "applied" when it is carried out although its answer is broken.
    """

    STATUS = "status"  # an error status with the documented JSON body
    PAGE = "page"  # the HTML page of a gateway
    DROP = "drop"  # close the connection without an answer
    RESET = "reset"  # the same, with a TCP reset
    SILENCE = "silence"  # send nothing for so many seconds, then close the connection
    LATE = "late"  # as silence, and carry out the call at its end
    DRIP = "drip"  # the true answer, in pieces, over so many seconds
    CUT = "cut"  # the true answer without half of its body
    GARBLED_BODY = "garbled-body"  # the true status with a body that is not JSON
    GARBLED_STATUS = "garbled-status"  # bytes that are not HTTP


# These show the true answer or a part of it, so the call is always carried out.
ALWAYS_APPLIED: Final = frozenset(
    {FaultAction.LATE, FaultAction.DRIP, FaultAction.CUT, FaultAction.GARBLED_BODY}
)
TIMED: Final = frozenset({FaultAction.SILENCE, FaultAction.LATE, FaultAction.DRIP})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One fault and the requests that it happens to.

    Without ``share``, ``turns`` and ``every`` it happens to every matching request.

    Attributes:
        action: What goes wrong.
        name: How the page lists it.
        calls: The calls that match; empty for all.
        orders: The orders that match, by ref (lower case) or number; empty for all.
        share: The probability for each matching request, above 0 and at most 1.
        turns: Only these of the matching requests, counted from 1.
        every: Only every n-th of the matching requests.
        applied: Whether the call is carried out although its answer is broken.
        status: HTTP status of ``STATUS`` and ``PAGE``.
        retry_after: The Retry-After header of ``STATUS`` and ``PAGE``; ``""`` for none.
        seconds: How long ``SILENCE``, ``LATE`` and ``DRIP`` last.
    """

    action: FaultAction
    name: str
    calls: frozenset[Call] = frozenset()
    orders: frozenset[str] = frozenset()
    share: float | None = None
    turns: frozenset[int] = frozenset()
    every: int | None = None
    applied: bool = False
    status: int = 503
    retry_after: str = ""
    seconds: float = 0.0

    def matches(self, call: Call, subject: str) -> bool:
        """Return whether the rule applies to such a request at all."""
        return (not self.calls or call in self.calls) and (
            not self.orders or subject in self.orders
        )


@dataclass(frozen=True, slots=True)
class Latency:
    """How long every answer waits, in seconds.

    Attributes:
        low: The shortest wait.
        high: The longest wait of a uniform distribution; equal to ``low`` for a fixed wait.
        mean: The mean of an exponential distribution; 0 for another one.
    """

    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0

    def seconds(self, draw: Callable[[], float]) -> float:
        """Return one wait; ``draw`` is called only if waits differ.

        Args:
            draw: Returns a number from 0 up to but not including 1.
        """
        if self.mean:
            return -self.mean * math.log1p(-draw())
        if self.low == self.high:
            return self.low
        return self.low + (self.high - self.low) * draw()


class RateLimit:
    """Limits requests per second, with a burst of as many after a pause.

    Args:
        per_second: Requests per second.
        clock: Returns monotonic seconds.
    """

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._most = max(1.0, per_second)
        self._left = self._most
        self._at = clock()

    def wait(self) -> int:
        """Return 0 to accept a request, or the whole seconds after which to send it again."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0
        return math.ceil((1 - self._left) / self._per_second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong, and when.

    Attributes:
        seed: The same seed gives the same faults.
        latency: Before every answer, including broken ones.
        rate_limit: Requests per second; None for no limit.
        rules: The first one that happens to a request is used.
    """

    seed: int = 0
    latency: Latency = Latency()
    rate_limit: float | None = None
    rules: tuple[FaultRule, ...] = ()


class FaultPicker:
    """Picks the fault of each request. It counts requests, so a sandbox has exactly one."""

    def __init__(self, faults: Faults) -> None:
        self._seed = faults.seed
        self._latency = faults.latency
        self._rules: Sequence[FaultRule] = faults.rules
        self._within_rule: Counter[int] = Counter()
        self._within_order: Counter[tuple[int | str, str]] = Counter()

    @property
    def needs_order(self) -> bool:
        """Whether a fault or wait can depend on the order of a request."""
        return bool(self._rules) or self._latency != Latency()

    def latency(self, subject: str) -> float:
        """Return the seconds that this request waits for its answer."""

        def draw() -> float:
            self._within_order[_LATENCY, subject] += 1
            return self._draw(_LATENCY, subject)

        return self._latency.seconds(draw)

    def pick(self, call: Call, subject: str) -> FaultRule | None:
        """Return the rule that happens to this request.

        Every matching rule counts the request, whichever is used, so that a rule added to a
        file does not change the turns of the others.
        """
        picked: FaultRule | None = None
        for position, rule in enumerate(self._rules):
            if rule.matches(call, subject) and self._happens(position, rule, subject):
                picked = picked or rule
        return picked

    def _happens(self, position: int, rule: FaultRule, subject: str) -> bool:
        if rule.share is not None:
            self._within_order[position, subject] += 1
            return self._draw(position, subject) < rule.share
        self._within_rule[position] += 1
        turn = self._within_rule[position]
        if rule.every is not None:
            return turn % rule.every == 0
        return not rule.turns or turn in rule.turns

    def _draw(self, rule: int | str, subject: str) -> float:
        """Return a number from 0 up to 1 that depends only on seed, rule, order and count."""
        count = self._within_order[rule, subject]
        key = repr((self._seed, rule, subject, count)).encode()
        return (int.from_bytes(blake2b(key, digest_size=8).digest(), "big") >> 11) / 2**53


async def break_answer(
    rule: FaultRule, answer: Answer | None, transport: asyncio.Transport
) -> Answer | None:
    """Break an answer.

    Args:
        rule: What goes wrong.
        answer: The true answer, for ``DRIP``, ``CUT`` and ``GARBLED_BODY``; None if the call was
            not carried out.
        transport: The connection to the client.

    Returns:
        What to send instead of the true answer, or None when the connection is closed.
    """
    truth = answer or Answer(HTTPStatus.OK)
    match rule.action:
        case FaultAction.STATUS:
            phrase = _phrase(rule.status)
            return error_answer(rule.status, phrase, f"Requested by {rule.name}.", _headers(rule))
        case FaultAction.PAGE:
            page = _GATEWAY_PAGE.format(status=rule.status, phrase=_phrase(rule.status))
            return Answer(rule.status, page.encode(), "text/html", _headers(rule))
        case FaultAction.GARBLED_BODY:
            garbage = _GARBAGE * (len(truth.body) // len(_GARBAGE) + 1)
            return replace(truth, body=garbage[: len(truth.body)])
        case FaultAction.CUT:
            whole = _raw(truth)
            transport.write(whole[: len(whole) - (len(truth.body) or len(whole)) // 2])
        case FaultAction.DRIP:
            await _drip(_raw(truth), rule.seconds, transport)
        case FaultAction.GARBLED_STATUS:
            transport.write(_NOT_HTTP)
        case FaultAction.SILENCE | FaultAction.LATE:
            await asyncio.sleep(rule.seconds)
        case FaultAction.RESET:
            _reset(transport)
        case FaultAction.DROP:
            pass
        case _:
            assert_never(rule.action)
    transport.close()
    return None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _headers(rule: FaultRule) -> dict[str, str]:
    return {"Retry-After": rule.retry_after} if rule.retry_after else {}


def _raw(answer: Answer) -> bytes:
    """Return an answer as it is sent over the connection."""
    head = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}", "Connection: close"]
    if answer.content_type:
        head.append(f"Content-Type: {answer.content_type}; charset=utf-8")
        head.append(f"Content-Length: {len(answer.body)}")
    return "\r\n".join([*head, "", ""]).encode() + answer.body


async def _drip(whole: bytes, seconds: float, transport: asyncio.Transport) -> None:
    """Send ``whole`` in equal pieces over so many seconds, unless the client disconnects."""
    pieces = max(1, min(len(whole), round(seconds * _PIECES_PER_SECOND)))
    for piece in range(pieces):
        if transport.is_closing():
            return
        start, end = (len(whole) * index // pieces for index in (piece, piece + 1))
        transport.write(whole[start:end])
        await asyncio.sleep(seconds / pieces)


def _reset(transport: asyncio.Transport) -> None:
    """Close the connection with RST, which a socket with zero linger time sends."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()

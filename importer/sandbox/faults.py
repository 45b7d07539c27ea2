"""When the sandbox misbehaves, and how: a policy without a wire, repeatable by its seed.

A share is drawn from a hash of the seed, the rule, the order and the count of matching
requests within that order. So it does not depend on how the requests of different orders
interleave, and the same import meets the same faults again.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from hashlib import blake2b
from typing import Final

from importer.sandbox.api import Call

_LATENCY: Final = "latency"


@unique
class Action(StrEnum):
    """What goes wrong.

    ``APPLIED`` below means that the call was carried out although its answer went wrong.
    """

    STATUS = "status"  # an error status with the documented JSON body
    PAGE = "page"  # the HTML page of a gateway
    DROP = "drop"  # the connection ends without an answer
    RESET = "reset"  # the same with a TCP reset
    SILENCE = "silence"  # nothing for so many seconds, then the connection ends
    LATE = "late"  # as silence, and the call is carried out when it ends
    DRIP = "drip"  # the true answer, byte by byte, over so many seconds
    CUT = "cut"  # the true answer, half of its body
    GARBLED_BODY = "garbled-body"  # the true status, a body that is no JSON
    GARBLED_STATUS = "garbled-status"  # bytes that are no HTTP


# These show the true answer or a part of it, so the call is always carried out.
ALWAYS_APPLIED: Final = frozenset({Action.LATE, Action.DRIP, Action.CUT, Action.GARBLED_BODY})
TIMED: Final = frozenset({Action.SILENCE, Action.LATE, Action.DRIP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fault and the requests that it befalls.

    With none of ``share``, ``turns`` and ``every`` it befalls each request that matches.

    Attributes:
        action: What goes wrong.
        name: What the page calls it.
        calls: The calls that match; empty is all.
        orders: The orders that match, by reference (lower case) or number; empty is all.
        share: The chance of each matching request, above 0 up to 1.
        turns: Only these of the matching requests, counted from 1.
        every: Only each so many-th of the matching requests.
        applied: Whether the call is carried out before its answer goes wrong.
        status: HTTP status of ``STATUS`` and ``PAGE``.
        retry_after: The header of ``STATUS`` and ``PAGE``, as it is sent; ``""`` for none.
        seconds: How long ``SILENCE``, ``LATE`` and ``DRIP`` last.
    """

    action: Action
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
        """Tell whether the rule is about such a request at all."""
        return (not self.calls or call in self.calls) and (
            not self.orders or subject in self.orders
        )


@dataclass(frozen=True, slots=True)
class Latency:
    """How long every answer waits, in seconds.

    Attributes:
        low: The least wait.
        high: The longest wait when spread evenly; equal to ``low`` when fixed.
        mean: The mean wait when spread exponentially; 0 when not.
    """

    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0

    def seconds(self, draw: Callable[[], float]) -> float:
        """Return one wait, drawn only if waits differ.

        Args:
            draw: Gives a number from 0 up to but not including 1.
        """
        if self.mean:
            return -self.mean * math.log1p(-draw())
        if self.low == self.high:
            return self.low
        return self.low + (self.high - self.low) * draw()


class RateLimit:
    """Lets so many requests a second through, and as many at once after a rest."""

    def __init__(self, per_second: float, clock: Callable[[], float]) -> None:
        """Args: clock: Monotonic seconds."""
        self._per_second = per_second
        self._clock = clock
        self._most = max(1.0, per_second)
        self._left = self._most
        self._at = clock()

    def wait(self) -> int:
        """Return 0 to let a request through, or the whole seconds after which to come back."""
        now = self._clock()
        self._left = min(self._most, self._left + (now - self._at) * self._per_second)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0
        return math.ceil((1 - self._left) / self._per_second)


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """What goes wrong and when.

    Attributes:
        seed: The same seed gives the same faults.
        latency: Before every answer, the spoilt ones too.
        rate_limit: Requests a second; None for no limit.
        rules: The first one that befalls a request decides.
    """

    seed: int = 0
    latency: Latency = Latency()
    rate_limit: float | None = None
    rules: tuple[Rule, ...] = ()


class Dice:
    """Decides request by request. It counts, so one run of the sandbox needs one of it."""

    def __init__(self, misbehaviour: Misbehaviour) -> None:
        self._seed = misbehaviour.seed
        self._latency = misbehaviour.latency
        self._rules: Sequence[Rule] = misbehaviour.rules
        self._within_rule: Counter[int] = Counter()
        self._within_order: Counter[tuple[int | str, str]] = Counter()

    @property
    def is_loaded(self) -> bool:
        """Whether it matters which order a request is about."""
        return bool(self._rules) or self._latency != Latency()

    def latency(self, subject: str) -> float:
        """Return the seconds that this request waits for its answer."""

        def draw() -> float:
            self._within_order[_LATENCY, subject] += 1
            return self._draw(_LATENCY, subject)

        return self._latency.seconds(draw)

    def fault(self, call: Call, subject: str) -> Rule | None:
        """Return the rule that befalls this request.

        Every rule that matches counts the request, whichever befalls it, so that a rule
        added to a file leaves the turns of the others as they are.
        """
        befalling: Rule | None = None
        for position, rule in enumerate(self._rules):
            if rule.matches(call, subject) and self._befalls(position, rule, subject):
                befalling = befalling or rule
        return befalling

    def _befalls(self, position: int, rule: Rule, subject: str) -> bool:
        if rule.share is not None:
            self._within_order[position, subject] += 1
            return self._draw(position, subject) < rule.share
        self._within_rule[position] += 1
        turn = self._within_rule[position]
        if rule.every is not None:
            return turn % rule.every == 0
        return not rule.turns or turn in rule.turns

    def _draw(self, rule: int | str, subject: str) -> float:
        """Return a number from 0 up to 1 that only seed, rule, order and count decide."""
        count = self._within_order[rule, subject]
        key = repr((self._seed, rule, subject, count)).encode()
        return (int.from_bytes(blake2b(key, digest_size=8).digest(), "big") >> 11) / 2**53

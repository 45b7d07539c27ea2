"""What was asked of the sandbox, for its page and for tests."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

_KEPT_REQUESTS: Final = 50


@dataclass(frozen=True, slots=True)
class Request:
    """One request and what it met with.

    Attributes:
        call: Name of the call, ``other`` for a path or method that the API does not have.
        method: HTTP method.
        path: Path and query as they were sent.
        result: The status, or the action of the fault that took its place.
        fault: Name of the rule that befell it, ``""`` for none.
    """

    call: str
    method: str
    path: str
    result: str
    fault: str = ""


class Traffic:
    """Counts requests and remembers the latest ones."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._results: Counter[tuple[str, str]] = Counter()
        self._faults: Counter[str] = Counter()
        self._latest: deque[tuple[datetime, Request]] = deque(maxlen=_KEPT_REQUESTS)

    def add(self, request: Request) -> None:
        """Count a request once it is decided what it meets with."""
        self._results[request.call, request.result] += 1
        if request.fault:
            self._faults[request.fault] += 1
        self._latest.append((self._now(), request))

    def shown(self) -> dict[str, Any]:
        """Return counts by call and result, counts by fault, and the latest, newest first."""
        by_call: dict[str, dict[str, int]] = {}
        for (call, result), count in sorted(self._results.items()):
            by_call.setdefault(call, {})[result] = count
        return {
            "requests": by_call,
            "faults": dict(self._faults),
            "latestRequests": [
                {"at": at.astimezone(UTC).isoformat(timespec="milliseconds"), **asdict(request)}
                for at, request in reversed(self._latest)
            ],
        }

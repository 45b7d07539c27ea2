"""The live page at ``/``, and the state that it shows: contacts and requests."""

import base64
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final

from importer.sandbox.messages import Answer, date_time, json_answer
from importer.sandbox.store import Store, StoredContact

_NO_STORE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_REMEMBERED_REQUESTS: Final = 50


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request and its result.

    Attributes:
        call: Name of the call, ``other`` for a path or method that the API does not have.
        method: HTTP method.
        path: Path and query, as they were sent.
        result: The status, or the action of the fault that happened instead.
        fault: Name of the fault rule, ``""`` for none.
    """

    call: str
    method: str
    path: str
    result: str
    fault: str = ""


class RequestLog:
    """Counts requests and remembers the latest ones."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._results: Counter[tuple[str, str]] = Counter()
        self._faults: Counter[str] = Counter()
        self._latest: deque[tuple[datetime, LoggedRequest]] = deque(maxlen=_REMEMBERED_REQUESTS)

    def add(self, request: LoggedRequest) -> None:
        """Count a request whose result has been decided."""
        self._results[request.call, request.result] += 1
        if request.fault:
            self._faults[request.fault] += 1
        self._latest.append((self._now(), request))

    def as_json(self) -> dict[str, Any]:
        """Return counts by call and result, by fault, and the latest requests, newest first."""
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


@cache
def page_answer() -> Answer:
    """Return the page. Its policy allows only its own script and style."""
    text = (files("importer.sandbox") / "page.html").read_text(encoding="utf-8")
    policy = (
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors 'none'; script-src {_digest(text, 'script')}; "
        f"style-src {_digest(text, 'style')}"
    )
    headers = {
        **_NO_STORE,
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
    }
    return Answer(HTTPStatus.OK, text.encode(), "text/html", headers)


def state_answer(store: Store, log: RequestLog, latest: int = -1) -> Answer:
    """Return the contacts stored and the requests received.

    Args:
        store: The contacts.
        log: The requests.
        latest: Only so many of the newest contacts; a negative number for all.
    """
    value = {
        "totals": store.totals(),
        "contacts": _by_order(reversed(store.latest(latest))),
        **log.as_json(),
    }
    return json_answer(HTTPStatus.OK, value, _NO_STORE)


def _by_order(contacts: Iterable[StoredContact]) -> dict[str, list[dict[str, Any]]]:
    by_order: dict[str, list[dict[str, Any]]] = {}
    for contact in contacts:
        item = {
            "position": contact.position,
            "ref": contact.ref,
            "guestRef": contact.guest_ref,
            "createdAt": date_time(contact.created_ms),
            "modifiedAt": date_time(contact.modified_ms),
            "fields": contact.fields,
        }
        by_order.setdefault(contact.order_ref, []).append(item)
    return by_order


def _digest(text: str, element: str) -> str:
    """Return the source expression that allows the one inline element of this name."""
    found = re.search(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
    content = found.group(1) if found else ""
    return f"'sha256-{base64.b64encode(sha256(content.encode()).digest()).decode()}'"

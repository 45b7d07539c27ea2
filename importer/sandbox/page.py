"""The live page at ``/`` and the state that it shows."""

import base64
import re
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final

from importer.sandbox.answers import Answer, date_time, json_answer
from importer.sandbox.store import Store, StoredContact
from importer.sandbox.traffic import Traffic

_NOT_KEPT: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@cache
def answer() -> Answer:
    """Return the page; its policy allows its own script and style and nothing else."""
    text = (files("importer.sandbox") / "page.html").read_text(encoding="utf-8")
    policy = (
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors 'none'; script-src {_digest(text, 'script')}; "
        f"style-src {_digest(text, 'style')}"
    )
    headers = {
        **_NOT_KEPT,
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
    }
    return Answer(HTTPStatus.OK, text.encode(), "text/html", headers)


def state(store: Store, traffic: Traffic, latest: int = -1) -> Answer:
    """Return what is stored and what was asked.

    Args:
        store: Holds the contacts.
        traffic: Holds the requests.
        latest: Only so many of the newest contacts; a negative number is all of them.
    """
    value = {
        "totals": store.totals(),
        "contacts": _by_order(reversed(store.latest(latest))),
        **traffic.shown(),
    }
    shown = json_answer(HTTPStatus.OK, value)
    return Answer(shown.status, shown.body, headers=_NOT_KEPT)


def _by_order(contacts: Iterable[StoredContact]) -> dict[str, list[dict[str, Any]]]:
    by_order: dict[str, list[dict[str, Any]]] = {}
    for contact in contacts:
        shown = {
            "position": contact.position,
            "ref": contact.ref,
            "guestRef": contact.guest_ref,
            "createdAt": date_time(contact.created_ms),
            "modifiedAt": date_time(contact.modified_ms),
            "fields": contact.fields,
        }
        by_order.setdefault(contact.order_ref, []).append(shown)
    return by_order


def _digest(text: str, element: str) -> str:
    """Return the source expression that allows the one inline element of this name."""
    found = re.search(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
    content = found.group(1) if found else ""
    return f"'sha256-{base64.b64encode(sha256(content.encode()).digest()).decode()}'"

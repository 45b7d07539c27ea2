"""Reading all pages of a list.

A list that looks complete but is not would cause a contact to be sent a second time, so
anything unexpected in a page makes the whole list a failure.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from importer.api.answers import Answer, Listing
from importer.api.classification import unusable
from importer.api.rules import Verdict

# The documented default. A larger page might be refused or silently truncated, and few orders
# have more contacts than this.
PAGE: Final = 10
MAX_PAGES: Final = 1000


def read_all(
    read: Callable[[str], Answer], path: str, take_turn: Callable[[], bool] = lambda: True
) -> Listing:
    """Read all pages by offset; links in the pages are never followed.

    Args:
        read: Sends a GET to a path and its query.
        path: Path and query, without the parameters of the page.
        take_turn: Called before each page except the first. Waits until its request may be
            sent; returns False if the run ends first.
    """
    items: dict[str, dict[str, object]] = {}
    offset = 0
    for requests in range(1, MAX_PAGES + 1):
        if requests > 1 and not take_turn():
            failure = unusable("The run ended before all pages were read")
            return Listing((), failure, requests - 1, is_given_up=True)
        answer = read(f"{path}&offset={offset}&limit={PAGE}")
        if answer.verdict is not Verdict.APPLIED:
            return Listing((), answer, requests)
        page = answer.contact or {}
        found = _items_by_ref(page)
        if found is None:
            return _failed("The items of the list are not all objects with a ref", requests)
        if found and found.keys() <= items.keys():
            return _failed("The pages of the list repeat themselves", requests)
        items |= found
        count = len(page["items"]) if isinstance(page["items"], list) else 0
        offset += count
        if not count or (count < PAGE and not page.get("next")):
            lead = answer.date - datetime.now(UTC) if answer.date else None
            return Listing(tuple(items.values()), None, requests, clock_lead=lead)
    return _failed(f"The list has more than {MAX_PAGES} pages", MAX_PAGES)


def _items_by_ref(page: dict[str, object]) -> dict[str, dict[str, object]] | None:
    items = page.get("items")
    if not isinstance(items, list):
        return None
    found: dict[str, dict[str, object]] = {}
    for item in items:
        ref = item.get("ref") if isinstance(item, dict) else None
        if not isinstance(ref, str) or not ref:
            return None
        found[ref] = item
    return found


def _failed(message: str, requests: int) -> Listing:
    return Listing((), unusable(message), requests)

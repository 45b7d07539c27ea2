"""A list is read completely, or it is a failure."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from importer.api import Answer, Verdict, rules
from importer.api.listing import MAX_PAGES, read_all

NOT_FOUND = Answer(rule=rules.REFUSED, seconds=0.0, http_status=404)


def page(body: dict[str, Any]) -> Answer:
    """Return a successful answer with this page."""
    return Answer(rule=rules.APPLIED, seconds=0.0, http_status=200, contact=body)


class Pages:
    """A list of a given length, served by offset in a configurable way."""

    def __init__(self, total: int, *, most: int = 10, next_link: bool = True) -> None:
        self.items = [{"ref": f"r{number}"} for number in range(total)]
        self.most = most
        self.next_link = next_link
        self.asked: list[str] = []

    def read(self, path: str) -> Answer:
        """Answer with one page."""
        self.asked.append(path)
        query = parse_qs(urlsplit(path).query)
        start = int(query["offset"][0])
        stop = start + min(int(query["limit"][0]), self.most)
        body: dict[str, Any] = {"items": self.items[start:stop]}
        if self.next_link and stop < len(self.items):
            body["next"] = {"href": "https://elsewhere.example.com/next"}
        return page(json.loads(json.dumps(body)))


@pytest.mark.parametrize("next_link", [True, False])
@pytest.mark.parametrize(
    ("total", "requests"), [(0, 1), (1, 1), (9, 1), (10, 2), (11, 2), (20, 3), (25, 3)]
)
def test_all_pages_are_read(total: int, requests: int, *, next_link: bool) -> None:
    """A full page may be the last one, so only a short or an empty one ends the list."""
    pages = Pages(total, next_link=next_link)
    if next_link and total in {10, 20}:
        requests = total // 10 + 1
    listing = read_all(pages.read, "/things?x=1")
    assert (list(listing.items), listing.failure) == (pages.items, None)
    assert listing.requests == requests == len(pages.asked)
    assert pages.asked[0] == "/things?x=1&offset=0&limit=10"


def test_offset_advances_by_the_number_of_items() -> None:
    """Nothing is lost if a server returns fewer items than requested."""
    pages = Pages(7, most=3)
    assert list(read_all(pages.read, "/things?x=1").items) == pages.items


def test_next_link_on_the_last_page_leads_to_one_more_request() -> None:
    """Some servers always have a next link."""
    pages = [page({"items": [{"ref": "a"}], "next": {"href": "x"}}), page({"items": []})]
    listing = read_all(lambda _path: pages.pop(0), "/things?x=1")
    assert (listing.items, listing.failure) == (({"ref": "a"},), None)


def test_item_on_two_pages_is_one_item() -> None:
    """Another client may change the list between two requests."""
    first = [{"ref": f"r{number}"} for number in range(10)]
    pages = [page({"items": first}), page({"items": [{"ref": "r9"}, {"ref": "r10"}]})]
    listing = read_all(lambda _path: pages.pop(0), "/things?x=1")
    assert [item["ref"] for item in listing.items] == [f"r{number}" for number in range(11)]


def test_list_that_repeats_itself_is_a_failure() -> None:
    """A server that ignores the offset would be read for ever."""
    whole = page({"items": [{"ref": f"r{number}"} for number in range(10)]})
    listing = read_all(lambda _path: whole, "/things?x=1")
    assert listing.failure is not None
    assert (listing.failure.verdict, listing.requests) == (Verdict.UNKNOWN, 2)


def test_endless_list_is_a_failure() -> None:
    """The number of pages is limited."""
    listing = read_all(Pages(10 * MAX_PAGES + 1).read, "/things?x=1")
    assert (listing.items, listing.requests) == ((), MAX_PAGES)
    assert listing.failure is not None


@pytest.mark.parametrize(
    "body",
    [{}, {"items": None}, {"items": {}}, {"items": [1]}, {"items": [{}]}, {"items": [{"ref": 7}]}],
)
def test_unexpected_page_is_a_failure(body: dict[str, Any]) -> None:
    """It must not be taken for an order without contacts."""
    listing = read_all(lambda _path: page(body), "/things?x=1")
    assert listing.failure is not None
    assert listing.failure.error_code == "response.invalid"


def test_failed_page_fails_the_list() -> None:
    """A list without one of its pages is incomplete."""
    answers = [Pages(20).read("/?offset=0&limit=10"), NOT_FOUND]
    listing = read_all(lambda _path: answers.pop(0), "/things?x=1")
    assert (listing.items, listing.failure, listing.requests) == ((), NOT_FOUND, 2)


@pytest.mark.parametrize("lead", [timedelta(hours=1), timedelta(hours=-1)])
def test_list_has_the_lead_of_the_servers_clock(lead: timedelta) -> None:
    """It is derived from the Date header of the last page."""
    sent = datetime.now(UTC) + lead
    listing = read_all(lambda _: replace(page({"items": []}), date=sent), "/things?x=1")
    assert listing.clock_lead is not None
    assert abs(listing.clock_lead - lead) < timedelta(minutes=1)


def test_list_without_a_date_has_no_lead() -> None:
    """Nothing is assumed."""
    assert read_all(lambda _: page({"items": []}), "/things?x=1").clock_lead is None


def test_list_is_given_up_when_no_page_may_be_sent() -> None:
    """An incomplete list is no list, but its requests are counted."""
    turns = [True, False]
    pages = Pages(40)
    listing = read_all(pages.read, "/things?x=1", lambda: turns.pop(0))
    assert (listing.items, listing.requests, len(pages.asked)) == ((), 2, 2)
    assert listing.is_given_up
    assert not read_all(Pages(40, next_link=False).read, "/things?x=1").is_given_up

"""What each call of the API does, without HTTP."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from importer.sandbox.api import Api
from importer.sandbox.messages import ApiRequest, Call
from importer.sandbox.store import Orders, Store

BASE = "http://127.0.0.1:1"
ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"
SECOND = "00000000-0000-4000-8000-000000000001"
UNKNOWN = "00000000-0000-4000-8000-00000000000f"


class Desk:
    """Sends requests to an API and decodes its answers."""

    def __init__(self, store: Store, orders: Orders) -> None:
        now = datetime(2026, 1, 1, 0, 0, 0, 7000, UTC)
        self.api = Api(store, orders, BASE, lambda: now)

    def ask(self, call: Call, ref: str = "", body: object = None, **query: str) -> tuple[int, Any]:
        """Return status and body."""
        answer = self.api.answer(ApiRequest(call, ref, query, json.dumps(body).encode()))
        return answer.status, json.loads(answer.body) if answer.body else None


@pytest.fixture
def store() -> Iterator[Store]:
    """A store in memory."""
    store = Store.in_memory()
    yield store
    store.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    """An API with two orders that share a number."""
    return Desk(store, Orders({ORDER: "A-17", SECOND: "A-17"}))


def test_create_returns_the_whole_contact(desk: Desk) -> None:
    """The answer has ref, links, times and every field, in the documented order."""
    fields = {"country": "IE", "firstName": "John", "postCode": "10001", "state": "NY"}
    status, contact = desk.ask(Call.CREATE, ORDER.upper(), fields)
    assert status == 201
    ref, guest = contact["ref"], contact["guest"]["href"].rpartition("/")[2]
    assert list(contact.items()) == [
        ("ref", ref),
        ("href", f"{BASE}/v2.1/orderContacts/{ref}"),
        ("createdAt", "2026-01-01T00:00:00.007Z"),
        ("modifiedAt", "2026-01-01T00:00:00.007Z"),
        ("firstName", "John"),
        ("state", "NY"),
        ("postCode", "10001"),
        ("country", "IE"),
        ("order", {"href": f"{BASE}/v2.1/orders/{ORDER}"}),
        ("guest", {"href": f"{BASE}/v2.1/guests/{guest}"}),
    ]
    assert desk.ask(Call.GET, ref.upper()) == (200, contact)


def test_a_list_without_expand_holds_links(desk: Desk) -> None:
    """Items are refs and links, or whole contacts with expand=true."""
    contact = desk.ask(Call.CREATE, ORDER, {"city": "Cork"})[1]
    status, page = desk.ask(Call.LIST, ORDER)
    assert (status, page["items"]) == (200, [{"ref": contact["ref"], "href": contact["href"]}])
    assert desk.ask(Call.LIST, ORDER, expand="true")[1]["items"] == [contact]


def test_pages_of_a_list_contain_every_contact_once(desk: Desk) -> None:
    """Following next from the first page returns each contact once."""
    refs = [desk.ask(Call.CREATE, ORDER, {})[1]["ref"] for _ in range(5)]
    seen, offset = [], 0
    while True:
        page = desk.ask(Call.LIST, ORDER, offset=str(offset), limit="2")[1]
        seen += [item["ref"] for item in page["items"]]
        assert page["first"] == {"href": f"{BASE}/v2.1/orders/{ORDER}/contacts?offset=0&limit=2"}
        assert page["last"] == {"href": f"{BASE}/v2.1/orders/{ORDER}/contacts?offset=4&limit=2"}
        if "next" not in page:
            break
        offset += 2
        assert page["next"]["href"].endswith(f"offset={offset}&limit=2")
    assert seen == refs


def test_an_empty_list_is_one_page(desk: Desk) -> None:
    """An order without contacts has an empty first page of ten."""
    page = desk.ask(Call.LIST, ORDER)[1]
    assert (page["offset"], page["limit"], page["items"], "next" in page) == (0, 10, [], False)


def test_update_and_delete(desk: Desk) -> None:
    """An update returns the whole contact, a deletion nothing; then it no longer exists."""
    ref = desk.ask(Call.CREATE, ORDER, {"city": "Cork", "state": "C"})[1]["ref"]
    status, changed = desk.ask(Call.UPDATE, ref, {"city": "Dublin"})
    assert (status, changed["city"], changed["state"]) == (200, "Dublin", "C")
    assert changed["modifiedAt"] > changed["createdAt"]
    assert desk.ask(Call.DELETE, ref) == (204, None)
    assert [desk.ask(call, ref, {})[0] for call in (Call.DELETE, Call.GET, Call.UPDATE)] == [
        404
    ] * 3


@pytest.mark.parametrize("call", [Call.CREATE, Call.LIST, Call.GET_ORDER])
@pytest.mark.parametrize("ref", [UNKNOWN, "A-17", "x' OR 1=1", ""])
def test_unknown_order_is_404(desk: Desk, call: Call, ref: str) -> None:
    """An unknown order is 404, in the documented form."""
    status, body = desk.ask(call, ref, {})
    assert (status, body["status"], body["code"]) == (404, 404, 404)
    assert body["message"] == "There is no such order."


def test_orders_are_found_by_number_or_guest(desk: Desk) -> None:
    """A number finds its orders, a guest the orders of its contacts, no parameter finds all."""
    contact = desk.ask(Call.CREATE, SECOND, {})[1]
    guest = contact["guest"]["href"].rpartition("/")[2]

    def found(**query: str) -> list[str]:
        return [item["ref"] for item in desk.ask(Call.FIND_ORDERS, **query)[1]["items"]]

    assert found(referenceId="A-17") == found() == [ORDER, SECOND]
    assert found(referenceId="A-17", offset="1") == [SECOND]
    assert found(referenceId="A-18") == []
    assert found(guestRef=guest.upper()) == [SECOND]
    assert desk.ask(Call.FIND_ORDERS, referenceId="A-17")[1]["items"][0]["referenceId"] == "A-17"


@pytest.mark.parametrize(
    ("call", "query", "message"),
    [
        (Call.LIST, {"limit": "0"}, "limit: must be from 1 to 100."),
        (Call.LIST, {"limit": "101"}, "limit: must be from 1 to 100."),
        (Call.LIST, {"offset": "-1"}, "offset: must be from 0 to 2147483647."),
        (Call.LIST, {"offset": "٣"}, "offset: must be from 0 to 2147483647."),
        (Call.LIST, {"expand": "yes"}, "expand: must be true or false."),
        (Call.LIST, {"ofset": "1"}, "ofset: is not a parameter of this call."),
        (
            Call.FIND_ORDERS,
            {"referenceId": "A", "guestRef": ORDER},
            "guestRef: may not be combined with referenceId.",
        ),
        (Call.FIND_ORDERS, {"referenceId": ""}, "referenceId: is not valid."),
        (Call.FIND_ORDERS, {"guestRef": "A"}, "guestRef: is not valid."),
    ],
)
def test_invalid_parameter_is_named(
    desk: Desk, call: Call, query: dict[str, str], message: str
) -> None:
    """A parameter that the document does not allow is 400 and named."""
    status, body = desk.ask(call, ORDER, **query)
    assert (status, body["message"]) == (400, message)


def test_a_refused_body_stores_nothing(desk: Desk, store: Store) -> None:
    """A contact that fails validation is not stored."""
    assert desk.ask(Call.CREATE, ORDER, {"firstName": None})[0] == 400
    assert store.totals()["contacts"] == 0


def test_subject_of_a_call_is_its_order(desk: Desk) -> None:
    """Fault rules see the order of a contact, or the number that is looked up."""
    ref = desk.ask(Call.CREATE, ORDER, {})[1]["ref"]

    def subject(call: Call, ref: str = "", **query: str) -> str:
        return desk.api.subject(ApiRequest(call, ref, query, b""))

    assert subject(Call.LIST, ORDER.upper()) == subject(Call.DELETE, ref) == ORDER
    assert subject(Call.GET, UNKNOWN) == ""
    assert subject(Call.FIND_ORDERS, referenceId="A-17") == "A-17"

"""Requests: method, URL, headers and body."""

from collections.abc import Iterator

import pytest
import requests
import responses

from importer import __version__
from importer.api import Api, Connection, Credentials, Verdict
from importer.api.calls import (
    CreateContact,
    DeleteContact,
    FindOrders,
    ListContacts,
    ReadContact,
    UpdateContact,
)

BASE = "https://api.example.com/cdp"
ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"
REF = "f7aabbca-1c1b-4fc2-be72-3e16294a4f03"
BODY = '{"firstName": "Nguyễn"}'.encode()


@pytest.fixture
def connection() -> Iterator[Connection]:
    """Return a connection to an API that ``responses`` simulates."""
    with Api(BASE, Credentials("key", "t0ken"), 5.0) as api, api.connect() as connection:
        yield connection


@responses.activate
def test_create_is_a_post_of_unchanged_bytes(connection: Connection) -> None:
    """It has basic authentication, JSON, program and version, and no default headers."""
    responses.post(f"{BASE}/v2.1/orders/{ORDER}/contacts", status=201, json={"ref": REF})
    answer = connection.carry_out(CreateContact(ORDER, BODY))
    sent = responses.calls[0].request
    assert (answer.verdict, answer.refs.ref) == (Verdict.APPLIED, REF)
    assert sent.body == BODY
    assert dict(sent.headers) == {
        "Host": "api.example.com",
        "Authorization": "Basic a2V5OnQwa2Vu",
        "User-Agent": f"import-contacts/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "Content-Length": str(len(BODY)),
    }


@responses.activate
def test_list_of_contacts_requests_all_fields_page_by_page(connection: Connection) -> None:
    """With the documented parameters and page size."""
    url = f"{BASE}/v2.1/orders/{ORDER}/contacts?expand=true&limit=10"
    items = [{"ref": f"r{number}", "city": "Cork"} for number in range(11)]
    responses.get(f"{url}&offset=0", json={"items": items[:10]})
    responses.get(f"{url}&offset=10", json={"items": items[10:]})
    listing = connection.carry_out(ListContacts(ORDER))
    assert (list(listing.items), listing.failure, listing.requests) == (items, None, 2)
    assert "Content-Length" not in responses.calls[0].request.headers


@responses.activate
def test_contacts_without_their_fields_are_a_failure(connection: Connection) -> None:
    """A server that ignores ``expand`` must not make contacts look absent."""
    url = f"{BASE}/v2.1/orders/{ORDER}/contacts"
    responses.get(url, json={"items": [{"ref": REF, "href": "x"}]})
    failure = connection.carry_out(ListContacts(ORDER)).failure
    assert failure is not None
    assert failure.verdict is Verdict.UNKNOWN


@responses.activate
def test_orders_are_found_by_their_own_number(connection: Connection) -> None:
    """The number is escaped, so it stays one parameter."""
    found = {"items": [{"ref": ORDER}]}
    matcher = responses.matchers.query_param_matcher(
        {"referenceId": "A/1&offset=5 #é", "offset": "0", "limit": "10"}
    )
    responses.get(f"{BASE}/v2.1/orders", match=[matcher], json=found)
    assert connection.carry_out(FindOrders("A/1&offset=5 #é")).items == ({"ref": ORDER},)


@responses.activate
def test_contact_is_read_changed_and_deleted(connection: Connection) -> None:
    """The three calls have the same URL."""
    url = f"{BASE}/v2.1/orderContacts/{REF}"
    responses.get(url, json={"ref": REF, "modifiedAt": "2026-01-01"})
    responses.patch(url, json={"ref": REF, "city": "Cork"})
    responses.delete(url, status=204)
    read = connection.carry_out(ReadContact(REF))
    changed = connection.carry_out(UpdateContact(REF, b'{"city": "Cork"}'))
    deleted = connection.carry_out(DeleteContact(REF))
    assert read.contact == {"ref": REF, "modifiedAt": "2026-01-01"}
    assert changed.contact == {"ref": REF, "city": "Cork"}
    assert [read.verdict, changed.verdict, deleted.verdict] == [Verdict.APPLIED] * 3


@responses.activate
@pytest.mark.parametrize(
    ("ref", "segment"),
    [("../x", "%2E%2E%2Fx"), ("..", "%2E%2E"), ("x?y#z", "x%3Fy%23z"), ("a b%2F", "a%20b%252F")],
)
def test_reference_is_one_segment_of_the_path(
    connection: Connection, ref: str, segment: str
) -> None:
    """It is escaped, so it cannot lead to another resource."""
    responses.delete(f"{BASE}/v2.1/orderContacts/{segment}", status=204)
    connection.carry_out(DeleteContact(ref))
    assert responses.calls[0].request.url == f"{BASE}/v2.1/orderContacts/{segment}"


@responses.activate
@pytest.mark.parametrize(
    ("error", "verdict", "code"),
    [
        (requests.ConnectTimeout("x"), Verdict.NOT_APPLIED, "network.connect"),
        (requests.ReadTimeout("x"), Verdict.UNKNOWN, "network.timeout"),
        (requests.ConnectionError("x"), Verdict.UNKNOWN, "network.reset"),
        (requests.ConnectionError(ConnectionResetError()), Verdict.UNKNOWN, "network.reset"),
        (requests.exceptions.ChunkedEncodingError("x"), Verdict.UNKNOWN, "network.reset"),
    ],
)
def test_exceptions_of_requests(
    connection: Connection, error: Exception, verdict: Verdict, code: str
) -> None:
    """The result is unknown unless it is proven that nothing was sent."""
    responses.post(f"{BASE}/v2.1/orders/{ORDER}/contacts", body=error)
    answer = connection.carry_out(CreateContact(ORDER, BODY))
    assert (answer.verdict, answer.error_code) == (verdict, code)


@responses.activate
def test_echoed_credentials_are_hidden(connection: Connection) -> None:
    """Neither the token nor the header is in a message."""
    echo = {"message": "got Basic a2V5OnQwa2Vu and t0ken"}
    responses.post(f"{BASE}/v2.1/orders/{ORDER}/contacts", status=400, json=echo)
    assert connection.carry_out(CreateContact(ORDER, BODY)).message == "got Basic *** and ***"


def test_credentials_are_in_no_representation() -> None:
    """A traceback may print local variables."""
    credentials = Credentials("key", "t0ken")
    with Api(BASE, credentials, 5.0) as api, api.connect() as connection:
        shown = f"{credentials!r} {api!r} {api.secrets!r} {connection!r}"
    assert "t0ken" not in shown

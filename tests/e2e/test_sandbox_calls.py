"""The sandbox over HTTP: credentials, refusals, and storage."""

import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sandboxes import ORDER, RunningSandbox, running, running_process

CONTACTS = f"/v2.1/orders/{ORDER}/contacts"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A sandbox that all tests of this file share."""
    with running() as sandbox:
        yield sandbox


def test_create_find_read_update_delete(sandbox: RunningSandbox) -> None:
    """Create, find, read, update and delete, following the links in the answers."""
    created = sandbox.create(firstName="Ada")
    assert created.status_code == 201
    contact = created.json()
    path = contact["href"].removeprefix(sandbox.url)
    listed = sandbox.ask("GET", f"{CONTACTS}?expand=true&offset=0&limit=100")
    assert contact in listed.json()["items"]
    assert sandbox.ask("GET", path).json() == contact
    assert sandbox.ask("PATCH", path, json={"firstName": "Grace"}).json()["firstName"] == "Grace"
    order_path = contact["order"]["href"].removeprefix(sandbox.url)
    assert sandbox.ask("GET", order_path).json()["ref"] == ORDER
    removed = sandbox.ask("DELETE", path)
    assert (removed.status_code, removed.content) == (204, b"")
    assert sandbox.ask("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "how", "status"),
    [
        pytest.param("POST", CONTACTS, {"json": {}, "auth": None}, 401, id="no credentials"),
        pytest.param("POST", CONTACTS, {"json": {}, "auth": ("a", "b")}, 401, id="wrong ones"),
        pytest.param("GET", CONTACTS, {"auth": None}, 401, id="list without credentials"),
        pytest.param("POST", CONTACTS, {"json": {"gender": "m"}}, 400, id="failed validation"),
        pytest.param("POST", CONTACTS, {"data": "{", "headers": JSON}, 400, id="broken JSON"),
        pytest.param("POST", CONTACTS, {"data": {"a": "b"}}, 415, id="a form"),
        pytest.param("POST", CONTACTS, {"data": b"{}"}, 415, id="no media type"),
        pytest.param("POST", "/v2.1/orders/A-17/contacts", {"json": {}}, 404, id="no order"),
        pytest.param("GET", f"/v2.1/orderContacts/{ORDER}", {}, 404, id="no contact"),
        pytest.param("GET", "/v2.1/nothing", {}, 404, id="no such path"),
        pytest.param("PUT", CONTACTS, {"json": {}}, 405, id="no such method"),
        pytest.param("HEAD", CONTACTS, {}, 405, id="nor this one"),
        pytest.param("GET", f"{CONTACTS}?limit=101", {}, 400, id="limit too large"),
        pytest.param(
            "POST", CONTACTS, {"data": b" " * 2**21, "headers": JSON}, 413, id="body too large"
        ),
        pytest.param(
            "GET", CONTACTS, {"headers": {"Host": "evil.example"}}, 421, id="foreign host"
        ),
    ],
)
def test_a_refusal_has_the_documented_form(
    sandbox: RunningSandbox, method: str, path: str, how: dict[str, Any], status: int
) -> None:
    """Every error has a status, a code and a message as JSON, and changes nothing."""
    before = sandbox.stored()
    answer = sandbox.ask(method, path, **how)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("application/json")
    if method != "HEAD":
        body = answer.json()
        assert (body["code"], bool(body["message"])) == (status, True)
        assert body["status"] == ("UNAUTHORIZED" if status == 401 else status)
    assert sandbox.stored() == before


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(b"\x00\x01\r\n\r\n", id="no HTTP"),
        pytest.param(f"POST {CONTACTS} HTTP/1.1\r\nHost: localhost\r\n".encode(), id="no body"),
        pytest.param(
            f"POST {CONTACTS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{{".encode(),
            id="half a body",
        ),
    ],
)
def test_client_killed_while_sending_stores_nothing(
    sandbox: RunningSandbox, request_: bytes
) -> None:
    """Half a request stores nothing, and the sandbox continues without error output."""
    before = sandbox.stored()
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(request_)
    assert sandbox.stored() == before


def test_the_state_counts_requests_by_call_and_result() -> None:
    """Requests are counted by call and by result."""
    with running() as sandbox:
        sandbox.create()
        sandbox.create(gender="m")
        sandbox.ask("GET", CONTACTS)
        sandbox.ask("GET", "/v2.1/nothing")
        state = sandbox.state()
    assert state["requests"] == {
        "create": {"201": 1, "400": 1},
        "list": {"200": 1},
        "other": {"404": 1},
    }
    assert [len(contacts) for contacts in state["contacts"].values()] == [1]


def test_custom_credentials_protect_the_page() -> None:
    """With other than the documented credentials, the contacts cannot be seen without them."""
    with running("--client-key", "mine", "--api-token", "secret") as sandbox:
        for path in ("/", "/_sandbox/state", CONTACTS):
            assert sandbox.ask("GET", path).status_code == 401
            assert sandbox.ask("GET", path, auth=("mine", "secret")).status_code == 200


def test_data_file_survives_a_kill(tmp_path: Path) -> None:
    """Every answered contact is in the data file after kill -9, readable only by its owner."""
    data = tmp_path / "contacts.db"
    with running_process("--data", str(data)) as sandbox:
        refs = [sandbox.create(identifiers=[{"provider": "CRM", "id": "1"}]).json()["ref"]]
        sandbox.process.kill()
        sandbox.process.wait()
    assert stat.S_IMODE(data.stat().st_mode) == 0o600
    with running("--data", str(data)) as sandbox:
        again = sandbox.create(identifiers=[{"provider": "CRM", "id": "1"}]).json()
        refs.append(again["ref"])
        items = sandbox.ask("GET", f"{CONTACTS}?expand=true").json()["items"]
    assert [item["ref"] for item in items] == refs
    assert {item["guest"]["href"].rpartition("/")[2] for item in items} == {
        again["guest"]["href"].rpartition("/")[2]
    }


def test_orders_option_limits_the_orders(tmp_path: Path) -> None:
    """With --orders only its orders exist, and can be found by number."""
    orders = tmp_path / "orders.csv"
    orders.write_text(f"orderRef,referenceId\n{ORDER},A-17\n")
    with running("--orders", str(orders)) as sandbox:
        found = sandbox.ask("GET", "/v2.1/orders", params={"referenceId": "A-17"}).json()["items"]
        none = sandbox.ask("GET", "/v2.1/orders", params={"referenceId": "A-18"}).json()["items"]
        other = sandbox.create("00000000-0000-4000-8000-000000000001")
        statuses = (sandbox.create().status_code, other.status_code)
    assert ([item["ref"] for item in found], none) == ([ORDER], [])
    assert statuses == (201, 404)

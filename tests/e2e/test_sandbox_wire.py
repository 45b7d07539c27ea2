"""Broken answers of the sandbox over sockets, with and without storing the contact."""

import base64
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from sandboxes import ORDER, RunningSandbox, eventually, running

BODY = b'{"firstName": "Ada"}'
RESET = b"<reset>"
BAD_DAY = Path(__file__).parents[2] / "sample_data" / "bad-day.toml"
ORDERS = [str(uuid.UUID(int=number, version=4)) for number in range(60)]


def create_request(order: str = ORDER) -> bytes:
    """Return the bytes of a POST request."""
    pair = base64.b64encode(b"sandbox:sandbox").decode()
    head = (
        f"POST /v2.1/orders/{order}/contacts HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Basic {pair}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(BODY)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + BODY


def received(sandbox: RunningSandbox) -> bytes:
    """Return all bytes that answer one POST."""
    try:
        return sandbox.bytes_of(create_request())
    except ConnectionResetError:
        return RESET


def is_status(status: int, content_type: str) -> Callable[[bytes], bool]:
    """Return a check for a complete answer with this status and media type."""

    def check(answer: bytes) -> bool:
        head, _, body = answer.partition(b"\r\n\r\n")
        return (
            head.startswith(f"HTTP/1.1 {status} ".encode())
            and f"Content-Type: {content_type}".encode() in head
            and f"Content-Length: {len(body)}".encode() in head
        )

    return check


def is_cut(answer: bytes) -> bool:
    """Return whether an answer is shorter than its Content-Length."""
    head, _, body = answer.partition(b"\r\n\r\n")
    promised = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
    return head.startswith(b"HTTP/1.1 201 ") and 0 < len(body) < promised


def is_noise(answer: bytes) -> bool:
    """Return whether an answer has the true status and a body that is not text."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.startswith(b"HTTP/1.1 201 ") and b"\xff" in body and b"Ada" not in body


WIRE = {
    "status": is_status(500, "application/json"),
    "page": is_status(502, "text/html"),
    "drop": b"".__eq__,
    "reset": RESET.__eq__,
    "silence": b"".__eq__,
    "garbled-status": lambda answer: not answer.startswith(b"HTTP/") and bool(answer),
}
SETTINGS = {"status": ",status=500", "silence": ",seconds=0.1"}


@pytest.mark.parametrize("applied", [False, True], ids=["not applied", "applied"])
@pytest.mark.parametrize("action", WIRE)
def test_broken_answer_is_independent_of_storing(action: str, *, applied: bool) -> None:
    """The client sees the same answer, and the contact is stored if and only if applied."""
    rule = f"action={action},applied={str(applied).lower()}{SETTINGS.get(action, '')}"
    with running("--fault", rule) as sandbox:
        answer = received(sandbox)
        stored = sandbox.stored()
    assert WIRE[action](answer), answer
    assert stored == int(applied)


@pytest.mark.parametrize(
    ("rule", "check"),
    [
        pytest.param("action=cut", is_cut, id="cut"),
        pytest.param("action=garbled-body", is_noise, id="garbled-body"),
        pytest.param("action=drip,seconds=0.3", is_status(201, "application/json"), id="drip"),
    ],
)
def test_partial_true_answer_implies_stored_contact(
    rule: str, check: Callable[[bytes], bool]
) -> None:
    """Where a part of the true answer is sent, the contact is stored."""
    with running("--fault", rule) as sandbox:
        answer = received(sandbox)
        stored = sandbox.stored()
    assert check(answer), answer
    assert stored == 1


def test_drip_arrives_in_many_pieces() -> None:
    """A dripping answer arrives in pieces, including its head."""
    with running("--fault", "action=drip,seconds=0.5") as sandbox:
        address = urlsplit(sandbox.url)
        with socket.create_connection((address.hostname, address.port), 20) as wire:
            wire.sendall(create_request())
            pieces = list(iter(lambda: wire.recv(65536), b""))
    assert len(pieces) > 4
    assert len(pieces[0]) < 100


def test_late_commit_happens_after_the_client_gave_up() -> None:
    """The contact is not stored while the client waits, but is stored later."""
    with running("--fault", "action=late,seconds=1.5,call=create") as sandbox:
        with pytest.raises(TimeoutError):
            sandbox.bytes_of(create_request(), most_seconds=0.2)
        assert sandbox.stored() == 0
        assert eventually(lambda: sandbox.stored() == 1)


def test_disconnecting_client_causes_no_error_output() -> None:
    """Clients that disconnect during a drip or a silence cause no error output."""
    rules = (
        "--fault",
        "action=drip,seconds=1,turn=1",
        "--fault",
        "action=silence,seconds=1,turn=2",
    )
    with running(*rules) as sandbox:
        for _ in range(2):
            with pytest.raises(TimeoutError):
                sandbox.bytes_of(create_request(), most_seconds=0.01)
        assert eventually(lambda: sandbox.create().status_code == 201)


def test_rate_limit_answers_429_with_retry_after() -> None:
    """Above the rate the answer is 429 with the seconds to wait, and nothing is stored."""
    with running("--rate-limit", "0.01") as sandbox:
        answers = [sandbox.create() for _ in range(3)]
        stored = sandbox.stored()
    assert [answer.status_code for answer in answers] == [201, 429, 429]
    assert answers[1].headers["Retry-After"] == "100"
    assert answers[1].json()["code"] == 429
    assert stored == 1


def test_fault_can_send_retry_after() -> None:
    """A status fault sends the Retry-After header of its rule."""
    with running("--fault", "action=status,status=503,retry_after=7") as sandbox:
        answer = sandbox.create()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def outcomes(sandbox: RunningSandbox) -> set[str]:
    """Create a contact in each order, concurrently; return the orders whose answer was lost."""
    lost: set[str] = set()

    def create(order: str) -> None:
        try:
            sandbox.create(order)
        except requests.ConnectionError:
            lost.add(order)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(create, ORDERS))
    return lost


def test_the_seed_repeats_the_faults_however_requests_interleave() -> None:
    """Two sandboxes with the same seed lose the same answers; another seed loses others."""
    losses = []
    for seed in ("1", "1", "2"):
        with running("--seed", seed, "--fault", "action=drop,share=0.3") as sandbox:
            losses.append(outcomes(sandbox))
    assert 0 < len(losses[0]) < len(ORDERS)
    assert losses[0] == losses[1] != losses[2]


class CarefulClient:
    """Create a contact once: settle a lost answer by reading the order's contacts."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self._sandbox = sandbox

    def create(self, order: str) -> bool:
        """Return whether the contact is known to be there within five attempts."""
        return any(self._attempt(order) or self._is_there(order) for _ in range(5))

    def _attempt(self, order: str) -> bool:
        try:
            return self._sandbox.create(order, firstName="Ada").status_code == 201
        except requests.RequestException:
            return False

    def _is_there(self, order: str) -> bool:
        """Read until an answer can be understood; an unclear one must not lead to a second POST."""
        while True:
            try:
                answer = self._sandbox.ask("GET", f"/v2.1/orders/{order}/contacts")
                return bool(answer.json()["items"])
            except (requests.RequestException, KeyError):
                threading.Event().wait(0.02)


def test_careful_client_succeeds_on_the_sample_bad_day() -> None:
    """Settling after every lost answer stores each contact exactly once."""
    with running("--faults", str(BAD_DAY)) as sandbox:
        with ThreadPoolExecutor(16) as pool:
            results = list(pool.map(CarefulClient(sandbox).create, ORDERS))
        state = sandbox.state()
    assert all(results)
    assert {order: len(contacts) for order, contacts in state["contacts"].items()} == dict.fromkeys(
        ORDERS, 1
    )
    assert len(state["faults"]) > 8


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """Check that each test ends the threads that it starts."""
    before = threading.active_count()
    yield
    assert eventually(lambda: threading.active_count() <= before)

"""One exchange with a server that misbehaves ends before its deadline and in the right class."""

import gzip
import json
import logging
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from servers.raw import (
    Behaviour,
    Peer,
    RawServer,
    created,
    drips,
    http,
    is_silent,
    replies,
    replies_and_closes,
    resets,
)
from servers.reference import Fault, ReferenceServer

from importer.api import Answer, Api, Connection, Credentials, Verdict
from importer.api.calls import (
    CreateContact,
    DeleteContact,
    FindOrders,
    ListContacts,
    ReadContact,
    UpdateContact,
)

APPLIED, NOT_APPLIED, UNKNOWN = Verdict.APPLIED, Verdict.NOT_APPLIED, Verdict.UNKNOWN
CREDENTIALS = Credentials("sandbox", "sandbox")
ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"
REF = "f7aabbca-1c1b-4fc2-be72-3e16294a4f03"
OTHER_REF = "0d7de9df-45a2-45ea-872c-30e45139007d"
BODY = b'{"firstName": "Ada"}'
SHORT = 0.4  # seconds; for exchanges that are to be cut
LONG = 20.0  # seconds; for those that are not

Connect = Callable[..., Connection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Return a function that opens connections, which are closed after the test."""
    with ExitStack() as stack:

        def connect_to(url: str, timeout: float = LONG) -> Connection:
            api = stack.enter_context(Api(url, CREDENTIALS, timeout))
            return stack.enter_context(api.connect())

        yield connect_to


def create_on(server: RawServer, connect: Connect, timeout: float = LONG) -> Answer:
    """Create a contact on a server, over a connection of its own."""
    return connect(server.url, timeout).carry_out(CreateContact(ORDER, BODY))


def free_port() -> int:
    """Return a port on which no process listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_refused_connection_is_not_applied(connect: Connect) -> None:
    """Nothing can have been sent to a port where no process listens."""
    answer = connect(f"http://127.0.0.1:{free_port()}").carry_out(CreateContact(ORDER, BODY))
    assert (answer.verdict, answer.error_code) == (NOT_APPLIED, "network.connect")
    assert answer.message == "No connection to 127.0.0.1: Connection refused"
    assert not answer.sent


def test_connection_succeeds_after_a_refused_one(connect: Connect) -> None:
    """The same worker continues once the API is up."""
    port = free_port()
    connection = connect(f"http://127.0.0.1:{port}")
    assert connection.carry_out(CreateContact(ORDER, BODY)).verdict is NOT_APPLIED
    with RawServer(replies(created(REF)), port=port):
        assert connection.carry_out(CreateContact(ORDER, BODY)).refs.ref == REF
        connection.close()


def test_unresolvable_name_is_not_applied(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message contains the host and not the credentials."""

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "x")

    connection = connect("https://api.example.com")
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    answer = connection.carry_out(CreateContact(ORDER, BODY))
    assert (answer.verdict, answer.error_code) == (NOT_APPLIED, "network.connect")
    assert answer.message == "No connection to api.example.com: its name cannot be resolved"


def test_unaccepted_connection_is_not_applied(connect: Connect) -> None:
    """If the queue of the listener is full, the TCP handshake gets no reply."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        answer = connect(url, SHORT).carry_out(CreateContact(ORDER, BODY))
    assert (answer.verdict, answer.error_code) == (NOT_APPLIED, "network.connect")
    assert answer.message.endswith("it did not answer before the deadline")


def test_unreachable_address_is_followed_by_the_next(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host has an IPv6 address that does not answer, and an IPv4 address that does."""
    with RawServer(replies(created(REF))) as server:
        connection = connect(server.url)
        dead = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", free_port(), 0, 0))
        alive = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [dead, alive])
        assert connection.carry_out(CreateContact(ORDER, BODY)).refs.ref == REF
        connection.close()


BROKEN_BODIES = {
    "too short for its length": http(201, b'{"ref":', "Content-Length: 100"),
    "chunks cut": http(201, b'20\r\n{"ref":', "Transfer-Encoding: chunked"),
    "bad chunk length": http(201, b"zz\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
    "ends with the connection": b'HTTP/1.1 201 Created\r\n\r\n{"ref": "f7aa',
    "broken gzip": http(201, b"\x1f\x8b\x08rubbish", "Content-Encoding: gzip"),
    "unknown encoding": http(201, b"\x00\x01", "Content-Encoding: x-own"),
    "larger than a MiB": http(201, b" " * 2_000_000 + b'{"ref": "x"}'),
    "bomb": http(201, gzip.compress(b'{"ref": "' + b"x" * 50_000_000), "Content-Encoding: gzip"),
    "without a ref": http(201, b"{}"),
    "nested too deep": http(201, b"[" * 100_000),
}


@pytest.mark.parametrize("data", BROKEN_BODIES.values(), ids=BROKEN_BODIES.keys())
def test_created_with_a_broken_body_is_applied(connect: Connect, data: bytes) -> None:
    """The status arrives before the body breaks off, so the contact exists."""
    with RawServer(replies_and_closes(data)) as server:
        answer = create_on(server, connect)
    assert (answer.verdict, answer.refs.ref) == (APPLIED, "")
    assert answer.error_code in {"network.reset", "response.invalid"}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(http(200, b"<html>", content_type="text/html"), id="200-of-a-page"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="204"),
    ],
)
def test_success_without_a_contact_is_unknown(connect: Connect, data: bytes) -> None:
    """It may be from a captive portal, so it does not show whether the contact exists."""
    with RawServer(replies_and_closes(data)) as server:
        answer = create_on(server, connect)
    assert (answer.verdict, answer.error_code) == (Verdict.UNKNOWN, "response.invalid")


def test_decompression_bomb_does_not_fill_the_memory(connect: Connect) -> None:
    """At most one MiB of a body is decompressed."""
    with RawServer(replies_and_closes(BROKEN_BODIES["bomb"])) as server:
        connection = connect(server.url)
        tracemalloc.start()
        try:
            connection.carry_out(CreateContact(ORDER, BODY))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 6_000_000


GOOD = {
    "200": http(200, json.dumps({"ref": REF}).encode()),
    "chunks": http(
        201,
        f'9\r\n{{"ref": "\r\n26\r\n{REF}"}}\r\n0\r\n\r\n'.encode(),
        "Transfer-Encoding: chunked",
    ),
    "gzip": http(201, gzip.compress(json.dumps({"ref": REF}).encode()), "Content-Encoding: gzip"),
    "ends with the connection": f'HTTP/1.1 201 Created\r\n\r\n{{"ref": "{REF}"}}'.encode(),
    "HTTP/1.0": f'HTTP/1.0 201 Created\r\n\r\n{{"ref": "{REF}"}}'.encode(),
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + created(REF),
    "102 and 103 first": b"HTTP/1.1 102 Processing\r\n\r\n"
    b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + created(REF),
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD.keys())
def test_unusual_but_complete_answers_are_applied(connect: Connect, data: bytes) -> None:
    """A 2xx with a ref is a success, however its body is framed."""
    with RawServer(replies_and_closes(data)) as server:
        answer = create_on(server, connect)
    assert (answer.verdict, answer.refs.ref, answer.error_code) == (APPLIED, REF, "")


def closes(peer: Peer) -> None:
    """Read a request and close the connection."""
    peer.read()
    peer.close()


UNCLEAR: dict[str, tuple[Behaviour, str]] = {
    "closed": (closes, "network.reset"),
    "reset": (resets, "network.reset"),
    "closed in the head": (replies_and_closes(b"HTTP/1.1 201 Cr"), "network.reset"),
    "closed after the status": (
        replies_and_closes(b"HTTP/1.1 201 Created\r\nA: b\r\n"),
        "network.reset",
    ),
    "no status": (replies_and_closes(b"\x00\xff\x17rubbish\r\n\r\n"), "response.invalid"),
    "a status of four digits": (
        replies_and_closes(b"HTTP/1.1 2010 Created\r\n\r\n"),
        "response.invalid",
    ),
    "SSH": (replies_and_closes(b"SSH-2.0-OpenSSH_9.2\r\n"), "response.invalid"),
    "many headers": (
        replies_and_closes(b"HTTP/1.1 201 Created\r\n" + b"A: b\r\n" * 101 + b"\r\n"),
        "response.invalid",
    ),
    "long line": (
        replies_and_closes(b"HTTP/1.1 201 Created\r\nA: " + b"b" * 70_000 + b"\r\n\r\n"),
        "response.invalid",
    ),
    "two lengths": (
        replies_and_closes(
            b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"
        ),
        "response.invalid",
    ),
    "switching protocols": (
        replies_and_closes(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
        "http.101",
    ),
}


@pytest.mark.parametrize(("behaviour", "code"), UNCLEAR.values(), ids=UNCLEAR.keys())
def test_broken_exchange_is_unknown(
    connect: Connect, behaviour: Behaviour, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The server may have stored the contact. Neither library logs anything."""
    with caplog.at_level(logging.INFO), RawServer(behaviour) as server:
        answer = create_on(server, connect)
        assert len(server.requests) == 1
    assert (answer.verdict, answer.error_code, answer.sent) == (UNKNOWN, code, True)
    assert not caplog.records


SLOW: dict[str, Behaviour] = {
    "silence": is_silent,
    "head byte by byte": drips(b"", created(REF)),
    "headers without end": drips(b"HTTP/1.1 201 Created\r\n", b"A: b\r\n" * 1000),
    "interim answers without end": drips(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000),
}


@pytest.mark.parametrize("behaviour", SLOW.values(), ids=SLOW.keys())
def test_slow_exchange_is_cut(connect: Connect, behaviour: Behaviour) -> None:
    """The deadline is for the whole exchange, even if the server keeps sending."""
    with RawServer(behaviour) as server:
        connection = connect(server.url, SHORT)
        answer = connection.carry_out(CreateContact(ORDER, BODY))
        connection.close()
    assert (answer.verdict, answer.error_code) == (UNKNOWN, "network.timeout")
    assert SHORT * 0.9 < answer.seconds < LONG


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n", id="with a length"),
        pytest.param(b"HTTP/1.1 201 Created\r\n\r\n", id="until the connection ends"),
    ],
)
def test_slow_body_after_the_status_is_applied(connect: Connect, head: bytes) -> None:
    """The status arrives before the deadline; only the ref is lost with the rest of the body."""
    with RawServer(drips(head, b" " * 1000)) as server:
        connection = connect(server.url, SHORT)
        answer = connection.carry_out(CreateContact(ORDER, BODY))
        connection.close()
    assert (answer.verdict, answer.error_code) == (APPLIED, "network.timeout")


def test_exchange_with_a_server_that_does_not_read_is_cut(connect: Connect) -> None:
    """A body that cannot be sent is cut at the deadline as well."""
    release = threading.Event()

    def wait(peer: Peer) -> None:
        release.wait()
        peer.close()

    with RawServer(wait) as server:
        answer = connect(server.url, SHORT).carry_out(CreateContact(ORDER, b" " * 30_000_000))
        release.set()
    assert (answer.verdict, answer.error_code) == (UNKNOWN, "network.timeout")


def test_answer_before_the_body_was_read_is_received(connect: Connect) -> None:
    """A server may refuse a large body without reading it."""

    def refuse(peer: Peer) -> None:
        peer.send(http(413, b'{"code": 413, "message": "Too large."}', "Connection: close"))
        peer.hold()

    with RawServer(refuse) as server:
        connection = connect(server.url)
        answer = connection.carry_out(CreateContact(ORDER, b" " * 200_000))
        connection.close()
    assert (answer.verdict, answer.message) == (NOT_APPLIED, "Too large.")


def test_connection_is_kept_alive(connect: Connect) -> None:
    """Requests of one worker share one connection."""
    with RawServer(replies(created(REF))) as server:
        connection = connect(server.url)
        for _ in range(3):
            assert connection.carry_out(CreateContact(ORDER, BODY)).refs.ref == REF
        assert (len(server.requests), server.connections) == (3, 1)
        connection.close()


def test_connection_closed_while_idle_is_replaced(connect: Connect) -> None:
    """That it is closed is noticed before the request is sent."""
    closed = threading.Semaphore(0)

    def answer_and_close(peer: Peer) -> None:
        replies_and_closes(created(REF))(peer)
        closed.release()

    with RawServer(answer_and_close) as server:
        connection = connect(server.url)
        for _ in range(3):
            assert connection.carry_out(CreateContact(ORDER, BODY)).refs.ref == REF
            closed.acquire()
        assert server.connections == 3
        connection.close()


@pytest.mark.parametrize(
    "surplus",
    [
        pytest.param(created(OTHER_REF), id="a second answer"),
        pytest.param(b"HTTP/1.1 201 Created\r\nContent-Le", id="a part of one"),
        pytest.param(b"\n", id="a byte"),
    ],
)
def test_bytes_after_an_answer_are_not_read_as_the_next(connect: Connect, surplus: bytes) -> None:
    """A connection with surplus bytes is not used again."""
    first = replies(created(REF) + surplus)
    third = "3d7de9df-45a2-45ea-872c-30e45139007d"
    with RawServer(first, replies(created(third))) as server:
        connection = connect(server.url)
        assert connection.carry_out(CreateContact(ORDER, BODY)).refs.ref == REF
        assert connection.carry_out(CreateContact(ORDER, BODY)).refs.ref == third
        assert server.connections == 2
        connection.close()


def test_late_answer_is_not_read_as_the_next(connect: Connect) -> None:
    """The connection is closed after a timeout."""
    cut = threading.Event()

    def too_late(peer: Peer) -> None:
        peer.read()
        cut.wait()
        peer.send(created(OTHER_REF))

    with RawServer(too_late, replies(created(REF))) as server:
        connection = connect(server.url, SHORT)
        assert connection.carry_out(CreateContact(ORDER, BODY)).error_code == "network.timeout"
        cut.set()
        assert connection.carry_out(CreateContact(ORDER, BODY)).refs.ref == REF
        assert server.connections == 2
        connection.close()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["other", "same", "file:///etc/passwd", ""])
def test_redirect_is_not_followed(connect: Connect, status: int, target: str) -> None:
    """No request reaches its target."""
    with RawServer(replies(created(OTHER_REF))) as other, ExitStack() as stack:
        place = {"other": other.url, "same": "/v2.1/elsewhere"}.get(target, target)
        header = f"Location: {place}" if place else "X: y"
        server = stack.enter_context(RawServer(replies(http(status, b"", header))))
        connection = connect(server.url)
        answer = connection.carry_out(CreateContact(ORDER, BODY))
        connection.close()
        assert (len(server.requests), other.connections) == (1, 0)
    assert (answer.verdict, answer.error_code) == (NOT_APPLIED, f"http.{status}")


def test_netrc_is_not_read(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only the given credentials are sent."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("default login other password s3cret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with RawServer(replies(created(REF))) as server:
        connection = connect(server.url)
        connection.carry_out(CreateContact(ORDER, BODY))
        connection.close()
        assert server.requests[0].headers["authorization"] == CREDENTIALS.authorization


REFUSALS = {
    "429 with seconds": (http(429, b"", "Retry-After: 2"), NOT_APPLIED, 2.0, "HTTP 429"),
    "429 twice": (http(429, b"", "Retry-After: 1", "Retry-After: 9"), NOT_APPLIED, 9.0, ""),
    "429 with a date": (
        http(
            429, b"", "Retry-After: Wed, 21 Oct 2015 07:28:30 GMT",
            "Date: Wed, 21 Oct 2015 07:28:00 GMT",
        ), NOT_APPLIED, 30.0, "",
    ),
    "503": (http(503, b'{"code": 503, "message": "Again."}'), NOT_APPLIED, None, "Again."),
    "503 page": (http(503, b"<html>", content_type="text/html"), UNKNOWN, None, "HTTP 503"),
    "502 page": (http(502, b"<html>s3cret", content_type="text/html"), UNKNOWN, None, "HTTP 502"),
    "401": (http(401, b'{"code": 401, "message": "Who?"}'), NOT_APPLIED, None, "Who?"),
    "400 not UTF-8": (http(400, b'{"message": "\xff"}'), NOT_APPLIED, None, "HTTP 400"),
    "400 of 10 MB": (
        http(400, b'{"message": "' + b"x" * 10_000_000 + b'"}'), NOT_APPLIED, None, "HTTP 400",
    ),
    "400 cut short": (
        http(400, b'{"message": "x"}', "Content-Length: 99"), NOT_APPLIED, None, "HTTP 400",
    ),
    "415": (http(415), NOT_APPLIED, None, "HTTP 415"),
    "409": (http(409), NOT_APPLIED, None, "HTTP 409"),
    "408": (http(408), UNKNOWN, None, "HTTP 408"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("data", "verdict", "pause", "message"), REFUSALS.values(), ids=REFUSALS.keys()
)
def test_refusal_has_status_message_and_pause(
    connect: Connect, data: bytes, verdict: Verdict, pause: float | None, message: str
) -> None:
    """The verdict follows from the status; the pause is the one that is requested."""
    with RawServer(replies_and_closes(data)) as server:
        answer = create_on(server, connect)
    assert (answer.verdict, answer.retry_after) == (verdict, pause)
    assert answer.message.startswith(message)
    assert "<html>" not in answer.message
    assert len(answer.message) <= 300


def test_interrupted_exchange_closes_the_connection(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next request must not receive the answer to the interrupted one."""
    gone = threading.Event()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def wait_for_the_end(peer: Peer) -> None:
        peer.read()
        peer.send(created(OTHER_REF))
        peer.hold()
        gone.set()

    with RawServer(wait_for_the_end, replies(created(REF))) as server:
        connection = connect(server.url)
        with monkeypatch.context() as patch:
            patch.setattr("importer.api.client.reply_of", interrupt)
            with pytest.raises(KeyboardInterrupt):
                connection.carry_out(CreateContact(ORDER, BODY))
        assert gone.wait(LONG)
        assert connection.carry_out(CreateContact(ORDER, BODY)).refs.ref == REF
        assert server.connections == 2
        connection.close()


def test_contact_is_created_listed_read_changed_and_deleted(connect: Connect) -> None:
    """All calls work against the reference server; the list has two pages."""
    orders = {ORDER: "A-1", OTHER_REF: "A-2"}
    with ReferenceServer(orders=orders) as server:
        connection = connect(server.url)
        refs = [connection.carry_out(CreateContact(ORDER, BODY)).refs.ref for _ in range(12)]
        assert [
            contact["ref"] for contact in connection.carry_out(ListContacts(ORDER)).items
        ] == refs
        assert connection.carry_out(ListContacts(OTHER_REF)).items == ()
        assert [order["ref"] for order in connection.carry_out(FindOrders("A-2")).items] == [
            OTHER_REF
        ]
        assert connection.carry_out(FindOrders("A-3")).items == ()
        assert connection.carry_out(UpdateContact(refs[0], b'{"city": "Cork"}')).verdict is APPLIED
        contact = connection.carry_out(ReadContact(refs[0])).contact
        assert contact is not None
        assert (contact["firstName"], contact["city"]) == ("Ada", "Cork")
        assert connection.carry_out(DeleteContact(refs[0])).verdict is APPLIED
        assert connection.carry_out(DeleteContact(refs[0])).http_status == 404
        assert connection.carry_out(ReadContact(refs[0])).verdict is NOT_APPLIED
        missing = connection.carry_out(ListContacts(REF)).failure
        assert missing is not None
        assert (missing.http_status, missing.is_api_error) == (404, True)
        assert server.contact_counts() == {ORDER: 11}
        connection.close()


def test_faults_of_the_reference_server_store_or_answer(connect: Connect) -> None:
    """Whether it stores the contact is independent of its answer."""
    faults = [
        Fault(status=500, store=True),
        Fault(drop=True, store=True),
        Fault(drop=True),
        Fault(status=429, headers={"Retry-After": "3"}),
        Fault(store=True, cut=150),
        Fault(silent=True, store_after=0.0),
        None,
    ]
    with ReferenceServer(faults) as server:
        connection = connect(server.url, SHORT)
        answers = [connection.carry_out(CreateContact(ORDER, BODY)) for _ in faults]
        assert server.contact_counts() == {ORDER: 5}
        connection.close()
    verdicts = [answer.verdict for answer in answers]
    assert verdicts == [UNKNOWN, UNKNOWN, UNKNOWN, NOT_APPLIED, APPLIED, UNKNOWN, APPLIED]
    assert (answers[3].retry_after, answers[4].refs.ref) == (3.0, "")

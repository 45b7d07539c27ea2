"""TLS, proxies, and the settings of the environment for both."""

import contextlib
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from servers.raw import (
    Behaviour,
    Peer,
    RawServer,
    created,
    drips,
    http,
    is_silent,
    never_reads,
    replies,
)

from importer.api import Answer, Api, Connection, Credentials, Verdict
from importer.api.calls import CreateContact
from importer.errors import UsageError

CREDENTIALS = Credentials("key", "t0ken")
ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"
REF = "f7aabbca-1c1b-4fc2-be72-3e16294a4f03"
OTHER_REF = "0d7de9df-45a2-45ea-872c-30e45139007d"
BODY = b'{"firstName": "Ada"}'
SHORT, LONG = 0.4, 20.0


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return a certificate authority of our own."""
    return trustme.CA()


@pytest.fixture(autouse=True)
def bundle(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Set up an environment that trusts only that authority and has no proxy."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            monkeypatch.delenv(name)
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    return path


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return the TLS settings of a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def tls_server(authority: trustme.CA, *behaviours: Behaviour) -> RawServer:
    """Return a server with a certificate of that authority."""
    return RawServer(*behaviours, tls=serving(authority.issue_cert("127.0.0.1", "api.test")))


@contextlib.contextmanager
def connected(url: str, timeout: float = LONG) -> Iterator[Connection]:
    """Open a connection to a base URL."""
    with Api(url, CREDENTIALS, timeout) as api, api.connect() as connection:
        yield connection


def create(url: str, timeout: float = LONG) -> Answer:
    """Create a contact over a connection of its own."""
    with connected(url, timeout) as connection:
        return connection.carry_out(CreateContact(ORDER, BODY))


def test_certificate_of_the_environments_bundle_is_trusted(authority: trustme.CA) -> None:
    """REQUESTS_CA_BUNDLE is honoured; requests share one connection."""
    with (
        tls_server(authority, replies(created(REF))) as server,
        connected(server.url) as connection,
    ):
        assert [connection.carry_out(CreateContact(ORDER, BODY)).refs.ref for _ in range(3)] == [
            REF
        ] * 3
        assert server.connections == 1


def refused_certificates(authority: trustme.CA) -> dict[str, trustme.LeafCert]:
    """Return certificates that must not be trusted for 127.0.0.1."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return {
        "self-signed": trustme.CA().issue_cert("127.0.0.1"),
        "expired": authority.issue_cert("127.0.0.1", not_after=yesterday),
        "wrong name": authority.issue_cert("elsewhere.test"),
    }


@pytest.mark.parametrize(
    ("which", "reason"),
    [
        ("self-signed", "unable to get local issuer certificate"),
        ("expired", "certificate has expired"),
        ("wrong name", "IP address mismatch"),
    ],
)
def test_refused_certificate_is_not_applied(authority: trustme.CA, which: str, reason: str) -> None:
    """Nothing is sent, and the message names the check that failed."""
    certificate = refused_certificates(authority)[which]
    with RawServer(replies(created(REF)), tls=serving(certificate)) as server:
        answer = create(server.url)
        assert server.requests == []
    assert (answer.verdict, answer.error_code) == (Verdict.NOT_APPLIED, "network.tls")
    assert not answer.sent
    assert reason in answer.message


def test_server_without_tls_is_not_applied() -> None:
    """Nothing is sent to a server that does not speak TLS."""

    def answer_in_clear(peer: Peer) -> None:
        peer.sock.recv(65536)
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.close()

    with RawServer(answer_in_clear) as server:
        answer = create(server.url.replace("http:", "https:"))
    assert (answer.verdict, answer.error_code) == (Verdict.NOT_APPLIED, "network.tls")
    assert "wrong version number" in answer.message


def test_hanging_handshake_is_cut() -> None:
    """It ends at the deadline, and no byte of the request was sent."""
    with RawServer(never_reads) as server:
        answer = create(server.url.replace("http:", "https:"), SHORT)
    assert (answer.verdict, answer.error_code) == (Verdict.NOT_APPLIED, "network.timeout")
    assert not answer.sent
    assert answer.seconds < LONG


def test_handshake_that_breaks_off_can_be_tried_again() -> None:
    """A load balancer that closes the connection may accept the next one."""

    def hang_up(peer: Peer) -> None:
        peer.sock.recv(65536)
        peer.close()

    with RawServer(hang_up) as server:
        answer = create(server.url.replace("http:", "https:"))
    assert (answer.verdict, answer.error_code) == (Verdict.NOT_APPLIED, "network.reset")
    assert not answer.sent


@pytest.mark.parametrize(
    ("behaviour", "verdict"),
    [
        pytest.param(is_silent, Verdict.UNKNOWN, id="silence"),
        pytest.param(drips(b"", created(REF)), Verdict.UNKNOWN, id="head"),
        pytest.param(
            drips(b"HTTP/1.1 201 Created\r\n\r\n", b" " * 1000), Verdict.APPLIED, id="body"
        ),
    ],
)
def test_slow_exchange_over_tls_is_cut(
    authority: trustme.CA, behaviour: Behaviour, verdict: Verdict
) -> None:
    """The deadline applies to the TCP connection below TLS."""
    with tls_server(authority, behaviour) as server:
        answer = create(server.url, SHORT)
    assert (answer.verdict, answer.error_code) == (verdict, "network.timeout")


@pytest.mark.parametrize("length", [200, 8192])
def test_bytes_after_an_answer_over_tls_are_not_read_as_the_next(
    authority: trustme.CA, length: int
) -> None:
    """They are noticed in the reader's buffer of 8192 bytes and beyond it, in the TLS layer."""
    bare = http(201, json.dumps({"ref": REF}).encode(), "X: ")
    first = bare.replace(b"X: ", b"X: " + b"x" * (length - len(bare)))
    with (
        tls_server(authority, replies(first + created(OTHER_REF)), replies(created(REF))) as server,
        connected(server.url) as connection,
    ):
        assert [connection.carry_out(CreateContact(ORDER, BODY)).refs.ref for _ in range(2)] == [
            REF
        ] * 2
        assert server.connections == 2


class Proxy(RawServer):
    """An HTTP proxy that supports CONNECT and sends every tunnel to one port."""

    def __init__(self, port: int, refusal: bytes = b"") -> None:
        super().__init__(self._tunnel)
        self._to = port
        self._refusal = refusal

    def _tunnel(self, peer: Peer) -> None:
        peer.read()
        if self._refusal:
            peer.send(self._refusal)
            peer.close()
            return
        with socket.create_connection(("127.0.0.1", self._to)) as onward:
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_copy, args=(onward, peer.sock))
            back.start()
            _copy(peer.sock, onward)
            back.join()
        peer.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def test_proxy_of_the_environment_is_used(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tunnel uses the proxy's credentials; those of the API are hidden from the proxy."""
    with (
        tls_server(authority, replies(created(REF))) as server,
        Proxy(server.port) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass@127.0.0.1:{proxy.port}")
        with connected("https://api.test") as connection:
            assert [
                connection.carry_out(CreateContact(ORDER, BODY)).refs.ref for _ in range(3)
            ] == [REF] * 3
        connect = proxy.requests[0]
        assert (len(proxy.requests), connect.line) == (1, "CONNECT api.test:443 HTTP/1.0")
        assert connect.headers["proxy-authorization"] == "Basic bWU6cGFzcw=="
        assert "authorization" not in connect.headers
        assert "proxy-authorization" not in server.requests[0].headers


def test_proxy_that_refuses_is_not_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a tunnel nothing reaches the API; the message has no proxy password."""
    with Proxy(0, b"HTTP/1.1 407 Who\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:s3cret@127.0.0.1:{proxy.port}")
        answer = create("https://api.test")
    assert (answer.verdict, answer.error_code) == (Verdict.NOT_APPLIED, "network.connect")
    assert "the proxy of the environment refused: Tunnel connection failed: 407" in answer.message
    assert "s3cret" not in answer.message


def test_malformed_answer_of_a_proxy_leaves_the_request_unsent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the error, it is known that no byte of the request was sent."""
    with Proxy(0, b"rubbish\r\n\r\n") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        answer = create("https://api.test")
    assert (answer.error_code, answer.sent) == ("response.invalid", False)


def test_unreachable_proxy_is_not_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the proxy, not the API, as the cause."""
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cret@127.0.0.1:9")
    answer = create("https://api.test")
    assert (answer.verdict, answer.error_code) == (Verdict.NOT_APPLIED, "network.connect")
    assert answer.message == (
        "No connection to api.test: the proxy of the environment failed: Connection refused"
    )


def test_hanging_proxy_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deadline includes the connection to the proxy."""
    with RawServer(is_silent) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        answer = create("https://api.test", SHORT)
    assert not answer.sent
    assert answer.seconds < LONG


def test_proxy_is_not_used_for_a_loopback_host(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sandbox runs on this machine."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with tls_server(authority, replies(created(REF))) as server:
        assert create(server.url).refs.ref == REF


def test_bundle_without_certificates_is_refused_before_anything_is_sent(bundle: Path) -> None:
    """The message names the variable."""
    bundle.write_text(json.dumps("no certificate"))
    with pytest.raises(UsageError, match="REQUESTS_CA_BUNDLE"):
        Api("https://api.test", CREDENTIALS, LONG)

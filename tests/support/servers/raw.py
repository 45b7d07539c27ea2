r"""A scripted server of raw sockets: it plays answers that no decent server would give.

A behaviour is a function of the connection that is called when something arrives on it; the
first request to arrive anywhere gets the first behaviour, and so on, the last one for all
that follow. It may read the request, send bytes at any pace, and end the connection::

    with RawServer(replies(b"HTTP/1.1 201 Created\r\n...")) as server:
        ...
    assert len(server.requests) == 1

With a TLS context the server speaks TLS; without one, an ``https`` client meets silence or
plain bytes, as the behaviour has it.
"""

import contextlib
import json
import select
import socket
import ssl
import struct
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Request:
    """A request as it arrived. Header names are in lower case."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Peer:
    """One connection, as a behaviour sees it."""

    server: "RawServer"
    sock: socket.socket
    buffer: bytes = b""
    closed: bool = False

    def read(self) -> Request:
        """Reads a request and records it."""
        while b"\r\n\r\n" not in self.buffer:
            self._receive()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        pairs = (each.partition(":") for each in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            self._receive()
        request = Request(line, headers, self.buffer[:length])
        self.buffer = self.buffer[length:]
        self.server.requests.append(request)
        return request

    def send(self, data: bytes) -> None:
        """Sends bytes."""
        self.sock.sendall(data)

    def drip(self, data: bytes, every: float = 0.02) -> None:
        """Sends one byte after the other, until the client has had enough."""
        for byte in data:
            self.send(bytes([byte]))
            time.sleep(every)

    def close(self) -> None:
        """Closes the connection in good order."""
        self.closed = True
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """Breaks the connection, so that the client sees a reset."""
        self.closed = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def hold(self) -> None:
        """Says nothing until the client leaves or the server is stopped."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass
        self.close()

    def _receive(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError
        self.buffer += data


Behaviour = Callable[[Peer], None]


class RawServer:
    """The server; a context manager that runs it in threads.

    Args:
        behaviours: What to do with each request; the last one goes on for ever.
        tls: Speaks TLS with it.
        port: Where to listen; 0 is any free one.

    Attributes:
        requests: What arrived and was read, in order.
        connections: How many connections were accepted.
    """

    def __init__(
        self, *behaviours: Behaviour, tls: ssl.SSLContext | None = None, port: int = 0
    ) -> None:
        self.behaviours = behaviours
        self.tls = tls
        self.requests: list[Request] = []
        self.connections = 0
        self._turn = 0
        self._lock = threading.Lock()
        self._peers: list[Peer] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", port))

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """Base URL, by address."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self._peers:
            with contextlib.suppress(OSError):
                peer.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            peer = Peer(self, sock)
            self._peers.append(peer)
            self._start(self._serve, peer)

    def _serve(self, peer: Peer) -> None:
        try:
            if self.tls is not None:
                peer.sock = self.tls.wrap_socket(peer.sock, server_side=True)
            while not peer.closed and self._something_arrives(peer):
                with self._lock:
                    behaviour = self.behaviours[min(self._turn, len(self.behaviours) - 1)]
                    self._turn += 1
                behaviour(peer)
        except OSError:
            pass  # the client has left, as clients of such a server do
        finally:
            peer.sock.close()

    @staticmethod
    def _something_arrives(peer: Peer) -> bool:
        if isinstance(peer.sock, ssl.SSLSocket):
            peer.buffer += peer.sock.recv(65536)
            return bool(peer.buffer)
        select.select([peer.sock], [], [])
        return bool(peer.sock.recv(1, socket.MSG_PEEK))

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()


def http(
    status: int, body: bytes = b"", *headers: str, content_type: str = "application/json"
) -> bytes:
    """Returns the bytes of a decent reply."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Type: {content_type}", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-enc")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def created(ref: str | None = None) -> bytes:
    """Returns the bytes of a decent 201."""
    return http(201, json.dumps({"ref": ref or str(uuid.uuid4())}).encode())


def replies(data: bytes) -> Behaviour:
    """Reads a request, sends the bytes, keeps the connection."""

    def behave(peer: Peer) -> None:
        peer.read()
        peer.send(data)

    return behave


def replies_and_closes(data: bytes) -> Behaviour:
    """Reads a request, sends the bytes, closes the connection."""

    def behave(peer: Peer) -> None:
        peer.read()
        peer.send(data)
        peer.close()

    return behave


def drips(head: bytes, tail: bytes, every: float = 0.02) -> Behaviour:
    """Reads a request, sends the head at once and the tail byte by byte."""

    def behave(peer: Peer) -> None:
        peer.read()
        peer.send(head)
        peer.drip(tail, every)

    return behave


def resets(peer: Peer) -> None:
    """Reads a request and breaks the connection."""
    peer.read()
    peer.reset()


def is_silent(peer: Peer) -> None:
    """Reads a request and never answers."""
    peer.read()
    peer.hold()


def never_reads(peer: Peer) -> None:
    """Neither reads nor answers: to a TLS client, a handshake that hangs."""
    peer.hold()

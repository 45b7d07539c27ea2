r"""A scripted server on raw sockets, for answers that no proper server would send.

A behaviour is a function of the connection, called when data arrives on it. The first request
on any connection gets the first behaviour, and so on; the last one is repeated. It may read the
request, send bytes at any pace, and end the connection::

    with RawServer(replies(b"HTTP/1.1 201 Created\r\n...")) as server:
        ...
    assert len(server.requests) == 1

With a TLS context the server speaks TLS; without one, an ``https`` client gets silence or plain
bytes, depending on the behaviour.
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
    """One connection, for a behaviour."""

    server: "RawServer"
    sock: socket.socket
    buffer: bytes = b""
    closed: bool = False

    def read(self) -> Request:
        """Read a request and record it."""
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
        """Send bytes."""
        self.sock.sendall(data)

    def drip(self, data: bytes, every: float = 0.02) -> None:
        """Send bytes one by one."""
        for byte in data:
            self.send(bytes([byte]))
            time.sleep(every)

    def close(self) -> None:
        """Close the connection properly."""
        self.closed = True
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        """Reset the connection."""
        self.closed = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def hold(self) -> None:
        """Send nothing until the client disconnects or the server is stopped."""
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
    """The server, run in threads by its context manager.

    Args:
        behaviours: What to do with each request; the last one is repeated.
        tls: Speak TLS with this context.
        port: Where to listen; 0 for any free port.

    Attributes:
        requests: The requests that were read, in order.
        connections: The number of connections accepted.
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
        """The port that it listens on."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The base URL, with the address as its host."""
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
            pass  # the client has disconnected, as is usual for this server
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
    """Return the bytes of a proper reply."""
    lines = [f"HTTP/1.1 {status} Status", f"Content-Type: {content_type}", *headers]
    if not any(line.lower().startswith(("content-length", "transfer-enc")) for line in headers):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def created(ref: str | None = None) -> bytes:
    """Return the bytes of a proper 201."""
    return http(201, json.dumps({"ref": ref or str(uuid.uuid4())}).encode())


def replies(data: bytes) -> Behaviour:
    """Read a request, send the bytes, keep the connection."""

    def behave(peer: Peer) -> None:
        peer.read()
        peer.send(data)

    return behave


def replies_and_closes(data: bytes) -> Behaviour:
    """Read a request, send the bytes, close the connection."""

    def behave(peer: Peer) -> None:
        peer.read()
        peer.send(data)
        peer.close()

    return behave


def drips(head: bytes, tail: bytes, every: float = 0.02) -> Behaviour:
    """Read a request, send the head immediately and the tail byte by byte."""

    def behave(peer: Peer) -> None:
        peer.read()
        peer.send(head)
        peer.drip(tail, every)

    return behave


def resets(peer: Peer) -> None:
    """Read a request and reset the connection."""
    peer.read()
    peer.reset()


def is_silent(peer: Peer) -> None:
    """Read a request and never answer."""
    peer.read()
    peer.hold()


def never_reads(peer: Peer) -> None:
    """Neither read nor answer: for a TLS client, a handshake that hangs."""
    peer.hold()

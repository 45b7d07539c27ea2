"""A server of the API that uses as little CPU as possible, so that clients are what is measured.

It has one thread, one epoll and no checks, and answers every create with 201 and the contact as
it was sent, about 900 bytes. It runs as a separate process on its own core::

    python -m tests.benchmarks.server --latency 0.02 --core 0

It prints its port and serves until its standard input ends.
"""

import argparse
import os
import select
import socket
import sys
import time
from collections import deque

_HEAD = (
    b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"
    b"Date: Mon, 05 Jan 2026 00:00:00 GMT\r\nServer: benchmark\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n"
)
_CONTACT = (
    '{{"ref":"{ref}","href":"https://api.example.com/v2.1/orderContacts/{ref}",'
    '"createdAt":"2026-01-05T00:00:00.000Z","modifiedAt":"2026-01-05T00:00:00.000Z",'
    '"guest":{{"href":"https://api.example.com/v2.1/guests/{ref}"}},'
    '"order":{{"href":"https://api.example.com/v2.1/orders/{order}"}},'
)


class Server:
    """Answers each request after ``latency`` seconds, in the order of arrival."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._epoll.register(sys.stdin, select.EPOLLIN)
        self._sockets: dict[int, socket.socket] = {}
        self._received: dict[int, bytes] = {}
        self._due: deque[tuple[float, int, bytes]] = deque()
        self._served = 0

    def serve(self) -> None:
        """Serve until standard input ends."""
        while True:
            if self._due:
                # epoll waits for whole milliseconds, an error of up to 2.5 % at 20 ms.
                wait = max(0.0, self._due[0][0] - time.monotonic())
                select.select([self._epoll], [], [], wait)
            for number, _ in self._epoll.poll(0 if self._due else -1):
                if number == self._listener.fileno():
                    self._accept()
                elif number == sys.stdin.fileno():
                    return
                else:
                    self._read(number)
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                _, number, answer = self._due.popleft()
                if number in self._sockets:
                    self._sockets[number].send(answer)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets[connection.fileno()] = connection
        self._received[connection.fileno()] = b""
        self._epoll.register(connection, select.EPOLLIN)

    def _read(self, number: int) -> None:
        connection = self._sockets[number]
        try:
            block = connection.recv(65536)
        except ConnectionResetError:
            block = b""
        if not block:
            self._epoll.unregister(number)
            self._sockets.pop(number).close()
            return
        received = self._received[number] + block
        head, end, rest = received.partition(b"\r\n\r\n")
        if not end or len(rest) < (length := _length(head)):
            self._received[number] = received
            return
        self._received[number] = rest[length:]
        answer = self._answer(head, rest[:length])
        if self._latency:
            self._due.append((time.monotonic() + self._latency, number, answer))
        else:
            connection.send(answer)

    def _answer(self, head: bytes, body: bytes) -> bytes:
        self._served += 1
        ref = f"{self._served:08x}-0000-4000-8000-{self._served:012x}"
        order = head[:100].split(b"/", 4)[3].decode()
        contact = _CONTACT.format(ref=ref, order=order).encode() + body[1:]
        return _HEAD % len(contact) + contact


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


def main() -> None:
    """Run the server with the options of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--latency", type=float, default=0.0, help="seconds of every answer")
    parser.add_argument("--core", type=int, help="the one core to run on")
    arguments = parser.parse_args()
    if arguments.core is not None:
        os.sched_setaffinity(0, {arguments.core})
    server = Server(arguments.latency)
    sys.stdout.write(f"{server.port}\n")
    sys.stdout.flush()
    server.serve()


if __name__ == "__main__":
    main()

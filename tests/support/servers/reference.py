"""A fast reference server of the API that counts what it stores and can fail on request.

It models the documented calls in memory, and shares nothing with the importer or the sandbox,
so that a mistake in one is not repeated in the other.

In a test, in its own thread::

    with ReferenceServer(faults=[None, Fault(status=503), Fault(store=True, drop=True)]) as server:
        run(server.url)
    assert server.contact_counts() == {order: 1}

``faults`` is a list for the first creates in order of arrival (None: no fault), or a callable
that receives each create and returns its fault or None, called in the thread of the server.
The attributes ``contact_fault_of`` and ``list_fault_of`` are such callables for the calls on
one contact and for the lists of an order's contacts.
As a process, for measurements, ``python tests/support/servers/reference.py --latency 0.02``
prints its URL, and its counts as JSON when its standard input ends.

What a test may read, during a run or afterwards:

- ``contacts``: order -> list of stored contacts, in order; ``contact_counts()``
- ``requests``: list of all requests, in order of arrival (method, path, query, headers, body)
- ``peak``: maximum number of requests in flight; ``peak_by_order``: the same for the creates
  of each order
- ``bad_requests``: number of requests that were not valid HTTP
"""

import argparse
import asyncio
import base64
import contextlib
import dataclasses
import json
import socket
import struct
import sys
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

CLIENT_KEY = "sandbox"
API_TOKEN = "sandbox"  # noqa: S105 - that of a server for tests


@dataclasses.dataclass(frozen=True)
class Request:
    """A request as it arrived. Header names are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def order_ref(self) -> str:
        """The order of a create or a list."""
        return self.path.split("/")[3]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one request; by default nothing does.

    Attributes:
        store: Whether the contact is stored, or another request carried out.
        store_after: Seconds after the request at which it is stored, whatever the answer.
        status: The status to answer with instead of 201.
        body: The body to answer with; None for the documented one.
        headers: Additional headers.
        delay: Seconds before the answer.
        drop: Close the connection without an answer.
        silent: Never answer.
        drip: Seconds between the bytes of the answer.
        cut: Send only so many bytes of the answer and close the connection.
        raw: Send these bytes instead of the answer and close the connection.
        before: Send these bytes before the answer.
        after: Send these bytes after the answer.
        reset: Reset the connection instead of an answer.
    """

    store: bool = False
    store_after: float | None = None
    status: int = 201
    body: bytes | None = None
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    silent: bool = False
    drip: float = 0.0
    cut: int | None = None
    raw: bytes = b""
    before: bytes = b""
    after: bytes = b""
    reset: bool = False


Faults = Iterable[Fault | None] | Callable[[Request], Fault | None]
Reply = tuple[int, Any]


class ReferenceServer:
    """The server, run in a thread by its context manager.

    Args:
        faults: What goes wrong with which create.
        orders: The orders that exist, with their order numbers; None accepts any order.
        latency: Seconds before each answer.
        authorize: Whether the credentials are checked.

    Attributes:
        clock: How far its clock is ahead of this machine's; None for answers without a date.
    """

    def __init__(
        self,
        faults: Faults = (),
        *,
        orders: dict[str, str] | None = None,
        latency: float = 0.0,
        authorize: bool = True,
    ) -> None:
        self.fault_of = faults if callable(faults) else _in_turn(iter(faults))
        self.orders = orders
        self.contact_fault_of: Callable[[Request], Fault | None] = lambda _: None
        self.list_fault_of: Callable[[Request], Fault | None] = lambda _: None
        self.latency = latency
        self.clock: timedelta | None = timedelta()
        pair = f"{CLIENT_KEY}:{API_TOKEN}".encode()
        self.authorization = f"Basic {base64.b64encode(pair).decode()}" if authorize else None
        self.contacts: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.requests: list[Request] = []
        self.bad_requests = 0
        self.peak = 0
        self.peak_by_order: Counter[str] = Counter()
        self.url = ""
        self.transports: set[asyncio.Transport] = set()
        self._server: asyncio.Server
        self._in_flight: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def contact_counts(self) -> dict[str, int]:
        """Return the number of contacts of each order."""
        return {order: len(found) for order, found in list(self.contacts.items()) if found}

    @property
    def in_flight(self) -> int:
        """Number of requests that are not answered yet."""
        return self._in_flight[""]

    def counts(self) -> dict[str, Any]:
        """Return the figures of the run as JSON values."""
        return {
            "requests": len(self.requests),
            "contacts": sum(len(found) for found in self.contacts.values()),
            "orders": len(self.contact_counts()),
            "peak": self.peak,
            "peakByOrder": max(self.peak_by_order.values(), default=0),
            "badRequests": self.bad_requests,
        }

    async def start(self, port: int = 0) -> None:
        """Listen on the loopback address."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        """Close all connections."""
        self._server.close()
        for transport in tuple(self.transports):
            transport.abort()
        await asyncio.sleep(0)

    def arrived(self, request: Request) -> None:
        """Record the arrival of a request."""
        self.requests.append(request)
        self._in_flight[""] += 1
        self.peak = max(self.peak, self._in_flight[""])
        if request.method == "POST":
            order = request.order_ref
            self._in_flight[order] += 1
            self.peak_by_order[order] = max(self.peak_by_order[order], self._in_flight[order])

    def left(self, request: Request) -> None:
        """Record the end of a request."""
        self._in_flight[""] -= 1
        if request.method == "POST":
            self._in_flight[request.order_ref] -= 1

    def reply_to(self, request: Request) -> Reply:
        """Carry out a request and return its answer."""
        if self.authorization not in {None, request.headers.get("authorization")}:
            return _error(401, "UNAUTHORIZED", "Authentication credentials are required.")
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["v2.1", "orders", order, "contacts"]:
                return self._create(request, order)
            case "GET", ["v2.1", "orders", order, "contacts"]:
                return self._contacts(request, order)
            case "GET", ["v2.1", "orders"]:
                return self._orders(request)
            case method, ["v2.1", "orderContacts", ref]:
                return self._one(method, ref, request.body)
            case _:
                return _error(404, 404, "There is no such resource.")

    @property
    def date(self) -> dict[str, str]:
        """The Date header, unless the server has no clock."""
        return {} if self.clock is None else {"Date": format_datetime(self._now(), usegmt=True)}

    def _now(self) -> datetime:
        return datetime.now(UTC) + (self.clock or timedelta())

    def store(self, order: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Store a contact and return it, also for a test before the run."""
        ref = str(uuid.uuid4())
        now = self._now().isoformat()
        own = {
            "ref": ref,
            "href": f"{self.url}/v2.1/orderContacts/{ref}",
            "order": {"href": f"{self.url}/v2.1/orders/{order}"},
            "guest": {"href": f"{self.url}/v2.1/guests/{uuid.uuid4()}"},
            "createdAt": now,
            "modifiedAt": now,
        }
        contact = {**fields, **own}
        self.contacts[order].append(contact)
        return contact

    def _create(self, request: Request, order: str) -> Reply:
        if self.orders is not None and order not in self.orders:
            return _error(404, 404, "There is no such order.")
        if not request.headers.get("content-type", "").startswith("application/json"):
            return _error(415, 415, "The media type is not supported.")
        fields = _object(request.body)
        if fields is None:
            return _error(400, 400, "The body is not a JSON object.")
        return 201, self.store(order, fields)

    def _contacts(self, request: Request, order: str) -> Reply:
        if self.orders is not None and order not in self.orders:
            return _error(404, 404, "There is no such order.")
        return 200, self._page(request, self.contacts.get(order, []))

    def _orders(self, request: Request) -> Reply:
        wanted = request.query.get("referenceId")
        orders = self.orders or {}
        return 200, self._page(request, [{"ref": o} for o, own in orders.items() if own == wanted])

    def _one(self, method: str, ref: str, body: bytes) -> Reply:
        everything = ((of, one) for of, found in self.contacts.items() for one in found)
        order, contact = next(((o, c) for o, c in everything if c["ref"] == ref), ("", None))
        if contact is None:
            return _error(404, 404, "There is no such contact.")
        if method == "DELETE":
            self.contacts[order].remove(contact)
            return 204, None
        if method == "PATCH":
            contact |= _object(body) or {}
            contact["modifiedAt"] = self._now().isoformat()
        return 200, contact

    def _page(self, request: Request, items: list[dict[str, Any]]) -> dict[str, Any]:
        offset = int(request.query.get("offset", 0))
        limit = min(int(request.query.get("limit", 10)), 100)
        shown = items[offset : offset + limit]
        if request.query.get("expand") != "true":
            shown = [{key: one[key] for key in ("href", "ref") if key in one} for one in shown]
        here = f"{self.url}{request.path}?limit={limit}&offset="
        page = {"offset": offset, "limit": limit, "items": shown, "first": {"href": f"{here}0"}}
        if offset + limit < len(items):
            page["next"] = {"href": f"{here}{offset + limit}"}
        return page

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.start())
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self.stop())
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()


class _Connection(asyncio.Protocol):
    """One connection; each request is answered before the next one is read."""

    def __init__(self, server: ReferenceServer) -> None:
        self.server = server
        self.buffer = b""
        self.transport: asyncio.Transport
        self.busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment] # it is one of TCP
        self.server.transports.add(self.transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self.server.transports.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if not self.busy:
            self.next_request()

    def next_request(self) -> None:
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        try:
            first, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = first.split(" ")
            pairs = (line.partition(":") for line in lines)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            length = int(headers.get("content-length", 0))
        except ValueError:
            self.server.bad_requests += 1
            self.transport.close()
            return
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.handle(Request(method, unquote(parts.path), query, headers, rest[:length]))

    def handle(self, request: Request) -> None:
        server = self.server
        server.arrived(request)
        fault = None
        if request.method == "POST" and request.path.endswith("/contacts"):
            fault = server.fault_of(request)
        elif request.path.endswith("/contacts"):
            fault = server.list_fault_of(request)
        elif request.path.startswith("/v2.1/orderContacts/"):
            fault = server.contact_fault_of(request)
        if fault is not None:
            self.busy = True
            task = asyncio.ensure_future(self.misbehave(request, fault))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        elif server.latency:
            # A real server takes its time before it stores.
            self.busy = True
            asyncio.get_running_loop().call_later(server.latency, self.answer, request)
        else:
            self.answer(request)

    def answer(self, request: Request) -> None:
        status, reply = self.server.reply_to(request)
        self.finish(request, _encode(status, reply, headers=self.server.date))

    async def misbehave(self, request: Request, fault: Fault) -> None:
        status, reply = fault.status, None
        if fault.store_after is not None:
            asyncio.get_running_loop().call_later(fault.store_after, self.server.reply_to, request)
        if fault.store:
            _, reply = self.server.reply_to(request)
        if reply is None or status != 201:
            status, reply = _error(status, status, "A fault was asked for.")
        await asyncio.sleep(self.server.latency + fault.delay)
        if fault.silent:
            self.server.left(request)
            return
        if fault.reset:
            linger = struct.pack("ii", 1, 0)
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        answer = fault.raw or _encode(status, reply, fault.body, fault.headers)
        answer = b"" if fault.drop or fault.reset else fault.before + answer + fault.after
        answer = answer[: fault.cut]
        if fault.drip:
            for byte in answer:
                self.transport.write(bytes([byte]))
                await asyncio.sleep(fault.drip)
            answer = b""
        is_last = fault.drop or fault.reset or fault.cut is not None or bool(fault.raw)
        self.finish(request, answer, close=is_last)

    def finish(self, request: Request, answer: bytes, *, close: bool = False) -> None:
        self.server.left(request)
        self.busy = False
        if answer:
            self.transport.write(answer)
        if close:
            self.transport.close()
        elif self.buffer:
            self.next_request()


def _encode(
    status: int, reply: object, body: bytes | None = None, headers: dict[str, str] | None = None
) -> bytes:
    if body is None:
        body = b"" if reply is None else json.dumps(reply).encode()
    more = {"Content-Type": "application/json", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in more.items())
    length = "" if status == 204 else f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status} Status\r\n{lines}{length}\r\n".encode("latin-1") + body


def _error(status: int, word: object, message: str) -> Reply:
    return status, {
        "status": word,
        "code": status,
        "message": message,
        "developerMessage": message,
        "moreInfoUrl": "https://support.example.com",
    }


def _object(body: bytes) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError):
        value = json.loads(body)
        if isinstance(value, dict):
            return value
    return None


def _in_turn(faults: Iterator[Fault | None]) -> Callable[[Request], Fault | None]:
    return lambda _request: next(faults, None)


async def _serve(server: ReferenceServer, port: int) -> None:
    await server.start(port)
    print(server.url, flush=True)  # noqa: T201 - how a caller learns the port
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(server.counts()), flush=True)  # noqa: T201 - what a caller asked for


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    options = parser.parse_args()
    asyncio.run(_serve(ReferenceServer(latency=options.latency), options.port))


if __name__ == "__main__":
    main()

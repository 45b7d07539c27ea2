"""The calls of the API. Source: docs/api.md."""

import time
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlsplit

import requests

from importer._version import __version__
from importer.api.answers import Answer, Listing
from importer.api.calls import (
    Call,
    CreateContact,
    DeleteContact,
    FindOrders,
    ListContacts,
    ReadContact,
    UpdateContact,
)
from importer.api.classification import Expected, answer_to, answer_to_failure, unusable
from importer.api.destination import Credentials, check_base_url
from importer.api.environment import Environment
from importer.api.failures import EXCHANGE_ERRORS, failure_of
from importer.api.listing import read_all
from importer.api.replies import Failure, Reply, Secrets
from importer.api.transport import Adapter, reply_of
from importer.api.wire import Watchdog


class Api:
    """The state that all connections of a run share. Safe to use from many threads.

    Args:
        base_url: The destination, as returned by ``check_base_url``.
        credentials: Sent with every request.
        timeout: Seconds for one whole exchange, from connecting to the last byte of the
            answer. Only the look-up of the host name cannot be cut short.

    Raises:
        UsageError: The base URL or the environment cannot be used.
    """

    def __init__(self, base_url: str, credentials: Credentials, timeout: float) -> None:
        self.base_url = check_base_url(base_url)
        self.host = urlsplit(self.base_url).hostname or ""
        self.environment = Environment.of(self.base_url)
        self.secrets = Secrets(credentials.secrets)
        self.watchdog = Watchdog(timeout)
        is_tls = self.base_url.startswith("https:")
        # One for all connections, because reading certifi's list is slow.
        self.tls_context = self.environment.tls_context() if is_tls else None
        self._authorization = credentials.authorization

    def connect(self, take_turn: Callable[[], bool] = lambda: True) -> "Connection":
        """Return a connection for one worker thread; it opens with its first request.

        Args:
            take_turn: Called before each page of a list except the first; if it returns False,
                the list is abandoned.
        """
        return Connection(self, self._authorization, take_turn)

    def close(self) -> None:
        """Stop the watchdog; all connections must be closed before."""
        self.watchdog.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Connection:
    """One kept-alive connection, created by ``Api.connect``. For one thread at a time."""

    def __init__(self, api: Api, authorization: str, take_turn: Callable[[], bool]) -> None:
        self._api = api
        self._take_turn = take_turn
        self._wire = api.watchdog.watch()
        # The request is prepared once; only its method, URL and body are set for each call.
        self._request = requests.Request(
            "POST",
            api.base_url,
            headers={
                "Host": urlsplit(api.base_url).netloc,
                "Authorization": authorization,
                "User-Agent": f"import-contacts/{__version__}",
                "Accept": "application/json",
                # Answers of a kilobyte gain nothing from compression and can be bombs.
                "Accept-Encoding": "identity",
            },
        ).prepare()
        # A plain dictionary is faster than theirs, which ignores the case of names.
        self._request.headers = dict(self._request.headers)  # type: ignore[assignment]
        self._base_url = (self._request.url or "").rstrip("/")
        self._adapter = Adapter(self._request, api.environment, self._wire, api.tls_context)

    def carry_out(self, call: Call) -> Answer | Listing:
        """Send a call and return its answer, or a ``Listing`` for the calls that list."""
        match call:
            case CreateContact(order_ref, body):
                path = f"/v2.1/orders/{_segment(order_ref)}/contacts"
                return self._ask(Expected.CONTACT, "POST", path, body)
            case ListContacts(order_ref):
                return self._list_contacts(order_ref)
            case FindOrders(reference_id):
                path = f"/v2.1/orders?referenceId={quote(reference_id, safe='')}"
                return read_all(self._read, path, self._take_turn)
            case ReadContact(ref):
                return self._read(f"/v2.1/orderContacts/{_segment(ref)}")
            case UpdateContact(ref, body):
                path = f"/v2.1/orderContacts/{_segment(ref)}"
                return self._ask(Expected.CONTACT, "PATCH", path, body)
            case DeleteContact(ref):
                path = f"/v2.1/orderContacts/{_segment(ref)}"
                return self._ask(Expected.NOTHING, "DELETE", path)

    def close(self) -> None:
        """Close the connection."""
        self._adapter.finish(clean=False)
        self._adapter.close()
        self._api.watchdog.forget(self._wire)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _list_contacts(self, order_ref: str) -> Listing:
        path = f"/v2.1/orders/{_segment(order_ref)}/contacts?expand=true"
        listing = read_all(self._read, path, self._take_turn)
        if any(item.keys() <= {"href", "ref"} for item in listing.items):
            message = "The list of contacts contains only references, not the contacts"
            return Listing((), unusable(message), listing.requests)
        return listing

    def _read(self, path: str) -> Answer:
        return self._ask(Expected.OBJECT, "GET", path)

    def _ask(self, expected: Expected, method: str, path: str, body: bytes | None = None) -> Answer:
        api = self._api
        started = time.monotonic()
        reply = self._exchange(method, path, body, started + api.watchdog.timeout)
        seconds = time.monotonic() - started
        if isinstance(reply, Failure):
            return answer_to_failure(reply, seconds)
        return answer_to(expected, reply, seconds, api.secrets)

    def _exchange(
        self, method: str, path: str, body: bytes | None, deadline: float
    ) -> Reply | Failure:
        wire = self._wire
        self._fill(method, path, body)
        is_clean = False
        wire.begin(deadline)
        try:
            raw = self._adapter.exchange(self._request, self._api.watchdog.timeout)
            reply = reply_of(raw, wire)
            # 421 asks the client to use another connection.
            is_clean = not reply.flaw and reply.status != HTTPStatus.MISDIRECTED_REQUEST
        except EXCHANGE_ERRORS as error:
            return failure_of(error, wire, self._api.host)
        finally:
            wire.end()
            self._adapter.finish(clean=is_clean)
        return reply

    def _fill(self, method: str, path: str, body: bytes | None) -> None:
        request = self._request
        request.method = method
        request.url = self._base_url + path
        request.body = body
        if body is None:
            request.headers.pop("Content-Type", None)
            request.headers.pop("Content-Length", None)
        else:
            request.headers["Content-Type"] = "application/json"
            request.headers["Content-Length"] = str(len(body))


def _segment(ref: str) -> str:
    """Quote a reference, including its dots, so that it is one segment of a path."""
    return quote(ref, safe="").replace(".", "%2E")

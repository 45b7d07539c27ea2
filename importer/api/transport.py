"""One connection that sends with ``requests``.

Its exchanges have a deadline, it skips most of the work of a session, and it is never used
again if bytes of an earlier exchange might still arrive. Source: docs/performance.md, "What each
optimisation gains".
"""

import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeAlias, cast
from urllib.parse import urlsplit

import requests
import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from importer.api.classification import RESPONSE_INVALID
from importer.api.environment import Environment
from importer.api.failures import EXCHANGE_ERRORS, flaw_of
from importer.api.http1 import FinalResponse, Reader, request_bytes
from importer.api.replies import Reply
from importer.api.wire import Wire

# Seconds to wait for an address if there is another one to try, as for a dead IPv6 route.
_FIRST_ADDRESSES_WAIT: Final = 3.0

MAX_BODY: Final = 1024 * 1024

# Its warnings quote URLs and headers of servers that misbehave, with a traceback.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


Raw: TypeAlias = FinalResponse | urllib3.HTTPResponse


def reply_of(raw: Raw, wire: Wire) -> Reply:
    """Read at most one MiB of the body of a reply, whose status is known by now."""
    body, flaw = b"", ""
    try:
        body = raw.read(MAX_BODY + 1, decode_content=True)
    except EXCHANGE_ERRORS as error:
        flaw = flaw_of(error, wire)
    if not flaw and wire.overdue:
        # A body without a length looks complete when the watchdog shuts its connection down.
        flaw = "network.timeout"
    if len(body) > MAX_BODY:
        body, flaw = b"", RESPONSE_INVALID
    if flaw:
        raw.close()
    if raw.status == HTTPStatus.CREATED:
        return Reply(status=raw.status, body=body, flaw=flaw)
    headers = raw.headers
    return Reply(
        status=raw.status,
        body=body,
        flaw=flaw,
        content_type=headers.get("Content-Type", ""),
        retry_after=headers.getlist("Retry-After"),
        date=headers.get("Date", ""),
    )


class _WatchedConnection(HTTPConnection):
    """A connection whose socket is attached to its wire before the TCP handshake."""

    def __init__(self, *args: Any, wire: Wire, **kwargs: Any) -> None:  # noqa: ANN401 - passed through
        super().__init__(*args, **kwargs)
        self.wire = wire
        self.is_last = False
        """Whether no further reply can follow on this connection."""
        self._sent_method = ""

    def connect(self) -> None:
        """Open the connection."""
        super().connect()
        self._reader = Reader(self.sock)
        self.is_last = False

    def _new_conn(self) -> socket.socket:
        self.wire.connecting = True
        try:
            addresses = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        except UnicodeError as error:
            reason = socket.gaierror("not a host name")
            raise NameResolutionError(self.host, self, reason) from error
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        failure: OSError = OSError("no address")
        for number, (family, kind, protocol, _, address) in enumerate(addresses, start=1):
            try:
                with contextlib.ExitStack() as on_failure:
                    sock = on_failure.enter_context(socket.socket(family, kind, protocol))
                    self._connect_socket(sock, address, last=number == len(addresses))
                    on_failure.pop_all()
                    return sock
            except OSError as error:
                failure = error
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "no answer before the deadline") from failure
        raise NewConnectionError(self, "no connection") from failure

    def _connect_socket(self, sock: socket.socket, address: Any, *, last: bool) -> None:  # noqa: ANN401 - its type depends on the family
        wait = self.wire.deadline - time.monotonic()
        if wait <= 0:
            raise TimeoutError
        # Otherwise the kernel may hold the end of a request back until its start is acknowledged.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(wait if last else min(wait, _FIRST_ADDRESSES_WAIT))
        self.wire.attach(sock)
        sock.connect(address)
        sock.settimeout(wait)

    def request(  # type: ignore[override] # all bodies are bytes
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> None:
        """Send a request in one piece."""
        # If connecting fails, it is certain that nothing was sent.
        if self.sock is None:
            self.connect()
        self.wire.connecting = False
        self._sent_method = method
        self.sock.settimeout(self.timeout)
        self.sock.sendall(request_bytes(method, url, headers or {}, body))

    def final_response(self) -> FinalResponse:
        """Read the head of the final reply."""
        reply = FinalResponse(self._reader, self._sent_method, self.wire)
        reply.begin()
        self.is_last = reply.will_close
        return reply

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override] # as in urllib3
        """Read the head of the final reply."""
        return self.final_response().as_urllib3()


class _WatchedTLSConnection(_WatchedConnection, HTTPSConnection):
    """The same with TLS, also through the tunnel of a proxy."""


class Adapter(requests.adapters.HTTPAdapter):
    """Sends the requests of one worker over one connection to one host.

    Unlike a session, it follows no redirect, keeps no cookie, reads no ``.netrc``, never
    retries, and decides on proxy and certificates once.
    """

    def __init__(
        self, base: requests.PreparedRequest, environment: Environment, wire: Wire,
        tls_context: ssl.SSLContext | None,
    ) -> None:  # fmt: skip
        self._tls_context = tls_context
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._wire = wire
        self._connection: _WatchedConnection | None = None
        parts = urlsplit(base.url or "")
        self._origin = f"{parts.scheme}://{parts.netloc}"
        proxies = {"all": environment.proxy} if environment.proxy else None
        pool = super().get_connection_with_tls_context(base, verify=True, proxies=proxies)
        self._pool = cast("urllib3.HTTPConnectionPool", pool)
        self._pool.ConnectionCls = self._open  # type: ignore[assignment] # a factory will do

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed through
        """Use the TLS settings of the run for direct connections."""
        super().init_poolmanager(*args, ssl_context=self._tls_context, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - as its base class
        """Use the TLS settings of the run for connections to and through a proxy."""
        return super().proxy_manager_for(
            proxy, ssl_context=self._tls_context, proxy_ssl_context=self._tls_context, **kwargs
        )

    def exchange(self, request: requests.PreparedRequest, timeout: float) -> Raw:
        """Send a request and read the head of its reply.

        The first request goes through ``requests`` and ``urllib3``, which open the connection,
        including TLS and the tunnel of a proxy. All others bypass both, which is faster.

        Args:
            request: The request.
            timeout: Seconds for each wait.
        """
        connection = self._connection
        if connection is None or not connection.is_connected:
            return cast("Raw", self.send(request, stream=True, timeout=timeout).raw)
        body = cast("bytes | None", request.body)
        path = self.request_url(request, None)
        connection.request(request.method or "", path, body, request.headers)
        return connection.final_response()

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> urllib3.HTTPConnectionPool:  # noqa: ANN401 - as its base class
        """Return the only pool, without selecting it for each request."""
        return self._pool

    def cert_verify(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - as its base class
        """Do nothing, because the TLS settings of the run contain the certificates."""

    def request_url(self, request: requests.PreparedRequest, _proxies: object) -> str:
        """Return the path.

        A proxy would need the whole URL for plain http, which is only sent to loopback hosts and
        never through a proxy.
        """
        return (request.url or "").removeprefix(self._origin)

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:  # noqa: ANN401 - as its base class
        """Build a response with only the attributes that are needed, without cookies."""
        response = requests.Response()
        response.status_code = resp.status
        response.raw = resp
        response.request = req
        return response

    def finish(self, *, clean: bool) -> None:
        """End an exchange; keep the connection only if nothing more of it can arrive.

        Args:
            clean: The whole answer was read without an error.
        """
        connection = self._connection
        if connection is None:
            return
        sock = connection.sock
        # A TLS record may contain more than was read, which polling the socket does not show.
        pending = sock.pending() if isinstance(sock, ssl.SSLSocket) else 0
        if not clean or self._wire.surplus or pending or connection.is_last:
            connection.close()
            self._wire.detach()

    def _open(self, *args: Any, **kwargs: Any) -> HTTPConnection:  # noqa: ANN401 - passed through
        kind = _WatchedTLSConnection if self._tls_context else _WatchedConnection
        self._connection = kind(*args, wire=self._wire, **kwargs)
        return self._connection

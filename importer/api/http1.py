"""Writing the head of a request and reading that of its reply.

``http.client`` parses headers as an e-mail message, and ``urllib3`` copies them twice more. A
parser without either is much faster and can be strict: a head that breaks off, or that frames
its body in two ways, is not an answer. Bodies are still read by ``http.client``.

Source: docs/performance.md, "What each optimisation gains".
"""

import http.client
import io
import re
import socket
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import urllib3

from importer.api.wire import Wire

_FRAMING: Final = ("content-length", "transfer-encoding", "connection")
_MAX_LINE: Final = 65536
_MAX_HEADERS: Final = 100
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n")
_HEADER: Final = re.compile(rb"([!#-'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*?)[ \t]*\r?\n")


class _Tap(io.RawIOBase):
    """The reading end of a socket; after it is shut, only buffered bytes can be read."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self.shut = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - as typeshed has it
        return 0 if self.shut else self._sock.recv_into(buffer)


class Reader(io.BufferedReader):
    """A buffered reader for all replies on one socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._tap = _Tap(sock)
        super().__init__(self._tap)

    @property
    def has_more(self) -> bool:
        """Whether bytes that the server sent have arrived but have not been read."""
        self._tap.shut = True
        try:
            return bool(self.peek(1))
        finally:
            self._tap.shut = False


class FinalResponse(http.client.HTTPResponse):
    """A reply that skips all interim replies; the base class skips only 100.

    Attributes:
        fields: The headers, unchanged.
    """

    def __init__(self, reader: Reader, method: str, wire: Wire) -> None:
        # The initialiser of the base class would create its own reader.
        self.fp = self._reader = reader
        self._method = method
        self._wire = wire
        self.fields: list[tuple[str, str]] = []

    @property
    def headers(self) -> urllib3.HTTPHeaderDict:  # type: ignore[override] # as in urllib3
        """The headers by name; built on demand, as most replies are read without them."""
        return urllib3.HTTPHeaderDict(self.fields)

    def as_urllib3(self) -> urllib3.HTTPResponse:
        """Return the reply as a response of ``urllib3``."""
        return urllib3.HTTPResponse(
            body=self,
            headers=self.headers,
            status=self.status,
            preload_content=False,
            original_response=self,
            request_method=self._method,
        )

    def read(self, amt: int | None = None, *, decode_content: bool = False) -> bytes:
        """Read the body, or up to ``amt`` bytes of it.

        Raises:
            http.client.IncompleteRead: The body broke off.
        """
        if decode_content and any(name.lower() == "content-encoding" for name, _ in self.fields):
            return self.as_urllib3().read(amt, decode_content=True)
        expected = self.length if amt is None or self.length is None else min(amt, self.length)
        body = super().read(amt)
        if expected is not None and len(body) < expected:
            raise http.client.IncompleteRead(body, expected - len(body))
        return body

    def begin(self) -> None:
        """Read the head.

        Raises:
            ConnectionResetError: The head broke off.
            http.client.HTTPException: It is not a head of HTTP/1.
        """
        status, minor = self._read_head()
        while status < HTTPStatus.OK and status != HTTPStatus.SWITCHING_PROTOCOLS:
            status, minor = self._read_head()
        self.status = self.code = status
        self.version = 10 + minor
        self._frame(minor)

    def _close_conn(self) -> None:
        """End the reply and keep its socket for the next one."""
        self.fp = None  # type: ignore[assignment] # as in the base class
        self._wire.surplus = self._reader.has_more

    def _read_head(self) -> tuple[int, int]:
        line = self._line()
        found = _STATUS_LINE.fullmatch(line)
        if found is None:
            raise http.client.BadStatusLine(repr(line[:80]))
        self.fields = []
        while (line := self._line()) not in {b"\r\n", b"\n"}:
            header = _header(line)
            if header is None or len(self.fields) == _MAX_HEADERS:
                raise http.client.HTTPException("a header is malformed, or there are too many")
            self.fields.append(header)
        return int(found[2]), int(found[1])

    def _line(self) -> bytes:
        line: bytes = self.fp.readline(_MAX_LINE + 1)
        if len(line) > _MAX_LINE:
            raise http.client.LineTooLong("head")
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the head of the reply broke off")
        return line

    def _frame(self, minor: int) -> None:
        """Determine where the body ends and whether another reply can follow. RFC 9112, 6.3."""
        framing: dict[str, set[str]] = {name: set() for name in _FRAMING}
        for name, value in self.fields:
            if (values := framing.get(name.lower())) is not None:
                values.update(part.strip().lower() for part in value.split(","))
        lengths, codings, options = framing.values()
        if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,18}", n) for n in lengths):
            raise http.client.HTTPException("the length of the body is ambiguous")
        self.chunked = "chunked" in codings
        self.chunk_left = None
        self.length = None if codings else next((int(length) for length in lengths), None)
        if self.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
            self.chunked, self.length = False, 0
        has_end = self.chunked or self.length is not None
        self.will_close = (
            not has_end
            or "close" in options
            or (minor == 0 and "keep-alive" not in options)
            or bool(codings and lengths)
        )


@lru_cache(maxsize=64)  # a server repeats most of its headers
def _header(line: bytes) -> tuple[str, str] | None:
    header = _HEADER.fullmatch(line)
    return header and (header[1].decode("ascii"), header[2].decode("latin-1"))


def request_bytes(
    method: str, target: str, headers: Mapping[str, str], body: bytes | None
) -> bytes:
    """Return a whole request. The caller guarantees that no text contains a line break."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    head = f"{method} {target} HTTP/1.1\r\n{''.join(lines)}\r\n".encode("ascii")
    return head + body if body else head

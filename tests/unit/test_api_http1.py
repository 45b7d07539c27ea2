"""The head of a reply is parsed strictly, and a request is sent in one piece."""

import http.client
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.api.http1 import FinalResponse, Reader, request_bytes
from importer.api.wire import Wire


class Socket:
    """A socket that receives given bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def recv_into(self, buffer: memoryview) -> int:
        """Receive like a socket."""
        size = min(len(buffer), len(self.data))
        buffer[:size], self.data = self.data[:size], self.data[size:]
        return size


def reply_to(data: bytes) -> FinalResponse:
    """Read the head of a reply to a POST."""
    reply = FinalResponse(Reader(cast("Any", Socket(data))), "POST", Wire())
    reply.begin()
    return reply


HEAD = b"HTTP/1.1 201 Created\r\n"


@pytest.mark.parametrize(
    ("headers", "length", "chunked", "will_close"),
    [
        pytest.param(b"Content-Length: 2\r\n", 2, False, False, id="length"),
        pytest.param(b"content-length:2\r\nContent-Length: 2\r\n", 2, False, False, id="twice"),
        pytest.param(b"Content-Length: 2, 2\r\n", 2, False, False, id="twice in one"),
        pytest.param(b"Transfer-Encoding: Chunked\r\n", None, True, False, id="chunks"),
        pytest.param(
            b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n", None, True, True, id="both"
        ),
        pytest.param(b"Transfer-Encoding: x\r\n", None, False, True, id="other coding"),
        pytest.param(b"", None, False, True, id="until the end"),
        pytest.param(b"Content-Length: 2\r\nConnection: Close\r\n", 2, False, True, id="close"),
        pytest.param(b"Content-Length: 2\n", 2, False, False, id="bare line feed"),
    ],
)
def test_end_of_a_body(
    headers: bytes, length: int | None, *, chunked: bool, will_close: bool
) -> None:
    """It is given by the length, the chunks or the end of the connection."""
    reply = reply_to(HEAD + headers + b"\r\n{}")
    assert (reply.status, reply.length) == (201, length)
    assert (reply.chunked, reply.will_close) == (chunked, will_close)


@pytest.mark.parametrize(
    ("data", "will_close"),
    [
        (b"HTTP/1.0 201 Created\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.0 201 Created\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", False),
        (b"HTTP/1.1 204 \r\nContent-Length: 7\r\n\r\n", False),
        (b"HTTP/1.1 204\r\n\r\n", False),
    ],
)
def test_connection_is_kept(data: bytes, *, will_close: bool) -> None:
    """HTTP/1.0 closes it by default; a 204 has no body, whatever its headers."""
    assert reply_to(data).will_close is will_close


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 201 Crea",
        HEAD,
        HEAD + b"Content-Le",
        HEAD + b"Content-Length: 2\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_incomplete_head_is_no_reply(data: bytes) -> None:
    """Not even if its status line is complete."""
    with pytest.raises(ConnectionResetError):
        reply_to(data)


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"HTTP/2 201 Created\r\n\r\n",
        b"HTTP/1.1 0201 Created\r\n\r\n",
        b"HTTP/1.1 20 Created\r\n\r\n",
        b"HTTP/1.1  201 Created\r\n\r\n",
        b"HTTP/1.1 +20 Created\r\n\r\n",
        HEAD + b"no colon\r\n\r\n",
        HEAD + b"Name : x\r\n\r\n",
        HEAD + b"A: b\r\n folded\r\n\r\n",
        HEAD + b"A: b\rContent-Length: 2\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: 0x2\r\n\r\n",
        HEAD + b"Content-Length: \r\n\r\n",
        HEAD + "Content-Length: ²\r\n\r\n".encode("latin-1"),
        HEAD + b"A: b\r\n" * 101 + b"\r\n",
        HEAD + b"A: " + b"b" * 70_000 + b"\r\n\r\n",
        b"x" * 70_000,
    ],
)
def test_ambiguous_head_is_no_reply(data: bytes) -> None:
    """Otherwise a part of one reply could be read as the next."""
    with pytest.raises(http.client.HTTPException):
        reply_to(data)


@given(st.binary(max_size=200), st.sampled_from([b"", HEAD, b"HTTP/1.1 "]))
def test_any_bytes_are_a_reply_or_a_documented_error(data: bytes, start: bytes) -> None:
    """There are two kinds of errors."""
    try:
        reply = reply_to(start + data)
    except (http.client.HTTPException, ConnectionResetError):
        return
    assert 200 <= reply.status <= 999 or reply.status == 101


def test_replies_are_read_one_after_the_other() -> None:
    """Each is read to its own end, and surplus bytes after the last one are noticed."""
    wire = Wire()
    one = HEAD + b"Content-Length: 2\r\n\r\n{}"
    reader = Reader(cast("Any", Socket(one + HEAD + b"Content-Length: 3\r\n\r\n[1]")))
    for body, surplus in [(b"{}", True), (b"[1]", False)]:
        reply = FinalResponse(reader, "POST", wire)
        reply.begin()
        assert (reply.read(100), wire.surplus) == (body, surplus)


def test_incomplete_body_is_an_error() -> None:
    """The base class would return the part that arrived."""
    with pytest.raises(http.client.IncompleteRead):
        reply_to(HEAD + b"Content-Length: 3\r\n\r\n{}").read(100)


def test_request_is_one_piece() -> None:
    """Head and body are sent together."""
    sent = request_bytes("POST", "/x", {"Host": "h", "Content-Length": "2"}, b"{}")
    assert sent == b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
    assert request_bytes("GET", "/x", {"Host": "h"}, None) == b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"

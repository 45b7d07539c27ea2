"""How an answer goes wrong on the wire."""

import asyncio
import socket
import struct
from dataclasses import replace
from http import HTTPStatus
from typing import Final, assert_never

from importer.sandbox.answers import Answer, error
from importer.sandbox.faults import Action, Rule

_GARBAGE: Final = b"\x00\xff}]<garbled>\xfe"
_NO_HTTP: Final = b"\x16\x03HTPP/1.1 2O1 \xff\xfe\r\n\r\n"
_DRIPS_A_SECOND: Final = 20
_GATEWAY_PAGE: Final = """<html>
<head><title>{status} {phrase}</title></head>
<body>
<center><h1>{status} {phrase}</h1></center>
<hr><center>gateway</center>
</body>
</html>
"""


async def play(rule: Rule, answer: Answer | None, transport: asyncio.Transport) -> Answer | None:
    """Let an answer go wrong.

    Args:
        rule: What goes wrong.
        answer: The true answer, of which drip, cut and garbled-body show something.
        transport: The connection to the client.

    Returns:
        What is sent in place of the true answer, or None when the connection is over.
    """
    truth = answer or Answer(HTTPStatus.OK)
    match rule.action:
        case Action.STATUS:
            phrase = _phrase(rule.status)
            return error(rule.status, phrase, f"As {rule.name} asks for.", _headers(rule))
        case Action.PAGE:
            page = _GATEWAY_PAGE.format(status=rule.status, phrase=_phrase(rule.status))
            return Answer(rule.status, page.encode(), "text/html", _headers(rule))
        case Action.GARBLED_BODY:
            garbage = _GARBAGE * (len(truth.body) // len(_GARBAGE) + 1)
            return replace(truth, body=garbage[: len(truth.body)])
        case Action.CUT:
            whole = _raw(truth)
            transport.write(whole[: len(whole) - (len(truth.body) or len(whole)) // 2])
        case Action.DRIP:
            await _drip(_raw(truth), rule.seconds, transport)
        case Action.GARBLED_STATUS:
            transport.write(_NO_HTTP)
        case Action.SILENCE | Action.LATE:
            await asyncio.sleep(rule.seconds)
        case Action.RESET:
            _reset(transport)
        case Action.DROP:
            pass
        case _:
            assert_never(rule.action)
    transport.close()
    return None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _headers(rule: Rule) -> dict[str, str]:
    return {"Retry-After": rule.retry_after} if rule.retry_after else {}


def _raw(answer: Answer) -> bytes:
    """Return an answer as it goes over the wire."""
    head = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}", "Connection: close"]
    if answer.content_type:
        head.append(f"Content-Type: {answer.content_type}; charset=utf-8")
        head.append(f"Content-Length: {len(answer.body)}")
    return "\r\n".join([*head, "", ""]).encode() + answer.body


async def _drip(whole: bytes, seconds: float, transport: asyncio.Transport) -> None:
    """Send ``whole`` in even drips over so many seconds, unless the client goes away."""
    drips = max(1, min(len(whole), round(seconds * _DRIPS_A_SECOND)))
    for drip in range(drips):
        if transport.is_closing():
            return
        start, end = (len(whole) * part // drips for part in (drip, drip + 1))
        transport.write(whole[start:end])
        await asyncio.sleep(seconds / drips)


def _reset(transport: asyncio.Transport) -> None:
    """End the connection with RST, which a socket sends that does not linger."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()

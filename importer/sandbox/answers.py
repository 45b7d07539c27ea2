"""Answers as values: what the sandbox says before the wire is thought of.

Source: contract, section 1, for the form of an error.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

JSON: Final = "application/json"
MORE_INFO_URL: Final = "https://support.sitecore.com"
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - the Z is written behind it
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one request.

    Attributes:
        status: HTTP status.
        body: As it is sent.
        content_type: ``""`` when there is no body.
        headers: All but Content-Type and Content-Length.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


NO_CONTENT: Final = Answer(HTTPStatus.NO_CONTENT, content_type="")


def json_answer(status: int, value: object) -> Answer:
    """Return ``value`` as a JSON answer."""
    return Answer(status, _encode(value).encode())


def error(
    status: int, message: str, developer_message: str = "", headers: dict[str, str] | None = None
) -> Answer:
    """Return an error in the form that the reference documents.

    Args:
        status: HTTP status; 401 is told as the word that the reference shows for it.
        message: For the person who sent the data.
        developer_message: For the person who wrote the program; the message by default.
        headers: Headers besides the usual ones.
    """
    is_unauthorized = status == HTTPStatus.UNAUTHORIZED
    value = {
        "status": "UNAUTHORIZED" if is_unauthorized else int(status),
        "code": int(status),
        "message": message,
        "developerMessage": developer_message or message,
        "moreInfoUrl": MORE_INFO_URL,
    }
    body = _encode(value).encode()
    return Answer(status, body, headers=headers or {})


def date_time(milliseconds: int) -> str:
    """Return milliseconds since 1970 as the vendor writes them, ``2026-01-01T00:00:00.000Z``."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment.isoformat(timespec='milliseconds')}Z"

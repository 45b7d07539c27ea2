"""Requests and answers as values, independent of HTTP.

Source: docs/api.md, for the form of errors and collections.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum, unique
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import urlencode

JSON: Final = "application/json"
MORE_INFO_URL: Final = "https://support.sitecore.com"
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - date_time() appends the Z
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode

_DEFAULT_LIMIT: Final = 10
_MAX_LIMIT: Final = 100
_MAX_OFFSET: Final = 2**31 - 1
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,10}\Z", re.ASCII)
_FLAGS: Final = {"true": True, "false": False}


@unique
class Call(StrEnum):
    """The calls of the API, by the names that fault rules use."""

    CREATE = "create"
    LIST = "list"
    GET = "get"
    UPDATE = "update"
    DELETE = "delete"
    FIND_ORDERS = "find-orders"
    GET_ORDER = "get-order"


class InvalidRequestError(Exception):
    """The body or a parameter is refused with 400; the text is the message of the answer."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request to the API.

    Attributes:
        call: Which call it is.
        ref: The ref of the order or contact in the path; ``""`` for ``find-orders``.
        query: The query parameters.
        body: As it was sent.
    """

    call: Call
    ref: str
    query: Mapping[str, str]
    body: bytes


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


def json_answer(status: int, value: object, headers: dict[str, str] | None = None) -> Answer:
    """Return ``value`` as a JSON answer."""
    return Answer(status, _encode(value).encode(), headers=headers or {})


def error_answer(
    status: int, message: str, developer_message: str = "", headers: dict[str, str] | None = None
) -> Answer:
    """Return an error in the documented form.

    Args:
        status: HTTP status; the body of a 401 names it by the word that the reference shows.
        message: For the person who sent the data.
        developer_message: For the person who wrote the program; defaults to ``message``.
        headers: Additional headers.
    """
    is_unauthorized = status == HTTPStatus.UNAUTHORIZED
    value = {
        "status": "UNAUTHORIZED" if is_unauthorized else int(status),
        "code": int(status),
        "message": message,
        "developerMessage": developer_message or message,
        "moreInfoUrl": MORE_INFO_URL,
    }
    return json_answer(status, value, headers)


def date_time(milliseconds: int) -> str:
    """Return milliseconds since 1970 in the API's format, ``2026-01-01T00:00:00.000Z``."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return f"{moment.isoformat(timespec='milliseconds')}Z"


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a collection.

    Attributes:
        offset: Items before the first one shown.
        limit: The maximum number of items shown.
    """

    offset: int
    limit: int

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read ``offset`` and ``limit``.

        Raises:
            InvalidRequestError: One of them is not a number or out of bounds.
        """
        return cls(
            _bounded(query, "offset", 0, range(_MAX_OFFSET + 1)),
            _bounded(query, "limit", _DEFAULT_LIMIT, range(1, _MAX_LIMIT + 1)),
        )

    def as_json(
        self, url: str, parameters: Mapping[str, str], total: int, items: Sequence[object]
    ) -> dict[str, Any]:
        """Return the page in the API's form.

        Args:
            url: Of the collection, without parameters.
            parameters: Those that the links to other pages repeat.
            total: Number of items in the collection.
            items: Those of this page.
        """

        def href(offset: int) -> str:
            return f"{url}?{urlencode({**parameters, 'offset': offset, 'limit': self.limit})}"

        page = {
            "href": href(self.offset),
            "offset": self.offset,
            "limit": self.limit,
            "first": {"href": href(0)},
            "last": {"href": href(max(total - 1, 0) // self.limit * self.limit)},
            "items": items,
        }
        if self.offset + self.limit < total:
            page["next"] = {"href": href(self.offset + self.limit)}
        return page


def refuse_unknown_parameters(query: Mapping[str, str], names: Collection[str]) -> None:
    """Refuse a parameter that the document does not list, or that is repeated.

    Ignoring a mistyped parameter would silently give the wrong answer.

    Raises:
        InvalidRequestError: There is such a parameter.
    """
    seen = set()
    for name in query:
        if name not in names:
            raise InvalidRequestError(f"{name}: is not a parameter of this call.")
        if name in seen:
            raise InvalidRequestError(f"{name}: may be given only once.")
        seen.add(name)


def read_flag(query: Mapping[str, str], name: str) -> bool:
    """Read a parameter that is ``true`` or ``false``, with false as its default.

    Raises:
        InvalidRequestError: It is neither.
    """
    flag = _FLAGS.get(query.get(name, "false"))
    if flag is None:
        raise InvalidRequestError(f"{name}: must be true or false.")
    return flag


def _bounded(query: Mapping[str, str], name: str, default: int, bounds: range) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not _WHOLE_NUMBER.match(text) or int(text) not in bounds:
        raise InvalidRequestError(f"{name}: must be from {bounds[0]} to {bounds[-1]}.")
    return int(text)

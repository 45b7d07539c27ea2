"""Pages of a collection: what part is asked for, and how it is shown.

Source: the vendor's reference, *Paginating responses* (offset from 0; limit 10, 1 to 100).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlencode

_DEFAULT_LIMIT: Final = 10
_MAX_LIMIT: Final = 100
_MAX_OFFSET: Final = 2**31 - 1
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,10}\Z", re.ASCII)
_FLAGS: Final = {"true": True, "false": False}


class InvalidQueryError(Exception):
    """A parameter is refused with 400; the text is the message of the answer."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a collection.

    Attributes:
        offset: Items left out before the first one shown.
        limit: Most items shown.
    """

    offset: int
    limit: int

    @classmethod
    def asked_for(cls, query: Mapping[str, str]) -> Self:
        """Read ``offset`` and ``limit``.

        Raises:
            InvalidQueryError: One of them is no number or out of its bounds.
        """
        return cls(
            _bounded(query, "offset", 0, range(_MAX_OFFSET + 1)),
            _bounded(query, "limit", _DEFAULT_LIMIT, range(1, _MAX_LIMIT + 1)),
        )

    def shown(
        self, url: str, kept: Mapping[str, str], total: int, items: Sequence[object]
    ) -> dict[str, Any]:
        """Return the page as the API shows it.

        Args:
            url: Of the collection, without parameters.
            kept: Parameters that the links to other pages repeat.
            total: Items of the whole collection.
            items: Those of this page.
        """

        def href(offset: int) -> str:
            return f"{url}?{urlencode({**kept, 'offset': offset, 'limit': self.limit})}"

        shown = {
            "href": href(self.offset),
            "offset": self.offset,
            "limit": self.limit,
            "first": {"href": href(0)},
            "last": {"href": href(max(total - 1, 0) // self.limit * self.limit)},
            "items": items,
        }
        if self.offset + self.limit < total:
            shown["next"] = {"href": href(self.offset + self.limit)}
        return shown


def refuse_unknown(query: Mapping[str, str], names: Collection[str]) -> None:
    """Refuse a parameter that the document does not list, or that comes twice.

    A mistyped parameter that is ignored would give the wrong answer without a word.

    Raises:
        InvalidQueryError: There is such a parameter.
    """
    seen = set()
    for name in query:
        if name not in names:
            raise InvalidQueryError(f"{name}: is not a parameter of this call.")
        if name in seen:
            raise InvalidQueryError(f"{name}: may be given only once.")
        seen.add(name)


def read_flag(query: Mapping[str, str], name: str) -> bool:
    """Read a parameter that is ``true`` or ``false``, and false by default.

    Raises:
        InvalidQueryError: It is neither.
    """
    flag = _FLAGS.get(query.get(name, "false"))
    if flag is None:
        raise InvalidQueryError(f"{name}: must be true or false.")
    return flag


def _bounded(query: Mapping[str, str], name: str, default: int, bounds: range) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not _WHOLE_NUMBER.match(text) or int(text) not in bounds:
        raise InvalidQueryError(f"{name}: must be from {bounds[0]} to {bounds[-1]}.")
    return int(text)

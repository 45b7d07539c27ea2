"""The canonical form of a contact, in which equal contacts are equal.

The key of a contact in the journal is made from it, and the contacts that the API returns are
compared in it: text in NFC and without blanks or invisible characters at its ends, e-mail
addresses in lower case, lists as sets, dates as instants, countries in upper case; absent,
null, blank and empty lists are the same. A value of the wrong
JSON type is compared as its JSON text, so an odd response is a difference and never an error.

Source: docs/values.md, "Equal contacts".
"""

import json
from collections.abc import Mapping
from typing import Any

import orjson

from schemas.dates import parse_instant, write_instant
from schemas.fields import CONTACT_FIELDS, IDENTIFIERS, LIST_FIELDS
from schemas.text import comparable


def canonical(order_ref: str, body: Mapping[str, Any]) -> bytes:
    """Return bytes that are equal for equal contacts of the same order.

    Journals contain digests of these bytes. After a change to them, a journal no longer
    recognises the contacts that it has, and they would be created again.

    Args:
        order_ref: The order, in any case.
        body: Request body in the normal form of :mod:`schemas.contact`, by API field, in
            the order of the API reference; no blank values.
    """
    fields = dict(body)
    lists: dict[str, list[Any]] = {
        field: _list(field, fields[field]) for field in LIST_FIELDS if field in fields
    }
    fields.update(lists)
    encoded = orjson.dumps((order_ref.lower(), fields))
    if encoded.isascii():
        return encoded
    # Only text that is not ASCII can be written in two ways.
    changed: dict[str, Any] = {
        field: same
        for field, value in body.items()
        if field not in lists and not value.isascii() and (same := comparable(value)) != value
    }
    if not orjson.dumps(list(lists.values())).isascii():
        changed.update((field, _comparable(items)) for field, items in lists.items() if items)
    if not changed:
        return encoded
    compared = {field: value for field, value in (fields | changed).items() if value}
    return orjson.dumps((order_ref.lower(), compared))


def canonical_field(field: str, value: object) -> str | list[str]:
    """Return the canonical form of one value; ``""`` or ``[]`` when it is blank."""
    if field in LIST_FIELDS:
        items = value if isinstance(value, (list, tuple)) else [value]
        return sorted({_item(field, item) for item in items} - {""})
    text = _text(value)
    match field:
        case "dateOfBirth":
            instant = parse_instant(text)
            return write_instant(instant) if instant else text
        case "country":
            return text.upper()
        case "gender":
            return text.lower()
        case _:
            return text


def differing_fields(sent: Mapping[str, object], found: Mapping[str, object]) -> tuple[str, ...]:
    """Return the fields of *sent* that have another value in *found*, in reference order."""
    return tuple(
        field
        for field in CONTACT_FIELDS
        if (value := canonical_field(field, sent.get(field)))
        and value != canonical_field(field, found.get(field))
    )


def same_contact(sent: Mapping[str, object], found: Mapping[str, object]) -> bool:
    """Return whether *found* equals *sent* in every field that was sent."""
    return not differing_fields(sent, found)


def _list(field: str, items: list[Any]) -> list[Any]:
    """Return what ``canonical_field`` returns, for values in normal form only."""
    if field == IDENTIFIERS:
        items = [(one["provider"], one["id"]) for one in items]
    elif field == "emails":
        items = [one.lower() for one in items]
    return sorted(set(items)) if len(items) > 1 else items


def _comparable(items: list[Any]) -> list[Any]:
    """Return a list of a body, after ``_list``, without the differences of Unicode."""
    if isinstance(items[0], str):
        return sorted({text for item in items if (text := comparable(item))})
    return sorted({(comparable(provider), comparable(item)) for provider, item in items})


def _item(field: str, item: object) -> str:
    if field == IDENTIFIERS and isinstance(item, dict):
        pair = [_text(item.get("provider")), _text(item.get("id"))]
        return json.dumps(pair) if any(pair) else ""
    text = _text(item)
    return text.lower() if field == "emails" else text


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return comparable(value)
        case _:
            try:
                return json.dumps(value, sort_keys=True, default=repr)
            except (TypeError, ValueError, RecursionError):
                return type(value).__name__

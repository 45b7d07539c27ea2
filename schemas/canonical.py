"""One form for what is the same contact, whichever way it is written.

The journal knows a contact by it, and what the API gives back is compared in it: text
trimmed, e-mail addresses in lower case, lists as sets, dates as instants, countries in upper
case; absent, null, blank and an empty list are one. Values of the wrong JSON type take part
as their JSON text, so that a strange answer is a difference and never a crash.
"""

import json
from collections.abc import Mapping

from schemas.dates import parse_instant, write_instant
from schemas.fields import BLANKS, CONTACT_FIELDS, IDENTIFIERS, LIST_FIELDS


def canonical(order_ref: str, body: Mapping[str, object]) -> bytes:
    """Give the bytes that are equal for the same contact of the same order.

    Args:
        order_ref: The order, in any case.
        body: Request body by API field; other keys take no part.
    """
    fields = {field: canonical_field(field, body.get(field)) for field in CONTACT_FIELDS}
    filled = {field: value for field, value in fields.items() if value}
    return json.dumps([order_ref.lower(), filled], separators=(",", ":")).encode()


def canonical_field(field: str, value: object) -> str | list[str]:
    """Give the canonical form of one value; ``""`` or ``[]`` when it is blank."""
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
    """Name the fields of *sent* that *found* holds another value for, in the page's order."""
    return tuple(
        field
        for field in CONTACT_FIELDS
        if (value := canonical_field(field, sent.get(field)))
        and value != canonical_field(field, found.get(field))
    )


def same_contact(sent: Mapping[str, object], found: Mapping[str, object]) -> bool:
    """Tell whether *found* equals *sent* in every field that was sent."""
    return not differing_fields(sent, found)


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
            return value.strip(BLANKS)
        case _:
            try:
                return json.dumps(value, sort_keys=True, default=repr)
            except (TypeError, ValueError, RecursionError):
                return type(value).__name__

"""Planning: the contacts that valid rows become, and their keys in the journal.

Source: docs/values.md, "Equal contacts".
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from importer.records import Contact, Planned
from schemas.canonical import canonical
from schemas.fields import (
    CONTACT_FIELDS,
    IDENTIFIERS,
    ORDER_REF,
    ORDERED_AT,
    REFERENCE_ID,
    TEXT_LIST_FIELDS,
)

if TYPE_CHECKING:
    import pandas as pd


def plan(valid: "pd.DataFrame", key: Callable[[str, bytes], bytes]) -> list[Planned]:
    """Return one contact for each row, in row order; duplicates are not detected yet.

    Args:
        valid: Rows in the normal form of :mod:`schemas.contact`. Index: row number; one
            column for each field that is present.
        key: Key of a contact, from its order and its canonical form.
    """
    fields = [field for field in CONTACT_FIELDS if field in valid]
    columns = [_json_values(field, valid[field].tolist()) for field in fields]
    blank = [""] * len(valid)
    order_refs = valid[ORDER_REF].tolist() if ORDER_REF in valid else blank
    reference_ids = valid[REFERENCE_ID].tolist() if REFERENCE_ID in valid else blank
    ordered_ats = valid[ORDERED_AT].tolist() if ORDERED_AT in valid else blank
    planned = []
    # Body and key are made row by row, and not in a pass each, for the processor's cache.
    for row, order_ref, reference_id, ordered_at, *values in zip(
        valid.index.tolist(), order_refs, reference_ids, ordered_ats, *columns, strict=True
    ):
        # Most files fill every column, and then no value has to be tested twice.
        body = (
            dict(zip(fields, values, strict=True))
            if all(values)
            else {field: value for field, value in zip(fields, values, strict=True) if value}
        )
        # A copy, because the original keeps the kilobyte in memory that it was written in.
        as_sent = bytes(memoryview(orjson.dumps(body)))
        contact = Contact(
            row,
            order_ref,
            as_sent,
            "" if order_ref else reference_id,
            datetime.fromisoformat(ordered_at) if ordered_at else None,
        )
        order = _order(contact)
        planned.append(Planned(contact, key(order, canonical(order, body))))
    return planned


def _order(contact: Contact) -> str:
    # Order numbers differ by case, which canonical() folds. No orderRef looks like this one.
    number = contact.order_ref or f"number {contact.reference_id.encode().hex()}"
    if contact.order_ref or contact.ordered_at is None:
        return number
    # Orders of one number are orders of different days; the time of day may be rounded.
    return f"{number} {contact.ordered_at.date()}"


def _json_values(field: str, values: list[Any]) -> list[Any]:
    """Return *values* as JSON has them."""
    if field == IDENTIFIERS:
        return [
            [{"provider": provider, "id": identifier} for provider, identifier in pairs]
            for pairs in values
        ]
    return list(map(list, values)) if field in TEXT_LIST_FIELDS else values

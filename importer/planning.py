"""From valid rows to the contacts that will be sent."""

from typing import TYPE_CHECKING, Any

from importer.records import Contact
from schemas.fields import CONTACT_FIELDS, IDENTIFIERS, ORDER_REF, REFERENCE_ID, TEXT_LIST_FIELDS

if TYPE_CHECKING:
    import pandas as pd


def contacts(valid: "pd.DataFrame") -> list[Contact]:
    """Make one contact of each row, in row order.

    Args:
        valid: Rows in the normal form of :mod:`schemas.contact`. Index: row number; one
            column for each field that is present.
    """
    fields = [field for field in CONTACT_FIELDS if field in valid]
    columns = [_json_values(field, valid[field].tolist()) for field in fields]
    blank = [""] * len(valid)
    order_refs = valid[ORDER_REF].tolist() if ORDER_REF in valid else blank
    reference_ids = valid[REFERENCE_ID].tolist() if REFERENCE_ID in valid else blank
    return [
        Contact(
            row,
            order_ref,
            # Most files fill every column, and then nothing has to be looked at twice.
            dict(zip(fields, values, strict=True))
            if all(values)
            else {field: value for field, value in zip(fields, values, strict=True) if value},
            "" if order_ref else reference_id,
        )
        for row, order_ref, reference_id, *values in zip(
            valid.index.tolist(), order_refs, reference_ids, *columns, strict=True
        )
    ]


def _json_values(field: str, values: list[Any]) -> list[Any]:
    """Give *values* as JSON knows them."""
    if field == IDENTIFIERS:
        return [
            [{"provider": provider, "id": identifier} for provider, identifier in pairs]
            for pairs in values
        ]
    return list(map(list, values)) if field in TEXT_LIST_FIELDS else values

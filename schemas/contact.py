"""The contact schema: what a mapped record must be like to be sent.

Parsers bring every value to its normal form, or replace it by a :class:`~schemas.text.Fault`;
checks then verify that every value has that form.

Source: docs/values.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import pandas as pd
import pandera.pandas as pa
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrorReason, SchemaErrors

from schemas import dates, emails, phones
from schemas.columns import (
    Accepts,
    Parse,
    check_lists,
    check_pairs,
    check_text_lists,
    check_texts,
    check_values,
    parse_lists,
    parse_pairs,
    parse_text_lists,
    parse_texts,
    parse_values,
)
from schemas.countries import is_country, parse_country
from schemas.fields import (
    CONTACT_FIELDS,
    FIELDS,
    GENDERS,
    IDENTIFIERS,
    ORDER_FIELDS,
    ORDER_REF,
    ORDERED_AT,
    REFERENCE_ID,
)
from schemas.text import (
    ORDER_REF_FORM,
    Fault,
    Missing,
    parse_code,
    parse_gender,
    parse_order_ref,
    parse_title,
)

CONTACT: Final = "contact"
"""The column for what is wrong with a record as a whole."""

_REQUIRED: Final = Missing("required, but blank")
_NO_ORDER: Final = Missing(f"blank; every record needs {' or '.join(ORDER_FIELDS)}")
_NO_CONTACT: Final = Missing("nothing besides the order; fill at least one more field")


@dataclass(frozen=True, slots=True)
class Checked:
    """A frame after the schema.

    Attributes:
        frame: The frame in normal form. Index: row number; a value that cannot be sent is a
            :class:`~schemas.text.Fault`.
        faults: (row, field, fault) of every such value, by field.
    """

    frame: pd.DataFrame
    faults: tuple[tuple[int, str, Fault], ...]


def contact_schema(
    birth_dates: dates.BirthDates,
    *,
    phone_region: str | None = None,
    identity_providers: Sequence[str] = (),
    require: Sequence[str] = (),
) -> pa.DataFrameSchema:
    """Return the schema of mapped records.

    It is made for frames with one object column for each API field that is present: ``str``
    for text fields, ``tuple[str, ...]`` for lists, (provider, id) pairs for identifiers;
    ``""`` and ``()`` are blank. Index: row number, unique.

    Args:
        birth_dates: The rule of dates of birth.
        phone_region: Region of phone numbers without a country code.
        identity_providers: The providers that identifiers may have; empty is any.
        require: Fields that no record may leave blank.

    Raises:
        ValueError: There is no such region.
    """
    region = phones.phone_region(phone_region) if phone_region else None
    phone = partial(phones.parse_phone, region=region)
    code = _column(partial(parse_texts, parse=parse_code), check_texts)
    columns = dict.fromkeys(FIELDS, _column(parse_texts, check_texts)) | {
        ORDER_REF: _values(parse_order_ref, ORDER_REF_FORM.match),
        REFERENCE_ID: code,
        "emails": _column(partial(parse_lists, parse=emails.parse_email), check_text_lists),
        IDENTIFIERS: _column(partial(parse_pairs, providers=identity_providers), check_pairs),
        "street": _column(parse_text_lists, check_text_lists),
        "postCode": code,
        "title": _column(partial(parse_values, parse=parse_title), check_texts),
        "gender": _values(parse_gender, GENDERS.__contains__),
        "dateOfBirth": _values(birth_dates.parse, dates.INSTANT.match),
        ORDERED_AT: _values(birth_dates.parse_ordered_at, dates.INSTANT.match),
        "phoneNumbers": _column(
            partial(parse_lists, parse=phone), partial(check_lists, accepts=phones.E164.match)
        ),
        "passportNumber": code,
        "country": _values(parse_country, is_country),
        CONTACT: pa.Column(object, pa.Check.isin([""])),
    }
    return pa.DataFrameSchema(
        columns,
        parsers=pa.Parser(partial(_add_missing, require=require)),
        index=pa.Index(unique=True),
        strict=True,
    )


def check_contacts(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> Checked:
    """Bring *frame* to normal form and find every fault in it.

    pandera's own failure text is dropped because it contains values, and its environment
    variables (``PANDERA_VALIDATION_ENABLED``, ``PANDERA_VALIDATION_DEPTH``) have no effect.
    """
    with config_context(validation_enabled=True, validation_depth=ValidationDepth.SCHEMA_AND_DATA):
        try:
            return Checked(schema.validate(frame, lazy=True), ())
        except SchemaErrors as errors:
            checked = errors
    faults: list[tuple[int, str, Fault]] = []
    for error in checked.schema_errors:
        if error.reason_code is not SchemaErrorReason.DATAFRAME_CHECK:
            raise RuntimeError(f"the frame does not fit the contact schema: {error.reason_code}")
        cases = error.failure_cases
        for row, value in zip(cases["index"].tolist(), cases["failure_case"].tolist(), strict=True):
            fault = value if isinstance(value, Fault) else Fault("not in the form that is sent")
            faults.append((row, error.schema.name, fault))
    return Checked(checked.data, tuple(faults))


def _add_missing(frame: pd.DataFrame, require: Sequence[str]) -> pd.DataFrame:
    """Add a fault where the order, everything else or a required field of a record is blank."""
    added: dict[str, list[object]] = {}
    for field in require:
        added[field] = [value or _REQUIRED for value in frame[field].tolist()]
    if orders := [field for field in ORDER_FIELDS if field in frame]:
        first = added.get(orders[0]) or frame[orders[0]].tolist()
        filled = zip(first, _filled(frame, orders), strict=True)
        added[orders[0]] = [value if has_order else _NO_ORDER for value, has_order in filled]
    contacts = [field for field in CONTACT_FIELDS if field in frame]
    added[CONTACT] = ["" if has_field else _NO_CONTACT for has_field in _filled(frame, contacts)]
    return frame.assign(
        **{field: pd.Series(values, frame.index, dtype=object) for field, values in added.items()}
    )


def _filled(frame: pd.DataFrame, fields: Sequence[str]) -> list[bool]:
    """Return for each record whether one of *fields* is not blank."""
    if not fields:
        return [False] * len(frame)
    return list(map(any, zip(*(frame[field].tolist() for field in fields), strict=True)))


def _values(parse: Parse, accepts: Accepts) -> pa.Column:
    return _column(partial(parse_values, parse=parse), partial(check_values, accepts=accepts))


def _column(
    parse: Callable[[pd.Series], pd.Series], check: Callable[[pd.Series], pd.Series]
) -> pa.Column:
    return pa.Column(
        object,
        parsers=pa.Parser(parse),
        checks=pa.Check(check, ignore_na=False),
        required=False,
        nullable=True,
    )

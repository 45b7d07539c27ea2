"""The contact schema: what a mapped record must look like to be sent.

Parsers bring every value to its normal form, or put a :class:`schemas.faults.Fault` in its
place; checks hold every value to that form. Source: contract, section 4.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import pandas as pd
import pandera.pandas as pa
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrorReason, SchemaErrors

from schemas import dates, emails, phones
from schemas.columns import (
    Holds,
    Parse,
    hold_lists,
    hold_pairs,
    hold_text_lists,
    hold_texts,
    hold_values,
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
)
from schemas.text import (
    ORDER_REF_FORM,
    Fault,
    Missing,
    parse_gender,
    parse_order_ref,
    parse_title,
)

CONTACT: Final = "contact"
"""The column in which the schema notes what is wrong with a record as a whole."""

_REQUIRED: Final = Missing("required, but blank")
_NO_ORDER: Final = Missing(f"blank; every record needs {' or '.join(ORDER_FIELDS)}")
_NO_CONTACT: Final = Missing("nothing besides the order; fill at least one more field")


@dataclass(frozen=True, slots=True)
class Checked:
    """What the schema made of a frame.

    Attributes:
        frame: The frame in normal form. Index: row number; a value that is at fault is a
            :class:`~schemas.faults.Fault`.
        faults: (row, field, fault) of every cell at fault, by field.
    """

    frame: pd.DataFrame
    faults: tuple[tuple[int, str, Fault], ...]


def contact_schema(
    *,
    now: datetime,
    phone_region: str | None = None,
    date_format: str | None = None,
    require: Sequence[str] = (),
) -> pa.DataFrameSchema:
    """Make the schema of mapped records.

    It is made for frames with one object column for each API field that is present: ``str``
    for text fields, ``tuple[str, ...]`` for lists, (provider, id) pairs for identifiers;
    ``""`` and ``()`` are blank. Index: row number, unique.

    Args:
        now: The moment before which dates of birth must lie, with its zone.
        phone_region: Region of phone numbers without a country code.
        date_format: ``strptime`` format that is understood besides ISO 8601.
        require: Fields that no record may leave blank.

    Raises:
        ValueError: Region or format is not understood.
    """
    region = phones.phone_region(phone_region) if phone_region else None
    form = dates.date_format(date_format) if date_format is not None else None
    birth_date = partial(dates.parse_birth_date, now=now, form=form)
    phone = partial(phones.parse_phone, region=region)
    columns = dict.fromkeys(FIELDS, _column(parse_texts, hold_texts)) | {
        ORDER_REF: _values(parse_order_ref, ORDER_REF_FORM.match),
        "emails": _column(partial(parse_lists, parse=emails.parse_email), hold_text_lists),
        IDENTIFIERS: _column(parse_pairs, hold_pairs),
        "street": _column(parse_text_lists, hold_text_lists),
        "title": _column(partial(parse_values, parse=parse_title), hold_texts),
        "gender": _values(parse_gender, GENDERS.__contains__),
        "dateOfBirth": _values(birth_date, dates.INSTANT.match),
        "phoneNumbers": _column(
            partial(parse_lists, parse=phone), partial(hold_lists, holds=phones.E164.match)
        ),
        "country": _values(parse_country, is_country),
        CONTACT: pa.Column(object, pa.Check.isin([""])),
    }
    return pa.DataFrameSchema(
        columns,
        parsers=pa.Parser(partial(_note_what_is_missing, require=require)),
        index=pa.Index(unique=True),
        strict=True,
    )


def check_contacts(schema: pa.DataFrameSchema, frame: pd.DataFrame) -> Checked:
    """Bring *frame* to normal form and find every fault in it.

    pandera's own failure text is dropped, and its switches in the environment
    (``PANDERA_VALIDATION_ENABLED``, ``PANDERA_VALIDATION_DEPTH``) have no say here.
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


def _note_what_is_missing(frame: pd.DataFrame, require: Sequence[str]) -> pd.DataFrame:
    """Put a fault where the order of a record is missing, all else is, or a required field."""
    noted: dict[str, list[object]] = {}
    for field in require:
        noted[field] = [value or _REQUIRED for value in frame[field].tolist()]
    if orders := [field for field in ORDER_FIELDS if field in frame]:
        first = noted.get(orders[0]) or frame[orders[0]].tolist()
        filled = zip(first, _filled(frame, orders), strict=True)
        noted[orders[0]] = [value if has_order else _NO_ORDER for value, has_order in filled]
    contacts = [field for field in CONTACT_FIELDS if field in frame]
    noted[CONTACT] = ["" if has_field else _NO_CONTACT for has_field in _filled(frame, contacts)]
    return frame.assign(
        **{field: pd.Series(values, frame.index, dtype=object) for field, values in noted.items()}
    )


def _filled(frame: pd.DataFrame, fields: Sequence[str]) -> list[bool]:
    """Tell for each record whether one of *fields* holds something."""
    if not fields:
        return [False] * len(frame)
    return list(map(any, zip(*(frame[field].tolist() for field in fields), strict=True)))


def _values(parse: Parse, holds: Holds) -> pa.Column:
    return _column(partial(parse_values, parse=parse), partial(hold_values, holds=holds))


def _column(
    parse: Callable[[pd.Series], pd.Series], holds: Callable[[pd.Series], pd.Series]
) -> pa.Column:
    return pa.Column(
        object,
        parsers=pa.Parser(parse),
        checks=pa.Check(holds, ignore_na=False),
        required=False,
        nullable=True,
    )

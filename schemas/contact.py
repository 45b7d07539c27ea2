"""The contact schema: what a mapped record must look like to be sent.

Parsers bring every value to its normal form, or put a :class:`schemas.faults.Fault` in its
place; checks hold every value to that form. Source: contract, section 4.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias

import pandas as pd
import pandera.pandas as pa
from pandera.config import ValidationDepth, config_context
from pandera.errors import SchemaErrorReason, SchemaErrors

from schemas import dates, emails, phones, words
from schemas.countries import is_country, parse_country
from schemas.faults import Fault, Missing
from schemas.fields import (
    CONTACT_FIELDS,
    FIELDS,
    GENDERS,
    IDENTIFIERS,
    LIST_FIELDS,
    ORDER_FIELDS,
    ORDER_REF,
)
from schemas.orders import is_order_ref, parse_order_ref
from schemas.text import is_sendable, parse_text

CONTACT: Final = "contact"
"""The column in which the schema notes what is wrong with a record as a whole."""

Parse: TypeAlias = Callable[[str], str | Fault]
Holds: TypeAlias = Callable[[str], bool]


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
    rules: dict[str, tuple[Parse, Holds]] = {
        ORDER_REF: (parse_order_ref, is_order_ref),
        "emails": (emails.parse_email, is_sendable),
        "title": (words.parse_title, is_sendable),
        "gender": (words.parse_gender, GENDERS.__contains__),
        "dateOfBirth": (partial(dates.parse_birth_date, now=now, form=form), dates.is_instant),
        "phoneNumbers": (partial(phones.parse_phone, region=region), phones.is_e164),
        "country": (parse_country, is_country),
    }
    columns = {CONTACT: pa.Column(object, _check(_is_blank))}
    for field in FIELDS:
        blank: Hashable = () if field in LIST_FIELDS else ""
        columns[field] = _column(
            field,
            *rules.get(field, (parse_text, is_sendable)),
            Missing("required, but blank") if field in require else blank,
        )
    return pa.DataFrameSchema(
        columns,
        parsers=pa.Parser(_note_what_is_missing),
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


def _note_what_is_missing(frame: pd.DataFrame) -> pd.DataFrame:
    """Put a fault where the order of a record is missing, and where all else is."""
    no_order = Missing(f"blank; every record needs {' or '.join(ORDER_FIELDS)}")
    no_contact = Missing("nothing besides the order; fill at least one more field")
    orders = [field for field in ORDER_FIELDS if field in frame]
    contacts = [field for field in CONTACT_FIELDS if field in frame]
    noted = {CONTACT: ["" if filled else no_contact for filled in _filled(frame, contacts)]}
    if orders:
        first = frame[orders[0]].tolist()
        noted[orders[0]] = [
            value if filled else no_order
            for value, filled in zip(first, _filled(frame, orders), strict=True)
        ]
    return frame.assign(
        **{name: pd.Series(values, frame.index, dtype=object) for name, values in noted.items()}
    )


def _filled(frame: pd.DataFrame, fields: Sequence[str]) -> list[bool]:
    """Tell for each record whether one of *fields* holds something."""
    if not fields:
        return [False] * len(frame)
    return list(map(any, zip(*(frame[field].tolist() for field in fields), strict=True)))


def _column(field: str, parse: Parse, holds: Holds, blank: Hashable) -> pa.Column:
    """Describe one field; *blank* is what a blank value becomes."""
    parser: Callable[..., Hashable] = parse
    check: Callable[[object], bool] = partial(_is_value, holds=holds)
    if field == IDENTIFIERS:
        parser, check = _parse_pairs, _are_pairs
    elif field in LIST_FIELDS:
        parser, check = partial(_parse_items, parse=parse), partial(_are_values, holds=holds)
    return pa.Column(
        object,
        parsers=pa.Parser(partial(_each_distinct, parse=parser, blank=blank)),
        checks=_check(check),
        required=False,
        nullable=True,
    )


def _check(holds: Callable[[object], bool]) -> pa.Check:
    return pa.Check(holds, element_wise=True, ignore_na=False)


def _each_distinct(
    cells: pd.Series, parse: Callable[[Hashable], Hashable], blank: Hashable
) -> pd.Series:
    values = cells.tolist()
    parsed: dict[Hashable, Hashable] = {}
    for value in set(values):
        if not value:
            parsed[value] = blank
        else:
            parsed[value] = value if isinstance(value, Fault) else parse(value)
    return pd.Series([parsed[value] for value in values], cells.index, dtype=object)


def _parse_items(items: tuple[str, ...], parse: Parse) -> tuple[str | Fault, ...] | Fault:
    parsed = tuple(map(parse, items))
    messages = [
        f"item {number}: {message}" if len(items) > 1 else message
        for number, item in enumerate(parsed, start=1)
        if isinstance(item, Fault)
        for message in item.messages
    ]
    return Fault(*messages) if messages else parsed


def _parse_pairs(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...] | Fault:
    return pairs if _are_pairs(pairs) else Fault("provider and id must both hold plain text")


def _is_blank(value: object) -> bool:
    return value == ""


def _is_value(value: object, holds: Holds) -> bool:
    return isinstance(value, str) and (not value or holds(value))


def _are_values(value: object, holds: Holds) -> bool:
    return isinstance(value, tuple) and all(item and holds(item) for item in value)


def _are_pairs(value: object) -> bool:
    return isinstance(value, tuple) and all(
        provider and identifier and is_sendable(provider) and is_sendable(identifier)
        for provider, identifier in value
    )

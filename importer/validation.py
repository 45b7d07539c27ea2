"""Validation of mapped records: each is valid, or has issues that name all that is wrong with it.

Source: docs/values.md.
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from importer.errors import UsageError
from importer.records import (
    DATES_DEFAULT,
    NO_IDENTIFIERS,
    PHONES_UNASSIGNED,
    TEXT_ENTITIES,
    TITLE_UNLISTED,
    Batch,
    Issue,
    Mapped,
)
from schemas.contact import CONTACT, Checked, check_contacts, contact_schema
from schemas.dates import DEFAULT_DAYS, BirthDates
from schemas.fields import FIELDS, FREE_TEXT_FIELDS, IDENTIFIERS, LIST_FIELDS, TITLES
from schemas.phones import is_assigned
from schemas.text import Missing

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from importer.settings import Rules

_ENTITY: Final = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_LISTED_TITLES: Final = frozenset(("", *TITLES))
_FIELD_ORDER: Final = {f"invalid.{name}": place for place, name in enumerate((*FIELDS, CONTACT))}


@dataclass(frozen=True, slots=True)
class Validated:
    """A batch after validation: each of its records is in ``valid`` or in ``issues``.

    Attributes:
        valid: The records that can be sent, in normal form. Index: row number, ascending;
            one object column for each field that is present.
        issues: All that is wrong with each other record, by row number and in field order;
            the broken records of the batch are among them.
        warnings: Number of valid records by stable word: ``no_identifiers``,
            ``title_unlisted``, ``phones.unassigned``, ``dates.default``, ``text.entities``.
    """

    valid: "pd.DataFrame"
    issues: dict[int, tuple[Issue, ...]]
    warnings: dict[str, int]


class Validator:
    """Validates batches by the contact schema and the rules of the run.

    Args:
        rules: What the run requires of values beyond the schema.
        now: The moment before which dates of birth must lie, with its zone.

    Raises:
        UsageError: Rules name fields, regions, date formats or providers that cannot be used;
            all of them at once.
    """

    def __init__(self, rules: "Rules", now: "datetime") -> None:
        wrong = [text for field in rules.require if (text := _why_not_a_field(field))]
        if not all(provider.strip() for provider in rules.identity_provider):
            wrong.append("--identity-provider is blank; name a provider of your identity rules")
        birth_dates = BirthDates(now)
        try:
            birth_dates = BirthDates(now, rules.date_format, rules.year_pivot)
        except ValueError as error:
            wrong.append(str(error))
        self._require = rules.require
        try:
            self._schema = contact_schema(
                birth_dates,
                phone_region=rules.phone_region,
                identity_providers=rules.identity_provider,
                require=rules.require,
            )
        except ValueError as error:
            wrong.append(str(error))
        if wrong:
            raise UsageError("; ".join(wrong))

    def validate(self, mapped: Mapped, batch: Batch) -> Validated:
        """Return the valid records of a batch, and the issues of the others."""
        checked = check_contacts(self._schema, self._with_required(mapped.fields))
        issues = _issues(checked, mapped, batch)
        frame = checked.frame[mapped.fields.columns]
        valid = frame.drop(index=frame.index.intersection(list(issues))) if issues else frame
        return Validated(valid, issues, _warnings(valid))

    def _with_required(self, fields: "pd.DataFrame") -> "pd.DataFrame":
        """Add a blank column for each required field that has none in the file."""
        absent = [field for field in self._require if field not in fields]
        if not absent:
            return fields
        fields = fields.copy()
        for field in absent:
            blank = () if field in LIST_FIELDS else ""
            fields[field] = [blank] * len(fields)
            fields[field] = fields[field].astype(object)
        return fields


def _why_not_a_field(name: str) -> str:
    if name in FIELDS:
        return ""
    near = get_close_matches(name, FIELDS, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; fields are {', '.join(FIELDS)}"
    return f"--require {name}: there is no such field{hint}"


def _issues(checked: Checked, mapped: Mapped, batch: Batch) -> dict[int, tuple[Issue, ...]]:
    """Return the issues of each row that has any, in field order."""
    found: dict[int, list[Issue]] = defaultdict(list)
    for broken in batch.broken:
        found[broken.issue.row].append(broken.issue)
    for issue in mapped.issues:
        found[issue.row].append(issue)
    malformed = {(issue.row, issue.code) for issue in mapped.issues}
    malformed |= {(issue.row, f"invalid.{CONTACT}") for issue in mapped.issues}
    for row, field, fault in checked.faults:
        code = f"invalid.{field}"
        # A cell that mapping could not read is blank here, but was not blank in the file.
        if not (isinstance(fault, Missing) and (row, code) in malformed):
            found[row] += [Issue(row, code, f"{field}: {text}") for text in fault.messages]
    return {
        # Two columns of one list can have the same issue; it is reported once.
        row: tuple(
            sorted(dict.fromkeys(found[row]), key=lambda issue: _FIELD_ORDER.get(issue.code, -1))
        )
        for row in sorted(found)
    }


def _warnings(valid: "pd.DataFrame") -> dict[str, int]:
    """Return how many rows each warning concerns."""
    counts = {
        NO_IDENTIFIERS: len(valid) - _count(valid, IDENTIFIERS, bool),
        TITLE_UNLISTED: _count(valid, "title", lambda title: title not in _LISTED_TITLES),
        PHONES_UNASSIGNED: _count_unassigned(valid),
        DATES_DEFAULT: _count(valid, "dateOfBirth", DEFAULT_DAYS.__contains__),
        TEXT_ENTITIES: _count_entities(valid),
    }
    return {word: count for word, count in counts.items() if count}


def _count(valid: "pd.DataFrame", field: str, concerns: Callable[[Any], bool]) -> int:
    return sum(map(concerns, valid[field].tolist())) if field in valid else 0


def _count_unassigned(valid: "pd.DataFrame") -> int:
    if "phoneNumbers" not in valid:
        return 0
    column = valid["phoneNumbers"].tolist()
    unassigned = {number for number in chain.from_iterable(column) if not is_assigned(number)}
    return sum(not unassigned.isdisjoint(numbers) for numbers in column) if unassigned else 0


def _count_entities(valid: "pd.DataFrame") -> int:
    rows: set[int] = set()
    for field in FREE_TEXT_FIELDS:
        if field not in valid:
            continue
        texts = valid[field].tolist()
        if field in LIST_FIELDS:
            texts = list(map(" ".join, texts))
        if "&" in "".join(texts):
            rows.update(place for place, text in enumerate(texts) if _ENTITY.search(text))
    return len(rows)

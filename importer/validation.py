"""Every record is held to the contact schema; all that is wrong with it is told at once."""

from collections import defaultdict
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from importer.errors import UsageError
from importer.records import Batch, Issue, Mapped
from schemas.contact import CONTACT, Checked, check_contacts, contact_schema
from schemas.fields import FIELDS, IDENTIFIERS, LIST_FIELDS, TITLES
from schemas.text import Missing

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from importer.settings import Rules

NO_IDENTIFIERS: Final = "no_identifiers"
"""Warning: the API cannot match the contact to a guest."""
TITLE_UNLISTED: Final = "title_unlisted"
"""Warning: the title is none of those that the API page lists."""

_ORDER: Final = {f"invalid.{name}": place for place, name in enumerate((*FIELDS, CONTACT))}


@dataclass(frozen=True, slots=True)
class Validated:
    """What validation made of a batch: each of its records is in ``valid`` or in ``issues``.

    Attributes:
        valid: The records that can be sent, in normal form. Index: row number, ascending;
            one object column for each field that is present.
        issues: All that is wrong with each other record, by row number and in field order;
            the broken records of the batch are among them.
        warnings: Valid records by stable word: ``no_identifiers``, ``title_unlisted``.
    """

    valid: "pd.DataFrame"
    issues: dict[int, tuple[Issue, ...]]
    warnings: dict[str, int]


class Validator:
    """Holds batches to the contact schema and the rules of the run.

    Args:
        rules: What the run asks of values beyond the schema.
        now: The moment before which dates of birth must lie, with its zone.

    Raises:
        UsageError: A rule names a field, a region or a format that is not understood.
    """

    def __init__(self, rules: "Rules", now: "datetime") -> None:
        for field in rules.require:
            _must_be_a_field(field)
        self._require = rules.require
        try:
            self._schema = contact_schema(
                now=now,
                phone_region=rules.phone_region,
                date_format=rules.date_format,
                require=rules.require,
            )
        except ValueError as error:
            raise UsageError(str(error)) from None

    def validate(self, mapped: Mapped, batch: Batch) -> Validated:
        """Tell the valid records of a batch from the others, and what is wrong with those."""
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


def _must_be_a_field(name: str) -> None:
    if name not in FIELDS:
        near = get_close_matches(name, FIELDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; fields are {', '.join(FIELDS)}"
        raise UsageError(f"--require {name}: there is no such field{hint}")


def _issues(checked: Checked, mapped: Mapped, batch: Batch) -> dict[int, tuple[Issue, ...]]:
    """Gather the issues of each row, in field order."""
    found: dict[int, list[Issue]] = defaultdict(list)
    for broken in batch.broken:
        found[broken.issue.row].append(broken.issue)
    for issue in mapped.issues:
        found[issue.row].append(issue)
    malformed = {(issue.row, issue.code) for issue in mapped.issues}
    malformed |= {(issue.row, f"invalid.{CONTACT}") for issue in mapped.issues}
    for row, field, fault in checked.faults:
        code = f"invalid.{field}"
        # A cell that could not be read is told already, and it was not blank.
        if not (isinstance(fault, Missing) and (row, code) in malformed):
            found[row] += [Issue(row, code, f"{field}: {text}") for text in fault.messages]
    return {
        # Two columns of one list can be wrong in the same way; that is one thing to say.
        row: tuple(sorted(dict.fromkeys(found[row]), key=lambda issue: _ORDER.get(issue.code, -1)))
        for row in sorted(found)
    }


def _warnings(valid: "pd.DataFrame") -> dict[str, int]:
    counts = {}
    linked = sum(map(bool, valid[IDENTIFIERS].tolist())) if IDENTIFIERS in valid else 0
    if linked < len(valid):
        counts[NO_IDENTIFIERS] = len(valid) - linked
    if "title" in valid:
        unlisted = sum(title not in _LISTED for title in valid["title"].tolist())
        if unlisted:
            counts[TITLE_UNLISTED] = unlisted
    return counts


_LISTED: Final = frozenset(("", *TITLES))

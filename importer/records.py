"""The values that packages pass to each other: batches, issues, contacts, refs and outcomes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self, cast

import orjson

from schemas.results import Status

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CONTACT_DUPLICATED",
    "CONTACT_OLDER",
    "DATES_DEFAULT",
    "GUESTS_SHARED",
    "IDENTIFIERS_SHARED",
    "NO_IDENTIFIERS",
    "PHONES_UNASSIGNED",
    "REF_FORM",
    "TEXT_ENTITIES",
    "TITLE_UNLISTED",
    "Batch",
    "BrokenRecord",
    "Contact",
    "ContactRefs",
    "Issue",
    "Mapped",
    "Outcome",
    "Planned",
    "Status",
]

CONTACT_DUPLICATED: Final = "contact.duplicated"
"""Error code that makes a run exit with 1 although its row is done."""
CONTACT_OLDER: Final = "contact.older"
"""Error code of a contact found by reading back that another program may have created."""

NO_IDENTIFIERS: Final = "no_identifiers"
"""Warning: the API cannot match the contact to a guest."""
TITLE_UNLISTED: Final = "title_unlisted"
"""Warning: the API reference does not list the title."""
PHONES_UNASSIGNED: Final = "phones.unassigned"
"""Warning: a phone number is possible, but its country's numbering plan has no such number."""
DATES_DEFAULT: Final = "dates.default"
"""Warning: the date of birth is a day that databases write for "no date", such as 1900-01-01."""
TEXT_ENTITIES: Final = "text.entities"
"""Warning: a text contains an HTML entity, such as ``&amp;``."""
IDENTIFIERS_SHARED: Final = "identifiers.shared"
"""Warning: rows of different people have the same identifier."""
GUESTS_SHARED: Final = "guests.shared"
"""Warning: the API linked contacts with different identifiers to one guest."""

REF_FORM: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
"""The form of a ref: a UUID, with or without hyphens, in either case."""
_HREF_FORM: Final = re.compile(r"[!-~]{1,2000}")


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong with one record.

    Attributes:
        row: Record number, from 1.
        code: Stable word, ``invalid.<field>`` or ``invalid.record``.
        message: What is wrong and how to fix it, without the value of the cell.
    """

    row: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record whose cells cannot be told apart with certainty, so none of it is used.

    Attributes:
        issue: What is wrong with it.
        cells: The cells as far as they are known; a record with a quoting error is one cell
            that holds the text of the record as it is in the file, without the line break.
    """

    issue: Issue
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of the source file.

    Attributes:
        cells: The well-formed records. Index: row number, unique, ascending. One column for each
            header cell, in file order, labelled by position from 0; every cell ``str``
            (dtype object), a blank one ``""``.
        lines: Line in the file (from 1) at which each record starts, for *all* records of
            the batch, broken ones included. Index: row number, without gaps.
        broken: The records that are not in ``cells``, ascending.
    """

    cells: "pd.DataFrame"
    lines: "pd.Series[int]"
    broken: tuple[BrokenRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Mapped:
    """The well-formed records of a batch by API field.

    Attributes:
        fields: One object column for each field that has a column in the file. Index: row
            number, as in the batch. Text fields: ``str``, trimmed; text lists:
            ``tuple[str, ...]`` of trimmed items; identifiers: tuple of (provider, id)
            pairs. Blank is ``""`` or ``()``.
        issues: What is wrong with the form of cells; their values are blank in ``fields``.
    """

    fields: "pd.DataFrame"
    issues: tuple[Issue, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact as it will be sent.

    Attributes:
        row: Record number, from 1.
        order_ref: The order, a UUID in lower case; ``""`` when only its number is known.
        body: Request body, JSON in UTF-8: API fields in the order of the API page, no blank
            values. Bytes, because waiting contacts then need the least memory.
        reference_id: The organisation's own number of the order; ``""`` with an ``order_ref``.
        ordered_at: When the order was placed, to choose among orders of one number; None if
            the file does not say.
    """

    row: int
    order_ref: str
    body: bytes
    reference_id: str = ""
    ordered_at: datetime | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The values of the body by API field, parsed on each access."""
        return cast("dict[str, Any]", orjson.loads(self.body))


@dataclass(frozen=True, slots=True)
class Planned:
    """A contact that is to be delivered.

    Attributes:
        key: Its key in the journal.
        duplicate_of: Row of the same contact earlier in the file; None if it is the first.
    """

    contact: Contact
    key: bytes
    duplicate_of: int | None = None


@dataclass(frozen=True, slots=True)
class ContactRefs:
    """What the API calls a contact and its guest.

    A value of any other form is ``""``: it is neither sent in a path nor written to a file. So a
    blank ref means that the API gave no usable one, not that there is no contact.

    Attributes:
        ref: Reference of the contact, a UUID as the API wrote it.
        href: Address of the contact: printable ASCII, at most 2,000 characters.
        guest_ref: Reference of the guest that the API linked the contact to, a UUID.
    """

    ref: str = ""
    href: str = ""
    guest_ref: str = ""

    @classmethod
    def from_json(cls, contact: Mapping[str, object]) -> Self:
        """Return the refs of a contact, created or listed.

        The ref of the guest is the last segment of the path of ``guest.href``, whether or not
        a slash follows.

        Args:
            contact: The JSON object of the contact.

        Source: docs/api.md.
        """
        guest = contact.get("guest")
        guest_href = guest.get("href") if isinstance(guest, Mapping) else None
        guest_ref = guest_href.rstrip("/").rpartition("/")[2] if isinstance(guest_href, str) else ""
        return cls(
            _matching(REF_FORM, contact.get("ref")),
            _matching(_HREF_FORM, contact.get("href")),
            _matching(REF_FORM, guest_ref),
        )


def _matching(form: "re.Pattern[str]", value: object) -> str:
    return value if isinstance(value, str) and form.fullmatch(value) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one record.

    Attributes:
        row: Record number, from 1.
        order_ref: The order as sent, or as it is in the file when it is not a valid one.
        ref: Reference of the contact.
        href: Address of the contact.
        guest_ref: Reference of the guest that the API linked the contact to.
        attempts: Requests that tried to create the contact, in this run.
        http_status: Status of the last answer.
        retryable: Whether running the same command again may help; None when done.
        error_code: Stable word, ``""`` when there is none.
        error: Text for a person, ``""`` when there is none.
    """

    row: int
    status: Status
    order_ref: str = ""
    ref: str = ""
    href: str = ""
    guest_ref: str = ""
    attempts: int = 0
    http_status: int | None = None
    retryable: bool | None = None
    error_code: str = ""
    error: str = ""

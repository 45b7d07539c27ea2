"""What a column's name says: the API field, its number in a list, its part of a pair.

Source: contract, section 3.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from schemas.fields import FIELDS, IDENTIFIERS, LIST_FIELDS, ORDER_REF, REFERENCE_ID

PROVIDER: Final = "provider"
ID: Final = "id"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the cells of a column go.

    Attributes:
        field: API field.
        number: Place among numbered columns, as written; None without a number.
        part: ``provider`` or ``id`` of an identifier; ``""`` for a whole value.
    """

    field: str
    number: int | None = None
    part: str = ""

    @property
    def takes_one_column(self) -> bool:
        """Whether two columns for it would contradict each other."""
        return self.field not in LIST_FIELDS or bool(self.part)

    def __str__(self) -> str:
        number = "" if self.number is None else f".{self.number}"
        part = f".{self.part}" if self.part else ""
        return f"{self.field}{number}{part}"


def fold(name: str) -> str:
    """Give a header name without case, white space, ``_``, ``-``, ``.`` and brackets."""
    return re.sub(r"[\s_.\[\]-]", "", name).casefold()


_NAMES: Final = {fold(field): field for field in FIELDS} | {
    "email": "emails",
    "identifier": IDENTIFIERS,
    "orderreference": ORDER_REF,
    "phone": "phoneNumbers",
    "phonenumber": "phoneNumbers",
    "phones": "phoneNumbers",
}
_NUMBERED: Final = re.compile(r"(.*?[^0-9])([0-9]{1,9})\Z", re.DOTALL)
_PART: Final = re.compile(rf"identifiers?([0-9]{{1,9}})?({PROVIDER}|{ID})([0-9]{{1,9}})?\Z")
# What other programs call the fields: never taken for them, only hinted at.
_KIN: Final = {
    "address": "street",
    "birthdate": "dateOfBirth",
    "birthday": "dateOfBirth",
    "citizenship": "nationality",
    "dob": "dateOfBirth",
    "emailaddress": "emails",
    "familyname": "lastName",
    "forename": "firstName",
    "givenname": "firstName",
    "mobile": "phoneNumbers",
    "orderid": REFERENCE_ID,
    "ordernumber": REFERENCE_ID,
    "postalcode": "postCode",
    "province": "state",
    "salutation": "title",
    "sex": "gender",
    "surname": "lastName",
    "telephone": "phoneNumbers",
    "town": "city",
    "zip": "postCode",
}
# Long enough for any field; nearness of a longer name costs much and says nothing.
_NEAR: Final = 40


def target_of(name: str) -> Target | None:
    """Tell what a header name stands for, or None."""
    folded = fold(name)
    if field := _NAMES.get(folded):
        return Target(field)
    if (pair := _PART.match(folded)) and not (pair[1] and pair[3]):
        number = pair[1] or pair[3]
        return Target(IDENTIFIERS, int(number) if number else None, pair[2])
    if numbered := _NUMBERED.match(folded):
        field = _NAMES.get(numbered[1])
        if field in LIST_FIELDS:
            return Target(field, int(numbered[2]))
    return None


def nearest_field(name: str) -> str:
    """Name the field that *name* looks most like, or ``""``."""
    folded, known = fold(name)[:_NEAR], _KIN | _NAMES
    if near := get_close_matches(folded, known, n=1, cutoff=0.7):
        return known[near[0]]
    within = [other for other in known if other in folded]
    return known[max(within, key=len)] if within else ""


def nearest_column(name: str, header: tuple[str, ...]) -> str:
    """Name the column that *name* looks most like, or ``""``."""
    folded = {fold(column)[:_NEAR]: column for column in reversed(header)}
    near = get_close_matches(fold(name)[:_NEAR], folded, n=1)
    return folded[near[0]] if near else ""


def quoted(name: str) -> str:
    """Give a header name as it can stand in a message: one line, not too long."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return f'"{shown[:60]}…"' if len(shown) > 60 else f'"{shown}"'  # noqa: PLR2004 - a width

"""Column names: which API field the name of a column stands for.

Source: docs/input.md, "Columns".
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from schemas.fields import FIELDS, IDENTIFIERS, LIST_FIELDS, ORDER_REF, ORDERED_AT, REFERENCE_ID
from schemas.results import REJECTS_COLUMNS

PROVIDER: Final = "provider"
ID: Final = "id"
_SHOWN_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class Target:
    """What a column holds.

    Attributes:
        field: API field.
        number: Position among numbered columns, as written; None without a number.
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
    """Return a column name without case, white space, ``_``, ``-``, ``.`` and brackets."""
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
_REJECTS_COLUMNS: Final = frozenset(map(fold, REJECTS_COLUMNS))
# What other programs call the fields. Such a column is never used without --map: a hint only.
_SYNONYMS: Final = {
    "address": "street",
    "addressline": "street",
    "birthdate": "dateOfBirth",
    "birthday": "dateOfBirth",
    "cell": "phoneNumbers",
    "cellphone": "phoneNumbers",
    "citizenship": "nationality",
    "dob": "dateOfBirth",
    "emailaddress": "emails",
    "familyname": "lastName",
    "forename": "firstName",
    "givenname": "firstName",
    "mobile": "phoneNumbers",
    "mobilenumber": "phoneNumbers",
    "orderdate": ORDERED_AT,
    "orderid": REFERENCE_ID,
    "ordernumber": REFERENCE_ID,
    "passport": "passportNumber",
    "passportno": "passportNumber",
    "postalcode": "postCode",
    "province": "state",
    "salutation": "title",
    "sex": "gender",
    "streetaddress": "street",
    "surname": "lastName",
    "telephone": "phoneNumbers",
    "telephonenumber": "phoneNumbers",
    "town": "city",
    "zip": "postCode",
    "zipcode": "postCode",
}
# Words before a name that leave its meaning alone: "Billing City", "Address 1 - City".
_QUALIFIERS: Final = frozenset(
    {
        *("billing", "business", "contact", "current", "customer", "guest", "home", "mailing"),
        *("main", "personal", "postal", "primary", "private", "shipping", "work"),
    }
)
# Names one letter away from a field's that are words of their own.
_OTHER_WORDS: Final = frozenset(
    {"county", "estate", "iphone", "preferenceid", "render", "sender", "stage", "tender"}
)
_LONGEST_NAME: Final = 40  # longer than any name that is known, so comparing more is of no use


def target_of(name: str) -> Target | None:
    """Return what a column name stands for, or None."""
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


def is_of_rejects(name: str) -> bool:
    """Return whether a column is one that ``--rejects`` adds to those of the source file."""
    return fold(name) in _REJECTS_COLUMNS


def mistaken_field(name: str) -> str:
    """Return the field whose name is at most one mistake away from *name*, or ``""``.

    A mistake is a character that is missing, added or wrong, or two that are swapped. Marks
    that are neither letters nor digits do not count.
    """
    plain = "".join(filter(str.isalnum, name[: 2 * _LONGEST_NAME])).casefold()
    if len(plain) > _LONGEST_NAME or plain in _OTHER_WORDS:
        return ""
    if plain in _NAMES:
        return _NAMES[plain]
    return next((field for known, field in _NAMES.items() if _is_one_mistake(plain, known)), "")


def numbered_field(name: str) -> str:
    """Return the single-valued field whose name is *name* without the number at its end."""
    numbered = _NUMBERED.match(fold(name))
    field = _NAMES.get(numbered[1], "") if numbered else ""
    return "" if field in LIST_FIELDS else field


def suggested_field(name: str) -> str:
    """Return the field that another program means by *name*, or ``""`` in any doubt.

    The last words must be a name of the field, and those before it must not change what it
    means: ``Address 1 - City`` is a city, ``E-mail 1 - Type`` is not an e-mail address.
    """
    if len(name) > 2 * _LONGEST_NAME:
        return ""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", re.sub(r"\(.*?\)", " ", name))
    words = re.findall(r"[^\W\d_]+", spaced.casefold())
    if words[-1:] == ["value"]:
        words.pop()
    for start in range(len(words)):
        last = "".join(words[start:])
        if (field := _NAMES.get(last) or _SYNONYMS.get(last)) and all(
            word in _QUALIFIERS or word in _SYNONYMS or word in _NAMES for word in words[:start]
        ):
            return field
    return ""


def nearest_field(name: str) -> str:
    """Return the field that a name given in an option looks most like, or ``""``."""
    folded, known = fold(name)[:_LONGEST_NAME], _SYNONYMS | _NAMES
    near = get_close_matches(folded, known, n=1, cutoff=0.7)
    return known[near[0]] if near else suggested_field(name)


def no_such_field(name: str) -> str:
    """Return a message about *name*, which an option names but is not a field."""
    near = nearest_field(name)
    hint = f"did you mean {near}?" if near else f"fields are {', '.join(FIELDS)}"
    return f"there is no field {quoted(name)}; {hint}"


def nearest_column(name: str, header: Iterable[str]) -> str:
    """Return the column that a name given in an option looks most like, or ``""``."""
    folded = {fold(column)[:_LONGEST_NAME]: column for column in reversed([*header])}
    near = get_close_matches(fold(name)[:_LONGEST_NAME], folded, n=1)
    return folded[near[0]] if near else ""


def quoted(name: str) -> str:
    """Return a column name as it can be part of a message: on one line, not too long."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    if len(shown) > _SHOWN_CHARACTERS:
        return f'"{shown[:_SHOWN_CHARACTERS]}…"'
    return f'"{shown}"'


def _is_one_mistake(name: str, known: str) -> bool:
    """Return whether one insertion, deletion, substitution or swap makes *known* of *name*."""
    if abs(len(name) - len(known)) > 1:
        return False
    shorter = min(len(name), len(known))
    start = next((at for at in range(shorter) if name[at] != known[at]), shorter)
    rest, expected = name[start:], known[start:]
    return (
        rest[1:] == expected[1:]
        or rest[1:] == expected
        or rest == expected[1:]
        or (rest[:2] == expected[1::-1] and rest[2:] == expected[2:])
    )

"""Reading back: which of an order's contacts is the one that was sent."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from importer.records import Contact
from schemas.canonical import canonical_field, differing_fields
from schemas.fields import CONTACT_FIELDS

_PERSON: Final = ("firstName", "lastName", "dateOfBirth")


@dataclass(frozen=True, slots=True)
class Found:
    """A contact of the order, as the API tells of it."""

    ref: str
    href: str
    guest_ref: str


@dataclass(slots=True)
class Sighting:
    """What a reading back has shown.

    Attributes:
        equal: Contacts that equal what was sent, in canonical form, on every field sent.
        alike: Contacts of the same person that do not: the API may have changed what it
            stored, or keeps some fields to itself. Nobody can tell.
    """

    equal: list[Found] = field(default_factory=list)
    alike: list[Found] = field(default_factory=list)


def look_for(
    contact: Contact,
    listed: Sequence[Mapping[str, object]],
    owned: Collection[str],
) -> Sighting:
    """Find the contact that was sent among those of its order.

    Args:
        contact: What was sent.
        listed: All contacts of its order.
        owned: Refs that belong to other contacts of the journal; they cannot be it.
    """
    sighting, sent = Sighting(), contact.fields
    for item in listed:
        ref = _text(item.get("ref"))
        if not ref or ref in owned:
            continue
        is_equal = not differing_fields(sent, item)
        if is_equal and not _has_more(sent, item):
            sighting.equal.append(of_item(item))
        elif is_equal or is_same_person(sent, item):
            sighting.alike.append(of_item(item))
    return sighting


def _has_more(sent: Mapping[str, object], found: Mapping[str, object]) -> bool:
    """Whether it has fields that were not sent: then it may be another row's contact."""
    return any(
        canonical_field(field, found.get(field)) for field in CONTACT_FIELDS if field not in sent
    )


def of_item(item: Mapping[str, object]) -> Found:
    """A contact as it stands in the API's list."""
    return Found(_text(item.get("ref")), _text(item.get("href")), _guest_ref(item.get("guest")))


def is_same_person(sent: Mapping[str, object], found: Mapping[str, object]) -> bool:
    """Whether both share an identifier, or else an address, or else name and birth date.

    What only one of them has does not tell them apart.
    """
    for shared in ("identifiers", "emails"):
        of_sent = canonical_field(shared, sent.get(shared))
        of_found = canonical_field(shared, found.get(shared))
        if of_sent and of_found:
            return not set(of_sent).isdisjoint(of_found)
    names = [canonical_field(name, sent.get(name)) for name in _PERSON]
    return any(names) and names == [canonical_field(name, found.get(name)) for name in _PERSON]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _guest_ref(guest: object) -> str:
    href = guest.get("href") if isinstance(guest, Mapping) else ""
    return _text(href).rstrip("/").rpartition("/")[2]

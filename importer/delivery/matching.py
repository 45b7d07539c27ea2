"""Which of an order's contacts is the one that was sent, or the same person."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from importer.records import Contact, ContactRefs
from schemas.canonical import canonical_field, differing_fields
from schemas.fields import CONTACT_FIELDS

_PERSON: Final = ("firstName", "lastName", "dateOfBirth")


@dataclass(slots=True)
class Sighting:
    """What reading an order's contacts has shown.

    Attributes:
        equal: Contacts that equal what was sent, in canonical form, in every field sent, and
            hold nothing else.
        alike: Other contacts of the same person: the API may have changed what it stored, or
            may hide some fields, so they may be it.
    """

    equal: list[ContactRefs] = field(default_factory=list)
    alike: list[ContactRefs] = field(default_factory=list)


def look_for(
    contact: Contact,
    listed: Sequence[Mapping[str, object]],
    owned: Collection[str],
    found: Collection[str],
) -> Sighting:
    """Find the contact that was sent among those of its order.

    Args:
        contact: What was sent.
        listed: All contacts of its order.
        owned: Refs that belong to other contacts of the journal.
        found: Those of them that no run created. One that equals what was sent may be it: the
            other row may have been looked up after this one was sent.
    """
    sighting, sent = Sighting(), contact.fields
    for item in listed:
        refs = ContactRefs.from_json(item)
        is_equal = not differing_fields(sent, item)
        is_exact = is_equal and not has_more(sent, item)
        if not refs.ref or (refs.ref in owned and not (is_exact and refs.ref in found)):
            continue
        if is_exact:
            sighting.equal.append(refs)
        elif is_equal or is_same_person(sent, item):
            sighting.alike.append(refs)
    return sighting


def is_same_person(sent: Mapping[str, object], found: Mapping[str, object]) -> bool:
    """Return whether both share an identifier, or else an address, or else name and birth date.

    A field that only one of them has does not tell them apart.
    """
    for shared in ("identifiers", "emails"):
        of_sent = canonical_field(shared, sent.get(shared))
        of_found = canonical_field(shared, found.get(shared))
        if of_sent and of_found:
            return not set(of_sent).isdisjoint(of_found)
    names = [canonical_field(name, sent.get(name)) for name in _PERSON]
    return any(names) and names == [canonical_field(name, found.get(name)) for name in _PERSON]


def has_more(sent: Mapping[str, object], found: Mapping[str, object]) -> bool:
    """Return whether it has fields that were not sent: it may be another row's contact."""
    return any(
        canonical_field(name, found.get(name)) for name in CONTACT_FIELDS if name not in sent
    )

"""Reading back: which of an order's contacts is the one that was sent."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from importer.records import Contact
from schemas.canonical import same_contact


@dataclass(frozen=True, slots=True)
class Found:
    """A contact of the order, as the API tells of it."""

    ref: str
    href: str
    guest_ref: str


def candidates(
    contact: Contact,
    listed: Sequence[Mapping[str, object]],
    owned: Collection[str],
) -> list[Found]:
    """Those of the order's contacts that may be the one that was sent.

    Args:
        contact: What was sent.
        listed: All contacts of its order.
        owned: Refs that belong to other contacts of the journal.

    Returns:
        Those that are equal in canonical form on every field sent and belong to nobody else.
    """
    return [
        Found(ref, _text(item.get("href")), _guest_ref(item.get("guest")))
        for item in listed
        if (ref := _text(item.get("ref"))) and ref not in owned and same_contact(contact.body, item)
    ]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _guest_ref(guest: object) -> str:
    href = guest.get("href") if isinstance(guest, Mapping) else ""
    return _text(href).rstrip("/").rpartition("/")[2]

"""The contacts of orders, as far as this run knows them: each order's are read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from importer.delivery.settling import is_same_person

_CONTACTS_KEPT: Final = 10_000  # of all orders together, the latest ones; some 30 MB

Listed = Mapping[str, object]


@dataclass(slots=True)
class Listings:
    """Remembers the contacts of the orders that were read last, and what became of them since."""

    _of_orders: dict[str, list[Listed]] = field(default_factory=dict)
    _count: int = 0

    def get(self, order_ref: str) -> list[Listed] | None:
        """The contacts of an order; None when they must be read."""
        return self._of_orders.get(order_ref)

    def keep(self, order_ref: str, contacts: Sequence[Listed]) -> None:
        """Remember the contacts of an order that were just read."""
        self.forget(order_ref)
        self._of_orders[order_ref] = list(contacts)
        self._count += len(contacts) + 1
        while self._count > _CONTACTS_KEPT and len(self._of_orders) > 1:
            self.forget(next(iter(self._of_orders)))

    def add(self, order_ref: str, contact: Listed) -> None:
        """Remember that a contact of an order is there now, or has other values now.

        One that a preview would create has no ref yet, so it is known by its person.
        """
        contacts = self._of_orders.get(order_ref)
        if contacts is None:
            return
        same = (at for at, one in enumerate(contacts) if _is_same(contact, one))
        at = next(same, None)
        if at is None:
            contacts.append(contact)
            self._count += 1
        else:
            contacts[at] = {**contacts[at], **contact}

    def forget(self, order_ref: str) -> None:
        """Have the contacts of an order be read again."""
        contacts = self._of_orders.pop(order_ref, None)
        self._count -= 0 if contacts is None else len(contacts) + 1


def _is_same(contact: Listed, other: Listed) -> bool:
    if contact.get("ref") != other.get("ref"):
        return False
    return bool(contact.get("ref")) or is_same_person(contact, other)

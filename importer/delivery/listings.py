"""The contacts of orders that this run has read: each order's are read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from importer.delivery.matching import is_same_person
from importer.records import Contact, Outcome, Status

_CONTACTS_KEPT: Final = 10_000  # of all orders together, the latest ones; some 30 MB

Listed = Mapping[str, object]


@dataclass(slots=True)
class Listings:
    """The contacts of the orders that were read last, with what this run has changed since."""

    _of_orders: dict[str, list[Listed]] = field(default_factory=dict)
    _count: int = 0

    def get(self, order_ref: str) -> list[Listed] | None:
        """Return the contacts of an order; None when they must be read."""
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

        One that a preview would create has no ref yet, so it is recognised by its person.
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

    def remove(self, order_ref: str, ref: str) -> None:
        """Take a contact out of those of an order."""
        contacts = self._of_orders.get(order_ref, [])
        left = [one for one in contacts if one.get("ref") != ref]
        self._count -= len(contacts) - len(left)
        contacts[:] = left

    def learn(self, contact: Contact, outcome: Outcome, *, attempts: int, preview: bool) -> None:
        """Remember what this run has done to a contact, for the rows that follow."""
        if self.get(contact.order_ref) is None:
            return  # it was not read, as no order is where nothing is compared
        match outcome.status:
            case Status.CREATED | Status.UPDATED | Status.VALID if outcome.ref or preview:
                own = {"ref": outcome.ref, "href": outcome.href}
                guest = {"guest": {"href": outcome.guest_ref}} if outcome.guest_ref else {}
                self.add(contact.order_ref, {**contact.fields, **own, **guest})
            case Status.CREATED | Status.UNKNOWN | Status.FAILED if attempts:
                self.forget(contact.order_ref)  # what it holds now is not known here
            case _:
                pass

    def forget(self, order_ref: str) -> None:
        """Have the contacts of an order read again."""
        contacts = self._of_orders.pop(order_ref, None)
        self._count -= 0 if contacts is None else len(contacts) + 1


def _is_same(contact: Listed, other: Listed) -> bool:
    if contact.get("ref") != other.get("ref"):
        return False
    return bool(contact.get("ref")) or is_same_person(contact, other)

"""Orders by the organisation's own numbers: each number is looked up once.

Source: docs/api.md.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from importer.api import instant_of
from importer.api.calls import FindOrders
from importer.delivery.state import ContactState, RunState
from importer.engine import Done, Procedure, Stopped, read_list, wait
from importer.records import Contact
from schemas.fields import REFERENCE_ID
from schemas.text import parse_order_ref

_KEPT: Final = 50_000  # numbers whose orders are remembered; some 10 MB
_SAME_ORDER: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the order of a number cannot be determined.

    Attributes:
        code: Stable word.
        message: Text for a person; it names the number.
        http_status: Status of the answer that said so.
        is_final: Whether asking again in this run would get the same answer.
    """

    code: str
    message: str
    http_status: int | None = None
    is_final: bool = True


class FoundOrder(NamedTuple):
    """An order that has a number, and when it was placed if the API says so."""

    ref: str
    ordered_at: datetime | None


Found: TypeAlias = tuple[FoundOrder, ...] | Refusal
"""The orders of a number, or why they cannot be used."""


def look_up(number: str, run: RunState, learn: Callable[[str, Found], None]) -> Procedure[Done]:
    """Find the orders of a number and hand them to ``learn``."""
    failures = 0
    try:
        while (listing := (yield from read_list(FindOrders(number)))).failure:
            answer = listing.failure
            if answer.http_status == 404:  # noqa: PLR2004 - of HTTP
                # The API answers with an empty list, so this may be another program.
                stop = run.missing_orders.add(number, answer)
                learn(number, orders_of(number, ()))
                return Done(None, stop=stop)
            failures += 1
            if run.retry.reading_fails(answer, failures):
                message = f"The order could not be looked up. {answer.message}"
                refusal = Refusal(answer.error_code, message, answer.http_status, is_final=False)
                learn(number, refusal)
                return Done(None)
            yield from wait(run.retry.delay(answer, failures))
    except Stopped:
        return Done(None)
    found = orders_of(number, listing.items)
    if not isinstance(found, Refusal):
        run.missing_orders.found_one()
    learn(number, found)
    return Done(None)


def orders_of(number: str, listed: Sequence[Mapping[str, object]]) -> Found:
    """Return the orders in the API's answer that have a number.

    An order that says that it has another number is not one of them, however similar.
    """
    items = [item for item in listed if _has_number(item, number)]
    if not items:
        return Refusal("order.not_found", f"There is no order with the number {number}.")
    found = {}
    for item in items:
        ref = parse_order_ref(str(item["ref"]))
        if not isinstance(ref, str):
            message = f"The API gave an order with the number {number} a ref that is not a UUID."
            return Refusal("response.invalid", message, is_final=False)
        found[ref] = FoundOrder(ref, instant_of(item, "orderedAt"))
    return tuple(found.values())


def choose(number: str, found: Found, ordered_at: datetime | None) -> str | Refusal:
    """Return the ref of the one order that is meant, or why that is open.

    Args:
        number: The organisation's own number of the order.
        found: The orders that have it.
        ordered_at: When the order was placed, if the file says so: within 24 hours.
    """
    if isinstance(found, Refusal):
        return found
    matching = list(found)
    if ordered_at is not None and any(one.ordered_at for one in found):
        matching = [
            one
            for one in found
            if one.ordered_at is not None and abs(one.ordered_at - ordered_at) <= _SAME_ORDER
        ]
    if len(matching) == 1:
        return matching[0].ref
    refs = ", ".join(sorted(one.ref for one in matching or found))
    if not matching:
        message = f"No order with the number {number} was placed within 24 hours of orderedAt"
        return Refusal("order.not_found", f"{message}; the number belongs to {refs}.")
    message = f"{len(matching)} orders have the number {number}: {refs}."
    remedy = "Give the orderRef, or orderedAt to tell them apart."
    return Refusal("order.ambiguous", f"{message} {remedy}")


@dataclass(slots=True)
class Orders:
    """The orders of numbers that are known, and the contacts that wait to learn theirs."""

    # A plain dict would be slow to find its oldest.
    _known: OrderedDict[str, Found] = field(default_factory=OrderedDict)
    _requested: set[str] = field(default_factory=set)
    _waiting: dict[str, list[ContactState]] = field(default_factory=dict)

    @property
    def are_awaited(self) -> bool:
        """Whether any contact waits."""
        return bool(self._waiting)

    def find(self, contact: Contact) -> str | Refusal | None:
        """Return the order of a contact, or why there is none; None if that is not known yet."""
        found = self._known.get(contact.reference_id)
        return None if found is None else _chosen(contact, found)

    def request(self, number: str) -> bool:
        """Return whether to look a number up: it is not known, and no other row has asked."""
        if number in self._known or number in self._requested:
            return False
        self._requested.add(number)
        return True

    def wait(self, state: ContactState) -> None:
        """Have a contact wait for its order."""
        self._waiting.setdefault(state.contact.reference_id, []).append(state)

    def learn(self, number: str, found: Found) -> list[tuple[ContactState, str | Refusal]]:
        """Remember the orders of a number; return who has waited for them, in file order."""
        self._requested.discard(number)
        if not isinstance(found, Refusal) or found.is_final:
            self._known[number] = found
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        waiting = self._waiting.pop(number, [])
        return [(state, _chosen(state.contact, found)) for state in waiting]

    def take_all(self) -> list[ContactState]:
        """Return the contacts that still wait; none does afterwards."""
        states = [state for waiting in self._waiting.values() for state in waiting]
        self._waiting.clear()
        return states


def with_order(state: ContactState, order_ref: str, key: bytes) -> ContactState:
    """Return the state of a contact whose order is known now.

    Args:
        state: Its state so far; its key, made from the number, becomes its alias.
        order_ref: The order.
        key: The journal's key of the contact of that order.
    """
    contact = replace(state.contact, order_ref=order_ref)
    return replace(state, contact=contact, key=key, alias=state.key)


def _chosen(contact: Contact, found: Found) -> str | Refusal:
    return choose(contact.reference_id, found, contact.ordered_at)


def _has_number(item: Mapping[str, object], number: str) -> bool:
    given = item.get(REFERENCE_ID)
    return given is None or str(given).strip() == number

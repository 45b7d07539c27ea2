"""What each call of the API does. Source: contract, section 1.

Nothing here knows of the wire: a call takes what stood in the request and returns an answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, unique
from http import HTTPStatus
from typing import Any, Final, assert_never

from importer.sandbox.answers import NO_CONTENT, Answer, date_time, error, json_answer
from importer.sandbox.contacts import InvalidBodyError, contact_fields
from importer.sandbox.orders import Orders, canonical_uuid
from importer.sandbox.paging import InvalidQueryError, Page, read_flag, refuse_unknown
from importer.sandbox.store import Store, StoredContact
from schemas.fields import CONTACT_FIELDS, REFERENCE_ID

_GUEST_REF: Final = "guestRef"
_LIST_PARAMETERS: Final = frozenset({"expand", "offset", "limit"})
_FIND_PARAMETERS: Final = frozenset({REFERENCE_ID, _GUEST_REF, "offset", "limit"})
_NO_CONTACT: Final = "There is no such order contact."


@unique
class Call(StrEnum):
    """The calls of the API, by the names that fault rules use."""

    CREATE = "create"
    LIST = "list"
    GET = "get"
    UPDATE = "update"
    DELETE = "delete"
    FIND_ORDERS = "find-orders"
    GET_ORDER = "get-order"


@dataclass(frozen=True, slots=True)
class Asked:
    """What stood in one request.

    Attributes:
        call: Which call it is.
        ref: The order's or the contact's reference in the path, ``""`` for find-orders.
        query: The parameters behind the question mark.
        body: As it was sent.
    """

    call: Call
    ref: str
    query: Mapping[str, str]
    body: bytes


class _NotFoundError(Exception):
    """There is no such order or contact; the text is the message of the answer."""


class Api:
    """The calls, on one store and one set of orders."""

    def __init__(
        self, store: Store, orders: Orders, base_url: str, now: Callable[[], datetime]
    ) -> None:
        """Take what the calls work on.

        Args:
            store: Keeps the contacts.
            orders: Knows which orders exist.
            base_url: What every ``href`` begins with, without a slash at its end.
            now: The moment, with its time zone.
        """
        self._store = store
        self._orders = orders
        self._base_url = base_url
        self._now = now
        self._calls: dict[Call, Callable[[Asked], Answer]] = {
            Call.CREATE: self._create,
            Call.LIST: self._list,
            Call.GET: self._get,
            Call.UPDATE: self._update,
            Call.DELETE: self._delete,
            Call.FIND_ORDERS: self._find_orders,
            Call.GET_ORDER: self._get_order,
        }

    def answer(self, asked: Asked) -> Answer:
        """Carry a call out and return its answer; every failure is an answer too."""
        try:
            return self._calls[asked.call](asked)
        except _NotFoundError as fault:
            return error(HTTPStatus.NOT_FOUND, str(fault))
        except (InvalidBodyError, InvalidQueryError) as fault:
            return error(HTTPStatus.BAD_REQUEST, str(fault))

    def subject(self, asked: Asked) -> str:
        """Return the order that a call is about, or the number or guest that is looked for.

        It is ``""`` for a contact that does not exist.
        """
        match asked.call:
            case Call.CREATE | Call.LIST | Call.GET_ORDER:
                return asked.ref.lower()
            case Call.GET | Call.UPDATE | Call.DELETE:
                contact = self._store.get(asked.ref.lower())
                return contact.order_ref if contact else ""
            case Call.FIND_ORDERS:
                return asked.query.get(REFERENCE_ID) or asked.query.get(_GUEST_REF, "")
            case _:
                assert_never(asked.call)

    def _create(self, asked: Asked) -> Answer:
        order_ref = self._order(asked.ref)
        now = self._now()
        fields = contact_fields(asked.body, now)
        contact = self._store.add(order_ref, fields, _milliseconds(now))
        return json_answer(HTTPStatus.CREATED, self._shown(contact))

    def _update(self, asked: Asked) -> Answer:
        ref = asked.ref.lower()
        _found(self._store.get(ref))
        now = self._now()
        contact = self._store.change(ref, contact_fields(asked.body, now), _milliseconds(now))
        return json_answer(HTTPStatus.OK, self._shown(_found(contact)))

    def _get(self, asked: Asked) -> Answer:
        contact = self._store.get(asked.ref.lower())
        return json_answer(HTTPStatus.OK, self._shown(_found(contact)))

    def _delete(self, asked: Asked) -> Answer:
        if not self._store.remove(asked.ref.lower()):
            raise _NotFoundError(_NO_CONTACT)
        return NO_CONTENT

    def _get_order(self, asked: Asked) -> Answer:
        return json_answer(HTTPStatus.OK, self._shown_order(self._order(asked.ref)))

    def _list(self, asked: Asked) -> Answer:
        refuse_unknown(asked.query, _LIST_PARAMETERS)
        order_ref = self._order(asked.ref)
        page = Page.asked_for(asked.query)
        expand = read_flag(asked.query, "expand")
        contacts = self._store.of_order(order_ref, page.offset, page.limit)
        items = [self._shown(contact) if expand else self._link(contact) for contact in contacts]
        url = f"{self._base_url}/v2.1/orders/{order_ref}/contacts"
        total = self._store.count_of_order(order_ref)
        kept = {"expand": "true"} if expand else {}
        return json_answer(HTTPStatus.OK, page.shown(url, kept, total, items))

    def _find_orders(self, asked: Asked) -> Answer:
        refuse_unknown(asked.query, _FIND_PARAMETERS)
        number, guest = asked.query.get(REFERENCE_ID), asked.query.get(_GUEST_REF)
        page = Page.asked_for(asked.query)
        kept: dict[str, str] = {}
        if number is not None and guest is not None:
            raise InvalidQueryError(f"{_GUEST_REF}: may not be combined with {REFERENCE_ID}.")
        if number is not None:
            kept[REFERENCE_ID] = _not_empty(REFERENCE_ID, number)
            refs = self._orders.of_number(number)
        elif guest is not None:
            kept[_GUEST_REF] = _not_empty(_GUEST_REF, canonical_uuid(guest) or "")
            refs = self._store.orders(kept[_GUEST_REF])
        else:
            listed = self._orders.listed
            refs = self._store.orders() if listed is None else listed
        items = [
            self._shown_order(ref, number or "")
            for ref in refs[page.offset : page.offset + page.limit]
        ]
        url = f"{self._base_url}/v2.1/orders"
        return json_answer(HTTPStatus.OK, page.shown(url, kept, len(refs), items))

    def _order(self, ref: str) -> str:
        known = self._orders.known(ref)
        if known is None:
            raise _NotFoundError("There is no such order.")
        return known

    def _shown(self, contact: StoredContact) -> dict[str, Any]:
        fields = contact.fields
        return {
            **self._link(contact),
            "createdAt": date_time(contact.created_ms),
            "modifiedAt": date_time(contact.modified_ms),
            **{name: fields[name] for name in CONTACT_FIELDS if name in fields},
            "order": {"href": f"{self._base_url}/v2.1/orders/{contact.order_ref}"},
            "guest": {"href": f"{self._base_url}/v2.1/guests/{contact.guest_ref}"},
        }

    def _link(self, contact: StoredContact) -> dict[str, str]:
        return {
            "ref": contact.ref,
            "href": f"{self._base_url}/v2.1/orderContacts/{contact.ref}",
        }

    def _shown_order(self, ref: str, number: str = "") -> dict[str, str]:
        number = number or self._orders.number_of(ref)
        shown = {"ref": ref, "href": f"{self._base_url}/v2.1/orders/{ref}"}
        return {**shown, REFERENCE_ID: number} if number else shown


def _found(contact: StoredContact | None) -> StoredContact:
    if contact is None:
        raise _NotFoundError(_NO_CONTACT)
    return contact


def _not_empty(name: str, value: str) -> str:
    if not value:
        raise InvalidQueryError(f"{name}: is not valid.")
    return value


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

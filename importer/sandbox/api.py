"""What each call of the API does.

Nothing here depends on HTTP: a call takes an ``ApiRequest`` and returns an ``Answer``.

Source: docs/api.md.
"""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, assert_never

from importer.sandbox.document import contact_fields
from importer.sandbox.messages import (
    NO_CONTENT,
    Answer,
    ApiRequest,
    Call,
    InvalidRequestError,
    Page,
    date_time,
    error_answer,
    json_answer,
    read_flag,
    refuse_unknown_parameters,
)
from importer.sandbox.store import Orders, Store, StoredContact, canonical_uuid
from schemas.fields import CONTACT_FIELDS, REFERENCE_ID

_GUEST_REF: Final = "guestRef"
_LIST_PARAMETERS: Final = frozenset({"expand", "offset", "limit"})
_FIND_PARAMETERS: Final = frozenset({REFERENCE_ID, _GUEST_REF, "offset", "limit"})
_NO_CONTACT: Final = "There is no such order contact."


class _NotFoundError(Exception):
    """There is no such order or contact; the text is the message of the answer."""


class Api:
    """The calls, on one store and one set of orders.

    Args:
        store: Where the contacts are.
        orders: Which orders exist.
        base_url: The beginning of every ``href``, without a trailing slash.
        now: Returns the time, with its time zone.
    """

    def __init__(
        self, store: Store, orders: Orders, base_url: str, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._orders = orders
        self._base_url = base_url
        self._now = now
        self._calls: dict[Call, Callable[[ApiRequest], Answer]] = {
            Call.CREATE: self._create,
            Call.LIST: self._list,
            Call.GET: self._get,
            Call.UPDATE: self._update,
            Call.DELETE: self._delete,
            Call.FIND_ORDERS: self._find_orders,
            Call.GET_ORDER: self._get_order,
        }

    def answer(self, request: ApiRequest) -> Answer:
        """Carry out a call and return its answer; every failure is an answer too."""
        try:
            return self._calls[request.call](request)
        except _NotFoundError as error:
            return error_answer(HTTPStatus.NOT_FOUND, str(error))
        except InvalidRequestError as error:
            return error_answer(HTTPStatus.BAD_REQUEST, str(error))

    def subject(self, request: ApiRequest) -> str:
        """Return the order that a call concerns, or the number or guest that it looks up.

        It is ``""`` for a contact that does not exist.
        """
        match request.call:
            case Call.CREATE | Call.LIST | Call.GET_ORDER:
                return request.ref.lower()
            case Call.GET | Call.UPDATE | Call.DELETE:
                contact = self._store.get(request.ref.lower())
                return contact.order_ref if contact else ""
            case Call.FIND_ORDERS:
                return request.query.get(REFERENCE_ID) or request.query.get(_GUEST_REF, "")
            case _:
                assert_never(request.call)

    def _create(self, request: ApiRequest) -> Answer:
        order_ref = self._order(request.ref)
        now = self._now()
        fields = contact_fields(request.body, now)
        contact = self._store.add(order_ref, fields, _milliseconds(now))
        return json_answer(HTTPStatus.CREATED, self._contact_json(contact))

    def _update(self, request: ApiRequest) -> Answer:
        ref = request.ref.lower()
        _found(self._store.get(ref))
        now = self._now()
        contact = self._store.change(ref, contact_fields(request.body, now), _milliseconds(now))
        return json_answer(HTTPStatus.OK, self._contact_json(_found(contact)))

    def _get(self, request: ApiRequest) -> Answer:
        contact = self._store.get(request.ref.lower())
        return json_answer(HTTPStatus.OK, self._contact_json(_found(contact)))

    def _delete(self, request: ApiRequest) -> Answer:
        if not self._store.remove(request.ref.lower()):
            raise _NotFoundError(_NO_CONTACT)
        return NO_CONTENT

    def _get_order(self, request: ApiRequest) -> Answer:
        return json_answer(HTTPStatus.OK, self._order_json(self._order(request.ref)))

    def _list(self, request: ApiRequest) -> Answer:
        refuse_unknown_parameters(request.query, _LIST_PARAMETERS)
        order_ref = self._order(request.ref)
        page = Page.from_query(request.query)
        expand = read_flag(request.query, "expand")
        contacts = self._store.of_order(order_ref, page.offset, page.limit)
        items = [
            self._contact_json(contact) if expand else self._link(contact) for contact in contacts
        ]
        url = f"{self._base_url}/v2.1/orders/{order_ref}/contacts"
        total = self._store.count_of_order(order_ref)
        parameters = {"expand": "true"} if expand else {}
        return json_answer(HTTPStatus.OK, page.as_json(url, parameters, total, items))

    def _find_orders(self, request: ApiRequest) -> Answer:
        refuse_unknown_parameters(request.query, _FIND_PARAMETERS)
        number, guest = request.query.get(REFERENCE_ID), request.query.get(_GUEST_REF)
        page = Page.from_query(request.query)
        parameters: dict[str, str] = {}
        if number is not None and guest is not None:
            raise InvalidRequestError(f"{_GUEST_REF}: may not be combined with {REFERENCE_ID}.")
        if number is not None:
            parameters[REFERENCE_ID] = _not_empty(REFERENCE_ID, number)
            refs = self._orders.with_number(number)
        elif guest is not None:
            parameters[_GUEST_REF] = _not_empty(_GUEST_REF, canonical_uuid(guest) or "")
            refs = self._store.orders(parameters[_GUEST_REF])
        else:
            listed = self._orders.listed
            refs = self._store.orders() if listed is None else listed
        items = [
            self._order_json(ref, number or "")
            for ref in refs[page.offset : page.offset + page.limit]
        ]
        url = f"{self._base_url}/v2.1/orders"
        return json_answer(HTTPStatus.OK, page.as_json(url, parameters, len(refs), items))

    def _order(self, ref: str) -> str:
        found = self._orders.find(ref)
        if found is None:
            raise _NotFoundError("There is no such order.")
        return found

    def _contact_json(self, contact: StoredContact) -> dict[str, Any]:
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

    def _order_json(self, ref: str, number: str = "") -> dict[str, str]:
        number = number or self._orders.number_of(ref)
        order = {"ref": ref, "href": f"{self._base_url}/v2.1/orders/{ref}"}
        return {**order, REFERENCE_ID: number} if number else order


def _found(contact: StoredContact | None) -> StoredContact:
    if contact is None:
        raise _NotFoundError(_NO_CONTACT)
    return contact


def _not_empty(name: str, value: str) -> str:
    if not value:
        raise InvalidRequestError(f"{name}: is not valid.")
    return value


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)

"""The calls of the API, as values: a procedure asks for one, a connection carries it out."""

from typing import NamedTuple, TypeAlias


class CreateContact(NamedTuple):
    """Create a contact on an order; ``body`` is JSON in UTF-8."""

    order_ref: str
    body: bytes


class UpdateContact(NamedTuple):
    """Change the fields of a contact that ``body`` holds, JSON in UTF-8."""

    ref: str
    body: bytes


class DeleteContact(NamedTuple):
    """Remove a contact from its order."""

    ref: str


class ReadContact(NamedTuple):
    """Read one contact."""

    ref: str


class ListContacts(NamedTuple):
    """Read all contacts of an order, with all their fields."""

    order_ref: str


class FindOrders(NamedTuple):
    """Find the orders with one of the organisation's own order numbers."""

    reference_id: str


Change: TypeAlias = CreateContact | UpdateContact | DeleteContact
"""A call that changes something."""
Call: TypeAlias = Change | ReadContact | ListContacts | FindOrders

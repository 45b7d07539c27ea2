"""What is known about one contact on its way, and what the contacts of a run share."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from importer.api import Answer
from importer.delivery.dating import Dating
from importer.delivery.listings import Listings
from importer.engine import Retry, Stop
from importer.journal import Entry
from importer.records import Contact, ContactRefs
from importer.settings import IfExists

_REFS_KEPT: Final = 10_000
_MISSING_ORDERS_KEPT: Final = 10_000
_MISSING_ORDERS_IN_A_ROW: Final = 5


class Memory(Protocol):
    """What earlier runs, and this one so far, have sent; the journal."""

    def find(self, keys: Sequence[bytes], /) -> Mapping[bytes, Entry]:
        """Return the entries of those keys that have one."""

    def owned_refs(self, order_ref: str, besides: Collection[bytes], /) -> set[str]:
        """Return the refs of an order's entries, except those of the keys ``besides``."""

    def found_refs(self, order_ref: str, besides: Collection[bytes], /) -> set[str]:
        """Return those of :meth:`owned_refs` that no run created."""

    def key(self, order: str, canonical: bytes, /) -> bytes:
        """Return the key of a contact."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that the API is given to finish what it may have begun.

    Attributes:
        answered: Before each reading back when an answer came: the server is done with it.
        unanswered: The same when none came: the server may still be at work on it.
        earlier: The same for a request of an earlier run, whose connection died with it.
        audit: After the creation of a contact that was sent again, until its order is checked
            for the request that was given up: the API may have carried it out late.
    """

    answered: tuple[float, ...] = (0.0, 1.0, 2.0)
    unanswered: tuple[float, ...] = (0.0, 2.0, 5.0)
    earlier: tuple[float, ...] = (0.0, 1.0, 2.0)
    audit: float = 2.0

    def delays(self, unclear: Answer | None) -> tuple[float, ...]:
        """Return the delays after an unclear answer; None is that of an earlier run."""
        if unclear is None:
            return self.earlier
        return self.unanswered if unclear.http_status is None else self.answered


@dataclass(slots=True)
class ContactState:
    """One contact and how far it has come in this run.

    Attributes:
        key: Its key in the journal.
        alias: Another key of it, made from the order's own number before that was looked up.
        entry: Its entry in the journal, or the one that the next commit writes; None if none.
        duplicate_of: Row of the same contact earlier in the file; None if it is the first.
        attempts: Requests that tried to create or change it.
        answer: The answer to the last of them.
        is_resent: Whether it was sent again after an unclear answer.
        there: Reference of the contact that is to be changed, once that has been tried.
        stop: Why its outcome must end the run, if so.
    """

    contact: Contact
    key: bytes
    entry: Entry | None = None
    duplicate_of: int | None = None
    alias: bytes | None = None
    attempts: int = 0
    answer: Answer | None = None
    is_resent: bool = False
    there: ContactRefs | None = None
    stop: Stop | None = None

    @property
    def order_ref(self) -> str:
        """The order, a UUID in lower case."""
        return self.contact.order_ref

    @property
    def keys(self) -> tuple[bytes, ...]:
        """All keys by which the journal knows it."""
        return (self.key,) if self.alias is None else (self.key, self.alias)

    @property
    def lacks_ref(self) -> bool:
        """Whether an earlier run created it and ended before it could read its ref back."""
        return self.entry is not None and self.entry.lacks_ref

    @property
    def is_unsettled(self) -> bool:
        """Whether an earlier run left open if, or under which ref, it is there."""
        is_unclear = self.entry is not None and self.entry.is_unclear
        return self.duplicate_of is None and (is_unclear or self.lacks_ref)


@dataclass(slots=True)
class MissingOrders:
    """Orders that the API does not know: their other rows need not be tried."""

    _answers: OrderedDict[str, Answer] = field(default_factory=OrderedDict)
    _in_a_row: set[str] = field(default_factory=set)
    _any_found: bool = False

    def answer_for(self, order_ref: str) -> Answer | None:
        """Return the answer that said that there is no such order, if any did."""
        return self._answers.get(order_ref)

    def add(self, order: str, answer: Answer) -> Stop | None:
        """Remember an order that does not exist; many and no other mean the wrong API."""
        if len(self._answers) >= _MISSING_ORDERS_KEPT:
            self._answers.popitem(last=False)
        self._answers[order] = answer
        self._in_a_row.add(order)
        if self._any_found or len(self._in_a_row) < _MISSING_ORDERS_IN_A_ROW:
            return None
        return Stop(
            "orders_not_found",
            f"None of the first {len(self._in_a_row)} orders exists there (HTTP 404). "
            "Check --region or --base-url and the order column, then run again.",
        )

    def found_one(self) -> None:
        """Note that an order exists: the destination is the right one."""
        self._any_found = True
        self._in_a_row.clear()


@dataclass(slots=True)
class RunState:
    """What the procedures of one run share.

    Attributes:
        memory: The journal.
        if_exists: What to do about a contact that its order has already.
        is_preview: Whether nothing is to be created or changed.
        looks_first: Whether an order is read before a contact is created on it, because the
            journal may have lost what earlier runs created.
        retry: The patience of the run.
        timing: How long the API is given.
        now: Seconds since 1970 by this machine's clock.
        settled: Unclear answers that reading back has settled.
    """

    memory: Memory
    if_exists: IfExists
    is_preview: bool
    retry: Retry
    looks_first: bool = False
    timing: Timing = Timing()
    now: Callable[[], float] = time.time
    listings: Listings = field(default_factory=Listings)
    missing_orders: MissingOrders = field(default_factory=MissingOrders)
    dating: Dating = field(init=False)
    settled: int = 0
    # A plain dict would be slow to drop its first.
    _recent_refs: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def __post_init__(self) -> None:
        self.dating = Dating(self.now)

    @property
    def compares(self) -> bool:
        """Whether the order's contacts are read before anything is created."""
        return self.if_exists.compares

    def is_repeated(self, ref: str) -> bool:
        """Return whether another row of this run was given a ref; remember it."""
        if ref in self._recent_refs:
            return True
        self._recent_refs[ref] = None
        if len(self._recent_refs) > _REFS_KEPT:
            self._recent_refs.popitem(last=False)
        return False

"""The contacts of a delivery on their way: one task each, one lane an order.

Rows of one order go one after the other in file order, so only the head of a lane is ever
ready; different orders go side by side.
"""

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from importer.api import Answer
from importer.delivery.policy import Action, Step, Stop
from importer.delivery.settling import Found
from importer.journal import Entry
from importer.records import Contact, Outcome


class OfOrder(Protocol):
    """What belongs to an order."""

    @property
    def order_ref(self) -> str:
        """The order."""


class WithAction(Protocol):
    """What a request is sent for."""

    action: Action
    """What comes next, when it is ready."""


T = TypeVar("T")
T_OfOrder = TypeVar("T_OfOrder", bound=OfOrder)


@dataclass(slots=True)
class Task:
    """One contact and how far it has come in this run.

    Attributes:
        key: Its key in the journal.
        alias: Another key of it, made from the order's own number, until that is looked up.
        entry: What the journal holds on it; None if nothing.
        duplicate_of: Row of the same contact earlier in the file; None if it is the first.
        action: What comes next, when it is ready.
        attempts: Requests that tried to create it.
        readings: Readings back that found nothing since the last unclear answer.
        failed_readings: Readings back that failed since then.
        unclear: The unclear answer that is being settled; None if an earlier run's.
        answer: The last answer.
        is_resent: Whether it was sent again after an unclear answer.
        there: The contact that is there already, when it is to be changed.
        changes: The fields to change, by API field.
        created: Its outcome, when only the audit of a resent contact is left to do.
    """

    contact: Contact
    key: bytes
    entry: Entry | None = None
    duplicate_of: int | None = None
    action: Action = Action.SEND
    attempts: int = 0
    readings: int = 0
    failed_readings: int = 0
    unclear: Answer | None = None
    answer: Answer | None = None
    is_resent: bool = False
    created: Outcome | None = None
    alias: bytes | None = None
    there: Found | None = None
    changes: dict[str, object] = field(default_factory=dict)

    @property
    def order_ref(self) -> str:
        """The order, a UUID in lower case."""
        return self.contact.order_ref

    @property
    def keys(self) -> tuple[bytes, ...]:
        """All keys by which the journal knows it."""
        return (self.key,) if self.alias is None else (self.key, self.alias)


@dataclass(frozen=True, slots=True)
class Advance:
    """What a finished request leads to: a further step, or the outcome; and a stop, if any."""

    step: Step | None = None
    outcome: Outcome | None = None
    stop: Stop | None = None


@dataclass(slots=True)
class Lanes(Generic[T_OfOrder]):
    """The tasks of each order, in file order."""

    _lanes: dict[str, deque[T_OfOrder]] = field(default_factory=dict)

    def join(self, task: T_OfOrder) -> bool:
        """Add a task at the end of its lane; whether it stands at the head."""
        lane = self._lanes.get(task.order_ref)
        if lane is None:
            self._lanes[task.order_ref] = deque((task,))
            return True
        lane.append(task)
        return False

    def leave(self, task: T_OfOrder) -> T_OfOrder | None:
        """Take the head off its lane; the next head, if any."""
        lane = self._lanes[task.order_ref]
        lane.popleft()
        if lane:
            return lane[0]
        del self._lanes[task.order_ref]
        return None

    def take_all(self) -> list[T_OfOrder]:
        """Empty all lanes; the tasks that were in them."""
        tasks = [task for lane in self._lanes.values() for task in lane]
        self._lanes.clear()
        return tasks


@dataclass(slots=True)
class Agenda(Generic[T]):
    """Tasks that wait for a time. All times are seconds of one monotonic clock."""

    _heap: list[tuple[float, int, T]] = field(default_factory=list)
    _count: int = 0

    def add(self, due: float, task: T) -> None:
        """Have ``task`` come back at ``due``."""
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, task))

    def take_due(self, now: float) -> list[T]:
        """Take out those whose time has come, the earliest first."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            due.append(heapq.heappop(self._heap)[2])
        return due

    @property
    def next_due(self) -> float:
        """When the next one is due; infinity when none is."""
        return self._heap[0][0] if self._heap else float("inf")

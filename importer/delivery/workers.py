"""The threads that talk to the API, each with a connection of its own."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

from importer.api import Answer, Api, Connection, Listing
from importer.delivery.policy import Action
from importer.delivery.tasks import Task

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exchanged(Generic[T]):
    """A request of a task has ended, one way or the other.

    Attributes:
        started: When it left, seconds of the monotonic clock.
        result: What came of it; an exception is a fault of this program.
    """

    task: T
    started: float
    result: Answer | Listing | Exception


class Workers(Generic[T]):
    """Threads that carry out tasks' actions and report each as an :class:`Exchanged`.

    Args:
        api: The destination.
        count: Threads, and so the most requests in flight.
        events: Where the reports go.
        carry_out: Sends the request that a task is about.
    """

    def __init__(
        self,
        api: Api,
        count: int,
        events: "SimpleQueue[object]",
        carry_out: Callable[[Connection, T], Answer | Listing],
    ) -> None:
        self._carry_out = carry_out
        self._api = api
        self._count = count
        self._events = events
        self._queue: SimpleQueue[T | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, task: T) -> None:
        """Have one thread carry out the task's action."""
        if len(self._threads) < self._count:
            # Daemons, so that leaving at once is possible: the journal knows what is in flight.
            thread = threading.Thread(target=self._work, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._queue.put(task)

    def close(self) -> None:
        """Let every thread end; nothing may be in flight."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        with self._api.connect() as connection:
            while (task := self._queue.get()) is not None:
                started = time.monotonic()
                try:
                    result: Answer | Listing | Exception = self._carry_out(connection, task)
                except Exception as error:  # noqa: BLE001 - whatever it is, the run must know
                    result = error
                self._events.put(Exchanged(task, started, result))


def carry_out(connection: Connection, task: Task) -> Answer | Listing:
    """Send the request that comes next for a contact."""
    match task.action:
        case Action.SEND:
            return connection.create(task.order_ref, _json(task.contact.body))
        case Action.UPDATE if task.there is not None:
            return connection.update(task.there.ref, _json(task.changes))
        case Action.CHECK if task.entry is not None:
            return connection.contact(task.entry.ref)
        case Action.LOOK_UP:
            return connection.orders(task.contact.reference_id)
        case _:
            return connection.contacts(task.order_ref)


def _json(body: dict[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

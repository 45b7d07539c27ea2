"""The threads that talk to the API, each with a connection of its own."""

import json
import threading
import time
from dataclasses import dataclass
from queue import SimpleQueue

from importer.api import Answer, Api, Connection, Listing
from importer.delivery.policy import Action
from importer.delivery.tasks import Task


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request of a task has ended, one way or the other.

    Attributes:
        started: When it left, seconds of the monotonic clock.
        result: What came of it; an exception is a fault of this program.
    """

    task: Task
    started: float
    result: Answer | Listing | Exception


class Workers:
    """Threads that carry out tasks' actions and report each as an :class:`Exchanged`.

    Args:
        api: The destination.
        count: Threads, and so the most requests in flight.
        events: Where the reports go.
    """

    def __init__(self, api: Api, count: int, events: "SimpleQueue[object]") -> None:
        self._api = api
        self._count = count
        self._events = events
        self._queue: SimpleQueue[Task | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def submit(self, task: Task) -> None:
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
                    result: Answer | Listing | Exception = _carry_out(connection, task)
                except Exception as error:  # noqa: BLE001 - whatever it is, the run must know
                    result = error
                self._events.put(Exchanged(task, started, result))


def _carry_out(connection: Connection, task: Task) -> Answer | Listing:
    match task.action:
        case Action.SEND:
            return connection.create(task.order_ref, _json(task.contact.body))
        case Action.UPDATE if task.there is not None:
            return connection.update(task.there.ref, _json(task.changes))
        case Action.LOOK_UP:
            return connection.orders(task.contact.reference_id)
        case _:
            return connection.contacts(task.order_ref)


def _json(body: dict[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

"""The threads that talk to the API, each with a connection of its own.

After a good answer a thread takes the next task by itself, as long as the loop allows it: one
that had to come from the loop would wait for its turn, commit included.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Generic, TypeVar

import orjson

from importer.api import Answer, Api, Connection, Listing, Verdict
from importer.delivery.pace import Pace
from importer.delivery.policy import Action
from importer.delivery.tasks import Task

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exchanged(Generic[T]):
    """A request of a task has ended, one way or the other.

    Attributes:
        started: When it left, seconds of the monotonic clock.
        ended: When its answer was there, or failed to come.
        result: What came of it; an exception is a fault of this program.
        is_followed: Whether the next task is in flight in its place.
    """

    task: T
    started: float
    ended: float
    result: Answer | Listing | Exception
    is_followed: bool

    @property
    def is_given_up(self) -> bool:
        """Whether the end of the run has kept it from learning anything."""
        return isinstance(self.result, Listing) and self.result.is_given_up


class Workers(Generic[T]):
    """Threads that carry out tasks' actions and report each as an :class:`Exchanged`.

    Args:
        api: The destination.
        pace: Says how many threads, and so requests in flight, there are at the most, and when
            a request may leave that another one leads to, as the pages of a list do.
        events: Where the reports go that the loop must see at once.
        carry_out: Sends the request that a task is about.
    """

    def __init__(
        self,
        api: Api,
        pace: Pace,
        events: "SimpleQueue[object]",
        carry_out: Callable[[Connection, T], Answer | Listing],
    ) -> None:
        self._carry_out = carry_out
        self._api = api
        self._pace = pace
        self._events = events
        self._queue: SimpleQueue[T | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.ready: deque[T] = deque()
        """Tasks that may leave, put here by the loop."""
        self.reserve = 0
        """So few ready tasks that the loop must see to more."""
        self.goes_on = False
        """Whether a good answer may be followed by the next ready task."""
        self.finished: deque[Exchanged[T]] = deque()
        """The reports that can wait until the loop looks in."""
        self._ends = threading.Event()

    def submit(self) -> bool:
        """Have one more thread carry out a ready task's action; False when none is ready."""
        task = self._take()
        if task is None:
            return False
        try:
            if len(self._threads) < self._pace.most:
                self._begin()
        except Exception as error:  # noqa: BLE001 - as below; a system may have no more threads
            now = time.monotonic()
            self._events.put(Exchanged(task, now, now, error, is_followed=False))
        else:
            self._queue.put(task)
        return True

    def wind_up(self) -> None:
        """Let nothing more leave, nor a list's page wait: the API may have asked for minutes."""
        self.goes_on = False
        self.ready.clear()
        self._ends.set()

    def close(self) -> None:
        """Let every thread end; nothing may be in flight."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _take_turn(self) -> bool:
        seconds = self._pace.take_turn(time.monotonic())
        return seconds <= 0.0 or not self._ends.wait(seconds)

    def _begin(self) -> None:
        # Not in the thread itself: if it failed there, whoever waits for the task would not know.
        connection = self._api.connect(self._take_turn)
        # Daemons, so that leaving at once is possible: the journal knows what is in flight.
        thread = threading.Thread(target=self._work, args=(connection,), daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self, connection: Connection) -> None:
        with connection:
            while (task := self._queue.get()) is not None:
                following: T | None = task
                while following is not None:
                    following = self._exchange(connection, following)

    def _exchange(self, connection: Connection, task: T) -> T | None:
        """Carry out the action of a task and report it; the task to go on with, if any."""
        started = time.monotonic()
        try:
            result: Answer | Listing | Exception = self._carry_out(connection, task)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must know
            result = error
        ended = time.monotonic()
        is_good = isinstance(result, Answer) and result.verdict is Verdict.APPLIED
        if not is_good:
            self.goes_on = False  # the loop decides first whether anything more may leave
        following = self._take() if self.goes_on else None
        exchanged = Exchanged(task, started, ended, result, following is not None)
        if following is None or len(self.ready) <= self.reserve:
            self._events.put(exchanged)
        else:
            self.finished.append(exchanged)
        return following

    def _take(self) -> T | None:
        try:
            return self.ready.popleft()
        except IndexError:
            return None


def carry_out(connection: Connection, task: Task) -> Answer | Listing:
    """Send the request that comes next for a contact."""
    match task.action:
        case Action.SEND:
            return connection.create(task.order_ref, task.contact.body)
        case Action.UPDATE if task.there is not None:
            return connection.update(task.there.ref, orjson.dumps(task.changes))
        case Action.CHECK if task.entry is not None:
            return connection.contact(task.entry.ref)
        case Action.LOOK_UP:
            return connection.orders(task.contact.reference_id)
        case _:
            return connection.contacts(task.order_ref)

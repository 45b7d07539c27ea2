"""The loop that leads tasks through their requests, whatever they are about.

One thread runs it and owns all state; the workers only talk to the API. A turn of the loop
takes in what came, puts intents and outcomes on disk in one commit, and only then lets the
requests leave and the outcomes be told. After a good answer a worker goes on by itself.
"""

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar

from importer.api import Answer, Api, Connection, Listing
from importer.delivery.gate import Gate
from importer.delivery.observing import Observer
from importer.delivery.outbox import Outbox
from importer.delivery.policy import Stop, is_trouble
from importer.delivery.tasks import Advance, Agenda, WithAction
from importer.delivery.workers import Exchanged, Workers
from importer.errors import StoppedError
from importer.journal import Entry
from importer.metrics import Metrics
from importer.records import Outcome

# Intents of one commit. Half as many take 0.010 of 0.21 ms more a row, twice as many 0.003 less,
# and what a kill leaves behind must be read back.
_MOST_AHEAD: Final = 128
_READY_AHEAD: Final = 0.04  # seconds of work whose intents are on disk before they may leave
_LONGEST_NAP: Final = 0.01  # seconds for which answers that can wait do

T = TypeVar("T", bound=WithAction)


class Loop(ABC, Generic[T]):
    """Takes in batches, sends the requests of their tasks and tells their outcomes.

    Args:
        api: The destination.
        carry_out: Sends the request that a task is about.
        outbox: Puts on record what must be.
        observer: Learns of every answer; holds the pace.
        gate: Says when too much went wrong.
    """

    def __init__(
        self,
        api: Api,
        carry_out: Callable[[Connection, T], Answer | Listing],
        outbox: Outbox,
        observer: Observer,
        gate: Gate,
    ) -> None:
        self.events: SimpleQueue[object] = SimpleQueue()
        """Whoever has news for the loop puts it here: batches, a Stop, None at the end of the
        batches, or an exception that ends the run."""
        self.pace = observer.pace
        self._outbox = outbox
        self._observer = observer
        self._gate = gate
        self._workers = Workers(api, self.pace, self.events, carry_out)
        self._agenda = Agenda[T]()
        self._arming: list[T] = []  # intent not on disk yet
        self._ahead = 0
        self._in_flight = 0
        self._pending = 0
        self._all_in = False
        self._error: Exception | None = None
        self.stop: Stop | None = None
        self.requests = 0
        self.metrics = Metrics()
        """How the requests went, over time."""

    @abstractmethod
    def _admit(self, batch: list[Any]) -> None:
        """Take in a batch of what is to be done."""

    @abstractmethod
    def _resume(self, due: Iterable[T]) -> None:
        """Make tasks ready whose time to go on has come."""

    @abstractmethod
    def _next(self) -> T | None:
        """Take out the task whose request comes next; None when none is ready."""

    @abstractmethod
    def _intent(self, task: T) -> Sequence[Entry]:
        """What must be on record before the task's request leaves."""

    @abstractmethod
    def _after(self, exchanged: Exchanged[T]) -> Advance:
        """The way on after a request."""

    @abstractmethod
    def _entries(self, task: T, outcome: Outcome) -> Sequence[Entry]:
        """What must be on record before the outcome is told."""

    @abstractmethod
    def _left(self, task: T, outcome: Outcome) -> None:
        """Let go of a task that has its outcome."""

    @abstractmethod
    def _given_up(self, stop: Stop) -> Iterable[tuple[T, Outcome]]:
        """Take out all tasks that have no outcome, each with what becomes of it now."""

    @property
    def _is_over(self) -> bool:
        return self._all_in and self._pending == 0

    def run(self) -> None:
        """Work until all that comes in by ``events`` is told.

        After a stop, what is in flight is finished and everything else given up.

        Raises:
            ImportContactsError: What came in by ``events``, once all else is told.
        """
        while not self._is_over and self.stop is None:
            # What is on record already leaves before anything else is done: an answer's
            # successor then waits for no commit, which is 3 of 100 ms with 16 in flight.
            self._release()
            now = time.monotonic()
            self._workers.goes_on = self._in_flight <= self._limit and self.pace.is_free(now)
            self._arm()
            if self._is_commit_due():
                self._commit()
                self._release()
            self._wait()
        self._workers.wind_up()
        while self._in_flight or not self._all_in:
            if not self._in_flight:
                # Before waiting for more: the reader may wait for these to be told.
                self._give_up_rest()
                self._commit()
            self._take_all(_LONGEST_NAP)
        self._give_up_rest()
        self._commit()
        self._workers.close()
        if self.stop is None and self._observer.is_unreachable:
            self.stop = self._observer.health.down()
        if self._error is not None:
            raise self._error

    def _arm(self) -> None:
        self._resume(self._agenda.take_due(time.monotonic()))
        self._ahead = self.pace.ahead(_READY_AHEAD, _MOST_AHEAD)
        wanted = self.pace.limit - self._in_flight + self._ahead
        self._workers.reserve = self._ahead // 2
        room = wanted - len(self._workers.ready) - len(self._arming)
        while room > 0 and (task := self._next()) is not None:
            if intent := self._intent(task):
                self._outbox.hold(intent)
            self._arming.append(task)
            room -= 1

    def _is_commit_due(self) -> bool:
        is_low = len(self._workers.ready) <= self._workers.reserve
        return (is_low and bool(self._arming)) or time.monotonic() >= self._outbox.due

    def _commit(self) -> None:
        try:
            self._outbox.commit()
            self._workers.ready.extend(self._arming)
        except StoppedError as error:
            self.stop = self.stop or Stop("journal", str(error))
        self._arming.clear()

    @property
    def _limit(self) -> int:
        return 1 if self._observer.health.is_probing else self.pace.limit

    def _release(self) -> None:
        now, limit, submit = time.monotonic(), self._limit, self._workers.submit
        while self._in_flight < limit and self.pace.opens_at(now) <= now and submit():
            self.pace.departed(now)
            self._in_flight += 1

    def _wait(self) -> None:
        now = time.monotonic()
        due = min(self._agenda.next_due, self._outbox.due)
        if self._workers.ready and self._in_flight < self._limit:
            due = min(due, self.pace.opens_at(now))
        if self._workers.goes_on and self._in_flight:
            due = min(due, now + _LONGEST_NAP)
        if not self._is_over and self.stop is None:
            self._take_all(min(max(0.0, due - now), 3600.0))

    def _take_all(self, timeout: float) -> None:
        """Take in what has come, once something has that cannot wait or the time is up."""
        with contextlib.suppress(Empty):
            self._take(self.events.get(timeout=timeout))
            while True:
                self._take(self.events.get_nowait())
        while self._workers.finished:
            self._take(self._workers.finished.popleft())

    def _take(self, event: object) -> None:
        match event:
            case Exchanged():
                self._in_flight -= not event.is_followed
                self._count(event)
                if not event.is_given_up:  # else it stays where it was
                    self._apply(event.task, self._after(event))
            case list():
                self._pending += len(event)
                self._admit(event)
            case Stop():
                self.stop = self.stop or event
            case None:
                self._all_in = True
            case Exception():
                self._error = event
                self.stop = self.stop or Stop("input", str(event))
                self._all_in = True
            case _:
                raise TypeError(event)

    def _count(self, exchanged: Exchanged[T]) -> None:
        result = exchanged.result
        requests = result.requests if isinstance(result, Listing) else 1
        went_badly = _is_trouble(result) and not exchanged.is_given_up
        self.requests += requests
        in_flight = self._in_flight + (not exchanged.is_followed)
        for _ in range(requests):
            seconds = (exchanged.ended - exchanged.started) / requests
            self.metrics.observe(exchanged.ended, seconds, went_badly, in_flight)

    def _apply(self, task: T, advance: Advance) -> None:
        self.stop = self.stop or advance.stop
        if advance.outcome is not None:
            self._conclude(task, advance.outcome)
            self._left(task, advance.outcome)
        elif advance.step is not None:
            task.action = advance.step.action
            self._agenda.add(time.monotonic() + advance.step.delay, task)

    def _conclude(self, task: T, outcome: Outcome) -> None:
        self._pending -= 1
        self.stop = self.stop or self._gate.count(outcome)
        self._outbox.hold(self._entries(task, outcome), outcome)

    def _give_up_rest(self) -> None:
        if self.stop is not None:
            for task, outcome in self._given_up(self.stop):
                self._conclude(task, outcome)


def _is_trouble(result: Answer | Listing | Exception) -> bool:
    answer = result.failure if isinstance(result, Listing) else result
    return isinstance(answer, Answer) and is_trouble(answer)

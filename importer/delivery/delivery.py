"""The delivery of contacts: each exactly once, rows of one order one after the other.

One thread runs the loop below and owns all state; the workers only talk to the API. A turn of
the loop takes in what came, puts intents and outcomes on disk in one commit, and only then
lets the requests leave and the outcomes be told.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue
from random import Random
from typing import Final

from importer.api import Answer, Api, Listing
from importer.delivery import outcomes
from importer.delivery.outbox import Outbox
from importer.delivery.pace import Pace
from importer.delivery.policy import Action, Stop, is_trouble
from importer.delivery.steps import Steps
from importer.delivery.tasks import Agenda, Lanes, Task
from importer.delivery.workers import Exchanged, Workers
from importer.errors import StoppedError
from importer.journal import Entry, Journal, State
from importer.metrics import Metrics
from importer.records import Outcome, Planned, Status
from importer.settings import DeliveryOptions

_MOST_AHEAD: Final = 64  # intents of one commit; from there on it costs little more a row
_READY_AHEAD: Final = 0.02  # seconds of work whose intents are on disk before they may leave


class Delivery:
    """One run's delivery.

    Args:
        api: The destination.
        journal: Its journal.
        options: How fast and how patiently.
        tell: Called with outcomes, once they are on record.
    """

    def __init__(
        self,
        api: Api,
        journal: Journal,
        options: DeliveryOptions,
        tell: Callable[[list[Outcome]], None],
    ) -> None:
        self._journal = journal
        self._outbox = Outbox(journal, tell)
        self.events: SimpleQueue[object] = SimpleQueue()
        """Whoever has news for the loop puts it here: batches of Planned, a Stop, None at the
        end of the contacts, or an exception that ends the run."""
        self.pace = Pace(options.concurrency, options.rate)
        self._steps = Steps(journal, self.pace, options, Random())  # noqa: S311 - jitter
        self._workers = Workers(api, options.concurrency, self.events)
        self._lanes = Lanes()
        self._agenda = Agenda()
        self._again: deque[Task] = deque()  # ready, and begun already: they go first
        self._fresh: deque[Task] = deque()  # ready, never sent in this run
        self._arming: list[Task] = []  # intent not on disk yet
        self._armed: deque[Task] = deque()  # may leave
        self._ahead = 0
        self._in_flight = 0
        self._pending = 0
        self._all_in = False
        self._error: Exception | None = None
        self.stop: Stop | None = None
        self.requests = 0
        self.metrics = Metrics()
        """How the requests went, over time."""

    @property
    def settled(self) -> int:
        """Unclear answers that reading back has settled."""
        return self._steps.settled

    @property
    def _is_over(self) -> bool:
        return self._all_in and self._pending == 0

    def run(self) -> None:
        """Deliver what comes in by ``events`` until all is told.

        After a stop, what is in flight is finished and every other contact told as not sent.

        Raises:
            ImportContactsError: What came in by ``events``, once all else is told.
        """
        while not self._is_over and self.stop is None:
            # What is on record already leaves before anything else is done: an answer's
            # successor then waits for no commit, which is 3 of 100 ms with 16 in flight.
            self._release()
            self._arm()
            if self._is_commit_due():
                self._commit()
                self._release()
            self._wait()
        while self._in_flight or not self._all_in:
            self._take(self.events.get())
            if not self._in_flight:
                self._give_up_rest()
                self._commit()
        self._give_up_rest()
        self._commit()
        self._workers.close()
        if self._error is not None:
            raise self._error

    def admit(self, batch: Iterable[Planned], known: dict[bytes, Entry]) -> None:
        """Take in contacts, in file order, with what the journal holds on them."""
        for planned in batch:
            self._pending += 1
            entry = known.get(planned.key)
            task = Task(planned.contact, planned.key, entry, planned.duplicate_of)
            if task.duplicate_of is None and entry is not None:
                if entry.state is State.CREATED:
                    self._conclude(outcomes.exists(task.contact.row, entry))
                    continue
                if entry.state is not State.ABSENT:
                    task.action = Action.SETTLE
            if self._lanes.join(task):
                self._make_ready(task)

    def _make_ready(self, task: Task | None) -> None:
        while task is not None and (outcome := self._foregone(task)) is not None:
            self._conclude(outcome)
            task = self._lanes.leave(task)
        if task is not None:
            # What an earlier run left unclear is settled before anything else.
            (self._again if task.action is Action.SETTLE else self._fresh).append(task)

    def _foregone(self, task: Task) -> Outcome | None:
        """The outcome of a task that needs no request."""
        if task.duplicate_of is not None:
            self._commit()
            entry = self._journal.find([task.key]).get(task.key)
            return outcomes.duplicate(task.contact.row, task.order_ref, task.duplicate_of, entry)
        answer = self._steps.refused_order(task.order_ref)
        if answer is not None and task.action is Action.SEND:
            return outcomes.undone(task, Status.REJECTED, answer)
        return None

    def _arm(self) -> None:
        now = time.monotonic()
        self._again.extend(self._agenda.take_due(now))
        self._ahead = self.pace.ahead(_READY_AHEAD, _MOST_AHEAD)
        wanted = self.pace.limit - self._in_flight + self._ahead
        room = wanted - len(self._armed) - len(self._arming)
        while room > 0 and (self._again or self._fresh):
            task = (self._again or self._fresh).popleft()
            if task.action is Action.SEND and not _is_intended(task):
                task.entry = Entry(task.key, task.order_ref, State.INTENT)
                self._outbox.hold(task.entry, None)
            self._arming.append(task)
            room -= 1

    def _is_commit_due(self) -> bool:
        if self._arming and len(self._armed) <= self._ahead // 2:
            return True
        return time.monotonic() >= self._outbox.due

    def _commit(self) -> None:
        try:
            self._outbox.commit()
            self._armed.extend(self._arming)
        except StoppedError as error:
            self.stop = self.stop or Stop("journal", str(error))
        self._arming.clear()

    @property
    def _limit(self) -> int:
        return 1 if self._steps.health.is_probing else self.pace.limit

    def _release(self) -> None:
        now = time.monotonic()
        while self._armed and self._in_flight < self._limit and self.pace.opens_at(now) <= now:
            task = self._armed.popleft()
            self.pace.departed(now)
            self._in_flight += 1
            self._workers.submit(task)

    def _wait(self) -> None:
        now = time.monotonic()
        due = min(self._agenda.next_due, self._outbox.due)
        if self._armed and self._in_flight < self._limit:
            due = min(due, self.pace.opens_at(now))
        if self._is_over:
            return
        try:
            event = self.events.get(timeout=min(max(0.0, due - now), 3600.0))
            while True:
                self._take(event)
                event = self.events.get_nowait()
        except Empty:
            pass

    def _take(self, event: object) -> None:
        match event:
            case Exchanged():
                self._in_flight -= 1
                self._advance(event)
            case list():
                self.admit(event, self._journal.find([planned.key for planned in event]))
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

    def _advance(self, exchanged: Exchanged) -> None:
        task = exchanged.task
        requests = _requests(exchanged.result)
        self.requests += requests
        now = time.monotonic()
        for _ in range(requests):
            seconds = (now - exchanged.started) / requests
            self.metrics.observe(now, seconds, _is_trouble(exchanged.result), self._in_flight + 1)
        for _ in range(requests - 1):
            self.pace.departed(time.monotonic())
        advance = self._steps.after(exchanged)
        self.stop = self.stop or advance.stop
        if advance.outcome is not None:
            self._finish(task, advance.outcome)
            self._make_ready(self._lanes.leave(task))
        elif advance.step is not None:
            task.action = advance.step.action
            self._agenda.add(time.monotonic() + advance.step.delay, task)

    def _finish(self, task: Task, outcome: Outcome) -> None:
        self._outbox.hold(outcomes.entry_of(task, outcome), outcome)
        self._pending -= 1

    def _conclude(self, outcome: Outcome) -> None:
        self._pending -= 1
        self._outbox.hold(None, outcome)

    def _give_up_rest(self) -> None:
        if self.stop is None:
            return
        for task in self._lanes.take_all():
            outcome = self._steps.given_up(task, self.stop)
            self._finish(task, outcome)


def _is_intended(task: Task) -> bool:
    return task.entry is not None and task.entry.state is State.INTENT


def _is_trouble(result: Answer | Listing | Exception) -> bool:
    answer = result.failure if isinstance(result, Listing) else result
    return isinstance(answer, Answer) and is_trouble(answer)


def _requests(result: Answer | Listing | Exception) -> int:
    return result.requests if isinstance(result, Listing) else 1

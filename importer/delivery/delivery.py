"""The delivery of contacts: each exactly once, rows of one order one after the other.

One thread runs the loop below and owns all state; the workers only talk to the API. A turn of
the loop takes in what came, puts intents and outcomes on disk in one commit, and only then
lets the requests leave and the outcomes be told.
"""

import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from random import Random
from typing import Final

from importer.api import Answer, Api, Listing
from importer.delivery import outcomes
from importer.delivery.admission import Admission
from importer.delivery.creating import Advance
from importer.delivery.gate import Gate
from importer.delivery.outbox import Outbox
from importer.delivery.pace import Pace
from importer.delivery.policy import Action, Stop, is_trouble
from importer.delivery.steps import Steps
from importer.delivery.tasks import Agenda, Task
from importer.delivery.workers import Exchanged, Workers, carry_out
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
        self._workers = Workers(api, options.concurrency, self.events, carry_out)
        self._admission = Admission(
            journal,
            self._commit,
            self._conclude,
            self._steps.observer.missing_order,
            options,
        )
        self._preview = options.preview
        self._gate = Gate(options.max_errors)
        self._agenda = Agenda[Task]()
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
        return self._steps.creating.settled

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
            if not self._in_flight:
                # Before waiting for more: the reader may wait for these to be told.
                self._give_up_rest()
                self._commit()
            self._take(self.events.get())
        self._give_up_rest()
        self._commit()
        self._workers.close()
        if self.stop is None and self._steps.observer.is_unreachable:
            self.stop = self._steps.observer.health.down()
        if self._error is not None:
            raise self._error

    def _arm(self) -> None:
        now = time.monotonic()
        again, fresh = self._admission.again, self._admission.fresh
        again.extend(self._agenda.take_due(now))
        self._ahead = self.pace.ahead(_READY_AHEAD, _MOST_AHEAD)
        wanted = self.pace.limit - self._in_flight + self._ahead
        room = wanted - len(self._armed) - len(self._arming)
        while room > 0 and (again or fresh):
            task = (again or fresh).popleft()
            if task.action is Action.COMPARE and (known := self._steps.comparing.decide(task)):
                self._apply(task, known)
                continue
            if task.action is Action.SEND and not _is_intended(task):
                task.entry = Entry(task.key, task.order_ref, State.INTENT)
                self._outbox.hold([task.entry])
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
        return 1 if self._steps.observer.health.is_probing else self.pace.limit

    def _release(self) -> None:
        now = time.monotonic()
        while self._armed and self._in_flight < self._limit and self.pace.opens_at(now) <= now:
            task = self._armed.popleft()
            if self._preview and task.action in {Action.SEND, Action.UPDATE}:
                raise AssertionError("A preview writes nothing.")
            self.pace.departed(now)
            self._in_flight += 1
            self._workers.submit(task)

    def _wait(self) -> None:
        now = time.monotonic()
        due = min(self._agenda.next_due, self._outbox.due)
        if self._armed and self._in_flight < self._limit:
            due = min(due, self.pace.opens_at(now))
        if self._is_over or self.stop is not None:
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

    def _advance(self, exchanged: Exchanged[Task]) -> None:
        task = exchanged.task
        requests = _requests(exchanged.result)
        self.requests += requests
        now = time.monotonic()
        for _ in range(requests):
            seconds = (now - exchanged.started) / requests
            self.metrics.observe(now, seconds, _is_trouble(exchanged.result), self._in_flight + 1)
        for _ in range(requests - 1):
            self.pace.departed(time.monotonic())
        if task.action is Action.LOOK_UP:
            self._advance_look_up(exchanged)
            return
        self._apply(task, self._steps.after(exchanged))

    def _apply(self, task: Task, advance: Advance) -> None:
        self.stop = self.stop or advance.stop
        if advance.outcome is not None:
            self._conclude(task, advance.outcome)
            self._steps.comparing.learn(task, advance.outcome)
            self._admission.leave(task)
        elif advance.step is not None:
            task.action = advance.step.action
            self._agenda.add(time.monotonic() + advance.step.delay, task)

    def _advance_look_up(self, exchanged: Exchanged[Task]) -> None:
        looked_up = self._steps.after_look_up(exchanged)
        self.stop = self.stop or looked_up.stop
        if looked_up.found is not None:
            self._admission.learn(exchanged.task.contact.reference_id, looked_up.found)
        else:
            self._agenda.add(time.monotonic() + looked_up.delay, exchanged.task)

    def _admit(self, batch: list[Planned]) -> None:
        self._pending += len(batch)
        known = self._journal.find([planned.key for planned in batch])
        for planned in batch:
            self._admission.admit(planned, known.get(planned.key))

    def _conclude(self, task: Task, outcome: Outcome) -> None:
        self._pending -= 1
        self.stop = self.stop or self._gate.count(outcome)
        if outcome.status is Status.EXISTS:
            self._steps.observer.health.created()  # the destination is the right one
        self._outbox.hold(outcomes.entries_of(task, outcome), outcome)

    def _give_up_rest(self) -> None:
        if self.stop is None:
            return
        for task in self._admission.take_all():
            self._conclude(task, self._steps.given_up(task, self.stop))


def _is_intended(task: Task) -> bool:
    return task.entry is not None and task.entry.state is State.INTENT


def _is_trouble(result: Answer | Listing | Exception) -> bool:
    answer = result.failure if isinstance(result, Listing) else result
    return isinstance(answer, Answer) and is_trouble(answer)


def _requests(result: Answer | Listing | Exception) -> int:
    return result.requests if isinstance(result, Listing) else 1

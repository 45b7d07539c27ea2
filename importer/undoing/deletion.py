"""The deletion of contacts: one of an order after the other, different orders side by side.

One thread runs the loop below and owns all state; the workers only talk to the API. The
journal knows of a deletion before its request leaves, and what came of it before that is told.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable
from queue import Empty, SimpleQueue

from importer.api import Api
from importer.delivery import Stop
from importer.delivery.outbox import Outbox
from importer.delivery.policy import Action
from importer.delivery.tasks import Agenda, Lanes
from importer.delivery.workers import Exchanged, Workers
from importer.errors import StoppedError
from importer.journal import Entry, Journal
from importer.records import Outcome
from importer.undoing.candidates import Candidate
from importer.undoing.steps import Steps
from importer.undoing.tasks import Task, carry_out, concluded, given_up, intended


class Deletion:
    """One run's deletion.

    Args:
        api: The destination.
        journal: Its journal.
        concurrency: Most requests in flight.
        steps: What to do after each answer.
        tell: Called with outcomes, once they are on record.
    """

    def __init__(
        self,
        api: Api,
        journal: Journal,
        concurrency: int,
        steps: Steps,
        tell: Callable[[list[Outcome]], None],
    ) -> None:
        self._journal = journal
        self._steps = steps
        self.pace = steps.pace
        self._outbox = Outbox(journal, tell)
        self.events: SimpleQueue[object] = SimpleQueue()
        """Whoever has news for the loop puts it here: lists of candidates, a Stop, None at the
        end of the candidates, or an exception that ends the run."""
        self._workers = Workers(api, concurrency, self.events, carry_out)
        self._lanes = Lanes[Task]()
        self._agenda = Agenda[Task]()
        self._ready: deque[Task] = deque()
        self._in_flight = 0
        self._pending = 0
        self._all_in = False
        self._error: Exception | None = None
        self.stop: Stop | None = None
        self.requests = 0

    @property
    def settled(self) -> int:
        """Unclear answers that reading has settled."""
        return self._steps.settled

    def run(self) -> None:
        """Delete what comes in by ``events`` until all is told.

        After a stop, what is in flight is finished and every other contact told as failed.

        Raises:
            ImportContactsError: What came in by ``events``, once all else is told.
        """
        while not (self._all_in and self._pending == 0) and self.stop is None:
            self._release()
            if time.monotonic() >= self._outbox.due:
                self._commit()
            self._wait()
        while self._in_flight or not self._all_in:
            if not self._in_flight:
                # Before waiting for more: whoever reads may wait for these to be told.
                self._give_up_rest()
            self._take(self.events.get())
        self._give_up_rest()
        self._workers.close()
        if self._error is not None:
            raise self._error

    def _is_open(self) -> bool:
        limit = 1 if self._steps.health.is_probing else self.pace.limit
        return bool(self._ready) and self._in_flight < limit and self.stop is None

    def _release(self) -> None:
        now = time.monotonic()
        due = self._agenda.take_due(now)
        if any(task.action is Action.SEND for task in due):
            self._commit()
        # What has begun is ended before anything else begins.
        self._ready.extendleft(reversed(due))
        while self._is_open() and self.pace.opens_at(now) <= now:
            self.pace.departed(now)
            self._in_flight += 1
            self.requests += 1
            self._workers.submit(self._ready.popleft())

    def _wait(self) -> None:
        now = time.monotonic()
        due = min(self._agenda.next_due, self._outbox.due)
        if self._is_open():
            due = min(due, self.pace.opens_at(now))
        if self._all_in and self._pending == 0:
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

    def _admit(self, batch: list[Candidate]) -> None:
        entries = defaultdict[str, list[Entry]](list)
        for entry in self._journal.find_refs([candidate.ref for candidate in batch]):
            entries[entry.ref].append(entry)
        for candidate in batch:
            self._pending += 1
            task = Task(candidate, tuple(entries[candidate.ref]))
            if self._lanes.join(task):
                self._ready.append(task)

    def _advance(self, exchanged: Exchanged[Task]) -> None:
        task = exchanged.task
        advance = self._steps.after(exchanged)
        self.stop = self.stop or advance.stop
        if advance.outcome is not None:
            self._finish(task, advance.outcome)
            if (successor := self._lanes.leave(task)) is not None:
                self._ready.append(successor)
        elif advance.step is not None:
            task.action = advance.step.action
            if task.action is Action.SEND:
                self._outbox.hold(intended(task))
            self._agenda.add(time.monotonic() + advance.step.delay, task)

    def _finish(self, task: Task, outcome: Outcome) -> None:
        self._pending -= 1
        self._outbox.hold(concluded(task, outcome), outcome)

    def _commit(self) -> None:
        try:
            self._outbox.commit()
        except StoppedError as error:
            self.stop = self.stop or Stop("journal", str(error))

    def _give_up_rest(self) -> None:
        """Put all on record; after a stop, that the rest has failed as well."""
        if self.stop is not None:
            for task in self._lanes.take_all():
                self._finish(task, given_up(task, self.stop))
        self._commit()

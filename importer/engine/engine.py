"""The engine: drives procedures through their requests, whatever they are about.

One thread runs it and owns all state; the workers only talk to the API. In each turn the engine
takes in what has arrived, puts intents and outcomes on disk in one commit, and only then lets
requests leave and reports outcomes. Clock, workers and inbox come from outside, so that a run
can be simulated without threads or sleeping.
"""

import contextlib
import heapq
from collections import deque
from collections.abc import Callable, Iterable
from queue import Empty
from typing import Any, Final, Protocol

from importer._version import __version__
from importer.api import Answer, Listing
from importer.engine.health import Health
from importer.engine.outbox import Outbox
from importer.engine.procedures import (
    Done,
    Job,
    Priority,
    Record,
    Reply,
    Send,
    Stop,
    Stopped,
    Wait,
)
from importer.engine.workers import Exchanged, Inbox
from importer.errors import StoppedError, kind_and_place
from importer.metrics import Metrics
from importer.records import Outcome

# Intents of one commit. More would gain little, and whatever a kill leaves must be read back.
_MOST_AHEAD: Final = 128
_READY_AHEAD: Final = 0.04  # seconds of work whose intents are on disk before they may leave
_LONGEST_NAP: Final = 0.01  # seconds that answers may wait if nothing depends on them


class Sending(Protocol):
    """Sends the requests of ready jobs; :class:`importer.engine.workers.Workers`.

    Attributes:
        inbox: Where reports of requests arrive, and all other news.
        clock: Seconds of a monotonic clock.
    """

    inbox: Inbox
    clock: Callable[[], float]
    ready: deque[Job]
    reserve: int
    goes_on: bool
    finished: deque[Exchanged]

    def submit(self) -> bool:
        """Send the request of one ready job; False when none is ready."""

    def wind_up(self) -> None:
        """Let nothing more leave."""

    def close(self) -> None:
        """End; nothing may be in flight."""


class Client(Protocol):
    """What a run is about."""

    def admit(self, batch: list[Any], /) -> None:
        """Take in a batch: submit a job, or conclude, for each of its rows."""

    def abandon(self, stop: Stop, /) -> Iterable[Done]:
        """Return the ends of all rows that were admitted and not submitted; the run is over."""


class Engine:
    """Runs the jobs of a client.

    Args:
        client: What the run is about.
        workers: Sends the requests.
        outbox: Puts on record what must be.
        health: Observes every answer; holds the pace.
        gate: Called with each outcome; returns why the run must end, if so.
    """

    def __init__(
        self,
        client: Client,
        workers: Sending,
        outbox: Outbox,
        health: Health,
        gate: Callable[[Outcome], Stop | None],
    ) -> None:
        self.inbox = workers.inbox
        self.pace = health.pace
        self.stop: Stop | None = None
        """Why the run ends early, if so."""
        self.requests = 0
        self.metrics = Metrics()
        """How the requests went, over time."""
        self._client = client
        self._workers = workers
        self._outbox = outbox
        self._health = health
        self._gate = gate
        self._clock = workers.clock
        self._lanes: dict[str, deque[Job]] = {}
        self._begun: deque[Job] = deque()  # ready, and not for the first time
        self._waiting_to_begin = {priority: deque[Job]() for priority in Priority}
        self._timers: list[tuple[float, int, Job]] = []
        self._timer_count = 0
        self._recording: list[Job] = []  # their entries are held for the next commit
        self._ahead = 0
        self._in_flight = 0
        self._pending = 0
        self._all_in = False
        self._error: Exception | None = None

    # What the client calls.

    def submit(self, job: Job) -> None:
        """Put a job at the end of its lane."""
        lane = self._lanes.get(job.lane)
        if lane is None:
            self._lanes[job.lane] = deque((job,))
            self._waiting_to_begin[job.priority].append(job)
        else:
            lane.append(job)

    def conclude(self, done: Done) -> None:
        """Report an outcome once its entries are on disk."""
        self.stop = self.stop or done.stop
        if done.outcome is not None:
            self._pending -= 1
            self.stop = self.stop or self._gate(done.outcome)
            self._outbox.hold(done.entries, done.outcome)

    def commit(self) -> None:
        """Put everything that is held on disk, and resume the jobs that wait for it."""
        recorded, self._recording = self._recording, []
        try:
            self._outbox.commit()
        except StoppedError as error:
            self.stop = self.stop or Stop("journal", str(error))
            return
        for job in recorded:
            if self._resume(job, None):
                # A request whose intent is on disk has had its turn.
                is_send = isinstance(job.command, Send)
                (self._workers.ready if is_send else self._begun).append(job)

    # The run.

    def run(self) -> None:
        """Work until everything that arrived in the inbox is reported.

        After a stop, requests in flight are finished and everything else is given up.

        Raises:
            ImportContactsError: What arrived in the inbox, once all else is reported.
        """
        while not self._is_over and self.stop is None:
            # What is on record already leaves first: then it waits for no commit.
            self._release()
            now = self._clock()
            self._workers.goes_on = self._in_flight <= self._limit and self.pace.is_free(now)
            self._prepare()
            if self._is_commit_due():
                self.commit()
                self._release()
            self._wait()
        self._workers.wind_up()
        while self._in_flight or not self._all_in:
            if not self._in_flight:
                # Before waiting for more: the reader may wait for these to be reported.
                self._give_up_rest()
                self.commit()
            self._take_all(_LONGEST_NAP)
        self._give_up_rest()
        self.commit()
        self._workers.close()
        if self.stop is None and self._health.is_unreachable:
            self.stop = self._health.api_down()
        if self._error is not None:
            raise self._error

    @property
    def _is_over(self) -> bool:
        return self._all_in and self._pending == 0

    @property
    def _limit(self) -> int:
        return 1 if self._health.is_probing else self.pace.limit

    def _prepare(self) -> None:
        """Advance jobs until as many are ready to leave as soon will."""
        now = self._clock()
        while self._timers and self._timers[0][0] <= now:
            self._continue(heapq.heappop(self._timers)[2], None)
        self._ahead = self.pace.ahead(_READY_AHEAD, _MOST_AHEAD)
        wanted = self.pace.limit - self._in_flight + self._ahead
        self._workers.reserve = self._ahead // 2
        missing = wanted - len(self._workers.ready) - len(self._recording)
        # What can wait is not prepared ahead: it would leave before what becomes ready next.
        while (
            missing > 0 and (job := self._next(with_background=missing > self._ahead)) is not None
        ):
            match job.command:
                case Record(entries):
                    self._outbox.hold(entries)
                    self._recording.append(job)
                    missing -= 1
                case Send():
                    self._workers.ready.append(job)
                    missing -= 1
                case None:
                    if self._resume(job, None):
                        self._begun.appendleft(job)
                case command:
                    raise TypeError(command)

    def _next(self, *, with_background: bool) -> Job | None:
        queues = self._waiting_to_begin
        for queue in (self._begun, queues[Priority.UNSETTLED], queues[Priority.FRESH]):
            if queue:
                return queue.popleft()
        if with_background and queues[Priority.BACKGROUND]:
            return queues[Priority.BACKGROUND].popleft()
        return None

    def _continue(self, job: Job, reply: Reply) -> None:
        """Advance a procedure, and have it wait for its turn if it wants something."""
        if self._resume(job, reply):
            self._begun.append(job)

    def _resume(self, job: Job, reply: Reply) -> bool:
        """Advance a procedure; return whether it has a request or entries to wait for."""
        try:
            job.command = job.procedure.send(reply)
        except StopIteration as end:
            self._finish(job, end.value)
            return False
        if isinstance(job.command, Wait):
            self._timer_count += 1
            due = self._clock() + job.command.seconds
            heapq.heappush(self._timers, (due, self._timer_count, job))
            return False
        return True

    def _finish(self, job: Job, done: Done) -> None:
        self.conclude(done)
        lane = self._lanes[job.lane]
        lane.popleft()
        if lane:
            self._waiting_to_begin[lane[0].priority].append(lane[0])
        else:
            del self._lanes[job.lane]

    def _is_commit_due(self) -> bool:
        is_low = len(self._workers.ready) <= self._workers.reserve
        return (is_low and bool(self._recording)) or self._clock() >= self._outbox.due

    def _release(self) -> None:
        now, limit, submit = self._clock(), self._limit, self._workers.submit
        while self._in_flight < limit and self.pace.opens_at(now) <= now and submit():
            self.pace.departed(now)
            self._in_flight += 1

    def _wait(self) -> None:
        now = self._clock()
        due = min(self._timers[0][0] if self._timers else float("inf"), self._outbox.due)
        if self._workers.ready and self._in_flight < self._limit:
            due = min(due, self.pace.opens_at(now))
        if self._workers.goes_on and self._in_flight:
            due = min(due, now + _LONGEST_NAP)
        if not self._is_over and self.stop is None:
            self._take_all(min(max(0.0, due - now), 3600.0))

    def _take_all(self, timeout: float) -> None:
        """Take in what has arrived, once something has or the time is up."""
        with contextlib.suppress(Empty):
            news = self.inbox.get(timeout=timeout)
            while True:
                # These arrived before it: a success between two refusals must not come after both.
                self._take_finished()
                self._take(news)
                news = self.inbox.get_nowait()
        self._take_finished()

    def _take_finished(self) -> None:
        while self._workers.finished:
            self._take(self._workers.finished.popleft())

    def _take(self, news: object) -> None:
        match news:
            case Exchanged():
                self._in_flight -= not news.is_followed
                self._count(news)
                if not news.is_given_up:  # else its procedure stays where it was
                    self._reply(news)
            case list():
                self._pending += len(news)
                self._client.admit(news)
            case Stop():
                self.stop = self.stop or news
            case None:
                self._all_in = True
            case Exception():
                self._error = news
                self.stop = self.stop or Stop("input", str(news))
                self._all_in = True
            case _:
                raise TypeError(news)

    def _reply(self, exchanged: Exchanged) -> None:
        """Resume a procedure with the answer to its request, or stop it there."""
        job, result = exchanged.job, exchanged.result
        if isinstance(result, Exception):
            stop = _internal_error(result)
            self.stop = self.stop or stop
            self._throw(job, Stopped(stop, may_be_sent=True))
            return
        times = exchanged.started, exchanged.ended
        if isinstance(result, Listing) and result.failure is None:
            self._health.observe_list(result, *times)
            self._continue(job, result)
            return
        answer = result.failure if isinstance(result, Listing) else result
        if answer is None or not isinstance(job.command, Send):
            raise TypeError(job.command)
        general = self._health.observe(job.row, answer, *times)
        own = self._health.stop_for(job.command.call, answer)
        self.stop = self.stop or own or general
        if own is not None:
            self._throw(job, Stopped(own, answer))
        else:
            self._continue(job, result)

    def _throw(self, job: Job, stopped: Stopped) -> None:
        """Have a procedure end."""
        try:
            if job.command is None:
                # Where it would begin depends on what earlier runs left, and so does its end.
                job.command = job.procedure.send(None)
            job.procedure.throw(stopped)
        except StopIteration as end:
            self._finish(job, end.value)
        else:
            raise RuntimeError("A procedure continued after the end of the run.")

    def _count(self, exchanged: Exchanged) -> None:
        result = exchanged.result
        requests = result.requests if isinstance(result, Listing) else 1
        answer = result.failure if isinstance(result, Listing) else result
        trouble = answer.rule.trouble if isinstance(answer, Answer) else ""
        went_badly = bool(trouble) and not exchanged.is_given_up
        self.requests += requests
        in_flight = self._in_flight + (not exchanged.is_followed)
        for _ in range(requests):
            seconds = (exchanged.ended - exchanged.started) / requests
            self.metrics.observe(exchanged.ended, seconds, went_badly, in_flight)

    def _give_up_rest(self) -> None:
        if self.stop is None:
            return
        self._recording.clear()
        self._timers.clear()
        for queue in (self._begun, *self._waiting_to_begin.values()):
            queue.clear()
        for done in self._client.abandon(self.stop):
            self.conclude(done)
        while self._lanes:
            for lane in list(self._lanes.values()):
                self._throw(lane[0], Stopped(self.stop))


def _internal_error(error: Exception) -> Stop:
    return Stop(
        "fault",
        f"Internal error in import-contacts {__version__}: {kind_and_place(error)}. "
        "Please report it.",
    )

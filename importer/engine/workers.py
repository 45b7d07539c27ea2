"""The threads that talk to the API, each over a connection of its own.

After a good answer a thread takes the next ready job on its own, as long as the engine allows
it: a job that the engine had to hand over would wait for the engine's turn, commit included.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Protocol

from importer.api import Answer, Listing, Verdict
from importer.api.calls import Call
from importer.engine.pace import Pace
from importer.engine.procedures import Job, Send


class Inbox(Protocol):
    """What has news for the engine puts it here, from any thread.

    Batches, a :class:`Stop`, None after the last batch, an exception that ends the run, and
    the workers' reports.
    """

    def put(self, item: object, /) -> None:
        """Add news."""

    def get(self, *, timeout: float) -> object:
        """Take the next, waiting up to ``timeout`` seconds; raise ``queue.Empty`` if none came."""

    def get_nowait(self) -> object:
        """Take the next without waiting; raise ``queue.Empty`` if there is none."""


class Connection(Protocol):
    """Carries out one call at a time."""

    def carry_out(self, call: Call, /) -> Answer | Listing:
        """Send a call and return its answer."""


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request that has ended, one way or the other.

    Attributes:
        started: When it left, seconds of the monotonic clock.
        ended: When its answer was complete, or failed to come.
        result: What came of it; an exception is an internal error.
        is_followed: Whether the next job is in flight instead.
    """

    job: Job
    started: float
    ended: float
    result: Answer | Listing | Exception
    is_followed: bool

    @property
    def is_given_up(self) -> bool:
        """Whether the end of the run kept it from learning anything."""
        return isinstance(self.result, Listing) and self.result.is_given_up


class Workers:
    """Threads that send what jobs ask for and report each request as an :class:`Exchanged`.

    Args:
        connect: Opens a connection; is given what a list calls before each further page, which
            waits for its turn and returns False when no page may follow.
        pace: Limits the number of threads, and so of requests in flight, and says when a page
            may leave.
    """

    def __init__(
        self,
        connect: Callable[[Callable[[], bool]], AbstractContextManager[Connection]],
        pace: Pace,
    ) -> None:
        self._connect = connect
        self._pace = pace
        self.clock = time.monotonic
        self.inbox: Inbox = SimpleQueue()
        """Where reports go that the engine must see immediately, and all other news."""
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.ready: deque[Job] = deque()
        """Jobs whose requests may leave, put here by the engine."""
        self.reserve = 0
        """The number of ready jobs at which the engine must provide more."""
        self.goes_on = False
        """Whether a good answer may be followed by the next ready job."""
        self.finished: deque[Exchanged] = deque()
        """The reports that can wait until the engine looks."""
        self._ends = threading.Event()

    def submit(self) -> bool:
        """Have one more thread send the request of a ready job; False when none is ready."""
        job = self._take()
        if job is None:
            return False
        try:
            if len(self._threads) < self._pace.most:
                self._start_thread()
        except Exception as error:  # noqa: BLE001 - as below; a system may have no more threads
            now = self.clock()
            self.inbox.put(Exchanged(job, now, now, error, is_followed=False))
        else:
            self._queue.put(job)
        return True

    def wind_up(self) -> None:
        """Let nothing more leave, nor a page wait for its turn, which may take minutes."""
        self.goes_on = False
        self.ready.clear()
        self._ends.set()

    def close(self) -> None:
        """End every thread; nothing may be in flight."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _take_turn(self) -> bool:
        seconds = self._pace.take_turn(self.clock())
        return seconds <= 0.0 or not self._ends.wait(seconds)

    def _start_thread(self) -> None:
        # Not in the thread itself: if it failed there, the engine would wait for ever.
        connection = self._connect(self._take_turn)
        # Daemons, so that the process can leave immediately: the journal has what is in flight.
        thread = threading.Thread(target=self._work, args=(connection,), daemon=True)
        thread.start()
        self._threads.append(thread)

    def _work(self, connection: AbstractContextManager[Connection]) -> None:
        with connection as opened:
            while (job := self._queue.get()) is not None:
                following: Job | None = job
                while following is not None:
                    following = self._exchange(opened, following)

    def _exchange(self, connection: Connection, job: Job) -> Job | None:
        """Send a request and report it; return the job to go on with, if any."""
        started = self.clock()
        try:
            if not isinstance(job.command, Send):
                raise TypeError(job.command)  # noqa: TRY301 - an internal error like any other
            result: Answer | Listing | Exception = connection.carry_out(job.command.call)
        except Exception as error:  # noqa: BLE001 - whatever it is, the run must know
            result = error
        ended = self.clock()
        if not (isinstance(result, Answer) and result.verdict is Verdict.APPLIED):
            self.goes_on = False  # the engine decides first whether anything more may leave
        following = self._take() if self.goes_on else None
        exchanged = Exchanged(job, started, ended, result, following is not None)
        if following is None or len(self.ready) <= self.reserve:
            self.inbox.put(exchanged)
        else:
            self.finished.append(exchanged)
        return following

    def _take(self) -> Job | None:
        try:
            return self.ready.popleft()
        except IndexError:
            return None

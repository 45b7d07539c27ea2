"""Virtual time, and workers that send requests in it: no threads, no sleeping."""

import heapq
from collections import deque
from collections.abc import Callable
from queue import Empty
from typing import Protocol

from importer.api import Answer, Listing, Verdict
from importer.api.calls import Call
from importer.engine import Job, Pace
from importer.engine.procedures import Send
from importer.engine.workers import Exchanged

_LONGEST_WAIT = 3600.0
_MOST_STEPS = 50_000


class Killed(BaseException):
    """The process was killed; nothing may handle it."""


class Hang(AssertionError):  # noqa: N818 - what it says
    """The run would never end."""


class World:
    """The clock, what will happen by it, and the moment of the next kill.

    Attributes:
        now: Seconds since 1970.
        steps_left: Steps until the process is killed; None if it is not.
    """

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.steps_left: int | None = None
        self.steps = 0
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0

    def time(self) -> float:
        """Return the time."""
        return self.now

    def at(self, when: float, action: Callable[[], object]) -> None:
        """Have something happen."""
        self._count += 1
        heapq.heappush(self._events, (max(when, self.now), self._count, action))

    def happen(self, until: float) -> bool:
        """Have the next thing happen; False, at that time, when there is none until then."""
        if not self._events or self._events[0][0] > until:
            self.now = max(self.now, until)
            return False
        self.now, _, action = heapq.heappop(self._events)
        action()
        return True

    def pass_time(self, seconds: float) -> None:
        """Let everything happen that is due by then."""
        until = self.now + seconds
        while self.happen(until):
            pass

    def step(self) -> None:
        """Count one step of the process; the last one kills it.

        Raises:
            Killed: It was the last one.
            Hang: There have been more than any run needs.
        """
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise Hang("The run does not end.")
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left < 0:
                raise Killed


class SimulatedInbox:
    """An inbox in which waiting makes time pass."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._items: deque[object] = deque()

    def put(self, item: object) -> None:
        """Add news."""
        self._items.append(item)

    def get(self, *, timeout: float) -> object:
        """Take the next, once something has put it here."""
        self._world.step()
        until = self._world.now + timeout
        while not self._items:
            if not self._world.happen(until):
                if timeout >= _LONGEST_WAIT:
                    raise Hang("The run waits for something that never happens.")
                raise Empty
        return self._items.popleft()

    def get_nowait(self) -> object:
        """Take the next, if there is one."""
        if not self._items:
            raise Empty
        return self._items.popleft()


class Exchange(Protocol):
    """What answers calls; :class:`tests.simulation.api.SimulatedApi`."""

    def receive(
        self, call: Call, take_turn: Callable[[], bool], reply: Callable[[Answer | Listing], None]
    ) -> None:
        """Take in a call; ``reply`` is called when its answer arrives."""


class SimulatedWorkers:
    """Sends requests to a simulated API, as :class:`importer.engine.Workers` does with threads.

    Args:
        world: The time.
        api: Answers.
        pace: As that of the real ones.
        observe: Called with each job and call that leaves, and again with its result.
    """

    def __init__(
        self,
        world: World,
        api: Exchange,
        pace: Pace,
        observe: Callable[[Job, Call, Answer | Listing | None], None],
    ) -> None:
        self._world = world
        self._api = api
        self._pace = pace
        self._observe = observe
        self._ends = False
        self.inbox = SimulatedInbox(world)
        self.clock = world.time
        self.ready: deque[Job] = deque()
        self.reserve = 0
        self.goes_on = False
        self.finished: deque[Exchanged] = deque()
        self.is_dead = False
        """Whether the process has been killed, so that no answer arrives any more."""

    def submit(self) -> bool:
        """Send the request of a ready job."""
        if not self.ready:
            return False
        self._world.step()
        self._start(self.ready.popleft())
        return True

    def wind_up(self) -> None:
        """Let nothing more leave."""
        self.goes_on = False
        self.ready.clear()
        self._ends = True

    def close(self) -> None:
        """Do nothing: there are no threads."""

    def _start(self, job: Job) -> None:
        assert isinstance(job.command, Send)
        call, started = job.command.call, self._world.now
        self._observe(job, call, None)
        self._api.receive(call, self._take_turn, lambda result: self._end(job, started, result))

    def _end(self, job: Job, started: float, result: Answer | Listing) -> None:
        if self.is_dead:
            return
        assert isinstance(job.command, Send)
        self._observe(job, job.command.call, result)
        if not (isinstance(result, Answer) and result.verdict is Verdict.APPLIED):
            self.goes_on = False
        following = self.ready.popleft() if self.goes_on and self.ready else None
        exchanged = Exchanged(job, started, self._world.now, result, following is not None)
        if following is None or len(self.ready) <= self.reserve:
            self.inbox.put(exchanged)
        else:
            self.finished.append(exchanged)
        if following is not None:
            self._start(following)

    def _take_turn(self) -> bool:
        return self._pace.take_turn(self._world.now) <= 0.0 or not self._ends

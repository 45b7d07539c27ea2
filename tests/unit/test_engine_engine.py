"""The engine: what is on disk before what leaves, who goes first, and how a run ends."""

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any

import pytest
from procedures import STOP, answer, failed_listing, listing, success

from importer.api import Answer, Listing
from importer.api.calls import Call, CreateContact, ListContacts, ReadContact
from importer.engine import (
    Done,
    Engine,
    Health,
    Job,
    Outbox,
    Pace,
    Priority,
    Record,
    Stop,
    Stopped,
)
from importer.engine.procedures import Command, Send, Wait
from importer.errors import InputError, StoppedError
from importer.journal import Entry, State
from importer.records import Outcome, Status
from tests.simulation.world import SimulatedWorkers, World

OK = success()
Script = Sequence[Command | str]


@dataclass
class Place:
    """An engine whose jobs follow scripts, with an API that answers as a table says.

    Attributes:
        answers: Row to its answers, in order; a good one without.
        log: What happened, in order.
        stops: Row to what ended it.
        in_flight: The number of requests in flight, each time that one leaves.
    """

    answers: dict[int, list[Any]] = field(default_factory=dict)
    most: int = 4
    log: list[str] = field(default_factory=list)
    stops: dict[int, Stopped] = field(default_factory=dict)
    full_after: int | None = None
    latency: Callable[[int], float] = lambda _: 1.0
    gate: Callable[[Outcome], Stop | None] = lambda _: None
    abandoned: list[Done] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World()
        self.pace = Pace(self.most, None)
        self.workers = SimulatedWorkers(self.world, self, self.pace, self._observe)
        outbox = Outbox(self, self._report, self.world.time)
        health = Health(self.pace, Random(1))  # noqa: S311 - jitter
        self.engine = Engine(self, self.workers, outbox, health, self.gate)
        self.in_flight: list[int] = []
        self._in_flight = self.writes = 0

    # The API, the journal and the client.

    def receive(
        self, call: Call, take_turn: object, reply: Callable[[Answer | Listing], None]
    ) -> None:
        """Answer after some seconds."""
        del take_turn
        row = int(call[0])
        queue = self.answers.get(row, [])
        made = queue.pop(0) if queue else (OK if isinstance(call, CreateContact) else listing())
        self.world.at(self.world.now + self.latency(row), partial(reply, made))

    def write(self, entries: Sequence[Entry]) -> None:
        """Put entries on disk, unless it is full."""
        self.writes += 1
        if self.full_after is not None and self.writes > self.full_after:
            raise StoppedError("The disk is full.")
        self.log.append(f"disk {' '.join(one.key.decode() for one in entries)}")

    def admit(self, batch: list[Job]) -> None:
        """Submit the jobs of a batch."""
        for job in batch:
            self.engine.submit(job)

    def abandon(self, stop: Stop) -> Iterable[Done]:
        """Return the ends of rows without a job."""
        del stop
        done, self.abandoned = self.abandoned, []
        return done

    def _observe(self, job: Job, call: Call, result: object) -> None:
        del call
        self._in_flight += 1 if result is None else -1
        if result is None:
            self.in_flight.append(self._in_flight)
            self.log.append(f"send {job.row}")

    def _report(self, outcomes: list[Outcome]) -> None:
        self.log += [f"report {one.row} {one.status}" for one in outcomes]

    # Jobs.

    def job(
        self,
        row: int,
        script: Script = ("intent", "send"),
        lane: str = "",
        priority: Priority = Priority.FRESH,
    ) -> Job:
        """Return a job that follows a script and then is done."""
        return Job(lane or f"lane {row}", row, self._procedure(row, script), priority)

    def _procedure(self, row: int, script: Script) -> Generator[Command, Any, Done]:
        status = Status.CREATED
        try:
            for step in script:
                match step:
                    case "intent":
                        yield Record([entry(row, "intent")])
                    case "send":
                        yield Send(CreateContact(str(row), b"{}"))
                    case "list":
                        yield Send(ListContacts(str(row)))
                    case "read":
                        yield Send(ReadContact(str(row)))
                    case "stop":
                        return Done(Outcome(row=row, status=status), stop=STOP)
                    case "nothing":
                        return Done(None)
                    case command:
                        assert isinstance(command, Record | Send | Wait)
                        yield command
        except Stopped as stopped:
            self.stops[row] = stopped
            return Done(Outcome(row=row, status=Status.NOT_SENT), [entry(row, "absent")])
        return Done(Outcome(row=row, status=status), [entry(row, "created")])

    def run(self, *jobs: Job, news: Sequence[object] = (), after: float = 0.0) -> list[str]:
        """Run jobs to their end; news arrives after some seconds. Return the log."""
        self.engine.inbox.put(list(jobs))
        for one in (*news, None):
            self.world.at(self.world.now + after, partial(self.engine.inbox.put, one))
        self.engine.run()
        return self.log

    def sent(self) -> list[int]:
        """Return the rows of the requests, in the order in which they left."""
        return [int(line.split()[1]) for line in self.log if line.startswith("send")]


def entry(row: int, what: str) -> Entry:
    """Return an entry that the log shows by row and state."""
    return Entry(f"{row}:{what}".encode(), "", State.INTENT)


def test_intent_is_on_disk_before_the_request_and_the_entry_before_the_report() -> None:
    """For each job, whatever the others do."""
    place = Place()
    assert place.run(place.job(1)) == [
        "disk 1:intent",
        "send 1",
        "disk 1:created",
        "report 1 created",
    ]


def test_each_request_leaves_after_its_own_intent() -> None:
    """Many intents share a commit, or a fast API would wait for the disk."""
    place = Place(most=8)
    log = place.run(*[place.job(row) for row in range(1, 101)])
    on_disk: set[str] = set()
    for line in log:
        kind, *words = line.split()
        if kind == "disk":
            on_disk.update(words)
        else:
            assert f"{words[0]}:{'intent' if kind == 'send' else 'created'}" in on_disk
    assert sorted(place.sent()) == list(range(1, 101))
    assert place.writes < 100


def test_one_request_leaves_alone_until_an_answer_was_good() -> None:
    """A wrong address or credential must not meet eight requests at a time."""
    place = Place(most=4)
    log = place.run(*[place.job(row, ["send"]) for row in range(1, 9)])
    assert log[:2] == ["send 1", "send 2"]
    assert max(place.in_flight) == 4
    busy = Place({row: [answer(401)] for row in range(1, 9)})
    busy.run(*[busy.job(row, ["send"]) for row in range(1, 9)])
    assert busy.sent() == [1]


def test_one_request_at_a_time_probes_an_api_that_fails() -> None:
    """Once several rows in a row have failed; all go on when it answers again."""
    tries = ["send", Wait(0.1)] * 4
    bad = {row: [answer(425)] * (3 if row == 2 else 1) for row in range(2, 10)}
    place = Place(bad, most=8)
    place.run(place.job(1, ["send"]), *[place.job(row, tries) for row in range(2, 10)])
    first_probe = place.in_flight.index(8) + 1
    assert place.in_flight[first_probe : first_probe + 2] == [1, 1]
    assert max(place.in_flight[first_probe + 2 :]) > 1


def test_jobs_of_one_lane_run_one_after_the_other() -> None:
    """Each is on record before the next begins; other lanes go on beside them."""
    place = Place()
    jobs = [place.job(row, ["intent", "send", "list"], "a" if row < 4 else "b") for row in range(6)]
    place.run(*jobs)
    sent = place.sent()
    assert [row for row in sent if row < 4] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert [row for row in sent if row >= 4] == [4, 4, 5, 5]
    assert max(place.in_flight) == 2


def test_what_an_earlier_run_left_goes_first_and_background_last() -> None:
    """And a job that has begun precedes them all."""
    place = Place(most=1)
    place.run(
        place.job(1, ["send"], priority=Priority.BACKGROUND),
        place.job(2, ["send"], priority=Priority.FRESH),
        place.job(3, ["send", "list"], priority=Priority.UNSETTLED),
    )
    assert place.sent() == [3, 3, 2, 1]


def test_lane_has_the_priority_of_its_next_job() -> None:
    """An unclear row behind a fresh one waits for that, and then goes first."""
    place = Place(most=1)
    place.run(
        place.job(1, ["send"], "a"),
        place.job(2, ["send"], "a", Priority.UNSETTLED),
        place.job(3, ["send"], "b"),
    )
    assert place.sent() == [1, 2, 3]


def test_waiting_job_leaves_room_for_others() -> None:
    """It continues when its time is up."""
    place = Place(most=1)
    began = place.world.now
    place.run(place.job(1, [Wait(60.0), "send"]), place.job(2, ["send"]))
    assert place.sent() == [2, 1]
    assert 61.0 <= place.world.now - began < 61.2


def test_job_without_requests_is_reported() -> None:
    """Within the time that an outcome may be held."""
    place = Place()
    assert place.run(place.job(1, [])) == ["disk 1:created", "report 1 created"]


def test_procedure_without_an_outcome_serves_others() -> None:
    """It ends and nothing is reported for it; the run waits for rows only."""
    place = Place()
    looked_up = place.job(2, ["list", "nothing"], priority=Priority.BACKGROUND)
    row = place.job(1, ["send"])

    def admit(batch: list[Job]) -> None:
        for job in [*batch, looked_up]:
            place.engine.submit(job)

    place.admit = admit  # type: ignore[method-assign]
    assert place.run(row)[-1] == "report 1 created"


class TestStop:
    """The run ends before all is sent."""

    def test_requests_in_flight_are_finished_and_nothing_else_leaves(self) -> None:
        """Each other job ends where it is, begun or not."""
        place = Place(most=2)
        jobs = [place.job(row, ["intent", "send"]) for row in range(1, 10)]
        log = place.run(*jobs, news=[STOP], after=1.5)
        assert place.sent() == [1, 2, 3]
        assert sorted(line for line in log if line.startswith("report")) == [
            *(f"report {row} created" for row in (1, 2, 3)),
            *(f"report {row} not_sent" for row in range(4, 10)),
        ]
        assert {stopped.answer for stopped in place.stops.values()} == {None}
        assert place.engine.stop is STOP

    @pytest.mark.parametrize("after", [0.5, 1.5, *(3.0 + n / 50 for n in range(20))])
    def test_every_row_is_reported_once(self, after: float) -> None:
        """Those whose intents wait for a commit, too."""
        place = Place(most=8, latency=lambda row: 1.0 + row % 8 / 8)
        jobs = [place.job(row) for row in range(1, 101)]
        log = place.run(*jobs, news=[STOP], after=after)
        rows = sorted(int(line.split()[1]) for line in log if line.startswith("report"))
        assert rows == list(range(1, 101))
        assert set(place.sent()).isdisjoint(place.stops)

    def test_job_that_waits_ends_immediately(self) -> None:
        """No worker waits for its time."""
        place = Place()
        began = place.world.now
        place.run(place.job(1, ["send", Wait(600.0)]), news=[STOP], after=5.0)
        assert place.stops[1].stop is STOP
        assert place.world.now - began < 6.0

    def test_next_request_of_one_in_flight_does_not_leave(self) -> None:
        """It learns its answer, and ends when it wants more."""
        place = Place()
        place.run(place.job(1, ["send", "list"]), news=[STOP], after=0.5)
        assert place.sent() == [1]
        assert place.stops[1].answer is None

    def test_rows_that_arrive_later_are_reported_too(self) -> None:
        """The reader goes on to the end of the file."""
        place = Place()
        late = [place.job(row) for row in (2, 3)]
        log = place.run(place.job(1), news=[STOP, late], after=0.5)
        assert [line for line in log if line.startswith("report")] == [
            "report 1 created",
            "report 2 not_sent",
            "report 3 not_sent",
        ]

    def test_rows_without_a_job_are_given_up_by_the_client(self) -> None:
        """They were admitted and have no job yet."""
        place = Place(abandoned=[Done(Outcome(row=7, status=Status.NOT_SENT))])
        log = place.run(place.job(1), news=[STOP], after=0.5)
        assert "report 7 not_sent" in log

    def test_first_reason_counts(self) -> None:
        """A second signal changes nothing."""
        place = Place()
        place.run(place.job(1), news=[STOP, Stop("late", "Late.")], after=0.5)
        assert place.engine.stop is STOP

    def test_answer_that_stops_the_run_goes_to_its_own_job(self) -> None:
        """The others only learn that the run is over."""
        place = Place({2: [answer(401)]}, most=2)
        place.run(*[place.job(row, ["send"]) for row in range(1, 6)])
        refused = place.stops.pop(2)
        assert refused.answer is not None
        assert refused.answer.http_status == 401
        assert {stopped.answer for stopped in place.stops.values()} == {None}
        assert place.engine.stop is not None
        assert place.engine.stop.why == "credentials"

    def test_stop_of_a_procedure_ends_the_run(self) -> None:
        """As when none of the orders exists."""
        place = Place(most=1)
        place.run(place.job(1, ["send", "stop"]), place.job(2, ["send"]))
        assert (place.sent(), place.engine.stop) == ([1], STOP)

    def test_gate_ends_the_run(self) -> None:
        """As when more rows have failed than are allowed; what is in flight is finished."""
        place = Place(most=1, gate=lambda outcome: STOP if outcome.row == 2 else None)
        place.run(*[place.job(row, ["send"]) for row in range(1, 5)])
        assert (place.sent(), place.engine.stop) == ([1, 2, 3], STOP)
        assert list(place.stops) == [4]

    def test_list_that_was_given_up_says_nothing(self) -> None:
        """Its job ends as if the list had not been asked for."""
        given_up = replace(failed_listing(answer(500)), is_given_up=True)
        place = Place({1: [given_up]})
        place.run(place.job(1, ["list"]), news=[STOP], after=0.5)
        assert place.stops[1].answer is None
        assert not place.stops[1].may_be_sent


def test_internal_error_while_sending_ends_the_run() -> None:
    """The request may have left, and its text could hold a cell."""
    place = Place({2: [ValueError("secret")]}, most=1)
    place.run(*[place.job(row, ["send"]) for row in (1, 2, 3)])
    assert place.stops[2].may_be_sent
    assert not place.stops[3].may_be_sent
    assert place.engine.stop is not None
    assert place.engine.stop.why == "fault"
    assert "secret" not in place.engine.stop.message


class TestFullDisk:
    """The journal takes nothing any more."""

    def test_request_whose_intent_is_not_on_disk_does_not_leave(self) -> None:
        """The row has not been sent, and that is reported."""
        place = Place(full_after=0)
        assert place.run(place.job(1), place.job(2)) == ["report 1 not_sent", "report 2 not_sent"]
        assert place.engine.stop is not None
        assert place.engine.stop.why == "journal"

    def test_what_was_done_is_reported_all_the_same(self) -> None:
        """Because it is true."""
        place = Place(full_after=1)
        log = place.run(place.job(1), place.job(2))
        assert "report 1 created" in log
        assert "report 2 not_sent" in log


def test_input_that_breaks_off_ends_the_run_once_all_is_reported() -> None:
    """The error is raised, and what was sent has its outcome."""
    place = Place()
    with pytest.raises(InputError, match="changed"):
        place.run(place.job(1), place.job(2), news=[InputError("It changed.")], after=0.5)
    assert [line for line in place.log if line.startswith("report")] == [
        "report 1 created",
        "report 2 not_sent",
    ]


def test_run_without_any_answer_means_that_the_api_is_down() -> None:
    """Even if it ended in its own time."""
    place = Place({1: [answer(code="network.connect")]})
    place.run(place.job(1, ["send"]))
    assert place.engine.stop is not None
    assert place.engine.stop.why == "api_down"


def test_requests_are_counted() -> None:
    """Each page of a list is one."""
    place = Place({1: [listing(requests=3)]})
    place.run(place.job(1, ["list", "send"]))
    assert place.engine.requests == 4


def test_nothing_leaves_while_the_api_asks_to_wait() -> None:
    """Whichever row had that answer."""
    place = Place({1: [answer(429, retry_after=30.0)]})
    began = place.world.now
    place.run(place.job(1, ["send"]), place.job(2, ["send"]))
    assert place.sent() == [1, 2]
    assert place.world.now - began >= 32.0

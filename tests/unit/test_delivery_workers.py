"""Workers go on by themselves, but only while all is well."""

import contextlib
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any, cast

import pytest

from importer.api import Answer, Api, Connection, Verdict
from importer.delivery.pace import Pace
from importer.delivery.workers import Exchanged, Workers

GOOD = Answer(verdict=Verdict.APPLIED, seconds=0.0, http_status=201)


class Place:
    """One worker whose requests end as they are told to.

    Attributes:
        events: What the loop would see at once.
        sent: The tasks whose requests have left.
    """

    def __init__(self, results: dict[str, Answer | Exception]) -> None:
        self.events: SimpleQueue[Exchanged[str]] = SimpleQueue()
        self.sent: list[str] = []
        self._results = results
        self.workers = Workers[str](
            cast("Api", self),
            Pace(1, None),
            cast("SimpleQueue[object]", self.events),
            self._carry_out,
        )

    @contextlib.contextmanager
    def connect(self, _before_page: object) -> Iterator[Any]:
        """Stands for a connection, which nobody uses."""
        yield None

    def _carry_out(self, _connection: Connection, task: str) -> Answer:
        self.sent.append(task)
        result = self._results.get(task, GOOD)
        if isinstance(result, Exception):
            raise result
        return result

    def run(self) -> None:
        """Have the worker begin, and end when it has nothing more to go on with."""
        assert self.workers.submit()
        self.workers.close()


def test_a_good_answer_is_followed_by_the_next_ready_task() -> None:
    """And the loop need not look until few are left."""
    place = Place({})
    place.workers.ready.extend("abcd")
    place.workers.goes_on, place.workers.reserve = True, 1
    place.run()
    assert place.sent == list("abcd")
    assert [(one.task, one.is_followed) for one in place.workers.finished] == [("a", True)]
    told = [place.events.get_nowait() for _ in range(place.events.qsize())]
    assert [(one.task, one.is_followed) for one in told] == [
        ("b", True),
        ("c", True),
        ("d", False),
    ]


@pytest.mark.parametrize(
    "result",
    [
        Answer(verdict=Verdict.NOT_APPLIED, seconds=0.0, http_status=429),
        Answer(verdict=Verdict.UNKNOWN, seconds=0.0),
        ValueError("a fault of this program"),
    ],
    ids=["refused", "unclear", "fault"],
)
def test_after_anything_else_the_loop_decides(result: Answer | Exception) -> None:
    """Nothing leaves until it has, from any worker."""
    place = Place({"b": result})
    place.workers.ready.extend("abc")
    place.workers.goes_on = True
    place.run()
    assert place.sent == ["a", "b"]
    assert not place.workers.goes_on
    assert list(place.workers.ready) == ["c"]


def test_without_the_loops_leave_no_task_is_taken() -> None:
    """As while a rate or a pause holds requests back."""
    place = Place({})
    place.workers.ready.extend("ab")
    place.run()
    assert place.sent == ["a"]


def test_nothing_is_submitted_when_nothing_is_ready() -> None:
    """The loop may have been overtaken by a worker."""
    place = Place({})
    assert not place.workers.submit()
    place.workers.close()


def test_a_thread_that_cannot_begin_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for its task for ever."""
    place = Place({})

    def full(_place: Place, _take_turn: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Place, "connect", full)
    place.workers.ready.append("a")
    assert place.workers.submit()
    told = place.events.get(timeout=5)
    assert (told.task, str(told.result)) == ("a", "can't start new thread")
    place.workers.close()

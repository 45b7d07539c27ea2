"""Workers continue on their own, but only while all is well."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

import pytest
from procedures import answer, success

from importer.api import Answer
from importer.api.calls import Call, ReadContact
from importer.engine import Job, Pace, Workers
from importer.engine.procedures import Send

if TYPE_CHECKING:
    from queue import SimpleQueue

    from importer.engine.workers import Exchanged


class Place:
    """A worker whose requests have the results that a test wants.

    Attributes:
        sent: The names of the jobs whose requests have left.
    """

    def __init__(self, results: dict[str, Answer | Exception]) -> None:
        self.sent: list[str] = []
        self._results = results
        self.workers = Workers(self.connect, Pace(1, None))
        self.events = cast("SimpleQueue[Exchanged]", self.workers.inbox)

    @contextlib.contextmanager
    def connect(self, _before_page: Callable[[], bool]) -> Iterator["Place"]:
        """Return what carries out calls."""
        yield self

    def carry_out(self, call: Call) -> Answer:
        """Answer a call."""
        assert isinstance(call, ReadContact)
        self.sent.append(call.ref)
        result = self._results.get(call.ref, success())
        if isinstance(result, Exception):
            raise result
        return result

    def make_ready(self, names: str) -> None:
        """Have a job ready for each letter."""
        for name in names:
            job = Job(name, 1, (_ for _ in ()), command=Send(ReadContact(name)))  # type: ignore[arg-type]
            self.workers.ready.append(job)

    def run(self) -> None:
        """Have the worker begin, and end when nothing is left to continue with."""
        assert self.workers.submit()
        self.workers.close()


def test_good_answer_is_followed_by_the_next_ready_job() -> None:
    """The engine is only needed when few are left."""
    place = Place({})
    place.make_ready("abcd")
    place.workers.goes_on, place.workers.reserve = True, 1
    place.run()
    assert place.sent == list("abcd")
    assert [(one.job.lane, one.is_followed) for one in place.workers.finished] == [("a", True)]
    reported = [place.events.get_nowait() for _ in range(place.events.qsize())]
    assert [(one.job.lane, one.is_followed) for one in reported] == [
        ("b", True),
        ("c", True),
        ("d", False),
    ]


@pytest.mark.parametrize(
    "result",
    [answer(429), answer(code="network.timeout"), ValueError("an internal error")],
    ids=["refused", "unclear", "internal error"],
)
def test_after_anything_else_the_engine_decides(result: Answer | Exception) -> None:
    """Until then, no worker sends another request."""
    place = Place({"b": result})
    place.make_ready("abc")
    place.workers.goes_on = True
    place.run()
    assert place.sent == ["a", "b"]
    assert not place.workers.goes_on
    assert [job.lane for job in place.workers.ready] == ["c"]


def test_without_permission_no_job_is_taken() -> None:
    """As while a rate or a pause holds requests back."""
    place = Place({})
    place.make_ready("ab")
    place.run()
    assert place.sent == ["a"]


def test_nothing_is_submitted_when_nothing_is_ready() -> None:
    """A worker may have been faster than the engine."""
    place = Place({})
    assert not place.workers.submit()
    place.workers.close()


def test_thread_that_cannot_start_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the engine would wait for its job for ever."""
    place = Place({})

    def full() -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(place.workers, "_start_thread", full)
    place.make_ready("a")
    assert place.workers.submit()
    reported = place.events.get(timeout=5)
    assert (reported.job.lane, str(reported.result)) == ("a", "can't start new thread")
    place.workers.close()

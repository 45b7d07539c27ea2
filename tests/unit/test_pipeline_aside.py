"""A generator in a process of its own: what it makes, how it fails, how it ends."""

import errno
import os
import select
import signal
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from importer.errors import InputError, StoppedError
from importer.pipeline.aside import Aside, pays

DESCRIPTORS = Path("/proc/self/fd")
IsHurried = Callable[[], bool]
Made = Generator[object, None, str]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system forks no process")


def calm() -> bool:
    """Nobody waits for the end."""
    return False


def test_it_yields_and_returns_what_the_generator_does() -> None:
    """In its order, from another process."""

    def work(_: IsHurried) -> Made:
        yield os.getpid()
        yield from range(3)
        return "done"

    with Aside(work) as aside:
        items = aside.items(calm)
        assert next(items) != os.getpid()
        assert [next(items) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(StopIteration) as end:
            next(items)
    assert end.value.value == "done"


def test_its_error_is_raised_here() -> None:
    """After what it made before that."""

    def work(_: IsHurried) -> Made:
        yield 1
        raise InputError("the file is cut short")

    with Aside(work) as aside:
        items = aside.items(calm)
        assert next(items) == 1
        with pytest.raises(InputError, match="the file is cut short"):
            next(items)


def test_a_fault_comes_as_its_kind_and_place() -> None:
    """Its own text may quote a cell."""

    def work(_: IsHurried) -> Made:
        yield 1
        raise KeyError("CELLMARK")

    with Aside(work) as aside, pytest.raises(StoppedError) as raised:
        list(aside.items(calm))
    assert "KeyError at" in str(raised.value)
    assert "test_pipeline_aside.py" in str(raised.value)
    assert "CELLMARK" not in str(raised.value)


@pytest.mark.parametrize("size", [0, 100_000], ids=["between", "within-an-item"])
def test_a_process_that_is_killed_is_told(size: int) -> None:
    """Whether or not half of an item has come."""

    def work(_: IsHurried) -> Made:
        yield os.getpid()
        # More than a pipe holds, so that it is killed while it writes.
        yield b"x" * size
        time.sleep(60)
        return ""

    with Aside(work) as aside:
        items = aside.items(calm)
        number = next(items)
        assert isinstance(number, int)
        if not size:
            next(items)
        else:
            time.sleep(0.1)
        os.kill(number, signal.SIGKILL)
        with pytest.raises(StoppedError, match="Nothing was sent; run the same command again"):
            next(items)


def test_it_learns_that_somebody_waits() -> None:
    """As soon as the next item is asked for."""
    waits: list[bool] = []

    def work(is_hurried: IsHurried) -> Made:
        while not is_hurried():
            yield "slow"
        yield "quick"
        return ""

    with Aside(work) as aside:
        made = []
        for item in aside.items(lambda: bool(waits)):
            made.append(item)
            waits.append(True)
    assert made[0] == "slow"
    assert made[-1] == "quick"


def test_it_ends_with_what_it_is_entered_in() -> None:
    """Although it has more to do; nothing of it is left, no zombie either."""

    def work(_: IsHurried) -> Made:
        yield os.getpid()
        time.sleep(60)
        return ""

    with Aside(work) as aside:
        number = next(aside.items(calm))
        assert isinstance(number, int)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_signals_are_for_the_run_alone(number: signal.Signals) -> None:
    """A terminal sends them to both, and so does a service manager."""

    def work(_: IsHurried) -> Made:
        yield os.getpid()
        yield "still there"
        return ""

    with Aside(work) as aside:
        items = aside.items(calm)
        process = next(items)
        assert isinstance(process, int)
        os.kill(process, number)
        assert next(items) == "still there"
    assert signal.getsignal(number) is not signal.SIG_IGN
    assert number not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_parent_that_ignores_the_end_of_children_changes_nothing() -> None:
    """It hands that on, and then the system forgets a process as soon as it has ended."""

    def work(_: IsHurried) -> Made:
        yield os.getpid()
        return "done"

    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with Aside(work) as aside:
            items = aside.items(calm)
            other = Path(f"/proc/{next(items)}")
            assert list(items) == []
            time.sleep(0.2)  # until it has ended
            assert other.exists()  # as a number that nobody else can have
        assert not other.exists()
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_it_ends_at_once_with_a_process_that_is_killed() -> None:
    """Not only when it has something to hand over: it holds the output of the run open."""

    def work(_: IsHurried) -> Made:
        yield os.getpid()
        time.sleep(60)
        return "done"

    reader, writer = os.pipe()
    between = os.fork()
    if between == 0:
        try:
            with Aside(work) as aside:
                os.write(writer, str(next(aside.items(calm))).encode())
                time.sleep(60)
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as held:
        other = int(held.read(20))
        os.kill(between, signal.SIGKILL)
        os.waitpid(between, 0)
        is_let_go, *_ = select.select([held], [], [], 10)
        if not is_let_go:
            os.kill(other, signal.SIGKILL)
    assert is_let_go


def test_without_another_process_the_caller_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system may have no more of them; nothing is left open then."""

    def fork() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", fork)
    before = len([*DESCRIPTORS.iterdir()])
    with pytest.raises(BlockingIOError), Aside(lambda _: iter(())):  # type: ignore[arg-type,return-value]
        pass
    assert len([*DESCRIPTORS.iterdir()]) == before
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_it_pays_for_long_files_and_with_cores_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not at a stream, where the other process might wait for ever."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert pays(100_000_000)
    assert not pays(1_000)
    assert not pays(None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1})
    assert not pays(100_000_000)


def test_it_does_not_pay_where_nobody_may_ask_for_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a sandbox of the system; the run reads the file itself."""

    def forbidden(_: int) -> set[int]:
        raise PermissionError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "sched_getaffinity", forbidden, raising=False)
    assert not pays(100_000_000)

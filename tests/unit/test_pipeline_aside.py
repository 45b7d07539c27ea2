"""A generator in another process: its items, its errors and its end."""

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
Items = Generator[object, None, str]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system forks no process")


def calm() -> bool:
    """Return that there is no hurry."""
    return False


def test_items_and_result_are_those_of_the_generator() -> None:
    """In the same order, from another process."""

    def work(_: IsHurried) -> Items:
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


def test_error_of_the_generator_is_raised() -> None:
    """After the items before it."""

    def work(_: IsHurried) -> Items:
        yield 1
        raise InputError("the file is cut short")

    with Aside(work) as aside:
        items = aside.items(calm)
        assert next(items) == 1
        with pytest.raises(InputError, match="the file is cut short"):
            next(items)


def test_unexpected_error_is_reported_by_type_and_place() -> None:
    """Its own text may quote a cell."""

    def work(_: IsHurried) -> Items:
        yield 1
        raise KeyError("CELLMARK")

    with Aside(work) as aside, pytest.raises(StoppedError) as raised:
        list(aside.items(calm))
    assert "KeyError at" in str(raised.value)
    assert "test_pipeline_aside.py" in str(raised.value)
    assert "CELLMARK" not in str(raised.value)


@pytest.mark.parametrize("size", [0, 100_000], ids=["between", "within-an-item"])
def test_killed_process_is_an_error(size: int) -> None:
    """Between two items, and within one."""

    def work(_: IsHurried) -> Items:
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


def test_hurry_reaches_the_generator() -> None:
    """With the request for the next item."""
    waits: list[bool] = []

    def work(is_hurried: IsHurried) -> Items:
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


def test_process_ends_with_its_context() -> None:
    """Although it has more to do; not even a zombie is left."""

    def work(_: IsHurried) -> Items:
        yield os.getpid()
        time.sleep(60)
        return ""

    with Aside(work) as aside:
        number = next(aside.items(calm))
        assert isinstance(number, int)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_signals_do_not_end_the_other_process(number: signal.Signals) -> None:
    """A terminal and a service manager send them to both."""

    def work(_: IsHurried) -> Items:
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


def test_process_number_is_kept_when_sigchld_was_ignored() -> None:
    """That is inherited, and the system releases the number when the process ends."""

    def work(_: IsHurried) -> Items:
        yield os.getpid()
        return "done"

    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with Aside(work) as aside:
            items = aside.items(calm)
            other = Path(f"/proc/{next(items)}")
            assert list(items) == []
            time.sleep(0.2)  # until it has exited
            assert other.exists()  # so its number cannot be reused
        assert not other.exists()
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_process_ends_with_a_killed_parent() -> None:
    """Not only when it writes its next item: it holds the output of the run open."""

    def work(_: IsHurried) -> Items:
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


def test_failed_fork_is_raised_and_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the system allows no more processes."""

    def fork() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", fork)
    before = len([*DESCRIPTORS.iterdir()])
    with pytest.raises(BlockingIOError), Aside(lambda _: iter(())):  # type: ignore[arg-type,return-value]
        pass
    assert len([*DESCRIPTORS.iterdir()]) == before
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_pays_for_long_files_on_several_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for a stream, where the other process might wait forever."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert pays(100_000_000)
    assert not pays(1_000)
    assert not pays(None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1})
    assert not pays(100_000_000)


def test_does_not_pay_when_the_cores_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in some sandboxes; the run reads the file itself."""

    def forbidden(_: int) -> set[int]:
        raise PermissionError(errno.EPERM, "not here")

    monkeypatch.setattr(os, "sched_getaffinity", forbidden, raising=False)
    assert not pays(100_000_000)

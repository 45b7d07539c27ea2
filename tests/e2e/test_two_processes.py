"""A dry run of a long file: one process reads and validates, the other does the rest."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import Workplace, order, wait_until

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) == 1,
    reason="a second core is needed",
)
ROWS = 12_000
TIMES = {"startedAt", "finishedAt", "elapsedSeconds", "rowsPerSecond"}


@pytest.fixture
def source(workplace: Workplace) -> Path:
    """Return a file of 12,000 records and about 6 MB, with every kind of record."""
    path = workplace.write([("orderRef", "firstName", "street", "emails", "note"), *_rows()])
    with path.open("a", encoding="utf-8") as file:
        file.write(f'{order(1)},"open,x,,\n{order(2)},too,few\n')
    return path


def _rows() -> Iterator[tuple[str, ...]]:
    for number in range(1, ROWS + 1):
        street = "A long street; " * 30
        match number % 100:
            case 7:
                yield (order(number), "", street, "nobody", "wrong address")
            case 8:
                yield ("", "x", "", "", "no order")
            case 9 if number > 100:
                yield (order(9), "Twice", "", "", "a duplicate")
            case _:
                yield (order(number), f"Name {number}", street, f"p{number}@example.com", "=1+1")


def validate(workplace: Workplace, source: Path, *arguments: object) -> "subprocess.Popen[str]":
    """Start a dry run."""
    return workplace.start(
        source, "--dry-run", "--out", workplace.out, *arguments, start_new_session=True
    )


@contextmanager
def limited_to(*, is_alone: bool) -> Iterator[None]:
    """Limit the processes that are started meanwhile to one core, or to all."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(every)} if is_alone else every)
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


def other_of(process: "subprocess.Popen[str]") -> int:
    """Return the process that the run has started."""
    children: list[str] = []

    def has_begun() -> bool:
        for task in Path(f"/proc/{process.pid}/task").glob("*/children"):
            children.extend(task.read_text().split())
        return bool(children)

    wait_until(has_begun, process)
    return int(children[0])


def is_gone(process: int) -> bool:
    """Whether the process has ended, or only its exit status has not been read yet."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def test_two_processes_write_what_one_writes(workplace: Workplace, source: Path) -> None:
    """Results, rejects and figures are equal byte for byte."""
    runs = []
    for is_alone in (True, False):
        names = ("results.csv", "rejects.csv")
        with limited_to(is_alone=is_alone):
            process = workplace.start(
                source, "--dry-run", "--out", names[0], "--rejects", names[1], "--carry", "note",
                "--summary", "summary.json",
            )  # fmt: skip
        if not is_alone:
            assert other_of(process)
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 1, stderr
        figures = workplace.figures()
        files = [(workplace.directory / name).read_bytes() for name in names]
        untimed = {name: value for name, value in figures.items() if name not in TIMES}
        runs.append((*files, untimed))
    assert runs[0] == runs[1]
    assert runs[0][2]["statuses"] == {"valid": 11_642, "duplicate": 118, "invalid": 242}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_both_processes_ends_the_run(
    workplace: Workplace, source: Path, number: signal.Signals
) -> None:
    """It is reported once, every row has its result, and no process is left."""
    process = validate(workplace, source)
    other = other_of(process)
    os.killpg(process.pid, number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number, stderr
    assert stderr.count("run.interrupted") == 1
    assert "Traceback" not in stderr
    with workplace.out.open(encoding="utf-8") as file:
        assert sum(1 for _ in file) == ROWS + 3
    assert "  not_sent " in stderr
    assert is_gone(other)


def test_killed_run_leaves_no_process(workplace: Workplace, source: Path) -> None:
    """The process that reads has no consumer any more."""
    process = validate(workplace, source)
    other = other_of(process)
    process.kill()
    process.communicate(timeout=60)
    wait_until(lambda: is_gone(other))


def test_run_whose_reader_was_killed_leaves_no_results(workplace: Workplace, source: Path) -> None:
    """As when memory runs out: results of half a file would be misleading."""
    process = validate(workplace, source)
    os.kill(other_of(process), signal.SIGKILL)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 5, stderr
    assert "was killed, perhaps because memory ran out" in stderr
    assert not workplace.out.exists()
    assert {path.name for path in workplace.directory.iterdir()} == {"contacts.csv"}

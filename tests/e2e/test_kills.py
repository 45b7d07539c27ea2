"""Runs that are killed at any moment and started again: exactly one contact per row."""

import contextlib
import csv
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
from _pytest.mark import ParameterSet
from command import COMMAND, Workplace, order, wait_until
from servers.reference import Fault, ReferenceServer

from importer.journal import Journal, Sender, create_folder

Contacts = Callable[[int], Path]
NAIVE = (sys.executable, str(Path(__file__).parents[1] / "support" / "naive.py"))

needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None,
    reason="injecting a fault into the n-th system call takes strace (Linux)",
)
ROWS = 3
MOST_CALLS = 400


def arguments(workplace: Workplace, server: ReferenceServer) -> list[str]:
    """Return the arguments of the command."""
    return ["contacts.csv", "--base-url", server.url, "--out", str(workplace.out)]


def assert_exactly_one_each(server: ReferenceServer, rows: int) -> None:
    """Check that each row has exactly one contact."""
    assert server.contact_counts() == {order(n): 1 for n in range(1, rows + 1)}


def continue_run(workplace: Workplace, server: ReferenceServer, rows: int) -> None:
    """Run the same command again, which must succeed with correct results."""
    ran = workplace.run(*arguments(workplace, server))
    assert ran.exit_status == 0, ran.stderr
    assert_exactly_one_each(server, rows)
    assert {row["orderRef"]: row["ref"] for row in ran.results} == {
        of: contacts[0]["ref"] for of, contacts in server.contacts.items()
    }


@pytest.mark.slow
def test_killed_at_random_times(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """After twelve kills at different moments, one run finishes."""
    contacts(200)
    server.latency = 0.01
    random = Random(9)  # noqa: S311 - repeatable moments
    workplace.out.write_text("of yesterday")
    for _ in range(12):
        seen = len(server.requests)
        process = workplace.start(*arguments(workplace, server))
        more = seen + random.randint(1, 25)
        wait_until(lambda: len(server.requests) >= more, process)  # noqa: B023 - called immediately
        process.kill()
        process.communicate()
        assert workplace.out.read_text() == "of yesterday"
    continue_run(workplace, server, 200)


def shares(call: str, count: int) -> list[ParameterSet]:
    """Return every n-th call; a single test for all of them would exceed its time limit."""
    return [
        pytest.param(call, range(first, MOST_CALLS, count), id=f"{call}-{first}-of-{count}")
        for first in range(1, count + 1)
    ]


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "numbers"),
    [
        *shares("pwrite64", 4),
        *shares("fdatasync", 2),
        *shares("sendto", 1),
        *shares("recvfrom", 1),
        *shares("rename", 1),
    ],
)
def test_killed_at_every_system_call(
    workplace: Workplace, contacts: Contacts, call: str, numbers: range
) -> None:
    """The run is killed at the first, the second, the third call, and so on, until it finishes."""
    contacts(ROWS)
    for number in _until_missed(numbers):
        with ReferenceServer() as server:
            clear(workplace)
            ended = _injected(workplace, server, f"{call}:signal=SIGKILL:when={number}")
            if not ended.was_hit:
                break
            if workplace.out.exists():
                assert len(workplace.out.read_text().splitlines()) == 1 + ROWS
            continue_run(workplace, server, ROWS)
    assert number > numbers[0], f"{call} was never called"


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        *shares("pwrite64:error=ENOSPC", 4),
        *shares("fdatasync:error=EIO", 2),
        *shares("fsync:error=EIO", 1),
        *shares("rename:error=EACCES", 1),
    ],
)
def test_disk_fails_at_every_call(
    workplace: Workplace, contacts: Contacts, fault: str, numbers: range
) -> None:
    """Only recorded requests are sent, and the same command continues."""
    contacts(ROWS)
    for number in _until_missed(numbers):
        with ReferenceServer() as server:
            clear(workplace)
            workplace.out.write_text("of yesterday")
            ended = _injected(workplace, server, f"{fault}:when={number}")
            if not ended.was_hit:
                break
            # SQLite recovers from some faults, before anything is sent and at the end.
            assert ended.exit_status in {0, 2, 5}
            assert max(server.contact_counts().values(), default=0) <= 1
            if (results := workplace.out.read_text()) != "of yesterday":
                assert len(results.splitlines()) == 1 + ROWS
            continue_run(workplace, server, ROWS)
    assert number > numbers[0], f"{fault} was never met"


@needs_strace
@pytest.mark.slow
def test_sweep_finds_duplicates_of_a_naive_loop(workplace: Workplace, contacts: Contacts) -> None:
    """As a control: without intents, the same kills cause duplicates."""
    contacts(ROWS)
    duplicates = 0
    for number in _until_missed():
        with ReferenceServer() as server:
            clear(workplace)
            command = [*NAIVE, "contacts.csv", server.url, "done"]
            ended = _strace(workplace, command, f"recvfrom:signal=SIGKILL:when={number}")
            if not ended.was_hit:
                break
            subprocess.run(command, cwd=workplace.directory, env=workplace.environment, check=True)
            duplicates += max(server.contact_counts().values()) > 1
    assert duplicates > 0


@pytest.mark.parametrize(
    "kilobytes",
    [
        48,
        96,
        *(pytest.param(size, marks=pytest.mark.slow) for size in (40, 56, 64, 80, 128, 160)),
    ],
)
def test_full_disk_stops_the_run(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer, kilobytes: int
) -> None:
    """Whichever file reaches the limit first; with free space again, the same command continues."""
    contacts(300)
    limited = ["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "limited", *COMMAND]
    done = subprocess.run(
        [*limited, *arguments(workplace, server)],
        cwd=workplace.directory,
        env=workplace.environment,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode in {0, 5}, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    continue_run(workplace, server, 300)


def test_lost_results_are_rebuilt_from_the_journal(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """No request is needed."""
    contacts(5)
    refs = [row["ref"] for row in workplace.run(*arguments(workplace, server)).results]
    workplace.out.unlink()
    again = workplace.run(*arguments(workplace, server))
    assert [row["ref"] for row in again.results] == refs
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_signal_finishes_requests_in_flight_and_writes_all_files(
    workplace: Workplace,
    contacts: Contacts,
    server: ReferenceServer,
    number: signal.Signals,
    status: int,
) -> None:
    """Every record has a result, sent ones are created, and the next run continues."""
    contacts(300)
    server.latency = 0.05
    process = workplace.start(*arguments(workplace, server), "--summary", "summary.json")
    wait_until(lambda: len(server.requests) > 20, process)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == status, stderr
    assert "Traceback" not in stderr
    statuses = workplace.figures()["statuses"]
    assert set(statuses) == {"created", "not_sent"}
    assert statuses["created"] == len(server.requests) == len(server.contact_counts())
    assert statuses["created"] + statuses["not_sent"] == 300
    server.latency = 0.0
    continue_run(workplace, server, 300)


def test_second_signal_exits_immediately_and_safely(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The API does not answer; the next run continues."""
    contacts(20)
    server.latency = 20.0
    process = workplace.start(*arguments(workplace, server))
    wait_until(lambda: server.requests, process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130
    assert not workplace.out.exists()
    server.latency = 0.0
    continue_run(workplace, server, 20)


def test_signal_does_not_wait_for_a_paused_page(workplace: Workplace, contacts: Contacts) -> None:
    """The API requested a pause of a minute while an order was read, so the row stays unclear."""
    contacts(3)
    faults = {
        order(2): Fault(status=500, store=True),
        order(3): Fault(status=429, delay=0.5, headers={"Retry-After": "60"}),
    }
    with ReferenceServer(faults=lambda request: faults.pop(request.order_ref, None)) as server:
        for number in range(12):
            server.store(order(2), {"firstName": f"Other {number}"})
        server.latency = 1.0  # so that the first page arrives during the pause
        process = workplace.start(*arguments(workplace, server), "--attempts", "1")
        wait_until(lambda: server.requests[-1:] and server.requests[-1].method == "GET", process)
        wait_until(lambda: server.in_flight == 0, process)
        process.terminate()
        _, stderr = process.communicate(timeout=30)
        assert process.returncode == 143, stderr
        reported = results(workplace)
        assert [row["status"] for row in reported] == ["created", "unknown", "failed"]
        assert reported[1]["error"].startswith("The run stopped before it could be settled.")
        assert len(server.requests) == 4
        server.latency = 0.0
        ran = workplace.run(*arguments(workplace, server))
    assert ran.statuses == ["exists", "created", "created"]
    assert server.contact_counts() == {order(1): 1, order(2): 13, order(3): 1}


def test_suspended_process_continues(workplace: Workplace, contacts: Contacts) -> None:
    """As on a laptop that was closed: the deadline of its request has passed when it wakes up."""
    contacts(3)
    faults = {order(2): Fault(store=True, silent=True)}
    with ReferenceServer(faults=lambda request: faults.pop(request.order_ref, None)) as server:
        process = workplace.start(
            *arguments(workplace, server), "--timeout", "1", "--concurrency", "1"
        )
        wait_until(lambda: len(server.requests) == 2, process)
        process.send_signal(signal.SIGSTOP)
        time.sleep(1.2)
        process.send_signal(signal.SIGCONT)
        _, stderr = process.communicate(timeout=30)
        assert process.returncode == 0, stderr
        continue_run(workplace, server, 3)
    assert [one.order_ref for one in server.requests if one.method == "POST"] == [
        order(n) for n in range(1, 4)
    ]


STEPPING = """
import datetime, itertools, time
steps, dates = (itertools.cycle((3600.0, -3600.0)) for _ in range(2))
wall = time.time
class Stepping(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.fromtimestamp(wall() + next(dates), tz)
import importer.pipeline.run, importer.api.replies
for module in (importer.pipeline.run, importer.api.replies):
    module.datetime = Stepping
time.time = lambda: wall() + next(steps)
"""


def test_clock_changes_do_no_harm(workplace: Workplace, contacts: Contacts) -> None:
    """It steps by hours in both directions; all waiting uses a monotonic clock."""
    (workplace.directory / "sitecustomize.py").write_text(STEPPING)
    paths = f"{workplace.directory}:{workplace.environment.get('PYTHONPATH', '')}"
    source = contacts(3)
    faults = iter(
        [Fault(status=429, headers={"Retry-After": "1"}), Fault(status=500), Fault(status=503)]
    )
    with ReferenceServer(faults=lambda _: next(faults, None)) as server:
        given = (source, "--base-url", server.url, "--out", workplace.out)
        summary = ("--summary", "summary.json")
        ran = workplace.run(*given, *summary, PYTHONPATH=paths)
        assert (ran.exit_status, ran.statuses) == (0, ["created"] * 3), ran.stderr
        figures = workplace.figures()
        assert figures["startedAt"] > figures["finishedAt"]
        assert 1.0 < figures["elapsedSeconds"] < 60.0
        assert workplace.run(*given, PYTHONPATH=paths).statuses == ["exists"] * 3
    assert_exactly_one_each(server, 3)


def test_signal_leaves_the_rest_of_the_file_unvalidated(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Validating takes ten times as long as reading, and the run should end soon."""
    bad = [("", "x") if n % 1000 else (order(n), "x", "too long") for n in range(1, 60_001)]
    workplace.write([("orderRef", "firstName"), (order(1), "Ann"), (order(1), "Bob"), *bad])
    server.latency = 1.0
    process = workplace.start(*arguments(workplace, server), "--rejects", "rejects.csv")
    wait_until(lambda: server.requests, process)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143, stderr
    statuses = [row["status"] for row in results(workplace)]
    assert len(statuses) == 60_002
    assert statuses[:2] == ["created", "not_sent"]
    assert statuses[-1] == "not_sent"
    assert len((workplace.directory / "rejects.csv").read_text().splitlines()) == 60_002


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_signal_during_the_first_reading_sends_nothing(
    workplace: Workplace, server: ReferenceServer, number: signal.Signals
) -> None:
    """It ends with the exit status of the signal, not of --strict, and writes all files."""
    create_folder(workplace.journal)
    with closing(Journal.open(workplace.journal, Sender(""))) as journal:
        journal.register()
    workplace.write([("orderRef", "email"), *((order(n), "no address") for n in range(1, 100_001))])
    process = workplace.start(
        *arguments(workplace, server), "--strict", "--summary", "summary.json"
    )
    wait_until(lambda: is_surveying(process, workplace), process)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + number, stderr
    assert server.requests == []
    assert workplace.figures()["statuses"] == {"not_sent": 100_000}
    assert results(workplace)[-1]["orderRef"] == order(100_000)


def results(workplace: Workplace) -> list[dict[str, str]]:
    """Return the records of the results file."""
    with workplace.out.open(newline="") as file:
        return list(csv.DictReader(file))


def is_surveying(process: "subprocess.Popen[str]", workplace: Workplace) -> bool:
    """Whether the process has opened its journal and reads the source file."""
    opened = set()
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in between
            opened.add(str(link.readlink()))
    return {str(workplace.directory / "contacts.csv"), str(workplace.journal)} <= opened


def test_unclear_row_is_not_reported_as_not_sent_by_a_refused_run(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """A killed run has sent it, and --strict keeps the next run from settling it."""
    source = contacts(2)
    server.fault_of = lambda _: Fault(silent=True, store=True)
    process = workplace.start(*arguments(workplace, server))
    wait_until(lambda: server.requests, process)
    process.kill()
    process.communicate()
    with source.open("a") as file:
        file.write("no order,Ann,\r\n")
    ran = workplace.send(source, server, "--strict")
    assert ran.statuses == ["unknown", "not_sent", "invalid"]


def clear(workplace: Workplace) -> None:
    """Remove the files of earlier runs."""
    for path in workplace.directory.iterdir():
        if path.name != "contacts.csv":
            path.unlink()


@dataclass(frozen=True)
class Ended:
    """How a command ended that was to meet a fault at its n-th system call.

    Attributes:
        was_hit: Whether there was an n-th one.
    """

    exit_status: int
    was_hit: bool


def _until_missed(numbers: range = range(1, MOST_CALLS)) -> Iterator[int]:
    yield from numbers
    pytest.fail("every call was hit")


def _injected(workplace: Workplace, server: ReferenceServer, fault: str) -> Ended:
    return _strace(workplace, [*COMMAND, *arguments(workplace, server)], fault)


def _strace(workplace: Workplace, command: list[str], fault: str) -> Ended:
    trace = workplace.directory / "trace"
    call = fault.partition(":")[0]
    done = subprocess.run(
        [  # noqa: S607 - wherever the machine has it
            "strace",
            "-f",
            "-qq",
            "-o",
            trace,
            "-e",
            f"trace={call}",
            "-e",
            f"inject={fault}",
            *command,
        ],
        cwd=workplace.directory,
        env=workplace.environment,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    was_killed = done.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
    return Ended(done.returncode, was_killed or "(INJECTED)" in trace.read_text())

"""On which cores a run goes about its work."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from command import COMMAND, UNDO, Workplace, wait_until
from servers.reference import API_TOKEN, CLIENT_KEY, ReferenceServer

import importer

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="only Linux says where a thread may run"
)
Contacts = Callable[[int], Path]


def cores_of_threads(process: int) -> list[int]:
    """How many cores each thread of a process may run on, the main one first."""
    threads = sorted(int(path.name) for path in Path(f"/proc/{process}/task").iterdir())
    return [len(os.sched_getaffinity(thread)) for thread in threads]


def test_what_sends_stays_on_one_core(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """All threads that send, in an import and in an undo."""
    server.latency = 1.0
    given = ("--base-url", server.url, "--out")
    for command, arguments in (
        (COMMAND, (contacts(1), *given, workplace.out)),
        (UNDO, (workplace.out, *given, "undone.csv", "--yes")),
    ):
        before = len(server.requests)
        process = workplace.start(*arguments, command=command)
        wait_until(lambda before=before: len(server.requests) > before, process)
        # Between the first and the last there may be those of numpy, which do nothing here.
        first, *_, last = cores_of_threads(process.pid)
        _, stderr = process.communicate(timeout=60)
        assert (process.returncode, first, last) == (0, 1, 1), stderr


def test_the_sandbox_may_run_on_every_core(workplace: Workplace, contacts: Contacts) -> None:
    """Where the run stays is not where its API would be."""
    process = workplace.start(contacts(2_000), "--sandbox", "--concurrency", 1)
    everywhere = os.sched_getaffinity(0)
    wait_until(lambda: cores_of_threads(process.pid)[0] == 1, process)
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    children = [int(number) for task in tasks for number in task.read_text().split()]
    assert [os.sched_getaffinity(child) for child in children] == [everywhere]
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_a_program_that_imports_this_one_runs_where_it_did(
    contacts: Contacts, workplace: Workplace, server: ReferenceServer
) -> None:
    """Its threads are its own."""
    before = os.sched_getaffinity(0)
    summary = importer.import_contacts(
        contacts(2), base_url=server.url, out=workplace.out, journal=workplace.directory / "j",
        client_key=CLIENT_KEY, api_token=API_TOKEN,
    )  # fmt: skip
    assert summary.exit_status is importer.ExitStatus.OK
    assert os.sched_getaffinity(0) == before

"""The CPU cores that a run uses."""

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
    """Return the number of cores that each thread of a process may use, the main thread first."""
    threads = sorted(int(path.name) for path in Path(f"/proc/{process}/task").iterdir())
    return [len(os.sched_getaffinity(thread)) for thread in threads]


def test_sending_threads_stay_on_one_core(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """This applies to all threads that send, in an import and in an undo."""
    server.latency = 1.0
    given = ("--base-url", server.url, "--out")
    for command, arguments in (
        (COMMAND, (contacts(1), *given, workplace.out)),
        (UNDO, (workplace.out, *given, "undone.csv", "--yes")),
    ):
        before = len(server.requests)
        process = workplace.start(*arguments, command=command)
        wait_until(lambda before=before: len(server.requests) > before, process)
        # Between the first and the last there may be idle threads of numpy.
        first, *_, last = cores_of_threads(process.pid)
        _, stderr = process.communicate(timeout=60)
        assert (process.returncode, first, last) == (0, 1, 1), stderr


def test_sandbox_may_run_on_every_core(workplace: Workplace, contacts: Contacts) -> None:
    """The core of the run would otherwise be shared with the API that it waits for."""
    process = workplace.start(contacts(2_000), "--sandbox", "--concurrency", 1)
    everywhere = os.sched_getaffinity(0)
    wait_until(lambda: cores_of_threads(process.pid)[0] == 1, process)
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    children = [int(number) for task in tasks for number in task.read_text().split()]
    assert [os.sched_getaffinity(child) for child in children] == [everywhere]
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_library_does_not_change_the_cores_of_its_caller(
    contacts: Contacts, workplace: Workplace, server: ReferenceServer
) -> None:
    """The threads belong to the calling program."""
    before = os.sched_getaffinity(0)
    summary = importer.import_contacts(
        contacts(2), base_url=server.url, out=workplace.out, journal=workplace.directory / "j",
        client_key=CLIENT_KEY, api_token=API_TOKEN,
    )  # fmt: skip
    assert summary.exit_status is importer.ExitStatus.OK
    assert os.sched_getaffinity(0) == before

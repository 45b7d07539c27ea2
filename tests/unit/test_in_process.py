"""A command that runs in the process of the tests leaves no trace in it."""

import gc
import logging
import os
import signal
import sys
from pathlib import Path

from in_process import IMPORT, run_in_process

SOURCE = b"orderRef,firstName\n00000000-0000-4000-8000-000000000001,Ann\n"


def state() -> list[object]:
    """Return what a run could change."""
    logger = logging.getLogger("importer")
    return [
        Path.cwd(),
        dict(os.environ),
        (sys.stdin, sys.stdout, sys.stderr),
        (list(logger.handlers), logger.level, logger.propagate),
        (gc.isenabled(), gc.get_threshold()),
        [signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)],
        os.sched_getaffinity(0),
    ]


def test_state_of_the_process_is_restored(tmp_path: Path) -> None:
    """A whole run changes directory, environment, streams, log, signals and garbage collector."""
    before, frozen = state(), gc.get_freeze_count()
    status, stdout, stderr = run_in_process(
        IMPORT,
        ["-", "--dry-run", "--out", "-", "-v"],
        directory=tmp_path,
        environment={**os.environ, "IMPORT_CONTACTS_LOG_FORMAT": "json"},
        stdin=SOURCE,
    )
    assert state() == before
    assert gc.get_freeze_count() <= frozen
    assert (status, stdout.count(b",valid,")) == (0, 1)
    assert stderr.startswith(b'{"time"')
    assert list(tmp_path.iterdir()) == []


def test_error_is_reported_and_restored(tmp_path: Path) -> None:
    """Also after a usage error, which ends before the log is set up."""
    before = state()
    status, stdout, stderr = run_in_process(
        IMPORT, ["--no-such-option"], directory=tmp_path, environment={}
    )
    assert state() == before
    assert (status, stdout) == (2, b"")
    assert stderr.startswith(b"Error: ")

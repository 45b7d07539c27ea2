"""Runs a command of ours in this process, isolated as if it had its own.

Starting a process costs 0.7 s, most of it for importing pandas, which this process has
imported already. The subject of most tests is what the command does, not that it is a process.

A run gets its own working directory, environment, standard streams and log, and leaves none of
these changed. It neither handles signals before the run begins, nor replaces the hooks of
Python for threads and warnings, nor pins itself to a core, nor forks: tests of these start a
process. Warnings are errors here, as everywhere in the tests.
"""

import contextlib
import gc
import importlib
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO
from unittest import mock

from importer.cli import process

IMPORT = "importer.cli.main"
UNDO = "importer.cli.undo"
JOURNAL = "importer.cli.journal"


def run_in_process(
    module: str,
    arguments: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    stdin: bytes | None = None,
) -> tuple[int, bytes, bytes]:
    """Run a command to its end.

    Args:
        module: ``IMPORT``, ``UNDO`` or ``JOURNAL``.
        arguments: The arguments of the command.
        directory: Its working directory.
        environment: All of its environment variables.
        stdin: Its standard input; None for an empty one.

    Returns:
        Exit status, standard output and standard error.
    """
    assert threading.current_thread() is threading.main_thread()
    # Standard streams have file numbers, so these are files.
    with (
        tempfile.TemporaryFile() as given,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        given.write(stdin or b"")
        given.seek(0)
        with (
            contextlib.chdir(directory),
            mock.patch.dict(os.environ, environment, clear=True),
            _standard_streams(given, out, err),
            _log_restored(),
            _garbage_collector_restored(),
            _one_core(),
        ):
            status = _exit_status(module, list(arguments))
        out.seek(0)
        err.seek(0)
        return status, out.read(), err.read()


def _exit_status(module: str, arguments: list[str]) -> int:
    """Do what ``main()`` of a command does, without what only a process needs.

    This is the only place in the tests that knows how a command is built.
    """
    command = importlib.import_module(module).command
    return int(process._status(command, arguments))  # noqa: SLF001


@contextlib.contextmanager
def _standard_streams(given: IO[bytes], out: IO[bytes], err: IO[bytes]) -> Iterator[None]:
    streams = {
        "stdin": open(given.fileno(), encoding="utf-8", closefd=False),  # noqa: SIM115
        "stdout": open(out.fileno(), "w", encoding="utf-8", closefd=False),  # noqa: SIM115
        "stderr": open(  # noqa: SIM115
            err.fileno(), "w", encoding="utf-8", errors="backslashreplace", closefd=False
        ),
    }
    with mock.patch.multiple(sys, **streams):
        yield
    for stream in streams.values():
        stream.close()


@contextlib.contextmanager
def _log_restored() -> Iterator[None]:
    logger = logging.getLogger("importer")
    before = logger.handlers, logger.level, logger.propagate
    logger.handlers = [logging.NullHandler()]
    try:
        yield
    finally:
        logger.handlers, level, logger.propagate = before
        logger.setLevel(level)


@contextlib.contextmanager
def _garbage_collector_restored() -> Iterator[None]:
    was_enabled, threshold = gc.isenabled(), gc.get_threshold()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*threshold)
        (gc.enable if was_enabled else gc.disable)()


@contextlib.contextmanager
def _one_core() -> Iterator[None]:
    """Pretend that this process has one core: a run neither pins itself nor forks."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    with (
        mock.patch.object(os, "sched_getaffinity", return_value={0}),
        mock.patch.object(os, "sched_setaffinity", return_value=None),
    ):
        yield

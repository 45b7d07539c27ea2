"""Starts the sandbox for one run, as a child process that ends with this one."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from importer.errors import StoppedError, UsageError

_EXTRA: Final = ("aiohttp", "jsonschema_rs")
_SECONDS_TO_STOP: Final = 5.0
_CREDENTIALS: Final = "SITECORE_CDP_"  # prefix of variables that the sandbox must not see


@dataclass(frozen=True, slots=True)
class SandboxAddress:
    """The URL of a sandbox, and the credentials that it accepts."""

    url: str
    client_key: str
    api_token: str


@contextmanager
def sandbox_running(faults: Path | None) -> Iterator[SandboxAddress]:
    """Run a sandbox while the context is active.

    Args:
        faults: TOML file with its faults; None for none.

    Raises:
        UsageError: The sandbox is not installed, or ``faults`` is invalid.
        StoppedError: The sandbox could not be started.
    """
    for package in _EXTRA:
        if importlib.util.find_spec(package) is None:
            raise UsageError(
                f"--sandbox needs {package}, which is not installed; "
                "run: pip install 'import-contacts[sandbox]'"
            )
    command = [sys.executable, "-m", "importer.sandbox", "--port", "0"]
    command += ["--ready-json", "--until-stdin-closes"]
    if faults is not None:
        command += ["--faults", str(faults)]
    # Its standard error is kept apart: ours may be a log of JSON lines.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
        # In its own session, so that Ctrl-C reaches the run and not its API.
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={k: v for k, v in os.environ.items() if not k.startswith(_CREDENTIALS)},
            start_new_session=True,
        )
        try:
            yield _address(process, stderr, faults)
        finally:
            _end(process)


def _address(
    process: "subprocess.Popen[str]", stderr: TextIO, faults: Path | None
) -> SandboxAddress:
    """Return what the sandbox announces as its first line, which is JSON also for an error."""
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        status = process.wait()
        stderr.seek(0)
        why = (stderr.read().strip() or f"exit status {status}").splitlines()[-1]
        raise StoppedError(f"The sandbox did not start: {why}. Nothing was sent.")
    announced = json.loads(line)
    if "error" in announced:
        option = "--sandbox" if faults is None else "--sandbox-faults"
        raise UsageError(f"{option}: {announced['error']}")
    return SandboxAddress(announced["url"], announced["clientKey"], announced["apiToken"])


def _end(process: "subprocess.Popen[str]") -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

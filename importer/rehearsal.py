"""Starts the local API for one run, as a process of its own that ends with this one."""

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

_SECONDS_TO_STOP: Final = 5.0
_CREDENTIALS: Final = "SITECORE_CDP_"  # variables of no use to a rehearsal


@dataclass(frozen=True, slots=True)
class SandboxAddress:
    """Where a sandbox listens, and the credentials it takes."""

    url: str
    client_key: str
    api_token: str


@contextmanager
def sandbox_running(faults: Path | None) -> Iterator[SandboxAddress]:
    """Have a sandbox while the context is entered.

    Args:
        faults: File with its misbehaviour; None is a good day.

    Raises:
        UsageError: The sandbox is not installed, or does not understand ``faults``.
    """
    if importlib.util.find_spec("aiohttp") is None:
        raise UsageError(
            "--sandbox needs a server library that is not installed; "
            "run: pip install 'import-contacts[sandbox]'"
        )
    command = [sys.executable, "-m", "importer.sandbox", "--port", "0"]
    command += ["--ready-json", "--until-stdin-closes"]
    if faults is not None:
        command += ["--faults", str(faults)]
    # What it says is for us to tell: standard error may be a log of JSON lines.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        # In a session of its own, so that Ctrl-C reaches the run and not its API.
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env={k: v for k, v in os.environ.items() if not k.startswith(_CREDENTIALS)},
            start_new_session=True,
        )
        try:
            yield _address(process, said)
        finally:
            _end(process)


def _address(process: "subprocess.Popen[str]", said: TextIO) -> SandboxAddress:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        status = process.wait()
        said.seek(0)
        why = (said.read().strip() or f"exit status {status}").splitlines()[-1]
        why = why.removeprefix("Error: ")
        if status == UsageError.exit_status:
            raise UsageError(f"--sandbox-faults: {why}")
        raise StoppedError(f"The sandbox did not start: {why}. Nothing was sent.")
    ready = json.loads(line)
    return SandboxAddress(ready["url"], ready["clientKey"], ready["apiToken"])


def _end(process: "subprocess.Popen[str]") -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

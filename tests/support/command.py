"""Runs the commands, in this process or in their own, and writes files for them to read."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from in_process import IMPORT as IMPORT_MODULE
from in_process import JOURNAL as JOURNAL_MODULE
from in_process import UNDO as UNDO_MODULE
from in_process import run_in_process
from servers.reference import API_TOKEN, CLIENT_KEY, ReferenceServer

COMMAND = (sys.executable, "-m", "importer")
UNDO = (sys.executable, "-c", "from importer.cli.undo import main; main()")
JOURNAL = (sys.executable, "-c", "from importer.cli.journal import main; main()")
_MODULES = {COMMAND: IMPORT_MODULE, UNDO: UNDO_MODULE, JOURNAL: JOURNAL_MODULE}
# Variables that Python itself reads when it starts.
_OF_PYTHON = ("PYTHON", "LANG", "LC_")


@dataclass(frozen=True)
class Ran:
    """The result of a run of the command."""

    exit_status: int
    stdout: str
    stderr: str
    out: Path

    @property
    def results(self) -> list[dict[str, str]]:
        """Return the records of the results file."""
        with self.out.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    @property
    def statuses(self) -> list[str]:
        """Return the status of each record."""
        return [row["status"] for row in self.results]


class Workplace:
    """A directory to run the command in.

    Attributes:
        out: The results file of all its runs.
        journal: The journal of all its runs to a loopback address.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.out = directory / "results.csv"
        # Each test has a state folder of its own: see tests/conftest.py.
        state = Path(os.environ["XDG_STATE_HOME"])
        self.journal = state / "import-contacts" / "127.0.0.1.journal"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")},
            "SITECORE_CDP_CLIENT_KEY": CLIENT_KEY,
            "SITECORE_CDP_API_TOKEN": API_TOKEN,
            # As with a journal that has seen a complete run: most tests count requests.
            # Tests of other journals take it out.
            "IMPORT_CONTACTS_IF_EXISTS": "create",
        }

    def write(self, rows: Iterable[Sequence[str]], name: str = "contacts.csv") -> Path:
        """Write a CSV file."""
        path = self.directory / name
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    def start(
        self,
        *arguments: object,
        command: Sequence[str] = COMMAND,
        **more: Any,  # noqa: ANN401
    ) -> "subprocess.Popen[str]":
        """Start the command in its own process and return immediately."""
        return subprocess.Popen(
            [*command, *map(str, arguments)],
            cwd=self.directory,
            env=self.environment | more.pop("env", {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(
        self,
        *arguments: object,
        command: Sequence[str] = COMMAND,
        stdin: bytes | None = None,
        **env: str,
    ) -> Ran:
        """Run the command to its end, in this process unless ``env`` has variables of Python."""
        module = _MODULES.get(tuple(command))
        if module is None or any(name.startswith(_OF_PYTHON) for name in env):
            return self.run_process(*arguments, command=command, stdin=stdin, **env)
        status, stdout, stderr = run_in_process(
            module,
            [*map(str, arguments)],
            directory=self.directory,
            environment=self.environment | env,
            stdin=stdin,
        )
        return self._ran(status, stdout, stderr)

    def run_process(
        self,
        *arguments: object,
        command: Sequence[str] = COMMAND,
        stdin: bytes | None = None,
        **env: str,
    ) -> Ran:
        """Run the command to its end in its own process, where the process is the subject."""
        done = subprocess.run(
            [*command, *map(str, arguments)],
            cwd=self.directory,
            env=self.environment | env,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=240,
        )
        return self._ran(done.returncode, done.stdout, done.stderr)

    def _ran(self, status: int, stdout: bytes, stderr: bytes) -> Ran:
        text = stderr.decode()
        assert "Traceback" not in text, text
        return Ran(status, stdout.decode(), text, self.out)

    def shell(self, line: str) -> "subprocess.CompletedProcess[str]":
        """Run a line of bash to its end."""
        return subprocess.run(
            ["bash", "-c", line],  # noqa: S607
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def undo(self, server: ReferenceServer, *arguments: object) -> Ran:
        """Undo the import whose results are in ``out``, without a confirmation."""
        out = self.directory / "undone.csv"
        given = (self.out, "--base-url", server.url, "--out", out, "--yes", *arguments)
        return replace(self.run(*given, command=UNDO), out=out)

    def start_undo(self, server: ReferenceServer) -> "subprocess.Popen[str]":
        """Start what ``undo`` runs, in its own process, and return immediately."""
        out = self.directory / "undone.csv"
        given = (self.out, "--base-url", server.url, "--out", out, "--yes")
        return self.start(*given, command=UNDO)

    def send(self, source: Path, server: ReferenceServer, *arguments: object) -> Ran:
        """Import a file to a server."""
        out = self.directory / "dry-run.csv" if "--dry-run" in arguments else self.out
        ran = self.run(source, "--base-url", server.url, "--out", out, *arguments)
        return replace(ran, out=out)

    def figures(self, name: str = "summary.json") -> dict[str, Any]:
        """Return the content of a summary file."""
        figures: dict[str, Any] = json.loads((self.directory / name).read_text())
        return figures


def wait_until(
    condition: Callable[[], object], process: "subprocess.Popen[str] | None" = None
) -> None:
    """Wait for a condition, as long as the process, if any, runs."""
    while not condition() and (process is None or process.poll() is None):
        time.sleep(0.001)


def order(number: int) -> str:
    """Return the ref of an order by its number."""
    return f"00000000-0000-4000-8000-{number:012d}"

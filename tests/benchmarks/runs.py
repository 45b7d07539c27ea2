"""Starting the server and the clients on separate cores, and measuring their runs."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.contacts import write_contacts

ROOT = Path(__file__).parents[2]
_PEERS = "tests.benchmarks.peers"
_CREDENTIALS = {"SITECORE_CDP_CLIENT_KEY": "sandbox", "SITECORE_CDP_API_TOKEN": "sandbox"}


@dataclass(frozen=True)
class Client:
    """A program that sends a file.

    Attributes:
        name: Its name in tables.
        module: Its module among the peers; ``""`` for this program.
        needs: The package that it requires.
    """

    name: str
    module: str = ""
    needs: str = "requests"


PROGRAM = Client("import-contacts")
LOOP = Client("requests.post in a loop", "requests_post")
SESSION = Client("one requests.Session", "requests_session")
POOL = Client("a Session per thread", "session_pool")
AIOHTTP = Client("aiohttp", "aiohttp_tasks", "aiohttp")
DLT = Client("dlt, custom destination", "dlt_destination", "dlt")


@dataclass(frozen=True)
class Run:
    """The measurement of one run.

    Attributes:
        seconds: From start to exit.
        cpu: Seconds of processor time, in the program and in the kernel.
        peak: Peak of resident memory, MiB.
    """

    seconds: float
    cpu: float
    peak: float


class Bench:
    """Where runs take place: a directory of its own, and the cores.

    Args:
        directory: For source files and the files that the clients write.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._cores = sorted(os.sched_getaffinity(0))
        self._server_core = self._cores[0]
        # The clients inherit it, and the server moves to its own core.
        self._beside_server = self._cores[1:] or self._cores
        os.sched_setaffinity(0, self._beside_server)

    def source(self, rows: int) -> Path:
        """Return a source file of so many records."""
        path = self._directory / f"{rows}.csv"
        if not path.exists():
            write_contacts(path, rows)
        return path

    @contextmanager
    def server(self, latency: float) -> Iterator[str]:
        """Run a server meanwhile; yield its URL."""
        command = [sys.executable, "-m", "tests.benchmarks.server"]
        options = ["--latency", str(latency), "--core", str(self._server_core)]
        with subprocess.Popen(
            [*command, *options], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"

    def send(self, client: Client, rows: int, latency: float = 0.0, in_flight: int = 8) -> Run:
        """Run a client on a file of so many records."""
        with self.server(latency) as url, tempfile.TemporaryDirectory() as directory:
            out = Path(directory, "results.csv")
            if client.module:
                command = [sys.executable, "-m", f"{_PEERS}.{client.module}"]
                return self._run([*command, str(self.source(rows)), url, str(out), str(in_flight)])
            summary = Path(directory, "summary.json")
            options = ["--base-url", url, "--concurrency", str(in_flight), "--summary", summary]
            # As with a journal that has seen a complete run: no order is read.
            options += ["--journal", Path(directory, "journal"), "--if-exists", "create"]
            run = self.program(self.source(rows), "--out", out, *options)
            assert json.loads(summary.read_text())["statuses"] == {"created": rows}
            return run

    @contextmanager
    def without_server(self) -> Iterator[None]:
        """Give the clients the core of the server as well."""
        os.sched_setaffinity(0, self._cores)
        try:
            yield
        finally:
            os.sched_setaffinity(0, self._beside_server)

    def program(self, *arguments: object) -> Run:
        """Run the installed command to its end."""
        command = Path(sys.executable).with_name("import-contacts")
        return self._run([str(command), *map(str, arguments)])

    def _run(self, command: list[str]) -> Run:
        # The memory of the parent counts for the peak of its child, so this process stays small.
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | _CREDENTIALS,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stderr.close()
        seconds = time.perf_counter() - started
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)}: {said.decode()}")
        return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

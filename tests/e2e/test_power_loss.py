"""What would be on the disk after a power loss: only what was synced.

The system calls of a run are recorded, and its writes put on a model of a disk on which a
file holds what its last sync has left.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from command import COMMAND, Workplace
from servers.reference import ReferenceServer

ROWS = 40
CALLS = "pwrite64,write,fdatasync,fsync,sendto,rename,renameat,renameat2,unlink,ftruncate"
CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)")
BEGUN = re.compile(r"(\d+) +(.*) <unfinished \.\.\.>")
RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)")
FILE = re.compile(r"\d+<((?:\\x[0-9a-f]{2})*)>")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
ORDER = re.compile(rb"POST /v2.1/orders/([-0-9a-f]{36})/")


@dataclass(frozen=True)
class Call:
    """A system call: its name, its subject and, for a write, offset and content."""

    name: str
    path: str
    data: bytes = b""
    offset: int = 0


@dataclass
class Disk:
    """Files by path, as the system shows them and as a power loss would leave them."""

    shown: dict[str, bytearray] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)

    def take(self, call: Call) -> None:
        """Apply a call."""
        content = self.shown.setdefault(call.path, bytearray())
        if call.name == "pwrite64":
            content.extend(bytes(max(0, call.offset + len(call.data) - len(content))))
            content[call.offset : call.offset + len(call.data)] = call.data
        elif call.name in {"fdatasync", "fsync"}:
            self.kept[call.path] = bytes(content)


def calls(trace: str) -> Iterator[Call]:
    """Return the calls, with requests in the order in which they were sent."""
    begun: dict[str, str] = {}
    for line in trace.splitlines():
        if found := BEGUN.match(line):
            begun[found[1]] = found[2]
            if found[2].startswith("sendto("):
                yield _call("sendto", found[2])
            continue
        was_told = False
        whole = line
        if found := RESUMED.match(line):
            whole = f"{found[1]} {begun.pop(found[1])}{found[2]}"
            was_told = "sendto(" in whole
        found = CALL.match(whole)
        if found and int(found[4]) >= 0 and not was_told:
            yield _call(found[2], found[3])


def _call(name: str, arguments: str) -> Call:
    path = FILE.search(arguments)
    texts = [_bytes(text) for text in TEXT.findall(arguments)]
    if name.startswith("rename"):
        return Call("rename", texts[1].decode())
    offset = int(arguments.rpartition(", ")[2]) if name == "pwrite64" else 0
    return Call(name, _bytes(path[1]).decode() if path else "", texts[0] if texts else b"", offset)


def _bytes(shown: str) -> bytes:
    return bytes.fromhex(shown.replace("\\x", ""))


@pytest.mark.skipif(
    shutil.which("strace") is None, reason="recording system calls takes strace (Linux)"
)
def test_everything_is_synced_before_it_is_relied_on(
    workplace: Workplace, contacts: Callable[[int], Path], server: ReferenceServer
) -> None:
    """Each intent before its request is sent, and the results before they are renamed."""
    contacts(ROWS)
    trace = workplace.directory / "trace"
    recorder = ["strace", "-f", "-qq", "-y", "-xx", "-s", "70000", "-o", trace]
    command = [*COMMAND, "contacts.csv", "--base-url", server.url, "--out", workplace.out]
    subprocess.run(
        [*recorder, "-e", f"trace={CALLS}", *command],
        cwd=workplace.directory,
        env=workplace.environment,
        capture_output=True,
        check=True,
        timeout=120,
    )
    journal = str(workplace.journal)
    disk, sent, done = Disk(), set(), list(calls(trace.read_text()))
    for call in done:
        if call.name == "sendto" and (found := ORDER.search(call.data)):
            assert found[1] in disk.kept[journal]
            # The rollback journal of SQLite is no longer valid, so a restart would not apply it.
            assert not any(disk.kept.get(f"{journal}-journal", b"")[:28])
            sent.add(found[1])
        disk.take(call)
    assert len(sent) == ROWS
    renamed = done.index(Call("rename", str(workplace.out)))
    before = [call for call in done[:renamed] if call.path.endswith(".results.csv.partial")]
    assert before[-1].name == "fsync"
    assert Call("fsync", str(workplace.directory)) in done[renamed:]

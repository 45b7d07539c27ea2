"""The progress bar is drawn on a terminal and nowhere else."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
from command import COMMAND, Workplace
from servers.reference import ReferenceServer

Contacts = Callable[[int], Path]


def on_a_terminal(
    workplace: Workplace, columns: int, *arguments: object, interrupt_at: str = "never"
) -> tuple[int, str]:
    """Run the command with a terminal of this width as its standard error."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=workplace.directory,
        env=workplace.environment,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # EIO: no process has the terminal open any more
            break
        shown += part
        if interrupt_at.encode() in shown:
            process.send_signal(signal.SIGINT)
            interrupt_at = "never"
    os.close(ours)
    return process.wait(60), shown.decode()


def drawn(shown: str) -> list[str]:
    """Return everything that was drawn on one line."""
    return [part for line in shown.split("\n") for part in line.split("\r") if part.strip()]


@pytest.mark.parametrize("columns", [40, 120])
def test_bar_fits_the_terminal(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts, columns: int
) -> None:
    """It is redrawn on its own line and never wraps."""
    server.latency = 0.05
    status, shown = on_a_terminal(
        workplace, columns, contacts(40), "--base-url", server.url, "--out", workplace.out
    )
    assert status == 0
    bars = [part for part in drawn(shown) if "/40 [" in part]
    assert len(bars) > 3
    assert {part for part in bars if len(part) >= columns} == set()
    assert "40/40" in bars[-1]
    journal = f"Journal: {workplace.journal} (40 contacts, run 1)"
    assert shown.replace("\r", "").endswith(f"Results: {workplace.out}\n{journal}\n")


def test_log_line_does_not_break_the_bar(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """It appears on its own line above the bar."""
    server.latency = 0.2
    status, shown = on_a_terminal(
        workplace, 80, contacts(40), "--base-url", server.url, "--out", workplace.out,
        "--concurrency", 2, interrupt_at="/40 [",
    )  # fmt: skip
    assert status == 130
    (reported,) = [part for part in drawn(shown) if "run.interrupted" in part]
    assert reported.endswith("A second signal exits immediately.")
    assert "/40" not in reported


@pytest.mark.parametrize("arguments", [[], ["--verbose"], ["--log-format", "json"]])
def test_nothing_is_drawn_without_a_terminal(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts, arguments: list[str]
) -> None:
    """Files and mails contain no control characters."""
    ran = workplace.send(contacts(5), server, *arguments)
    assert ran.exit_status == 0
    assert ran.stderr.replace("\n", "").isprintable()


def test_json_log_on_a_terminal_has_no_bar(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """Even if --progress is given, as a bar would make the lines unreadable."""
    arguments = (contacts(5), "--base-url", server.url, "--out", workplace.out)
    status, shown = on_a_terminal(workplace, 80, *arguments, "--log-format", "json", "--progress")
    events = [json.loads(line)["event"] for line in shown.splitlines()]
    assert (status, events[0], events[-1]) == (0, "run.started", "run.finished")


def test_quiet_run_draws_nothing_on_a_terminal(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """It prints nothing at all."""
    arguments = (contacts(5), "--base-url", server.url, "--out", workplace.out, "--quiet")
    assert on_a_terminal(workplace, 80, *arguments) == (0, "")

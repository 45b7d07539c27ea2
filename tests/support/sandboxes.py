"""Runs sandboxes in threads or as child processes, and ends every one of them."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import requests

from importer.sandbox.cli import main, settings_of
from importer.sandbox.server import run
from importer.sandbox.store import Orders

ORDER = "2d7de9df-45a2-45ea-872c-30e45139007d"
CREDENTIALS = ("sandbox", "sandbox")
COMMAND = (sys.executable, "-m", "importer.sandbox", "--port", "0")
CHILD = (*COMMAND, "--ready-json", "--until-stdin-closes")
TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class RunningSandbox:
    """One running sandbox."""

    url: str

    def ask(self, method: str, path: str, **how: Any) -> requests.Response:  # noqa: ANN401 - as requests takes them
        """Send one request, with the credentials of the documentation unless given others."""
        with requests.Session() as session:
            session.trust_env = False
            url = f"{self.url}{path}"
            return session.request(method, url, **{"auth": CREDENTIALS, "timeout": 30, **how})

    def create(self, order: str = ORDER, **fields: object) -> requests.Response:
        """Create a contact of an order."""
        return self.ask("POST", f"/v2.1/orders/{order}/contacts", json=fields)

    def state(self) -> dict[str, Any]:
        """Return the stored contacts and the requests received."""
        state: dict[str, Any] = self.ask("GET", "/_sandbox/state").json()
        return state

    def stored(self) -> int:
        """Return how many contacts are stored."""
        return int(self.state()["totals"]["contacts"])

    def bytes_of(self, request: bytes, most_seconds: float = TIMEOUT_SECONDS) -> bytes:
        """Send bytes and return everything received until the connection closes.

        Raises:
            ConnectionResetError: It was reset.
        """
        address = urlsplit(self.url)
        with socket.create_connection((address.hostname, address.port), most_seconds) as wire:
            wire.sendall(request)
            received = b""
            while part := wire.recv(65536):
                received += part
        return received


@dataclass(frozen=True)
class SandboxProcess(RunningSandbox):
    """One running sandbox in its own process."""

    process: "subprocess.Popen[str]"


@contextmanager
def running(*arguments: str) -> Iterator[RunningSandbox]:
    """Run a sandbox in a thread; it must log nothing."""
    settings = settings_of(
        main.make_context("contacts-sandbox", ["--port", "0", *arguments]).params
    )
    announced: SimpleQueue[tuple[str, Callable[[], object]]] = SimpleQueue()

    def serve() -> None:
        ended = asyncio.Event()

        def announce(url: str, _: Orders) -> None:
            loop = asyncio.get_running_loop()
            announced.put((url, lambda: loop.call_soon_threadsafe(ended.set)))

        run(settings, lambda: ended, announce)

    complaints = _Complaints()
    logging.getLogger().addHandler(complaints)
    thread = Thread(target=serve)
    thread.start()
    try:
        url, end = announced.get(timeout=TIMEOUT_SECONDS)
        try:
            yield RunningSandbox(url)
        finally:
            end()
            thread.join(TIMEOUT_SECONDS)
    finally:
        logging.getLogger().removeHandler(complaints)
    assert not thread.is_alive()
    assert complaints.texts == []


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


@contextmanager
def running_process(*arguments: str, command: Sequence[str] = CHILD) -> Iterator[SandboxProcess]:
    """Run a sandbox that must print nothing but its address, and end with its standard input."""
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise AssertionError(f"the sandbox did not start: {process.communicate()[1]}")
        yield SandboxProcess(json.loads(line)["url"], process)
        if process.poll() is None:
            _, complaints = process.communicate(timeout=TIMEOUT_SECONDS)
            assert (complaints, process.returncode) == ("", 0)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def eventually(holds: Callable[[], bool]) -> bool:
    """Return whether a condition becomes true before the timeout."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (held := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return held

"""Fixtures of the end-to-end tests."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import Workplace, order
from delays import shorten_delays
from servers.reference import ReferenceServer


@pytest.fixture(scope="session", autouse=True)
def _signals_are_not_ignored() -> None:
    """Handle signals even if the parent of the tests (``nohup``, a background job) ignores them.

    Otherwise the commands that the tests start would inherit that.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _delays(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten delays, except for tests that are marked with ``real_delays``."""
    if request.node.get_closest_marker("real_delays") is None:
        shorten_delays(monkeypatch)


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """An empty directory to run the commands in."""
    return Workplace(tmp_path)


@pytest.fixture
def server() -> Iterator[ReferenceServer]:
    """A server without faults."""
    with ReferenceServer() as running:
        yield running


@pytest.fixture
def contacts(workplace: Workplace) -> Callable[[int], Path]:
    """Return a function that writes a file of contacts, each in its own order."""

    def write(count: int) -> Path:
        header = ("orderRef", "firstName", "emails")
        rows = ((order(n), f"Name {n}", f"p{n}@example.com") for n in range(1, count + 1))
        return workplace.write([header, *rows])

    return write

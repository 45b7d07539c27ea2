"""What the end-to-end tests start from."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import Workplace, order
from servers.reference import ReferenceServer


@pytest.fixture(scope="session", autouse=True)
def _signals_are_heeded() -> None:
    """Whoever started the tests (nohup, a job in the background) may ignore signals.

    The commands that the tests start would inherit that, and heed none.
    """
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """An empty directory to run the command in."""
    return Workplace(tmp_path)


@pytest.fixture
def server() -> Iterator[ReferenceServer]:
    """A server on a good day."""
    with ReferenceServer() as running:
        yield running


@pytest.fixture
def contacts(workplace: Workplace) -> Callable[[int], Path]:
    """Writes a file of so many contacts, each of an order of its own."""

    def write(count: int) -> Path:
        header = ("orderRef", "firstName", "emails")
        rows = ((order(n), f"Name {n}", f"p{n}@example.com") for n in range(1, count + 1))
        return workplace.write([header, *rows])

    return write

"""What the end-to-end tests start from."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import Workplace, order
from servers.reference import ReferenceServer


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

"""Exchanges end at their deadline."""

import socket
from collections.abc import Iterator

import pytest

from importer.api.wire import Watchdog, Wire

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two connected sockets, of the client and of the server."""
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def is_cut(sock: socket.socket) -> bool:
    """Whether the other end of a socket is closed."""
    sock.settimeout(0)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False


class Clock:
    """A clock that is set by a test."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that does not advance."""
    return Clock()


@pytest.fixture
def watchdog(clock: Clock) -> Iterator[Watchdog]:
    """A watchdog with a timeout of 30 seconds that is run by a test."""
    watchdog = Watchdog(30.0, clock)
    yield watchdog
    watchdog.stop()


def test_exchange_is_cut_at_its_deadline_and_not_before(
    watchdog: Watchdog, clock: Clock, pair: Pair
) -> None:
    """The socket is shut down while a thread may be waiting for it."""
    wire = watchdog.watch()
    wire.begin(130.0)
    wire.attach(pair[0])
    clock.now = 129.9
    assert watchdog.cut_overdue() == pytest.approx(0.1)
    assert (wire.overdue, is_cut(pair[0])) == (False, False)
    clock.now = 130.0
    watchdog.cut_overdue()
    assert (wire.overdue, is_cut(pair[0])) == (True, True)
    wire.detach()


def test_watchdog_sleeps_until_the_earliest_deadline(watchdog: Watchdog, clock: Clock) -> None:
    """Without one, it sleeps for one timeout, as no exchange can be due earlier."""
    assert watchdog.cut_overdue() == 30.0
    early, late = watchdog.watch(), watchdog.watch()
    early.begin(110.0)
    late.begin(120.0)
    assert watchdog.cut_overdue() == 10.0
    clock.now = 110.0
    assert watchdog.cut_overdue() == 10.0
    early.end()
    late.end()
    assert watchdog.cut_overdue() == 30.0


def test_finished_exchange_is_not_cut(watchdog: Watchdog, clock: Clock, pair: Pair) -> None:
    """An idle connection has no deadline."""
    wire = watchdog.watch()
    wire.begin(130.0)
    wire.attach(pair[0])
    wire.end()
    clock.now = 1e9
    watchdog.cut_overdue()
    assert not is_cut(pair[0])
    wire.detach()


def test_socket_attached_after_the_deadline_is_cut(pair: Pair) -> None:
    """The deadline may pass while a host name is resolved."""
    wire = Wire()
    wire.begin(1.0)
    wire.cut_if_overdue(1.0)
    wire.attach(pair[0])
    assert is_cut(pair[0])
    wire.detach()


def test_socket_used_by_tls_is_cut(pair: Pair) -> None:
    """The wire keeps a descriptor of its own."""
    wire = Wire()
    wire.attach(pair[0])
    taken_over = socket.socket(fileno=pair[0].detach())
    wire.begin(1.0)
    wire.cut_if_overdue(1.0)
    assert is_cut(taken_over)
    taken_over.close()
    wire.detach()


def test_connection_is_closed_when_its_wire_is_detached(pair: Pair) -> None:
    """The duplicate descriptor must not keep it open."""
    wire = Wire()
    wire.attach(pair[0])
    pair[0].close()
    assert not is_cut(pair[1])
    wire.detach()
    assert is_cut(pair[1])

"""Exchanges end at their deadline."""

import socket
from collections.abc import Iterator

import pytest

from importer.api.wire import Watchdog, Wire

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two connected sockets: the client's and the server's."""
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def is_cut(sock: socket.socket) -> bool:
    """Whether the other end of a socket is gone."""
    sock.settimeout(0)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        """Tells the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture
def watchdog(clock: Clock) -> Iterator[Watchdog]:
    """A watchdog of half a minute that only a test wakes."""
    watchdog = Watchdog(30.0, clock)
    yield watchdog
    watchdog.stop()


def test_an_exchange_is_cut_at_its_deadline_and_not_before(
    watchdog: Watchdog, clock: Clock, pair: Pair
) -> None:
    """The socket is shut down under whatever waits for it."""
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


def test_the_watchdog_sleeps_until_the_earliest_deadline(watchdog: Watchdog, clock: Clock) -> None:
    """And one time-out when there is none, for none can come up earlier."""
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


def test_an_exchange_that_ended_is_not_cut(watchdog: Watchdog, clock: Clock, pair: Pair) -> None:
    """A connection waits for its next exchange as long as it takes."""
    wire = watchdog.watch()
    wire.begin(130.0)
    wire.attach(pair[0])
    wire.end()
    clock.now = 1e9
    watchdog.cut_overdue()
    assert not is_cut(pair[0])
    wire.detach()


def test_a_socket_that_comes_too_late_is_cut_at_once(pair: Pair) -> None:
    """Time may run out while a host name is looked up."""
    wire = Wire()
    wire.begin(1.0)
    wire.cut_if_overdue(1.0)
    wire.attach(pair[0])
    assert is_cut(pair[0])
    wire.detach()


def test_the_socket_that_tls_took_over_is_cut_too(pair: Pair) -> None:
    """The wire keeps a descriptor of its own."""
    wire = Wire()
    wire.attach(pair[0])
    taken_over = socket.socket(fileno=pair[0].detach())
    wire.begin(1.0)
    wire.cut_if_overdue(1.0)
    assert is_cut(taken_over)
    taken_over.close()
    wire.detach()


def test_the_connection_closes_when_the_wire_lets_go(pair: Pair) -> None:
    """A second descriptor must not keep a closed connection open."""
    wire = Wire()
    wire.attach(pair[0])
    pair[0].close()
    assert not is_cut(pair[1])
    wire.detach()
    assert is_cut(pair[1])

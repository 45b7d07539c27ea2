"""The deadline of a whole exchange.

The timeout of a socket applies to each wait, so a server that sends a byte now and then could
prolong an exchange for ever. One thread for the whole run therefore shuts the socket down at the
deadline, whatever the exchange is waiting for.
"""

import contextlib
import math
import socket
import threading
import time
from collections.abc import Callable

Clock = Callable[[], float]


class Wire:
    """The TCP socket of a connection, and the state of the exchange on it.

    The worker that owns the connection writes all attributes except ``overdue``; beginning and
    ending an exchange takes no lock.

    Attributes:
        deadline: When the exchange is cut, by the clock of the watchdog; infinity between
            exchanges.
        overdue: The exchange was cut at its deadline.
        connecting: A connection is being made, so nothing of the request has been sent.
        surplus: The server sent more than its answer.
    """

    def __init__(self) -> None:
        self.deadline = math.inf
        self.overdue = False
        self.connecting = False
        self.surplus = False
        self._lock = threading.RLock()
        self._handle: socket.socket | None = None

    def begin(self, deadline: float) -> None:
        """Start an exchange."""
        self.overdue = self.connecting = self.surplus = False
        self.deadline = deadline

    def end(self) -> None:
        """End the exchange, which has no deadline from now on."""
        self.deadline = math.inf

    def attach(self, sock: socket.socket) -> None:
        """Keep a duplicate of the TCP socket, instead of the previous one.

        A duplicate is needed because TLS takes over the original descriptor, and because the
        number of a closed descriptor may be reused for another file immediately.
        """
        with self._lock:
            self.detach()
            self._handle = sock.dup()
            if self.overdue:
                self._shut_down()

    def detach(self) -> None:
        """Close the duplicate, so that closing the socket closes the connection."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def cut_if_overdue(self, now: float) -> None:
        """Shut the socket down if the deadline has passed. Safe to call from another thread."""
        with self._lock:
            if not self.overdue and self.deadline <= now:
                self.overdue = True
                self._shut_down()

    def _shut_down(self) -> None:
        if self._handle is not None:
            # It may be not connected yet, or no longer.
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)


class Watchdog:
    """Cuts every exchange at its deadline.

    It sleeps until the earliest deadline, or for one timeout, as no exchange that starts
    meanwhile is due before then. So it wakes up about once per timeout, and an exchange only
    writes one number.
    """

    def __init__(self, timeout: float, clock: Clock = time.monotonic) -> None:
        self.timeout = timeout
        self.clock = clock
        self._wires: set[Wire] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self) -> Wire:
        """Return a wire whose exchanges are cut at their deadlines."""
        wire = Wire()
        with self._lock:
            self._wires.add(wire)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
        return wire

    def forget(self, wire: Wire) -> None:
        """Stop watching a wire."""
        with self._lock:
            self._wires.discard(wire)

    def cut_overdue(self) -> float:
        """Cut overdue exchanges; return the seconds until the next can be overdue."""
        now = self.clock()
        upcoming = now + self.timeout
        with self._lock:
            wires = tuple(self._wires)
        for wire in wires:
            wire.cut_if_overdue(now)
            if not wire.overdue:
                upcoming = min(upcoming, wire.deadline)
        return max(0.0, upcoming - now)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        pause = self.timeout
        while not self._stopped.wait(pause):
            pause = self.cut_overdue()

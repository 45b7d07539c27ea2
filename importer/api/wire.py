"""The deadline of a whole exchange.

Time-outs of a socket are for each wait, so a server that sends a byte now and then holds an
exchange for ever, in its head as in its body. Here one thread for the whole run shuts the
socket down when the time is up, whatever the exchange is waiting for.
"""

import contextlib
import math
import socket
import threading
import time
from collections.abc import Callable

Clock = Callable[[], float]


class Wire:
    """The TCP connection below one API connection, and what befell the exchange on it.

    The worker that owns the connection writes all attributes but ``overdue``; beginning and
    ending an exchange takes no lock.

    Attributes:
        deadline: Clock reading at which the exchange is cut; infinity between exchanges.
        overdue: The exchange was cut at its deadline.
        connecting: A new connection is being made, so that nothing of the request has left.
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
        """Starts an exchange."""
        self.overdue = self.connecting = self.surplus = False
        self.deadline = deadline

    def end(self) -> None:
        """Ends the exchange: nothing is cut any more."""
        self.deadline = math.inf

    def attach(self, sock: socket.socket) -> None:
        """Takes hold of the TCP socket, in place of the one before.

        The hold is a second descriptor, because TLS takes the first one over, and because a
        closed descriptor's number may at once be somebody else's.
        """
        with self._lock:
            self.detach()
            self._handle = sock.dup()
            if self.overdue:
                self._shut_down()

    def detach(self) -> None:
        """Lets go of the socket, so that closing it closes the connection."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def cut_if_overdue(self, now: float) -> None:
        """Ends the exchange if its time is up. Safe from another thread."""
        with self._lock:
            if not self.overdue and self.deadline <= now:
                self.overdue = True
                self._shut_down()

    def _shut_down(self) -> None:
        if self._handle is not None:
            # Not connected yet, or no longer: then there is nothing to end.
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)


class Watchdog:
    """Cuts every exchange at its deadline.

    No exchange that starts while the watchdog sleeps can end before one whole time-out from
    then, so it sleeps until the earliest deadline it knows of: a run without trouble wakes it
    once in a time-out, and an exchange costs the writing of one number.
    """

    def __init__(self, timeout: float, clock: Clock = time.monotonic) -> None:
        self.timeout = timeout
        self.clock = clock
        self._wires: set[Wire] = set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self) -> Wire:
        """Returns a wire whose exchanges are cut at their deadlines."""
        wire = Wire()
        with self._lock:
            self._wires.add(wire)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)
                self._thread.start()
        return wire

    def forget(self, wire: Wire) -> None:
        """Stops watching a wire."""
        with self._lock:
            self._wires.discard(wire)

    def cut_overdue(self) -> float:
        """Cuts what is overdue and returns the seconds until there can be more to cut."""
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
        """Ends the thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        pause = self.timeout
        while not self._stopped.wait(pause):
            pause = self.cut_overdue()

"""SIGINT, SIGTERM and SIGHUP: the first one ends the run well, the second one at once."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

from importer.engine import Stop
from importer.errors import ExitStatus
from importer.log import event

_STATUSES: Final = {
    signal.SIGHUP: ExitStatus.HANGUP,
    signal.SIGINT: ExitStatus.INTERRUPTED,
    signal.SIGTERM: ExitStatus.TERMINATED,
}


class Interruption:
    """Watches for signals while it is entered.

    Args:
        tell: Called in the main thread with the stop that the first signal asks for.
    """

    def __init__(self, tell: Callable[[Stop], None]) -> None:
        self._tell = tell
        self._previous: dict[int, object] = {}
        self.exit_status: ExitStatus | None = None
        """What the process will exit with when a signal came, else None."""
        self.stop: Stop | None = None

    def __enter__(self) -> Self:
        for number in _STATUSES:
            # A run under nohup is meant to outlive its terminal.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del frame
        status = _STATUSES[signal.Signals(number)]
        if self.exit_status is not None:
            # Every intent is on disk, so leaving without another word is safe.
            os._exit(status)
        self.exit_status = status
        name = signal.Signals(number).name
        self.stop = Stop(
            "interrupted", f"{name} came. Run the same command again; it goes on from here."
        )
        self._tell(self.stop)
        # Not here: the signal may have come while this very thread was writing a line.
        threading.Thread(target=_announce, args=(name,), daemon=True).start()


def _announce(name: str) -> None:
    event(
        logging.WARNING,
        "run.interrupted",
        f"{name} came: requests in flight are finished first. A second signal leaves at once.",
        signal=name,
    )

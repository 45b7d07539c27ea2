"""Reading and sending side by side: a thread reads while the calling one delivers."""

import threading
from collections.abc import Iterable
from queue import SimpleQueue
from typing import Protocol


class Fed(Protocol):
    """What takes batches by its queue of events and ends when they are done."""

    events: SimpleQueue[object]

    def run(self) -> None:
        """Work until all batches are done; None among the events says that no more come."""


def run_fed(fed: Fed, batches: Iterable[object]) -> None:
    """Run ``fed`` on batches that are read meanwhile, in a thread of their own.

    An exception of the reading goes into the queue of events, in the place of what is left.
    """

    def feed() -> None:
        try:
            for batch in batches:
                fed.events.put(batch)
            fed.events.put(None)
        except Exception as error:  # noqa: BLE001 - whoever is fed ends the run with it
            fed.events.put(error)

    reader = threading.Thread(target=feed, daemon=True)
    reader.start()
    fed.run()
    reader.join()

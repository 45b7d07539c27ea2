"""Reading and sending side by side: a thread reads while the calling one delivers."""

import threading
from collections.abc import Iterable
from typing import Protocol

from importer.engine import Inbox


class Fed(Protocol):
    """What takes batches by its queue of events and ends when they are done."""

    inbox: Inbox

    def run(self) -> None:
        """Work until all batches are done; None among the events says that no more come."""


def run_fed(fed: Fed, batches: Iterable[object]) -> None:
    """Run ``fed`` on batches that are read meanwhile, in a thread of their own.

    An exception of the reading goes into the queue of events, in the place of what is left.
    """

    def feed() -> None:
        try:
            for batch in batches:
                fed.inbox.put(batch)
            fed.inbox.put(None)
        except Exception as error:  # noqa: BLE001 - whoever is fed ends the run with it
            fed.inbox.put(error)

    reader = threading.Thread(target=feed, daemon=True)
    reader.start()
    fed.run()
    reader.join()

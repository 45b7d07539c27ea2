"""The delivery of contacts: each exactly once, rows of one order one after the other."""

from collections.abc import Callable, Iterable
from random import Random

from importer.api import Api
from importer.delivery import outcomes
from importer.delivery.admission import Admission
from importer.delivery.state import RunState
from importer.engine import Done, Engine, ErrorGate, Health, Outbox, Pace, Retry, Stop, Workers
from importer.journal import Journal
from importer.records import Outcome, Planned
from importer.settings import DeliveryOptions


class Delivery:
    """One run's delivery; batches of :class:`Planned` arrive in the engine's inbox.

    Args:
        api: The destination.
        journal: Its journal.
        options: How fast and how patiently.
        report: Called with outcomes once they are on record.
        looks_first: Whether an order is read before a contact is created on it.
    """

    def __init__(
        self,
        api: Api,
        journal: Journal,
        options: DeliveryOptions,
        report: Callable[[list[Outcome]], None],
        *,
        looks_first: bool = False,
    ) -> None:
        random = Random()  # noqa: S311 - jitter
        health = Health(Pace(options.concurrency, options.rate), random)
        workers = Workers(api.connect, health.pace)
        outbox = Outbox(None if options.preview else journal, report, workers.clock)
        self.engine = Engine(self, workers, outbox, health, ErrorGate(options.max_errors))
        self._journal = journal
        self._run = RunState(
            journal,
            options.if_exists,
            options.preview,
            Retry(options.attempts, random),
            looks_first,
        )
        self._admission = Admission(self.engine, self._run)

    @property
    def settled(self) -> int:
        """Unclear answers that reading back has settled."""
        return self._run.settled

    def admit(self, batch: list[Planned]) -> None:
        """Take in a batch."""
        self.engine.commit()  # a contact of the batch may be one that has just been created
        entries = self._journal.find([planned.key for planned in batch])
        for planned in batch:
            self._admission.admit(planned, entries.get(planned.key))

    def abandon(self, stop: Stop) -> Iterable[Done]:
        """Return the ends of contacts that have no job."""
        states = self._admission.abandon()
        keys = [state.key for state in states if state.duplicate_of is not None]
        firsts = self._journal.find(keys)
        for state in states:
            yield outcomes.abandoned(state, stop, firsts.get(state.key))

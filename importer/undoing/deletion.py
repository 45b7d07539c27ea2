"""The deletion of contacts: one of an order after the other, different orders side by side."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from importer.api import Api
from importer.engine import Done, Engine, ErrorGate, Health, Job, Outbox, Pace, Stop, Workers
from importer.journal import Entry, Journal
from importer.records import Outcome
from importer.settings import DeliveryOptions
from importer.undoing.candidates import Candidate
from importer.undoing.delete import CandidateState, UndoState, delete


class Deletion:
    """One run's deletion; lists of :class:`Candidate` arrive in the engine's inbox.

    The journal knows of a deletion before its request leaves, and what came of it before that
    is reported.

    Args:
        api: The destination.
        journal: Its journal.
        options: How fast and how patiently.
        run: What is deleted, and with what patience.
        report: Called with outcomes once they are on record.
    """

    def __init__(
        self,
        api: Api,
        journal: Journal,
        options: DeliveryOptions,
        run: UndoState,
        report: Callable[[list[Outcome]], None],
    ) -> None:
        health = Health(Pace(options.concurrency, options.rate), run.retry.random)
        workers = Workers(api.connect, health.pace)
        outbox = Outbox(None if run.dry_run else journal, report, workers.clock)
        self.engine = Engine(self, workers, outbox, health, ErrorGate(options.max_errors))
        self._journal = journal
        self._run = run

    @property
    def settled(self) -> int:
        """Unclear answers that reading has settled."""
        return self._run.settled

    def admit(self, batch: list[Candidate]) -> None:
        """Take in a batch."""
        entries = defaultdict[str, list[Entry]](list)
        for entry in self._journal.find_refs([candidate.ref for candidate in batch]):
            entries[entry.ref].append(entry)
        for candidate in batch:
            known = tuple(entries[candidate.ref])
            procedure = delete(CandidateState(candidate, known, known), self._run)
            self.engine.submit(Job(candidate.order_ref, candidate.row, procedure))

    def abandon(self, stop: Stop) -> Iterable[Done]:
        """Return the ends of contacts without a job; there are none."""
        del stop
        return ()

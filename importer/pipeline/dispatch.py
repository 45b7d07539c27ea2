"""What becomes of prepared contacts: delivered, only judged, or declined after a stop."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from importer.api import Api, Credentials
from importer.delivery import Delivery, exists_by_journal, row_not_sent
from importer.engine import Stop
from importer.journal import Entry, Journal, State
from importer.pipeline.feeding import run_fed
from importer.pipeline.intake import Intake, Prepared
from importer.progress import Progress
from importer.records import Outcome, Planned, Status
from importer.results import Recorder
from importer.settings import RunOptions

_MOST_PENDING: Final = 10_000  # records on their way; a bound on memory, not on speed


class Dispatch:
    """Takes every batch of an intake to its outcomes.

    Args:
        options: What is asked for.
        credentials: Who sends; None for a dry run.
        journal: What earlier runs have done.
    """

    def __init__(
        self, options: RunOptions, credentials: Credentials | None, journal: Journal
    ) -> None:
        self._options = options
        self._credentials = credentials
        self._journal = journal
        self.delivery: Delivery | None = None
        """The delivery, once there is one."""
        self.stop: Stop | None = None
        """Why the run ended early, if it did."""
        self.hurry: Stop | None = None
        """The same when the rest of the file is to be told as not sent without judging it."""

    def interrupt_at_once(self, stop: Stop) -> None:
        """End the run early, for somebody waits for it to end: as :meth:`interrupt`."""
        self.hurry = stop
        self.interrupt(stop)

    def interrupt(self, stop: Stop) -> None:
        """End the run early; safe from any thread and from a signal handler."""
        if self.delivery is None:
            self.stop = self.stop or stop
        else:
            self.delivery.engine.inbox.put(stop)

    def run(self, intake: Intake, recorder: Recorder, progress: Progress) -> None:
        """Tell the recorder the outcome of every record.

        Raises:
            InputError: The source file could not be read to its end.
        """

        def tell(outcomes: list[Outcome]) -> None:
            recorder.tell(outcomes)
            progress.advance(len(outcomes), recorder.tally.statuses)
            if recorder.failure is not None:
                self.interrupt(Stop("results", "The results cannot be written."))

        def prepared() -> Iterator[Prepared]:
            for one in intake.prepare(recorder.tally, lambda: self.hurry is not None):
                recorder.expect(one.batch, _MOST_PENDING)
                tell(one.invalid)
                if self.hurry is not None:
                    stop = self.hurry
                    tell([row_not_sent(row, order, stop) for row, order in one.unjudged.items()])
                yield one

        if not self._options.asks_api or self.stop is not None:
            for one in prepared():
                tell(self._undelivered(one.planned))
        else:
            with self._api() as api:
                delivery = Delivery(api, self._journal, self._options.delivery, tell)
                self._deliver(delivery, prepared())

    def _deliver(self, delivery: Delivery, batches: Iterator[Prepared]) -> None:
        self.delivery = delivery
        if self.stop is not None:  # a signal that came while the delivery was set up
            delivery.engine.inbox.put(self.stop)

        try:
            run_fed(delivery.engine, (one.planned for one in batches))
        finally:
            self.stop = delivery.engine.stop

    def _api(self) -> Api:
        options = self._options
        if options.base_url is None or self._credentials is None:
            raise ValueError("A delivery needs a destination and credentials.")
        return Api(options.base_url, self._credentials, options.delivery.timeout)

    def _undelivered(self, planned: list[Planned]) -> list[Outcome]:
        known = self._journal.find([one.key for one in planned])
        return [self._judged(one, known.get(one.key)) for one in planned]

    def _judged(self, planned: Planned, entry: Entry | None) -> Outcome:
        contact = planned.contact
        if entry is not None and entry.is_there:
            known = exists_by_journal(contact.row, entry)
            return replace(known, status=Status.DUPLICATE) if planned.duplicate_of else known
        if self.stop is not None:
            told = row_not_sent(contact.row, contact.order_ref, self.stop)
            is_unclear = entry is not None and entry.state in {State.INTENT, State.UNKNOWN}
            # An earlier run has sent it.
            return replace(told, status=Status.UNKNOWN) if is_unclear else told
        status = Status.DUPLICATE if planned.duplicate_of else Status.VALID
        return Outcome(row=contact.row, status=status, order_ref=contact.order_ref)

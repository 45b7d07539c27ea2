"""One undo from the results file to the exit status."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final

from importer.api import Api, Credentials
from importer.engine import Retry, Stop
from importer.errors import ExitStatus, InputError, StoppedError, UsageError
from importer.journal import Journal, Sender
from importer.log import event
from importer.pipeline.feeding import run_fed
from importer.pipeline.outputs import Outputs, check_paths
from importer.pipeline.run import EXIT_STATUSES
from importer.pipeline.signals import Interruption
from importer.progress import Progress
from importer.reading import CHANGED, Source, open_source
from importer.records import Outcome
from importer.reporting import Summary
from importer.results import Recorder, Tally
from importer.settings import RunOptions
from importer.undoing.candidates import (
    CARRIED,
    Candidate,
    candidates,
    check_header,
    created_records,
)
from importer.undoing.delete import UndoState, without_ref
from importer.undoing.deletion import Deletion
from importer.undoing.survey import Survey, survey

_MOST_PENDING: Final = 10_000  # records on their way; a bound on memory, not on speed


def undo_file(
    options: RunOptions,
    credentials: Credentials,
    confirm: Callable[[Survey], None],
    *,
    force: bool = False,
) -> Summary:
    """Delete the contacts whose rows are ``created`` in a results file.

    Args:
        options: What is asked for; the source file is the results file.
        credentials: Who deletes.
        confirm: Called when all is known and nothing deleted yet; raises to end it there.
        force: Delete what somebody has changed as well.

    Returns:
        The figures of the run, with its exit status.

    Raises:
        UsageError: The options contradict each other or the file, or name files that cannot
            be used.
        InputError: The results file cannot be read, or is none; nothing was deleted.
        JournalLockedError: Another run holds the journal.
        StoppedError: The results cannot be written.
    """
    check_paths(options)
    with ExitStack() as stack:
        return _Run(options, credentials, stack, force=force).run(confirm)


class _Run:
    def __init__(
        self, options: RunOptions, credentials: Credentials, stack: ExitStack, *, force: bool
    ) -> None:
        if options.base_url is None:
            raise UsageError("Say where the contacts are: --region eu|us|ap|jp or --base-url URL.")
        self.options = options
        self.base_url = options.base_url
        self.credentials = credentials
        self.stack = stack
        self.force = force
        self.name = str(options.source.path)
        self.started = datetime.now(UTC)
        self.started_at = time.monotonic()
        self.deletion: Deletion | None = None
        self.stop: Stop | None = None

    def run(self, confirm: Callable[[Survey], None]) -> Summary:
        with self._open():
            pass  # a file that is none is told before the journal is touched
        journal = self._open_journal()
        surveyed = survey(self._open, self.name, journal, self.base_url)
        self._warn(surveyed)
        confirm(surveyed)
        interruption = self.stack.enter_context(Interruption(self._interrupt))
        source = self.stack.enter_context(self._open())
        outputs = Outputs(self.options, source, self.stack)
        recorder = outputs.recorder(range(CARRIED, len(source.header)))
        with Progress(surveyed.created, bar=self.options.bar) as progress:
            stop = self._delete(journal, source, recorder, progress)
        if stop is None and source.sha256 != surveyed.sha256:
            stop = Stop("input", f"{self.name}: {CHANGED}.")
        outputs.commit(recorder.failure)
        status = interruption.exit_status or _exit_status(recorder.tally, stop)
        summary = self._summary(recorder.tally, source.sha256, stop, status)
        return outputs.write_about(summary)

    def _open(self) -> Source:
        source = open_source(self.options.source, sys.stdin.buffer)
        with ExitStack() as on_failure:
            on_failure.enter_context(source)
            check_header(self.name, source.header)
            on_failure.pop_all()
        return source

    def _open_journal(self) -> Journal:
        path = self.options.journal
        # None is made: there is nothing that a new one could learn.
        is_kept = path.exists() and not self.options.dry_run
        opener = Journal.open if is_kept else Journal.open_for_reading
        options = self.options
        sender = Sender(
            options.destination or "", self.credentials.client_key, options.new_client_key
        )
        journal = opener(path, sender)
        self.stack.callback(journal.close)
        return journal

    def _warn(self, found: Survey) -> None:
        journal = self.options.journal
        if found.elsewhere:
            event(
                logging.WARNING,
                "destination.differs",
                f"{found.elsewhere:,} contacts were created at another address than "
                f"{self.base_url}; if they are not here, they will be called absent.",
                contacts=found.elsewhere,
            )
        if found.known < found.contacts:
            state = "does not know" if journal.exists() else "is not there, so it cannot learn of"
            event(
                logging.WARNING,
                "journal.unknown",
                f"The journal {journal} {state} {found.contacts - found.known:,} of the "
                f"{found.contacts:,} contacts at {self.base_url}. An import whose journal holds "
                "them takes them as there: give that one with --journal.",
                contacts=found.contacts - found.known,
            )
        if found.duplicated:
            event(
                logging.WARNING,
                "contact.duplicated",
                f"{found.duplicated:,} contacts are there under a second ref as well, says the "
                "error column. Those are not deleted.",
                contacts=found.duplicated,
            )

    def _interrupt(self, stop: Stop) -> None:
        """End the run early; safe from any thread and from a signal handler."""
        if self.deletion is None:
            self.stop = self.stop or stop
        else:
            self.deletion.engine.inbox.put(stop)

    def _delete(
        self, journal: Journal, source: Source, recorder: Recorder, progress: Progress
    ) -> Stop | None:
        def tell(outcomes: list[Outcome]) -> None:
            recorder.tell(outcomes)
            progress.advance(len(outcomes), recorder.tally.statuses)
            if recorder.failure is not None:
                self._interrupt(Stop("results", "The results cannot be written."))

        def batches() -> Iterator[list[Candidate]]:
            for batch in source.batches():
                created = created_records(self.name, batch)
                recorder.expect(created, _MOST_PENDING)
                found = list(candidates(created))
                tell([without_ref(one) for one in found if not one.has_ref])
                yield [one for one in found if one.has_ref]

        options = self.options.delivery
        run = UndoState(Retry(options.attempts), self.force, self.options.dry_run)
        with Api(self.base_url, self.credentials, options.timeout) as api:
            self.deletion = Deletion(api, journal, options, run, tell)
            if self.stop is not None:  # a signal that came while the deletion was set up
                self.deletion.engine.inbox.put(self.stop)
            try:
                run_fed(self.deletion.engine, batches())
            except InputError as error:
                # Contacts were deleted already, so this is no clean refusal of the file.
                raise StoppedError(str(error)) from error
        return self.deletion.engine.stop

    def _summary(self, tally: Tally, sha256: str, stop: Stop | None, status: ExitStatus) -> Summary:
        deletion, most = self.deletion, self.options.delivery.concurrency
        lowest = deletion.engine.pace.lowest if deletion else most
        return Summary(
            source=self.name,
            sha256=sha256,
            started=self.started,
            finished=datetime.now(UTC),
            elapsed=time.monotonic() - self.started_at,
            rows=tally.rows,
            statuses=tally.statuses,
            errors=tally.errors,
            notes=tally.notes,
            requests=deletion.engine.requests if deletion else 0,
            settled=deletion.settled if deletion else 0,
            last_concurrency=deletion.engine.pace.limit if deletion else None,
            lowest_concurrency=lowest if lowest < most else None,
            most_in_flight=most,
            stop=stop.message if stop else "",
            out=str(self.options.out),
            exit_status=status,
        )


def _exit_status(tally: Tally, stop: Stop | None) -> ExitStatus:
    if stop is not None:
        return EXIT_STATUSES.get(stop.why, ExitStatus.STOPPED)
    return ExitStatus.OK if tally.is_all_done else ExitStatus.SOME_ROWS_FAILED

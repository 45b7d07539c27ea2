"""One run from the source file to the exit status."""

import logging
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Final

from importer.api import Credentials
from importer.engine import Stop
from importer.errors import ExitStatus, InputError, StoppedError
from importer.journal import Journal, Sender
from importer.log import event
from importer.mapping import Mapping
from importer.metrics import Metrics
from importer.pipeline.aside import pays
from importer.pipeline.dispatch import Dispatch
from importer.pipeline.intake import Intake
from importer.pipeline.outputs import Outputs, check_paths
from importer.pipeline.signals import Interruption
from importer.pipeline.survey import Survey, survey
from importer.pipeline.telling import tell_lost_journal, tell_start, tell_warnings
from importer.progress import Progress
from importer.reading import CHANGED, Source, open_source, spooled
from importer.records import Status
from importer.reporting import Summary
from importer.results import Recorder, Tally
from importer.settings import RunOptions
from importer.validation import Validator

EXIT_STATUSES: Final = {"credentials": ExitStatus.CREDENTIALS, "strict": ExitStatus.INPUT}
"""Why a run stopped to its exit status, where that is not the one of a run to go on with."""


def import_file(
    options: RunOptions, credentials: Credentials | None, *, has_process: bool = False
) -> Summary:
    """Import the contacts of a file.

    Args:
        options: What is asked for.
        credentials: Who sends; None for a dry run.
        has_process: Whether the process is there for this run alone. Then SIGINT, SIGTERM and
            SIGHUP end the run well, and it may begin another process; in the main thread only.

    Returns:
        The figures of the run, with its exit status.

    Raises:
        UsageError: The options contradict each other or name files that cannot be used.
        InputError: The source file cannot be read; nothing was sent.
        JournalLockedError: Another run holds the journal.
        StoppedError: The results cannot be written.
    """
    check_paths(options)
    with ExitStack() as stack:
        return _Run(options, credentials, stack).run(has_process=has_process)


class _Run:
    def __init__(
        self, options: RunOptions, credentials: Credentials | None, stack: ExitStack
    ) -> None:
        self.options = options
        self.credentials = credentials
        self.stack = stack
        self.started = datetime.now(UTC)
        self.started_at = time.monotonic()
        self.stdin = sys.stdin.buffer
        if options.source.path is None:
            # It is read twice, as a file is: once to see that all of it can be read.
            self.stdin = stack.enter_context(spooled(self.stdin))

    def run(self, *, has_process: bool) -> Summary:
        # Header and columns first: nothing is created for a file that is none.
        with self._open() as source:
            header = source.header
            try:
                mapping = Mapping.of(header, self.options.mapping, source.header_line)
            except InputError as error:
                path = self.options.source.path or "standard input"
                raise InputError(f"{path}: {error}") from error
        validator = Validator(self.options.rules, self.started)
        for warning in mapping.warnings:
            event(logging.WARNING, "column.ignored", warning)
        journal = self._open_journal()
        dispatch = Dispatch(self.options, self.credentials, journal)
        interruption = Interruption(dispatch.interrupt_at_once)
        if has_process:
            self.stack.enter_context(interruption)
        surveyed = self._survey(mapping, validator, dispatch)
        source = self.stack.enter_context(self._open())
        if source.header != header:
            raise InputError(f"{self.options.source.path}: {CHANGED}.")
        outputs = Outputs(self.options, source, self.stack)
        recorder = outputs.recorder(mapping.carry)
        intake = Intake(source, mapping, validator, journal.key, keeps_cells=recorder.keeps_cells)
        if has_process and not self.options.asks_api and pays(source.size):
            intake.read_aside(self.stack)
        tell_start(self.options, surveyed.rows if surveyed else None)
        with Progress(surveyed.rows if surveyed else None, bar=self.options.bar) as progress:
            self._dispatch(dispatch, intake, recorder, progress)
        if surveyed is not None and dispatch.stop is None and intake.sha256 != surveyed.sha256:
            dispatch.stop = Stop("input", f"{self.options.source.path}: {CHANGED}.")
        recorder.check()
        outputs.commit(recorder.failure)
        summary = self._summary(recorder.tally, intake.sha256, dispatch, interruption)
        tell_warnings(summary.warnings)

        def report(summary: Summary) -> str:
            from importer.reporting.page import page  # noqa: PLC0415 - jinja2 takes 0.1 s

            metrics = dispatch.delivery.engine.metrics if dispatch.delivery else Metrics()
            return page(summary, metrics, self.options.shown)

        return outputs.write_about(summary, report)

    def _open(self) -> Source:
        if self.options.source.path is None:
            self.stdin.seek(0)
        return open_source(self.options.source, self.stdin)

    def _open_journal(self) -> Journal:
        options = self.options
        opener = Journal.open_for_reading if options.dry_run else Journal.open
        client_key = self.credentials.client_key if self.credentials else ""
        sender = Sender(options.destination or "", client_key, options.new_client_key)
        journal = opener(options.journal, sender)
        self.stack.callback(journal.close)
        if options.starts_sandbox:
            journal.drop()
        elif options.fresh:
            journal.forget()
        else:
            tell_lost_journal(options, journal)
        return journal

    def _survey(self, mapping: Mapping, validator: Validator, dispatch: Dispatch) -> Survey | None:
        options = self.options
        if options.dry_run and not options.strict:
            return None  # nothing is sent, so one reading will do
        surveyed = survey(
            self._open,
            mapping,
            validator if options.strict else None,
            lambda: dispatch.hurry is not None,
        )
        if surveyed is not None and surveyed.invalid:
            dispatch.interrupt(
                Stop(
                    "strict",
                    f"{surveyed.invalid:,} of {surveyed.rows:,} rows are invalid, so --strict "
                    "sent nothing. Mend them (the error column says how), then run again.",
                )
            )
        return surveyed

    def _dispatch(
        self, dispatch: Dispatch, intake: Intake, recorder: Recorder, progress: Progress
    ) -> None:
        try:
            dispatch.run(intake, recorder, progress)
        except InputError as error:
            if dispatch.delivery is None:
                raise
            # Contacts were sent already, so this is no clean refusal of the file any more.
            raise StoppedError(str(error)) from error

    def _summary(
        self, tally: Tally, sha256: str, dispatch: Dispatch, interruption: Interruption
    ) -> Summary:
        delivery, most = dispatch.delivery, self.options.delivery.concurrency
        lowest = delivery.engine.pace.lowest if delivery else most
        return Summary(
            source=str(self.options.source.path or "-"),
            sha256=sha256,
            started=self.started,
            finished=datetime.now(UTC),
            elapsed=time.monotonic() - self.started_at,
            rows=tally.rows,
            statuses=tally.statuses,
            errors=tally.errors,
            notes=tally.notes,
            warnings=tally.warnings,
            first_lines=tally.first_lines,
            requests=delivery.engine.requests if delivery else 0,
            settled=delivery.settled if delivery else 0,
            last_concurrency=delivery.engine.pace.limit if delivery else None,
            lowest_concurrency=lowest if lowest < most else None,
            most_in_flight=most,
            is_dry_run=self.options.dry_run,
            stop=dispatch.stop.message if dispatch.stop else "",
            out=str(self.options.out),
            exit_status=interruption.exit_status or self._exit_status(tally, dispatch.stop),
        )

    def _exit_status(self, tally: Tally, stop: Stop | None) -> ExitStatus:
        if stop is not None:
            return EXIT_STATUSES.get(stop.why, ExitStatus.STOPPED)
        if self.options.strict and tally.statuses[Status.INVALID]:
            return ExitStatus.INPUT
        return ExitStatus.OK if tally.is_all_done else ExitStatus.SOME_ROWS_FAILED

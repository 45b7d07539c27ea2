"""An import run: from the source file to the exit status."""

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from importer.api import Api, Credentials
from importer.delivery import Delivery, exists_by_journal, row_not_sent
from importer.engine import Stop
from importer.errors import InputError
from importer.journal import Entry, Journal, State
from importer.log import counted, event
from importer.mapping import Mapper, check_tables
from importer.pipeline.aside import pays
from importer.pipeline.intake import Intake, Survey, survey
from importer.pipeline.outputs import check_paths
from importer.pipeline.run import Run
from importer.pipeline.sharing import Sharing
from importer.reading import CHANGED, Source, spooled
from importer.records import GUESTS_SHARED, Outcome, Planned, Status
from importer.reporting import WARNINGS, Summary
from importer.settings import IfExists, RunOptions
from importer.validation import Validator


def import_file(
    options: RunOptions, credentials: Credentials | None, *, has_process: bool = False
) -> Summary:
    """Import the contacts of a file.

    Args:
        options: What was requested.
        credentials: The credentials for the API; None for a dry run.
        has_process: Whether the process exists for this run alone. Then SIGINT, SIGTERM and
            SIGHUP end the run with all files written, and it may start another process; call it
            in the main thread then.

    Returns:
        The figures of the run, with its exit status.

    Raises:
        UsageError: The options contradict each other or name files that cannot be used.
        InputError: The source file cannot be read; nothing was sent, and the journal is as
            before.
        JournalLockedError: Another run holds the journal.
        StoppedError: The results cannot be written.
    """
    check_paths(options)
    with ExitStack() as stack:
        return _ImportRun(options, credentials, stack).run(has_process=has_process)


class _ImportRun(Run):
    def __init__(
        self, options: RunOptions, credentials: Credentials | None, stack: ExitStack
    ) -> None:
        super().__init__(options, credentials.client_key if credentials else "", stack)
        self._credentials = credentials
        if options.source.path is None:
            self.stream = stack.enter_context(spooled(sys.stdin.buffer))
        self._sharing = Sharing()
        stack.callback(self._sharing.close)

    def run(self, *, has_process: bool) -> Summary:
        options = self.options
        with self.open_source() as source:
            header = source.header
            mapper = self._mapper(source)
        validator = Validator(options.rules, self.started)
        check_tables(
            options.mapping, lambda mapped, batch: validator.validate(mapped, batch).issues
        )
        self.columns, self.ignored_columns = mapper.columns, mapper.ignored
        event(
            logging.DEBUG,
            "columns.mapped",
            "; ".join(f"{field}: {', '.join(names)}" for field, names in mapper.columns.items()),
            columns={field: list(names) for field, names in mapper.columns.items()},
        )
        if mapper.warning:
            event(logging.WARNING, "column.ignored", mapper.warning, columns=list(mapper.ignored))
        # Held from here on if it exists, so that a second run does not read the file in vain.
        # A new one is created after the checks: a file that is refused leaves none.
        is_there = options.journal is not None and options.journal.exists()
        journal = self._open_journal() if is_there else None
        if has_process:
            self.stack.enter_context(self.interruption)
        surveyed = self._survey(mapper, validator)
        source = self.stack.enter_context(self.open_source())
        if source.header != header:
            raise InputError(f"{self.name}: {CHANGED}.")
        self.open_outputs(source, mapper.carry)
        journal = journal or self._open_journal()
        if not options.dry_run and self.stop is None:
            sha256 = surveyed.sha256 if surveyed else ""
            is_whole = options.source.limit is None
            self.stack.enter_context(self.numbered("import-contacts", sha256, is_whole=is_whole))
        intake = Intake(
            source, mapper, validator, journal.key, keeps_cells=self.recorder.keeps_cells
        )
        if has_process and not options.asks_api and pays(source.size):
            intake.read_aside(self.stack)
        looks_first = self._looks_first(journal)
        if options.fresh and self.stop is None:
            journal.forget()
        self._log_start(surveyed, looks_first=looks_first)
        with self.show_progress(surveyed.rows if surveyed else None):
            self._deliver(journal, intake, looks_first=looks_first)
        self._sharing.count(self.recorder.tally)
        self._log_warnings()
        return self.finish(intake.sha256, surveyed.sha256 if surveyed else None)

    def _mapper(self, source: Source) -> Mapper:
        try:
            return Mapper.of(source.header, self.options.mapping, source.header_line)
        except InputError as error:
            path = self.options.source.path or "standard input"
            raise InputError(f"{path}: {error}") from error

    def _open_journal(self) -> Journal:
        will_send = not self.options.dry_run and self.stop is None
        return self.open_journal(writable=will_send)

    def record(self, outcomes: list[Outcome]) -> None:
        """Write outcomes; safe from any thread."""
        self._sharing.record(outcomes)
        super().record(outcomes)

    def _is_hurried(self) -> bool:
        return self.interruption.stop is not None

    def _survey(self, mapper: Mapper, validator: Validator) -> Survey | None:
        options = self.options
        if options.dry_run and not options.strict:
            return None  # nothing is sent, so a single reading is enough
        checks = validator if options.strict else None
        surveyed = survey(self.open_source, mapper, checks, self._is_hurried)
        if surveyed is not None and surveyed.invalid:
            self.interrupt(
                Stop(
                    "strict",
                    f"Nothing was sent because of --strict: {counted(surveyed.invalid, 'row')} of "
                    f"{surveyed.rows:,} failed validation. Fix them (the error column says how), "
                    "then run again.",
                )
            )
        return surveyed

    def _looks_first(self, journal: Journal) -> bool:
        """Return whether to read orders, as an earlier journal may have been lost."""
        options = self.options
        return (
            options.delivery.if_exists is IfExists.AUTO
            and not options.dry_run
            and not options.fresh
            and not options.starts_sandbox
            and not journal.has_complete_run
        )

    def _deliver(self, journal: Journal, intake: Intake, *, looks_first: bool) -> None:
        batches = self._batches(intake)
        if not self.options.asks_api or self.stop is not None:
            for planned in batches:
                self.record(self._not_delivered(journal, planned))
            return
        base_url, credentials = self.options.base_url, self._credentials
        if base_url is None or credentials is None:
            raise ValueError("A delivery needs a destination and credentials.")
        with Api(base_url, credentials, self.options.delivery.timeout) as api:
            delivery = Delivery(
                api, journal, self.options.delivery, self.record, looks_first=looks_first
            )
            self.send(delivery, batches)

    def _batches(self, intake: Intake) -> Iterator[list[Planned]]:
        """Yield the contacts of each batch, after the outcomes of its other records."""
        for validated, planned in intake.prepare(
            self.recorder.tally, self._is_hurried, self._sharing.read
        ):
            self.expect(validated.batch)
            self.record(validated.invalid)
            if stop := self.interruption.stop:
                unvalidated = validated.unvalidated.items()
                self.record([row_not_sent(row, order, stop) for row, order in unvalidated])
            yield planned

    def _not_delivered(self, journal: Journal, planned: list[Planned]) -> list[Outcome]:
        known = {} if self.options.fresh else journal.find([one.key for one in planned])
        return [self._without_request(one, known.get(one.key)) for one in planned]

    def _without_request(self, planned: Planned, entry: Entry | None) -> Outcome:
        contact = planned.contact
        if entry is not None and entry.is_there:
            known = exists_by_journal(contact.row, entry)
            return replace(known, status=Status.DUPLICATE) if planned.duplicate_of else known
        if self.stop is not None:
            outcome = row_not_sent(contact.row, contact.order_ref, self.stop)
            is_unclear = entry is not None and entry.state in {State.INTENT, State.UNKNOWN}
            # An earlier run has sent it.
            return replace(outcome, status=Status.UNKNOWN) if is_unclear else outcome
        status = Status.DUPLICATE if planned.duplicate_of else Status.VALID
        return Outcome(row=contact.row, status=status, order_ref=contact.order_ref)

    def _log_start(self, surveyed: Survey | None, *, looks_first: bool) -> None:
        options = self.options
        match options.dry_run, options.asks_api:
            case False, _:
                where = f"to {options.base_url}"
            case _, True:
                where = f"dry run, {options.base_url} is read and nothing is changed there"
            case _:
                where = "dry run, nothing is sent"
        count = f"{counted(surveyed.rows, 'row')}, " if surveyed else ""
        use = self.journal_use()
        caution = "; no complete run yet, so orders are read first" if looks_first else ""
        event(
            logging.INFO,
            "run.started",
            f"{self.name}: {count}{where}; journal: {use}{caution}",
            **use.figures(),
            readsOrdersFirst=looks_first,
            input=self.name,
            rows=surveyed.rows if surveyed else None,
            destination=options.base_url,
            dryRun=options.dry_run,
        )

    def _log_warnings(self) -> None:
        """Log what is worth knowing about rows that are sent, with their number."""
        tally = self.recorder.tally
        for word, warning in WARNINGS.items():
            if count := tally.warnings[word]:
                where = tally.first_lines.get(word, ())
                guests = tally.shared_guests if word == GUESTS_SHARED else ()
                event(
                    logging.WARNING,
                    warning.event,
                    warning.text(count, where, guests),
                    **{f"{warning.noun}s": count},
                    **({"firstLines": where} if where else {}),
                    **({"guestRefs": guests} if guests else {}),
                )

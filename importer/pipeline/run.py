"""What an import run and an undo run have in common.

Both open their file twice, write the same outputs, end early for the same reasons, and report
the same figures.

Threads: the main thread runs the engine and, in it, handles signals. A second thread reads the
file and announces its records. Both record outcomes.
"""

import contextlib
import io
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from types import FrameType, TracebackType
from typing import BinaryIO, Final, Protocol, Self

from importer.engine import Engine, Inbox, Stop
from importer.errors import ExitStatus, ImportContactsError, InputError, StoppedError
from importer.journal import Journal, Sender, Wait
from importer.log import event
from importer.metrics import Metrics
from importer.pipeline.outputs import Outputs
from importer.progress import Progress
from importer.reading import CHANGED, Source, open_source
from importer.records import Batch, Outcome, Status
from importer.reporting import JournalUse, Summary
from importer.results import Recorder
from importer.settings import RunOptions

_MOST_PENDING: Final = 10_000  # announced records without a result: a limit on memory
_EXIT_STATUSES: Final = {"credentials": ExitStatus.CREDENTIALS, "strict": ExitStatus.INPUT}
"""The exit status of a stop, by its reason; that of every other reason is ``STOPPED``."""


class _Sender(Protocol):
    """Sends requests for the batches that the inbox of its engine receives."""

    engine: Engine

    @property
    def settled(self) -> int: ...


class Run:
    """A run: what was requested, how far it is, and how it ends.

    Args:
        options: What was requested.
        client_key: The client key of the credentials; ``""`` without credentials.
        stack: Closes what the run opens.

    Attributes:
        started: When the run began (UTC).
        stop: Why the run ends early; None as long as it does not.
        interruption: Handles signals once it is entered.
        stream: What is read when the source has no path.
        number: Number of the run in the journal; None before it begins there.
        columns: Field to the names of its columns.
        ignored_columns: Names of the columns that are not used.
        recorder: Writes the results; set by :meth:`open_outputs`.
    """

    recorder: Recorder
    _outputs: Outputs
    _progress: Progress

    def __init__(self, options: RunOptions, client_key: str, stack: ExitStack) -> None:
        self.options = options
        self.stack = stack
        self.started = datetime.now(UTC)
        self.stop: Stop | None = None
        self.interruption = Interruption(self.interrupt)
        self.stream: BinaryIO = io.BytesIO()
        self.number: int | None = None
        self.columns: Mapping[str, Sequence[str]] = {}
        self.ignored_columns: Sequence[str] = ()
        self._started_at = time.monotonic()
        self._client_key = client_key
        self._sender: _Sender | None = None
        self._journal: Journal | None = None

    @property
    def name(self) -> str:
        """The name of the source file for messages, ``-`` for standard input."""
        return str(self.options.source.path or "-")

    def open_source(self) -> Source:
        """Open the source file from its start."""
        self.stream.seek(0)
        return open_source(self.options.source, self.stream, self.options.mapping.named_columns)

    def open_journal(self, *, writable: bool) -> Journal:
        """Open the journal; it is held until the run ends.

        Args:
            writable: Whether entries will be written. Then an absent journal is created.
        """
        options = self.options
        sender = Sender(options.destination or "", self._client_key, options.new_client_key)
        if options.journal is None:
            journal = Journal.temporary(sender)
        else:
            opener = Journal.open if writable else Journal.open_for_reading
            journal = opener(options.journal, sender, Wait(options.wait))
        self._journal = journal
        self.stack.callback(journal.close)
        return journal

    @contextlib.contextmanager
    def numbered(self, command: str, sha256: str, *, is_whole: bool = False) -> Iterator[None]:
        """Give the run a number in its journal, and record there how it ends.

        The end of a run that finishes is recorded by :meth:`finish`, and that of a run with an
        error here. A run that is killed has no end.

        Args:
            command: Name of the command.
            sha256: Digest of the source file, ``""`` if it is not known yet.
            is_whole: Whether a whole file is imported.
        """
        if self._journal is None or self.options.journal is None:
            yield  # what a rehearsal remembers is gone when it ends
            return
        self.number = self._journal.begin_run(
            command,
            self.name.encode("utf-8", "backslashreplace").decode(),
            source_digest=sha256,
            options={one.name: one.value for one in self.options.shown if one.value},
            is_whole=is_whole,
        )
        try:
            yield
        except Exception as error:
            status = getattr(error, "exit_status", ExitStatus.STOPPED)
            with contextlib.suppress(StoppedError):
                self._journal.finish_run(self.number, self._counts(), status)
            raise

    def journal_use(self) -> JournalUse:
        """Return which journal the run uses, and what that contains now."""
        options, journal = self.options, self._journal
        if options.journal is None or journal is None:
            reason = "no destination was given"
            return JournalUse(
                reason="a rehearsal leaves none" if options.starts_sandbox else reason
            )
        contacts = None
        with contextlib.suppress(ImportContactsError):
            contacts = journal.contacts_count()
        return JournalUse(
            path=str(options.journal), run=self.number, contacts=contacts, is_new=journal.is_new
        )

    def open_outputs(self, source: Source, carry: Sequence[int]) -> None:
        """Open all files to write.

        Args:
            source: The open source file.
            carry: Positions of the columns to copy into the results.
        """
        self._outputs = Outputs(self.options, source, self.stack)
        self.recorder = self._outputs.recorder(carry)

    def show_progress(self, rows: int | None) -> Progress:
        """Return the progress display, which is shown while it is entered.

        Args:
            rows: Records that will have a result; None when they were not counted.
        """
        self._progress = Progress(rows, bar=self.options.bar)
        return self._progress

    def interrupt(self, stop: Stop) -> None:
        """End the run early; safe from any thread and from a signal handler."""
        if self._sender is None:
            self.stop = self.stop or stop
        else:
            self._sender.engine.inbox.put(stop)

    def expect(self, batch: Batch) -> None:
        """Announce records, each of which gets an outcome; wait while too many have none."""
        self.recorder.expect(batch, _MOST_PENDING)

    def record(self, outcomes: list[Outcome]) -> None:
        """Write outcomes; safe from any thread."""
        self.recorder.record(outcomes)
        self._progress.advance(len(outcomes), self.recorder.tally.statuses)
        if self.recorder.failure is not None:
            self.interrupt(Stop("results", "The results cannot be written."))

    def send(self, sender: _Sender, batches: Iterable[object]) -> None:
        """Run the sender's engine in this thread, on batches that another thread reads meanwhile.

        Raises:
            StoppedError: The source file could not be read to its end.
        """
        engine, self._sender = sender.engine, sender
        if self.stop is not None:  # a signal received while the sender was set up
            engine.inbox.put(self.stop)
        reader = threading.Thread(target=_feed, args=(engine.inbox, batches), daemon=True)
        reader.start()
        try:
            engine.run()
        except InputError as error:
            # Requests were sent already, so this is not a file that was refused as a whole.
            raise StoppedError(str(error)) from error
        finally:
            self.stop = engine.stop
        reader.join()

    def finish(self, sha256: str, surveyed_sha256: str | None) -> Summary:
        """Write all files.

        Args:
            sha256: Digest of the source file.
            surveyed_sha256: Digest that a first reading gave; None if there was none.

        Returns:
            The figures of the run, with its exit status.

        Raises:
            StoppedError: The results cannot be written.
        """
        if self.stop is None and surveyed_sha256 not in {None, sha256}:
            self.stop = Stop("input", f"{self.name}: {CHANGED}.")
        self.recorder.check()
        self._outputs.commit(self.recorder.failure)
        recorded = self._exit_status()
        self._record_end(sha256, recorded)
        summary = self._outputs.write_about(self._summary(sha256), self._report)
        if summary.exit_status is not recorded:
            self._record_end(sha256, summary.exit_status)
        return summary

    def _record_end(self, sha256: str, exit_status: ExitStatus) -> None:
        if self._journal is None or self.number is None:
            return
        try:
            self._journal.finish_run(self.number, self._counts(), exit_status, sha256)
        except StoppedError as error:
            self.stop = self.stop or Stop("journal", str(error))

    def _counts(self) -> dict[str, int]:
        return {one.value: n for one, n in self.recorder.tally.statuses.items() if n}

    def _report(self, summary: Summary) -> str:
        from importer.reporting.page import page  # noqa: PLC0415 - jinja2 is slow to load

        metrics = self._sender.engine.metrics if self._sender else Metrics()
        return page(summary, metrics, self.options.shown)

    def _summary(self, sha256: str) -> Summary:
        engine = self._sender.engine if self._sender else None
        tally = self.recorder.tally
        most = self.options.delivery.concurrency
        lowest = engine.pace.lowest if engine else most
        return Summary(
            source=self.name,
            sha256=sha256,
            started=self.started,
            finished=datetime.now(UTC),
            elapsed=time.monotonic() - self._started_at,
            rows=tally.rows,
            statuses={one: count for one in Status if (count := tally.statuses[one])},
            errors=dict(tally.errors),
            notes=dict(tally.notes),
            warnings=dict(tally.warnings),
            shared_guests=tally.shared_guests,
            columns=self.columns,
            ignored_columns=self.ignored_columns,
            first_lines=tally.first_lines,
            requests=engine.requests if engine else 0,
            settled=self._sender.settled if self._sender else 0,
            last_concurrency=engine.pace.limit if engine else None,
            lowest_concurrency=lowest if lowest < most else None,
            most_in_flight=most,
            is_dry_run=self.options.dry_run,
            stop=self.stop.message if self.stop else "",
            out=str(self.options.out),
            journal=self.journal_use(),
            exit_status=self._exit_status(),
        )

    def _exit_status(self) -> ExitStatus:
        if self.interruption.exit_status is not None:
            return self.interruption.exit_status
        if self.stop is not None:
            return _EXIT_STATUSES.get(self.stop.why, ExitStatus.STOPPED)
        all_done = self.recorder.tally.is_all_done
        return ExitStatus.OK if all_done else ExitStatus.SOME_ROWS_FAILED


def _feed(inbox: Inbox, batches: Iterable[object]) -> None:
    try:
        for batch in batches:
            inbox.put(batch)
        inbox.put(None)
    except Exception as error:  # noqa: BLE001 - the engine ends the run with it
        inbox.put(error)


class Interruption:
    """Handles SIGINT, SIGTERM and SIGHUP while it is entered.

    The first signal ends the run with all files written, a second one ends the process.

    Args:
        interrupt: Called in the main thread with the stop that the first signal causes.

    Attributes:
        exit_status: The exit status of a run that received a signal, else None.
        stop: The stop that the signal caused, else None.
    """

    _STATUSES: Final = {
        signal.SIGHUP: ExitStatus.HANGUP,
        signal.SIGINT: ExitStatus.INTERRUPTED,
        signal.SIGTERM: ExitStatus.TERMINATED,
    }

    def __init__(self, interrupt: Callable[[Stop], None]) -> None:
        self._interrupt = interrupt
        self._previous: dict[int, object] = {}
        self.exit_status: ExitStatus | None = None
        self.stop: Stop | None = None

    def __enter__(self) -> Self:
        for number in self._STATUSES:
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
        status = self._STATUSES[signal.Signals(number)]
        if self.exit_status is not None:
            # Every intent is on disk, so it is safe to exit without any further work.
            os._exit(status)
        self.exit_status = status
        name = signal.Signals(number).name
        self.stop = Stop(
            "interrupted", f"Received {name}. Run the same command again to resume the run."
        )
        self._interrupt(self.stop)
        # Not in the handler: the signal may have interrupted this thread while it wrote a line.
        threading.Thread(target=_log_interruption, args=(name,), daemon=True).start()


def _log_interruption(name: str) -> None:
    event(
        logging.WARNING,
        "run.interrupted",
        f"Received {name}: requests in flight are finished first. A second signal exits "
        "immediately.",
        signal=name,
    )

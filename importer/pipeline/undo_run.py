"""An undo run: from a results file, or the numbers of runs, to the exit status."""

import csv
import io
import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from importer.api import Api, Credentials
from importer.engine import Retry
from importer.errors import NothingToDeleteError, UsageError
from importer.journal import Entry, Journal, State
from importer.log import counted, event
from importer.pipeline.outputs import check_paths
from importer.pipeline.run import Run
from importer.pipeline.undo_survey import Survey, survey
from importer.reading import Source
from importer.reporting import Summary
from importer.settings import RunOptions
from importer.undoing.candidates import (
    Candidate,
    candidates,
    created_records,
    other_refs,
    own_columns,
)
from importer.undoing.delete import UndoState, without_ref
from importer.undoing.deletion import Deletion
from schemas.results import RESULT_COLUMNS


def undo_file(
    options: RunOptions,
    credentials: Credentials,
    confirm: Callable[[Survey], None],
    *,
    force: bool = False,
) -> Summary:
    """Delete the contacts whose rows are ``created`` in a results file, or that runs created.

    Args:
        options: What was requested; the source file is the results file.
        credentials: The credentials for the API.
        confirm: Called when it is known what will be deleted; raises to end the run there.
        force: Also delete contacts that were changed since the import.

    Returns:
        The figures of the run, with its exit status.

    Raises:
        UsageError: The options contradict each other or the file, or name files that cannot
            be used.
        InputError: The file cannot be read or is not a results file; nothing was deleted.
        NothingToDeleteError: No contact of the file or the runs may be deleted.
        JournalLockedError: Another run holds the journal.
        StoppedError: The results cannot be written.
    """
    check_paths(options)
    with ExitStack() as stack:
        return _UndoRun(options, credentials, stack, force=force).run(confirm)


class _UndoRun(Run):
    def __init__(
        self, options: RunOptions, credentials: Credentials, stack: ExitStack, *, force: bool
    ) -> None:
        if options.base_url is None:
            raise UsageError("Give the destination: --region eu|us|ap|jp or --base-url URL.")
        super().__init__(options, credentials.client_key, stack)
        self._base_url = options.base_url
        self._credentials = credentials
        self._force = force
        self._runs = ""

    @property
    def name(self) -> str:
        """The name of the results file, or of the runs, for messages."""
        return self._runs or super().name

    def run(self, confirm: Callable[[Survey], None]) -> Summary:
        by_number = bool(self.options.run)
        if not by_number:
            with self.open_source():
                pass  # refuses what is not a results file before the journal is opened
        # Not created if it is absent: an undo has nothing to add to a new one.
        is_kept = self._has_journal and not self.options.dry_run
        journal = self.open_journal(writable=is_kept)
        numbers = self._numbers(journal)
        counts = self._collect(journal, numbers)
        surveyed = survey(self.open_source, self.name, journal, self._base_url)
        surveyed.found, surveyed.updated = counts["found"], counts["updated"]
        if not surveyed.created:
            hint = _of_runs(journal, counts) if by_number else self._of_file(journal, surveyed)
            raise NothingToDeleteError(f"{self.name}: there is nothing to delete. {hint}")
        self._warn(surveyed)
        confirm(surveyed)
        if is_kept:
            self.stack.enter_context(self.numbered("undo-import", surveyed.sha256))
        self.stack.enter_context(self.interruption)
        source = self.stack.enter_context(self.open_source())
        columns = own_columns(self.name, source.header)
        own = set(columns.values())
        carried = [position for position in range(len(source.header)) if position not in own]
        self.open_outputs(source, carried)
        with self.show_progress(surveyed.created):
            self._delete(journal, source, columns)
        return self.finish(source.sha256, surveyed.sha256)

    @property
    def _has_journal(self) -> bool:
        return self.options.journal is not None and self.options.journal.exists()

    def _numbers(self, journal: Journal) -> list[int]:
        """Return the numbers of the runs to undo.

        Raises:
            UsageError: The journal does not have them.
        """
        path, wanted = self.options.journal, self.options.run
        if wanted and not self._has_journal:
            raise UsageError(
                f"--run: there is no journal {path}. Name the journal of the import with "
                "--journal, or give its results file. Nothing was deleted."
            )
        last = None
        if any(one.number is None for one in wanted):
            last = journal.last_creating_run()
            if last is None:
                raise NothingToDeleteError(
                    f"--run last: no contact that an import created is there any more, according "
                    f"to the journal {path}."
                )
        numbers = sorted({one.number or last or 0 for one in wanted})
        unknown = set(numbers) - {run.number for run in journal.runs()}
        if unknown:
            raise UsageError(
                f"--run: the journal {path} has no run {min(unknown)} to {self._base_url}; "
                "contacts-journal runs lists them. Nothing was deleted."
            )
        return numbers

    def _collect(self, journal: Journal, numbers: list[int]) -> Counter[str]:
        """Write a temporary results file of the contacts that runs created, to be undone.

        Returns:
            How many contacts of the runs are in which state, and ``updated`` rows.
        """
        counts: Counter[str] = Counter()
        if not numbers:
            return counts
        self._runs = f"{'run' if len(numbers) == 1 else 'runs'} {', '.join(map(str, numbers))}"
        # Contacts are not kept in memory, and their entries change while they are deleted.
        file = self.stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        rows = csv.DictWriter(text, RESULT_COLUMNS, restval="")
        rows.writeheader()
        for run in journal.runs():
            if run.number in numbers:
                counts["updated"] += run.counts.get("updated", 0)
                for entry in journal.contacts(run.number):
                    counts[entry.state] += bool(entry.ref)
                    if _is_to_be_deleted(entry):
                        rows.writerow(_record(entry))
        text.flush()
        text.detach()
        self.stream = file
        return counts

    def _of_file(self, journal: Journal, found: Survey) -> str:
        """Return which runs created the contacts that a results file names."""
        states: Counter[str] = Counter()
        creators: Counter[int] = Counter()
        with self.open_source() as source:
            columns = own_columns(self.name, source.header)
            for batch in source.batches():
                for entry in journal.find_refs(other_refs(self.name, batch, columns)):
                    states[entry.state] += 1
                    creators[entry.run] += entry.state is State.CREATED
        whole = f"None of its {counted(found.rows, 'row')} is created."
        by = [f"run {run} ({n:,})" for run, n in sorted(creators.items()) if run and n]
        if by:
            runs = [run for run, n in creators.items() if run and n]
            options = " ".join(f"--run {run}" for run in sorted(runs))
            return (
                f"{whole} The contacts that it names were created by {', '.join(by)}; "
                f"undo-import {options} deletes all that these runs created."
            )
        if creators[0]:
            return (
                f"{whole} Its contacts were created before runs were numbered; give the results "
                "file of the run that created them."
            )
        if states[State.ABSENT]:
            return f"{whole} The contacts that it names are deleted already."
        return f"{whole} According to the journal, no import created the contacts that it names."

    def open_source(self) -> Source:
        """Open the results file from its start.

        Raises:
            InputError: It is not a results file.
        """
        with ExitStack() as on_failure:
            source = on_failure.enter_context(super().open_source())
            own_columns(self.name, source.header)
            on_failure.pop_all()
        return source

    def _delete(self, journal: Journal, source: Source, columns: dict[str, int]) -> None:
        options = self.options.delivery
        state = UndoState(Retry(options.attempts), self._force, self.options.dry_run)
        with Api(self._base_url, self._credentials, options.timeout) as api:
            deletion = Deletion(api, journal, options, state, self.record)
            self.send(deletion, self._batches(source, columns))

    def _batches(self, source: Source, columns: dict[str, int]) -> Iterator[list[Candidate]]:
        """Yield the contacts to delete of each batch, after the outcomes of those without ref."""
        for batch in source.batches():
            created = created_records(self.name, batch, columns)
            self.expect(created)
            found = list(candidates(created, columns))
            self.record([without_ref(one) for one in found if not one.has_ref])
            yield [one for one in found if one.has_ref]

    def _warn(self, found: Survey) -> None:
        journal = self.options.journal
        if found.elsewhere:
            event(
                logging.WARNING,
                "destination.differs",
                f"Created at another address than {self._base_url}: "
                f"{counted(found.elsewhere, 'contact')}. If the destination does not have them, "
                "they are reported as absent.",
                contacts=found.elsewhere,
            )
        if found.known < found.contacts:
            missing = found.contacts - found.known
            state = "has no entry for" if self._has_journal else "does not exist; it lacks"
            event(
                logging.WARNING,
                "journal.unknown",
                f"The journal {journal} {state} {missing:,} of "
                f"{counted(found.contacts, 'contact')} at {self._base_url}. If the import used "
                "another journal, name that one with --journal; otherwise later imports "
                "report what is deleted now as exists.",
                contacts=missing,
            )
        if found.duplicated:
            event(
                logging.WARNING,
                "contact.duplicated",
                "According to the error column, there is a second contact of "
                f"{counted(found.duplicated, 'row')}. Only the first one is deleted.",
                contacts=found.duplicated,
            )


def _is_to_be_deleted(entry: Entry) -> bool:
    """Return whether a run created the contact and it may still be there."""
    # An undo that was killed leaves the intent to delete it, with its ref.
    return entry.state is State.CREATED or (entry.state is State.INTENT and entry.ref != "")


def _record(entry: Entry) -> dict[str, str]:
    return {
        "orderRef": entry.order_ref,
        "status": State.CREATED.value,
        "ref": entry.ref,
        "href": entry.href,
        "guestRef": entry.guest_ref,
    }


def _of_runs(journal: Journal, counts: Counter[str]) -> str:
    """Return why runs have nothing to delete."""
    kinds = {
        State.ABSENT.value: "deleted since",
        State.FOUND.value: "found and not created",
        "updated": "updated, which cannot be undone",
    }
    left = [f"{counted(counts[kind], 'contact')} {text}" for kind, text in kinds.items()
            if counts[kind]]  # fmt: skip
    facts = f" ({'; '.join(left)})" if left else ""
    last = journal.last_creating_run()
    hint = f" The last run that did is run {last}." if last else ""
    return f"According to the journal, no contact that it created is there{facts}.{hint}"

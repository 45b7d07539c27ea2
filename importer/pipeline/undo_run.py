"""An undo run: from a results file to the exit status."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from importer.api import Api, Credentials
from importer.engine import Retry
from importer.errors import UsageError
from importer.journal import Journal
from importer.log import counted, event
from importer.pipeline.outputs import check_paths
from importer.pipeline.run import Run
from importer.pipeline.undo_survey import Survey, survey
from importer.reading import Source
from importer.reporting import Summary
from importer.settings import RunOptions
from importer.undoing.candidates import Candidate, candidates, created_records, own_columns
from importer.undoing.delete import UndoState, without_ref
from importer.undoing.deletion import Deletion


def undo_file(
    options: RunOptions,
    credentials: Credentials,
    confirm: Callable[[Survey], None],
    *,
    force: bool = False,
) -> Summary:
    """Delete the contacts whose rows are ``created`` in a results file.

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

    def run(self, confirm: Callable[[Survey], None]) -> Summary:
        with self.open_source():
            pass  # refuses what is not a results file before the journal is opened
        # Not created if it is absent: an undo has nothing to add to a new one.
        is_kept = self.options.journal.exists() and not self.options.dry_run
        journal = self.open_journal(writable=is_kept)
        surveyed = survey(self.open_source, self.name, journal, self._base_url)
        self._warn(surveyed)
        confirm(surveyed)
        self.stack.enter_context(self.interruption)
        source = self.stack.enter_context(self.open_source())
        columns = own_columns(self.name, source.header)
        own = set(columns.values())
        carried = [position for position in range(len(source.header)) if position not in own]
        self.open_outputs(source, carried)
        with self.show_progress(surveyed.created):
            self._delete(journal, source, columns)
        return self.finish(source.sha256, surveyed.sha256)

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
            state = "has no entry for" if journal.exists() else "does not exist; it lacks"
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

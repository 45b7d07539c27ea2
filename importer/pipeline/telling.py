"""What a run tells besides its results: where it sends, and what is worth a look."""

import logging
from collections.abc import Mapping
from typing import Final

from importer.journal import Journal
from importer.log import event
from importer.reporting.summary import counted
from importer.results import contacts_there
from importer.settings import RunOptions
from importer.validation import NO_IDENTIFIERS, TITLE_UNLISTED

_WARNINGS: Final = {
    NO_IDENTIFIERS: (
        "rows.without_identifiers",
        "{rows} without identifiers: the API may not match such contacts to a guest.",
    ),
    TITLE_UNLISTED: (
        "rows.title_unlisted",
        "{rows} with a title that the API page does not list; it is sent as it is.",
    ),
}


def tell_start(options: RunOptions, rows: int | None) -> None:
    """Say what begins.

    Args:
        options: What is asked for.
        rows: Records of the source file; None when nobody has counted them.
    """
    match options.dry_run, options.asks_api:
        case False, _:
            where = f"to {options.base_url}"
        case _, True:
            where = f"dry run, {options.base_url} is read and nothing changed there"
        case _:
            where = "dry run, nothing is sent"
    count = f"{rows:,} rows, " if rows is not None else ""
    event(
        logging.INFO,
        "run.started",
        f"{options.source.path or '-'}: {count}{where}",
        input=str(options.source.path or "-"),
        rows=rows,
        destination=options.base_url,
        dryRun=options.dry_run,
    )


def tell_lost_journal(options: RunOptions, journal: Journal) -> None:
    """Warn when earlier results tell of contacts, and a journal that knows none is trusted."""
    if options.dry_run or not options.trusts_journal or not journal.is_empty:
        return
    if there := contacts_there(options.out):
        event(
            logging.ERROR,  # for --quiet as well: the doubles would be seen by nobody
            "journal.empty",
            f"{options.out} says that {there:,} contacts are there already, but the journal "
            f"{options.journal} knows of none sent to this destination. If it was lost, stop "
            "now and restore it: this run would create them again.",
            contacts=there,
        )


def tell_warnings(counts: Mapping[str, int]) -> None:
    """Say what is worth knowing of rows that are in order; each is counted by its word."""
    for word, (name, message) in _WARNINGS.items():
        if count := counts.get(word):
            event(logging.WARNING, name, message.format(rows=counted(count, "row")), rows=count)

"""``contacts-journal``: shows what a journal contains.

Source: docs/journal.md, "Looking into it".
"""

import contextlib
import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Final, TextIO, TypeAlias

from importer.cli.parameters import SettingsCommand
from importer.cli.process import exit_with
from importer.errors import ExitStatus, StoppedError, UsageError
from importer.given import Given
from importer.journal import Entry, Journal, Run, Sender, existing_journals
from importer.log import cleaned
from importer.results.columns import defused
from importer.settings import JournalCommand, JournalSettings, TableFormat

_TEXT: Final = """Show what a journal contains.

runs lists the numbered runs, contacts the contacts with their references, and verify reads the
whole journal and names everything that is damaged. The journal is not changed.
"""
_EPILOG: Final = (
    "Without --journal, --region and --base-url, it is the only journal in the state folder. "
    "--region or --base-url select that destination. Exit status: 0 shown, or sound; 2 wrong "
    "usage, no such journal, or damaged; 75 another run holds the journal."
)

Value: TypeAlias = str | int | dict[str, str] | dict[str, int] | None
Row: TypeAlias = Mapping[str, Value]

_RUN_COLUMNS: Final = (
    "run", "command", "startedAt", "endedAt", "source", "statuses", "exitStatus", "inputSha256",
    "options",
)  # fmt: skip
_SHOWN_OF_RUNS: Final = _RUN_COLUMNS[:7]  # as text and CSV: the others are long
_CONTACT_COLUMNS: Final = ("orderRef", "state", "ref", "href", "guestRef", "run", "sentAt")
_ROWS_MEASURED: Final = 1000  # for the widths of text columns, so that memory stays flat


def main() -> None:
    """Run ``contacts-journal`` and exit with its status."""
    exit_with(command)


def _contacts_journal(given: Given[JournalSettings]) -> ExitStatus:
    asked = given.options
    if asked.show is not JournalCommand.CONTACTS and (asked.run or asked.order):
        raise UsageError("--run and --order are for contacts only.")
    path, sender = _journal(given)
    with contextlib.closing(Journal.open_for_reading(path, sender)) as journal:
        if journal.is_new:
            raise UsageError(f"There is no journal {path}.")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # of the names of files
        try:
            return _show(journal, path, asked)
        except BrokenPipeError:  # as in: contacts-journal contacts | head
            return ExitStatus.OK
        except OSError as error:
            raise StoppedError(f"Standard output cannot be written: {error.strerror}.") from error


def _journal(given: Given[JournalSettings]) -> tuple[Path, Sender | None]:
    """Return the journal and the destination that were asked for.

    Raises:
        UsageError: It is not clear which journal is meant.
    """
    from importer.resolve import destination_of, journal_path  # noqa: PLC0415 - --help need not wait

    asked = given.options
    destination = destination_of(given)
    if destination is not None:
        return journal_path(asked, destination, creates=False), Sender(destination)
    if asked.journal is not None:
        return asked.journal, None
    found = existing_journals()
    if len(found) == 1:
        return found[0], None
    which = "".join(f"\n  {path}" for path in found)
    raise UsageError(
        f"Name a journal with --journal, or its destination with --region or --base-url: {which}"
        if found
        else "There is no journal in the state folder; name one with --journal."
    )


def _show(journal: Journal, path: Path, asked: JournalSettings) -> ExitStatus:
    match asked.show:
        case JournalCommand.RUNS:
            style = asked.format or TableFormat.TEXT
            columns = _RUN_COLUMNS if style is TableFormat.JSON else _SHOWN_OF_RUNS
            _write(sys.stdout, style, columns, map(_run_row, journal.runs()))
        case JournalCommand.CONTACTS:
            contacts = map(_contact_row, journal.contacts(asked.run, asked.order))
            _write(sys.stdout, asked.format or TableFormat.CSV, _CONTACT_COLUMNS, contacts)
        case JournalCommand.VERIFY:
            problems = list(journal.verify())
            style = asked.format or TableFormat.TEXT
            if problems or style is not TableFormat.TEXT:
                _write(sys.stdout, style, ("problem",), ({"problem": one} for one in problems))
            else:
                sys.stdout.write(f"{path} is sound.\n")
            sys.stdout.flush()
            if problems:
                more = f" and {len(problems) - 1:,} more" if len(problems) > 1 else ""
                raise UsageError(
                    f"{path} is damaged: {problems[0]}{more}. Restore it from a backup."
                )
    sys.stdout.flush()
    return ExitStatus.OK


def _run_row(run: Run) -> Row:
    return {
        "run": run.number,
        "command": run.command,
        "startedAt": _instant(run.started_at),
        "endedAt": _instant(run.ended_at),
        "source": run.source,
        "statuses": dict(run.counts),
        "exitStatus": run.exit_status,
        "inputSha256": run.source_digest,
        "options": dict(run.options),
    }


def _contact_row(entry: Entry) -> Row:
    return {
        "orderRef": entry.order_ref,
        "state": entry.state.value,
        "ref": entry.ref,
        "href": entry.href,
        "guestRef": entry.guest_ref,
        "run": entry.run or None,
        "sentAt": _instant(entry.sent_at or None),
    }


def _instant(seconds: int | None) -> str | None:
    return None if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _write(
    stream: TextIO, style: TableFormat, columns: tuple[str, ...], rows: Iterable[Row]
) -> None:
    """Write rows one by one, however many there are."""
    match style:
        case TableFormat.CSV:
            writer = csv.writer(stream, lineterminator=os.linesep)
            writer.writerow(columns)
            writer.writerows([_csv_cell(row[name]) for name in columns] for row in rows)
        case TableFormat.JSON:
            start = "[\n  "
            for row in rows:
                stream.write(start + json.dumps({name: row[name] for name in columns}))
                start = ",\n  "
            stream.write("[]\n" if start.startswith("[") else "\n]\n")
        case TableFormat.TEXT:
            stream.writelines(_lines(columns, rows))


def _lines(columns: tuple[str, ...], rows: Iterable[Row]) -> Iterator[str]:
    """Yield an aligned line for the header and for each row."""
    lines = ([cleaned(str(_cell(row[name]))) for name in columns] for row in rows)
    first = [list(columns), *islice(lines, _ROWS_MEASURED)]
    widths = [max(map(len, column)) for column in zip(*first, strict=True)]
    for cells in chain(first, lines):
        padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        yield "  ".join(padded).rstrip() + "\n"


def _csv_cell(value: Value) -> str | int:
    cell = _cell(value)
    return defused(cell) if isinstance(cell, str) else cell


def _cell(value: Value) -> str | int:
    if isinstance(value, dict):
        return " ".join(f"{name}={one}" for name, one in value.items())
    return "" if value is None else value


command: Final = SettingsCommand(
    "contacts-journal", JournalSettings, _contacts_journal, text=_TEXT, epilog=_EPILOG
)

"""``import-contacts`` from Python: the same options, the summary in return."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypedDict, Unpack

from importer.api import Credentials
from importer.cli.config import TABLES
from importer.cli.given import Given
from importer.cli.main import command
from importer.cli.tables import column_pairs, nearest
from importer.cli.wiring import run_options
from importer.errors import UsageError
from importer.pipeline import import_file
from importer.reporting import Summary
from importer.settings import MaxErrors

StrPath = str | os.PathLike[str]


class ImportOptions(TypedDict, total=False):
    """The options of :func:`import_contacts`; None is the default of each.

    They are those of the command, with ``_`` for ``-``; ``columns`` stands for ``--map`` and
    ``identifiers`` for ``--identifier``, as in its configuration file.

    Attributes:
        out: Results file, ``-`` for standard output; ``<input stem>.results.csv`` by default.
        rejects: File for the records that did not get in, as they were read.
        report: File for the page about the run.
        summary: File for the figures of the run as JSON.
        region: Send to this region: ``eu``, ``us``, ``ap`` or ``jp``.
        base_url: Send to this address instead.
        sandbox: Start a local API for this run and send there.
        sandbox_faults: File with its misbehaviour.
        credentials_file: TOML file with ``client_key`` and ``api_token``.
        client_key: The client key, in place of a file and of the environment.
        api_token: The API token that belongs to it.
        dry_run: Read and validate everything, send nothing.
        strict: Send nothing at all unless every row is valid.
        limit: Only the first so many rows.
        max_errors: Stop once more rows than this were rejected or failed: a number, or a
            share such as ``"2%"``.
        journal: What was sent and what came of it; ``<out>.journal`` by default.
        fresh: Forget the journal and send everything.
        new_client_key: The client key was renewed, the tenant is the same.
        columns: API field to the column that holds it; to several, for a list field.
        identifiers: Identifier provider to the column, or columns, with its ids.
        require: Fields that every row must fill.
        carry: Columns to copy into the results.
        delimiter: What separates cells; detected by default.
        encoding: Name of a Python codec; UTF-8, or UTF-16 by its BOM, by default.
        list_separator: What separates values within a cell.
        date_format: ``strptime`` format that is understood besides ISO 8601.
        phone_region: Country of phone numbers without a country code, such as ``IE``.
        concurrency: Most requests in flight; 8 by default.
        rate: Most requests a second; no cap by default.
        timeout: Seconds for one answer, whole; 30 by default.
        attempts: Most attempts for one row; 5 by default.
        if_exists: ``create``, ``skip``, ``update`` or ``error``: what to do about a contact
            that its order has already; ``create`` by default, which trusts the journal.
        progress: Draw a bar on standard error; no bar by default.
    """

    out: StrPath | None
    rejects: StrPath | None
    report: StrPath | None
    summary: StrPath | None
    region: str | None
    base_url: str | None
    sandbox: bool
    sandbox_faults: StrPath | None
    credentials_file: StrPath | None
    client_key: str | None
    api_token: str | None
    dry_run: bool
    strict: bool
    limit: int | None
    max_errors: int | str | MaxErrors | None
    journal: StrPath | None
    fresh: bool
    new_client_key: bool
    columns: Mapping[str, str | Sequence[str]]
    identifiers: Mapping[str, str | Sequence[str]]
    require: Sequence[str]
    carry: Sequence[str]
    delimiter: str | None
    encoding: str | None
    list_separator: str | None
    date_format: str | None
    phone_region: str | None
    concurrency: int
    rate: float | None
    timeout: float
    attempts: int
    if_exists: str
    progress: bool


def import_contacts(source: StrPath, **options: Unpack[ImportOptions]) -> Summary:
    """Import the order contacts of a CSV file into Sitecore CDP, each exactly once.

    It reads no ``IMPORT_CONTACTS_`` variable, leaves signals and logging alone (the events go
    to the logger ``importer``), and may be called in any thread. A KeyboardInterrupt leaves
    requests in flight to the next call, which settles them first.

    Args:
        source: The source file, ``-`` for standard input.
        options: See :class:`ImportOptions`. Credentials that are given neither by
            ``client_key`` and ``api_token`` nor by ``credentials_file`` come from
            ``SITECORE_CDP_CLIENT_KEY`` and ``SITECORE_CDP_API_TOKEN``.

    Returns:
        The figures of the run. A run that has begun returns them whatever came of its rows;
        ``exit_status`` tells if all are done (0), some are not (1), ``strict`` found an
        invalid row (3), the credentials were refused (4) or the run was stopped midway (5).

    Raises:
        UsageError: An option or a credential is missing or wrong; nothing was sent.
        InputError: The source file cannot be read as a whole; nothing was sent.
        JournalLockedError: Another run holds the journal.
        StoppedError: The results cannot be written; what was sent is in the journal.
        TypeError: There is no such option.

    Source: contract, sections 2 and 5.
    """
    given: dict[str, object] = dict(options)
    _check_names(given)
    credentials = _credentials(given.pop("client_key", None), given.pop("api_token", None))
    if credentials is not None and given.get("credentials_file") is not None:
        raise UsageError("Give client_key and api_token, or credentials_file, but not both.")
    for table, name in TABLES.items():
        value = given.pop(table, None)
        if value is not None:
            given[name], problems = column_pairs(table, value)
            if problems:
                raise UsageError(" ".join(problems))
    given.setdefault("progress", False)
    with ExitStack() as stack:
        run, credentials = run_options(
            Given.of_call(command, Path(source), given), stack, credentials
        )
        return import_file(run, credentials, has_process=False)


def _check_names(names: Iterable[str]) -> None:
    known = ImportOptions.__annotations__
    for name in names:
        if name not in known:
            near = nearest(name, {one.replace("_", "-"): one for one in known})
            hint = f"; did you mean {near.replace('-', '_')}?" if near else ""
            raise TypeError(f"import_contacts() has no option {name!r}{hint}")


def _credentials(client_key: object, api_token: object) -> Credentials | None:
    if client_key is None and api_token is None:
        return None
    if not (isinstance(client_key, str) and isinstance(api_token, str)):
        raise UsageError("Give client_key and api_token together, both as texts.")
    return Credentials(client_key, api_token)

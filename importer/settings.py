"""What a run is asked to do: the one declaration of every option.

Each field that is made by :func:`importer.options.option` is an option of the commands whose
settings contain it. To add one, declare it here, add its keyword argument to
:class:`ImportOptions` below, and use it where it matters; ``python -m importer.reference`` updates
the documentation and the sample configuration file.

Source: docs/options.md.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum, unique
from itertools import chain
from pathlib import Path
from typing import Any, Final, Self, TypeAlias, TypedDict, Unpack

from importer.options import (
    NOT_FROM_PYTHON,
    ONLY_COMMAND_LINE,
    Choice,
    Delimiter,
    File,
    Flag,
    Group,
    Many,
    Name,
    Number,
    Origin,
    Parsed,
    Table,
    Text,
    Whole,
    option,
)

StrPath = str | os.PathLike[str]

_MOST_ROWS: Final = 1_000_000_000
_DAY: Final = 86_400.0  # seconds; longer waits overflow the clocks of the system
_FAIR_NUMBER_OF_ROWS: Final = 100
_FILE: Final = File()
_FILE_OR_STREAM: Final = File(or_stream=True)


@unique
class Region(StrEnum):
    """The regions of Sitecore CDP."""

    EU = "eu"
    US = "us"
    AP = "ap"
    JP = "jp"


@unique
class IfExists(StrEnum):
    """What to do about a contact that its order already has."""

    AUTO = "auto"
    """Trust a journal that has seen a complete run; until then, read each order first."""
    CREATE = "create"
    """Trust the journal and look at nothing else."""
    SKIP = "skip"
    UPDATE = "update"
    ERROR = "error"

    @property
    def compares(self) -> bool:
        """Whether contacts are always compared with those of their orders."""
        return self not in {IfExists.AUTO, IfExists.CREATE}


@unique
class UnknownColumns(StrEnum):
    """What to do about columns that match no field."""

    WARN = "warn"
    ERROR = "error"
    IGNORE = "ignore"


@unique
class LogFormat(StrEnum):
    """How log lines are written."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class MaxErrors:
    """A limit of rows that were rejected or failed: a number, or a share of the rows done.

    Attributes:
        limit: Rows, or percent of the rows done so far.
        is_share: Whether ``limit`` is a percentage. It counts from 100 rows on, because one
            error among the first three rows says nothing about a file.
    """

    limit: float
    is_share: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``N`` or ``N%``.

        Raises:
            ValueError: It is neither.
        """
        is_share = text.endswith("%")
        try:
            limit = float(text[:-1]) if is_share else int(text)
        except ValueError:
            limit = -1
        if not 0 <= limit <= (100 if is_share else limit):
            raise ValueError(f"{text!r} is neither a number nor a percentage such as 2.5%.")
        return cls(limit, is_share)

    def exceeded(self, errors: int, rows: int) -> bool:
        """Return whether ``errors`` of ``rows`` are more than the limit."""
        if self.is_share:
            return rows >= _FAIR_NUMBER_OF_ROWS and errors * 100 > self.limit * rows
        return errors > self.limit

    def __str__(self) -> str:
        return f"{self.limit:g}%" if self.is_share else f"{self.limit:.0f}"


_ROWS_OR_SHARE: Final = Parsed(
    "N|N%", MaxErrors, MaxErrors.parse, 'a whole number or a string such as "2%"', (int, str)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Where the source file is and how it is written.

    Attributes:
        path: The source file; None for standard input.
        encoding: Name of a Python codec; None for UTF-8, or UTF-16 and UTF-32 by their BOM.
        delimiter: One character; None detects ``,`` ``;`` tab or ``|`` from the header.
        limit: Number of records to read from the start; None for all.
        skip_lines: Lines above the header that are not part of it.
    """

    path: Path | None = option(
        _FILE_OR_STREAM,
        None,
        Group.FILES,
        "The CSV file, or - for standard input.",
        name="CONTACTS_CSV",
        is_argument=True,
    )
    delimiter: str | None = option(
        Delimiter(),
        None,
        Group.INPUT,
        "What separates cells; tab for a tab.",
        default_text="detected among , ; tab |",
        sample='";"',
    )
    encoding: str | None = option(
        Text("NAME"),
        None,
        Group.INPUT,
        "How the file is encoded, such as cp1252.",
        default_text="UTF-8, or UTF-16 by its BOM",
        sample='"cp1252"',
    )
    limit: int | None = option(
        Whole(0, _MOST_ROWS),
        None,
        Group.INPUT,
        "Import only the first N rows.",
        default_text="all rows",
        sample="100",
    )
    skip_lines: int = option(
        Whole(0, _MOST_ROWS),
        0,
        Group.INPUT,
        "Lines above the header, such as the title of a report, that are not part of it.",
        sample="2",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingOptions:
    """Which column holds what.

    Attributes:
        columns: API field to the names of its columns; more than one for a list field only.
        identifiers: Identifier provider to the names of the columns with its ids.
        list_separator: The one separator of list cells; None for those of docs/input.md.
        carry: Names of columns that are copied into the results.
        ignore: Names of columns that are not used, whatever they are called.
        unknown_columns: What to do about columns that match no field.
        null: Texts of cells that are blank.
        values: What values become, by ``FIELD:FROM``; one value each.
        defaults: API field to the value of rows in which it is blank; one value each.
    """

    columns: Mapping[str, tuple[str, ...]] = option(
        Table("FIELD=COLUMN", "the name of a column", names_fields=True),
        {},
        Group.INPUT,
        "The column of a field, when the header does not name it. Repeatable.",
        name="map",
        sample='["lastName=Surname"]',
    )
    identifiers: Mapping[str, tuple[str, ...]] = option(
        Table("PROVIDER=COLUMN", "the name of a column"),
        {},
        Group.INPUT,
        "A column with the guests' ids of one provider. Repeatable.",
        name="identifier",
        sample='["CRM=Customer No"]',
    )
    list_separator: str | None = option(
        Text(),
        None,
        Group.INPUT,
        "What separates values within a cell.",
        default_text="; or | or a line break",
        sample='"/"',
    )
    carry: tuple[str, ...] = option(
        Many(Name("COLUMN")),
        (),
        Group.INPUT,
        "A column to copy into the results. Repeatable.",
        sample='["Customer No"]',
    )
    unknown_columns: UnknownColumns = option(
        Choice(UnknownColumns),
        UnknownColumns.WARN,
        Group.INPUT,
        "What to do about columns that match no field.",
        sample='"error"',
    )
    ignore: tuple[str, ...] = option(
        Many(Name("COLUMN")),
        (),
        Group.INPUT,
        "A column that is not used, whatever it is called. Repeatable.",
        sample='["Remarks"]',
    )
    null: tuple[str, ...] = option(
        Many(Name("TEXT")),
        (),
        Group.VALUES,
        "Cells of exactly this text are blank. Repeatable.",
        sample='["-", "n/a"]',
    )
    values: Mapping[str, tuple[str, ...]] = option(
        Table("FIELD:FROM=TO", "what it becomes", joiner=":", may_be_blank=True),
        {},
        Group.VALUES,
        "A value of a field and what it becomes, in any case; items of a list one by one. "
        "Repeatable.",
        name="value",
        sample='["gender:M=male"]',
    )
    defaults: Mapping[str, tuple[str, ...]] = option(
        Table("FIELD=VALUE", "a value", names_fields=True),
        {},
        Group.VALUES,
        "The value of a field that is blank or has no column. Repeatable.",
        name="default",
        sample='["country=IE"]',
    )

    @property
    def translations(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Field, text in the file, and what that becomes."""
        for name, becomes in self.values.items():
            field_name, _, text = name.partition(":")
            yield field_name.strip(), text.strip(), becomes

    @property
    def named_columns(self) -> tuple[str, ...]:
        """The names of columns in the options, by which a header is recognised."""
        named = (*self.columns.values(), *self.identifiers.values(), self.carry, self.ignore)
        return tuple(chain.from_iterable(named))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a run requires of values beyond the contact schema.

    Attributes:
        phone_region: ISO 3166-1 alpha-2 region of numbers without a country code.
        date_format: ``strptime`` formats, and ``iso``; with any, no other form is understood.
        year_pivot: The last two-digit year of the years from 2000 on; required by ``%y``.
        identity_provider: The providers of the identity rules; empty accepts any.
        require: API fields that every record must fill.
    """

    require: tuple[str, ...] = option(
        Many(Name("FIELD", r"[;,\s]")),  # field names contain no blanks
        (),
        Group.VALUES,
        "A field that every row must fill. Repeatable.",
        sample='["firstName", "emails"]',
    )
    date_format: tuple[str, ...] = option(
        Many(Name("FORMAT")),
        (),
        Group.VALUES,
        "How dates are written, such as %d/%m/%Y, or iso for ISO 8601; no other form is "
        "understood. Repeatable.",
        default_text="ISO 8601",
        sample='["iso", "%d/%m/%Y"]',
    )
    year_pivot: int | None = option(
        Whole(0, 99, "YY"),
        None,
        Group.VALUES,
        "The last two-digit year of the years from 2000 on, for %y: with 30, 31 is 1931.",
        sample="30",
    )
    phone_region: str | None = option(
        Text("CC"),
        None,
        Group.VALUES,
        "The country of phone numbers without a country code, such as IE.",
        sample='"IE"',
    )
    identity_provider: tuple[str, ...] = option(
        Many(Name("NAME")),
        (),
        Group.VALUES,
        "A provider of your identity rules, exactly as they spell it; identifiers of others are "
        "invalid. Repeatable.",
        default_text="any provider",
        sample='["CRM", "Loyalty"]',
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions:
    """How fast and how patiently requests are sent.

    Attributes:
        concurrency: Most requests in flight.
        rate: Most requests a second; None for no cap.
        timeout: Seconds for one exchange, from connecting to the last byte of the answer.
        attempts: Most requests that try to create one row's contact, in one run.
        if_exists: What to do about a contact that its order already has.
        preview: Read what is there and report what would be done, without doing it.
        max_errors: Stop once more rows than this were rejected or failed; None for no limit.
    """

    if_exists: IfExists = option(
        Choice(IfExists),
        IfExists.AUTO,
        Group.MATCHING,
        "What to do about a contact that its order already has. auto trusts the journal once it "
        "has seen a complete run, and reads each order first until then; create always trusts "
        "the journal; the others always read the order's contacts.",
        sample='"skip"',
    )
    concurrency: int = option(
        Whole(1, 256), 8, Group.DELIVERY, "Most requests in flight.", sample="16"
    )
    rate: float | None = option(
        Number("R"),
        None,
        Group.DELIVERY,
        "Most requests a second.",
        default_text="no cap",
        sample="20",
    )
    timeout: float = option(
        Number("S", _DAY),
        30.0,
        Group.DELIVERY,
        "Seconds for one answer, from connecting to its last byte.",
        sample="60",
    )
    attempts: int = option(
        Whole(1), 5, Group.DELIVERY, "Most attempts for one row in one run.", sample="3"
    )
    max_errors: MaxErrors | None = option(
        _ROWS_OR_SHARE,
        None,
        Group.SAFETY,
        "Stop once more rows than this were rejected or failed; a share counts from 100 rows on.",
        default_text="no limit",
        sample='"5%"',
    )
    preview: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """What a command writes to standard error.

    Attributes:
        log_format: How log lines are written.
        quiet: Write nothing unless something is wrong.
        verbose: Write more.
        progress: Draw a progress bar; None for on a terminal only.
    """

    log_format: LogFormat = option(
        Choice(LogFormat),
        LogFormat.TEXT,
        Group.OUTPUT,
        "How log lines are written on standard error.",
        sources=NOT_FROM_PYTHON,
        sample='"json"',
    )
    quiet: bool = option(
        Flag(),
        default=False,
        group=Group.OUTPUT,
        text="Write nothing unless something is wrong.",
        short="q",
        sources=NOT_FROM_PYTHON,
        sample="true",
    )
    verbose: bool = option(
        Flag(),
        default=False,
        group=Group.OUTPUT,
        text="Write more: all settings and where each comes from, the proxy, the certificates.",
        short="v",
        sources=NOT_FROM_PYTHON,
        sample="true",
    )
    progress: bool | None = option(
        Flag(negatable=True),
        None,
        Group.OUTPUT,
        "Draw a progress bar; never with --quiet or --log-format json.",
        default_text="on a terminal only",
        sample="false",
    )

    @property
    def bar(self) -> bool | None:
        """Whether to draw a progress bar; None for on a terminal only."""
        return False if self.quiet or self.log_format is LogFormat.JSON else self.progress


@dataclass(frozen=True, slots=True)
class RunNumber:
    """The number of a run in the journal.

    Attributes:
        number: None for the last import that created contacts which are still there.
    """

    number: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``N`` or ``last``.

        Raises:
            ValueError: It is neither.
        """
        if text == "last":
            return cls(None)
        if not (text.isascii() and text.isdigit() and int(text)):
            raise ValueError(f"{text!r} is neither the number of a run nor last.")
        return cls(int(text))

    def __str__(self) -> str:
        return "last" if self.number is None else str(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """The options that all commands share."""

    region: Region | None = option(
        Choice(Region), None, Group.DESTINATION, "Send to this region of Sitecore CDP.",
        sample='"eu"',
    )  # fmt: skip
    base_url: str | None = option(
        Text("URL"),
        None,
        Group.DESTINATION,
        "Send to this address instead; https, or http to a loopback address.",
        sample='"https://api-engage-eu.sitecorecloud.io"',
    )
    journal: Path | None = option(
        _FILE,
        None,
        Group.JOURNAL,
        "What was sent and what came of it, shared by all runs to the destination.",
        default_text="<host>.journal in the state folder",
        sample='"contacts.journal"',
    )
    config: Path | None = option(
        _FILE,
        None,
        Group.FILES,
        "TOML file with any of the options of import-contacts, and [columns] and [identifiers].",
        sources=frozenset({Origin.COMMAND_LINE, Origin.ENVIRONMENT}),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings(DestinationSettings):
    """The options that ``import-contacts`` and ``undo-import`` share."""

    credentials_file: Path | None = option(
        _FILE,
        None,
        Group.DESTINATION,
        "TOML file with client_key and api_token that only you can read.",
        default_text="from the environment",
        sample='"credentials.toml"',
    )
    new_client_key: bool = option(
        Flag(),
        default=False,
        group=Group.JOURNAL,
        text="The client key was renewed and the tenant is the same, so the journal still holds.",
        sample="true",
    )
    wait: float = option(
        Number("SECONDS", _DAY, allows_zero=True),
        0.0,
        Group.JOURNAL,
        "Wait this long for another run to release the journal.",
        sample="600",
    )
    log: LogOptions = field(default_factory=LogOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSettings(CommonSettings):
    """What ``import-contacts`` was asked to do, as it was asked."""

    out: Path | None = option(
        _FILE_OR_STREAM,
        None,
        Group.FILES,
        "Results CSV; - for standard output.",
        default_text="<input stem>.results.csv, or .dry-run.csv",
        sample='"results.csv"',
    )
    rejects: Path | None = option(
        _FILE_OR_STREAM,
        None,
        Group.FILES,
        "The records that did not get in, as they were read, with the reason. Can be imported "
        "again.",
        sample='"rejects.csv"',
    )
    report: Path | None = option(
        _FILE_OR_STREAM,
        None,
        Group.FILES,
        "A page about the run, as one HTML file.",
        sample='"report.html"',
    )
    summary: Path | None = option(
        _FILE_OR_STREAM,
        None,
        Group.FILES,
        "The figures of the run as JSON.",
        sample='"summary.json"',
    )
    sandbox: bool = option(
        Flag(),
        default=False,
        group=Group.DESTINATION,
        text="Start a local API for this run and send there: a rehearsal.",
        sample="true",
    )
    sandbox_faults: Path | None = option(
        _FILE,
        None,
        Group.DESTINATION,
        "TOML file with the faults that the sandbox simulates.",
        sample='"bad-day.toml"',
    )
    dry_run: bool = option(
        Flag(),
        default=False,
        group=Group.SAFETY,
        text="Read and validate everything, send nothing.",
        sample="true",
    )
    strict: bool = option(
        Flag(),
        default=False,
        group=Group.SAFETY,
        text="Send nothing at all unless every row is valid.",
        sample="true",
    )
    fresh: bool = option(
        Flag(),
        default=False,
        group=Group.JOURNAL,
        text="Forget the journal and send everything.",
        sample="true",
    )
    source: SourceOptions = field(default_factory=SourceOptions)
    mapping: MappingOptions = field(default_factory=MappingOptions)
    rules: Rules = field(default_factory=Rules)
    delivery: DeliveryOptions = field(default_factory=DeliveryOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoDeliveryOptions(DeliveryOptions):
    """How fast and how patiently contacts are deleted; ``--if-exists`` is not an option."""

    if_exists: IfExists = IfExists.CREATE


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoSettings(CommonSettings):
    """What ``undo-import`` was asked to do, as it was asked.

    Confirmation and outputs are never taken from the environment or the configuration file:
    those are shared with the import, for which they were meant.
    """

    results_csv: Path | None = option(
        _FILE,
        None,
        Group.FILES,
        "The results file of the import; not with --run.",
        name="RESULTS_CSV",
        is_argument=True,
        is_optional=True,
    )
    run: tuple[RunNumber, ...] = option(
        Many(Parsed("N|last", RunNumber, RunNumber.parse, "a number or last")),
        (),
        Group.FILES,
        "Delete what this run created, according to the journal; last is the last import that "
        "created contacts which are still there. Repeatable; needs no results file.",
        sources=ONLY_COMMAND_LINE,
    )
    out: Path | None = option(
        _FILE_OR_STREAM,
        None,
        Group.FILES,
        "What came of each contact, as CSV; - for standard output.",
        default_text="<results stem>.undone.csv, run-N.undone.csv, or .dry-run.csv",
        sources=ONLY_COMMAND_LINE,
    )
    summary: Path | None = option(
        _FILE_OR_STREAM,
        None,
        Group.FILES,
        "The figures of the run as JSON.",
        sources=ONLY_COMMAND_LINE,
    )
    yes: bool = option(
        Flag(),
        default=False,
        group=Group.SAFETY,
        text="Do not ask. Needed where there is no terminal.",
        sources=ONLY_COMMAND_LINE,
    )
    force: bool = option(
        Flag(),
        default=False,
        group=Group.SAFETY,
        text="Also delete contacts that were changed since, or that another program may have "
        "created.",
        sources=ONLY_COMMAND_LINE,
    )
    dry_run: bool = option(
        Flag(),
        default=False,
        group=Group.SAFETY,
        text="Look at every contact and report what would be deleted; delete nothing.",
    )
    delivery: UndoDeliveryOptions = field(default_factory=UndoDeliveryOptions)


@unique
class JournalCommand(StrEnum):
    """What ``contacts-journal`` shows."""

    RUNS = "runs"
    CONTACTS = "contacts"
    VERIFY = "verify"


@unique
class TableFormat(StrEnum):
    """How ``contacts-journal`` writes what it shows."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSettings(DestinationSettings):
    """What ``contacts-journal`` was asked to show."""

    show: JournalCommand = option(
        Choice(JournalCommand),
        JournalCommand.RUNS,
        Group.FILES,
        "runs, contacts or verify.",
        name="runs|contacts|verify",
        is_argument=True,
    )
    format: TableFormat | None = option(
        Choice(TableFormat),
        None,
        Group.OUTPUT,
        "How to write it on standard output.",
        default_text="text, csv for contacts",
        sources=ONLY_COMMAND_LINE,
    )
    run: int | None = option(
        Whole(1),
        None,
        Group.INPUT,
        "Only the contacts that this run created or found.",
        sources=ONLY_COMMAND_LINE,
    )
    order: str | None = option(
        Text("REF"),
        None,
        Group.INPUT,
        "Only the contacts of this order.",
        sources=ONLY_COMMAND_LINE,
    )


@dataclass(frozen=True, slots=True)
class Setting:
    """One option as a run has used it, for people to read; never a credential.

    Attributes:
        name: Long name of the option, without its dashes.
        value: Its value as text, ``""`` when it has none.
        origin: Where the value comes from, ``command line`` for example.
    """

    name: str
    value: str
    origin: str


class Resolved(TypedDict):
    """What had to be worked out for :class:`RunOptions`; see there."""

    source: SourceOptions
    delivery: DeliveryOptions
    out: Path
    journal: Path | None
    base_url: str | None
    destination: str | None
    starts_sandbox: bool
    bar: bool | None
    reads: Mapping[str, Path]
    shown: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(ImportSettings):
    """What was asked for, with everything that had to be worked out.

    Attributes:
        out: Results file, ``-`` for standard output.
        journal: The journal file; None for a rehearsal, which leaves none, and for a dry run
            without a destination.
        run: The runs to undo, instead of a results file.
        base_url: Where to send; None only for a dry run.
        destination: What the journal calls it, as every sandbox has another address.
        starts_sandbox: The API was started for this run, and contains nothing.
        bar: Draw a progress bar; None for on a terminal only.
        reads: Option to a file that the run reads because of it, such as ``--config``; none of
            them may be overwritten.
        shown: All options, as the report and ``--verbose`` show them.
    """

    out: Path
    run: tuple[RunNumber, ...] = ()
    base_url: str | None = None
    destination: str | None = None
    starts_sandbox: bool = False
    bar: bool | None = None
    reads: Mapping[str, Path] = field(default_factory=dict)
    shown: tuple[Setting, ...] = ()

    @classmethod
    def of(cls, asked: CommonSettings, **resolved: Unpack[Resolved]) -> Self:
        """Return everything that was asked for, completed by what had to be worked out."""
        known = {one.name for one in fields(cls)}
        given: dict[str, Any] = {
            one.name: getattr(asked, one.name) for one in fields(asked) if one.name in known
        }
        given.update(resolved)
        return cls(**given)

    @property
    def asks_api(self) -> bool:
        """Whether the run sends requests: a dry run does only to look at what is there."""
        return not self.dry_run or self.delivery.if_exists.compares


TableOption: TypeAlias = Mapping[str, str | Sequence[str] | Mapping[str, str]]
"""Names with their values, such as ``{"emails": ["Work", "Home"], "gender": {"M": "male"}}``."""


class ImportOptions(TypedDict, total=False):
    """The options of :func:`importer.import_contacts`; None stands for the default of each."""

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
    wait: float
    fresh: bool
    new_client_key: bool
    columns: TableOption
    identifiers: TableOption
    unknown_columns: str
    ignore: Sequence[str]
    skip_lines: int
    null: Sequence[str]
    values: TableOption
    defaults: TableOption
    require: Sequence[str]
    carry: Sequence[str]
    delimiter: str | None
    encoding: str | None
    list_separator: str | None
    date_format: Sequence[str]
    year_pivot: int | None
    identity_provider: Sequence[str]
    phone_region: str | None
    concurrency: int
    rate: float | None
    timeout: float
    attempts: int
    if_exists: str
    progress: bool | None

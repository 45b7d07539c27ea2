"""What a run is asked to do. Every field has the default of the contract, section 2."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Where the source file is and how it is written.

    Attributes:
        path: The source file; None is standard input.
        encoding: Name of a Python codec; None is UTF-8, or UTF-16 and UTF-32 by their BOM.
        delimiter: One character; None detects ``,`` ``;`` tab or ``|`` from the header.
        limit: Only so many records from the start; None is all.
    """

    path: Path | None
    encoding: str | None = None
    delimiter: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingOptions:
    """Which column holds what.

    Attributes:
        columns: API field to the names of its columns, from ``--map`` and ``[columns]``; more
            than one for a list field only.
        identifiers: Identifier provider to the names of the columns that hold its ids.
        list_separator: The one separator of list cells; None takes those of the contract.
        carry: Names of columns that are copied into the results.
    """

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    identifiers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    list_separator: str | None = None
    carry: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a run asks of values beyond the contact schema.

    Attributes:
        phone_region: ISO 3166-1 alpha-2 region of numbers without a country code.
        date_format: ``strptime`` format that is understood besides ISO 8601.
        require: API fields that every record must fill.
    """

    phone_region: str | None = None
    date_format: str | None = None
    require: tuple[str, ...] = ()


@unique
class IfExists(StrEnum):
    """What to do about a contact that its order has already."""

    CREATE = "create"
    """Trust the journal and look at nothing else."""
    SKIP = "skip"
    UPDATE = "update"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions:
    """How fast and how patiently contacts are sent.

    Attributes:
        concurrency: Most requests in flight.
        rate: Most requests a second; None is no cap.
        timeout: Seconds for one exchange, from connecting to the last byte of the answer.
        attempts: Most requests that try to create one row's contact, in one run.
        if_exists: What to do about a contact that its order has already.
        preview: Read what is there and say what would be done, without doing it.
        max_errors: Stop once more rows than this were rejected or failed; None is no limit.
    """

    concurrency: int = 8
    rate: float | None = None
    timeout: float = 30.0
    attempts: int = 5
    if_exists: IfExists = IfExists.CREATE
    preview: bool = False
    max_errors: "MaxErrors | None" = None


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

    def exceeded(self, errors: int, rows: int) -> bool:
        """Whether ``errors`` of ``rows`` are more than the limit."""
        if self.is_share:
            return rows >= _FAIR_NUMBER_OF_ROWS and errors * 100 > self.limit * rows
        return errors > self.limit


_FAIR_NUMBER_OF_ROWS = 100


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """All that one import is asked to do.

    Attributes:
        base_url: Where to send; None only for a dry run.
        destination: What the journal calls it, as no two addresses of a sandbox are alike.
        out: Results file, ``-`` for standard output.
        rejects: File for the records that did not get in; None is none.
        summary: File for the figures of the run as JSON; None is none.
        report: File for the page about the run; None is none.
        journal: The journal file.
        dry_run: Read and validate everything, send nothing.
        strict: Send nothing unless every record is valid.
        fresh: Forget what the journal holds on the destination.
        new_client_key: The client key has been renewed; the tenant is the same as ever.
        starts_sandbox: The API was started for this run, and holds nothing.
        bar: Draw a progress bar; None is on a terminal only.
        reads: Option to a file that it has the run read, such as ``--config``; none of them
            may be written over.
        shown: All options, as the report and ``--verbose`` show them.
    """

    source: SourceOptions
    mapping: MappingOptions = field(default_factory=MappingOptions)
    rules: Rules = field(default_factory=Rules)
    delivery: DeliveryOptions = field(default_factory=DeliveryOptions)
    base_url: str | None = None
    destination: str | None = None
    out: Path
    rejects: Path | None = None
    summary: Path | None = None
    report: Path | None = None
    journal: Path
    dry_run: bool = False
    strict: bool = False
    fresh: bool = False
    new_client_key: bool = False
    starts_sandbox: bool = False
    bar: bool | None = None
    reads: Mapping[str, Path] = field(default_factory=dict)
    shown: tuple[Setting, ...] = ()

    @property
    def asks_api(self) -> bool:
        """Whether the run sends requests: a dry run does only to look at what is there."""
        return not self.dry_run or not self.trusts_journal

    @property
    def trusts_journal(self) -> bool:
        """Whether only the journal says what is there, and not the order's contacts as well."""
        return self.delivery.if_exists is IfExists.CREATE

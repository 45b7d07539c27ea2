"""What a run is asked to do. Every field has the default of the contract, section 2."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
        columns: API field to the name of its column, from ``--map`` and ``[columns]``.
        identifiers: Identifier provider to the name of the column that holds its ids.
        list_separator: The one separator of list cells; None takes those of the contract.
        carry: Names of columns that are copied into the results.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    identifiers: Mapping[str, str] = field(default_factory=dict)
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

"""Reads a source file: maps, validates and plans its batches until they can be sent."""

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from importer.journal import Claims
from importer.mapping import Mapper
from importer.pipeline.aside import Aside
from importer.planning import plan
from importer.reading import Source
from importer.records import Batch, Issue, Mapped, Outcome, Planned, Status
from importer.results import Tally
from importer.validation import Validator
from schemas.fields import ORDER_REF

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Survey:
    """The result of a first reading, which shows that the whole file can be read.

    Attributes:
        rows: Records of the file.
        invalid: Those that are not valid; 0 when they were not validated.
        sha256: Digest of the file, hexadecimal; a second reading must give the same.
    """

    rows: int
    invalid: int
    sha256: str


def survey(
    open_source: Callable[[], Source],
    mapper: Mapper,
    validator: Validator | None,
    is_hurried: Callable[[], bool],
) -> Survey | None:
    """Read a source file to its end.

    Args:
        open_source: Opens the source file from its start.
        mapper: Maps the columns to fields.
        validator: Validates the records; None skips that, as it takes far longer than reading.
        is_hurried: Whether the run is to end as soon as possible.

    Returns:
        What was found; None when the run was interrupted meanwhile.

    Raises:
        InputError: The file cannot be read to its end.
    """
    rows = invalid = 0
    with open_source() as source:
        for batch in source.batches():
            if is_hurried():
                return None
            rows += len(batch.lines)
            if validator is not None:
                invalid += len(validator.validate(mapper.apply(batch.cells), batch).issues)
        return Survey(rows, invalid, source.sha256)


@dataclass(frozen=True, slots=True)
class ValidatedBatch:
    """A batch with what is known of its records without the journal.

    Attributes:
        invalid: The outcomes of records that failed validation.
        valid: The other records, from the validator; None when they were not validated.
        warnings: Warnings from the validator.
        unvalidated: Row to order, as it is in the file, of records that were not validated.
    """

    batch: Batch
    invalid: list[Outcome] = field(default_factory=list)
    valid: "pd.DataFrame | None" = None
    warnings: Mapping[str, int] = field(default_factory=dict)
    unvalidated: Mapping[int, str] = field(default_factory=dict)


class Intake:
    """Prepares the batches of a source file, in file order. Not thread-safe.

    Args:
        source: The open source file.
        mapper: Maps the columns to fields.
        validator: Validates the records.
        key: Returns the key of a contact, from its order and its canonical form.
        keeps_cells: Whether the cells are still needed after validation.
    """

    def __init__(
        self,
        source: Source,
        mapper: Mapper,
        validator: Validator,
        key: Callable[[str, bytes], bytes],
        *,
        keeps_cells: bool,
    ) -> None:
        self._source = source
        self._mapper = mapper
        self._validator = validator
        self._key = key
        self._keeps_cells = keeps_cells
        self._claims = Claims()
        self._aside: Aside[ValidatedBatch] | None = None
        self.sha256 = ""
        """Digest of the source file, hexadecimal, once all batches are prepared."""

    def read_aside(self, stack: ExitStack) -> None:
        """Read and validate in another process, on another core.

        Args:
            stack: Ends that process; for when to enter it, see :class:`Aside`.
        """
        with contextlib.suppress(OSError):  # without another process, this one does the work
            self._aside = stack.enter_context(Aside(self._validated))

    def prepare(
        self,
        tally: Tally,
        is_hurried: Callable[[], bool],
        note: Callable[["pd.DataFrame", "pd.Series[int]"], None],
    ) -> Iterator[tuple[ValidatedBatch, list[Planned]]]:
        """Yield each batch with its contacts to be sent, in row order.

        Args:
            tally: Counts warnings.
            is_hurried: Whether to validate no more records, which takes most of the time.
            note: Called with the valid records of each batch, and the lines of all of them.

        Raises:
            InputError: The source file cannot be read to its end.
        """
        try:
            for validated in self._read(is_hurried):
                tally.warnings.update(validated.warnings)
                if validated.valid is not None:
                    note(validated.valid, validated.batch.lines)
                yield validated, self._planned(validated.valid)
        finally:
            self._claims.close()

    def _read(self, is_hurried: Callable[[], bool]) -> Iterator[ValidatedBatch]:
        batches = self._aside.items(is_hurried) if self._aside else self._validated(is_hurried)
        self.sha256 = yield from batches

    def _validated(self, is_hurried: Callable[[], bool]) -> Generator[ValidatedBatch, None, str]:
        for batch in self._source.batches():
            validated = self._unvalidated(batch) if is_hurried() else self._validate(batch)
            if self._keeps_cells:
                yield validated
            else:
                without_cells = replace(batch, cells=batch.cells.iloc[:, :0], broken=())
                yield replace(validated, batch=without_cells)
        return self._source.sha256

    def _unvalidated(self, batch: Batch) -> ValidatedBatch:
        orders = dict.fromkeys(batch.lines.index.tolist(), "") | self._mapper.orders(batch.cells)
        return ValidatedBatch(batch, unvalidated=orders)

    def _validate(self, batch: Batch) -> ValidatedBatch:
        mapped = self._mapper.apply(batch.cells)
        validated = self._validator.validate(mapped, batch)
        invalid = _invalid(validated.issues, mapped)
        return ValidatedBatch(batch, invalid, validated.valid, validated.warnings)

    def _planned(self, valid: "pd.DataFrame | None") -> list[Planned]:
        if valid is None:
            return []
        planned = plan(valid, self._key)
        first = self._claims.claim(
            [one.key for one in planned], [one.contact.row for one in planned]
        )
        if first:
            planned = [replace(one, duplicate_of=first.get(one.contact.row)) for one in planned]
        return planned


def _invalid(issues: Mapping[int, tuple[Issue, ...]], mapped: Mapped) -> list[Outcome]:
    """Return the outcomes of invalid records, with the order as it is in the file."""
    order_refs = {}
    if issues and ORDER_REF in mapped.fields:
        order_refs = mapped.fields[ORDER_REF].to_dict()
    return [
        Outcome(
            row=row,
            status=Status.INVALID,
            order_ref=order_refs.get(row, ""),
            retryable=False,
            error_code=found[0].code,
            error="; ".join(dict.fromkeys(issue.message for issue in found)),
        )
        for row, found in issues.items()
    ]

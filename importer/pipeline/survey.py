"""The first reading of the whole file, before anything is sent."""

from collections.abc import Callable
from dataclasses import dataclass

from importer.mapping import Mapping
from importer.reading import Source
from importer.validation import Validator


@dataclass(frozen=True, slots=True)
class Survey:
    """What the first reading has shown: that all of the file can be read, to begin with.

    Attributes:
        rows: Records of the file.
        invalid: Those that are not valid, when they were judged, else 0.
        sha256: Digest of the file, hexadecimal; the second reading must give the same.
    """

    rows: int
    invalid: int
    sha256: str


def survey(
    open_again: Callable[[], Source], mapping: Mapping, validator: Validator, *, judge: bool
) -> Survey:
    """Read the file to its end.

    Args:
        open_again: Opens the source file from its start.
        mapping: Which column holds what.
        validator: Judges the records.
        judge: Whether to judge them, which takes ten times as long as reading.

    Raises:
        InputError: It cannot be read to its end.
    """
    rows = invalid = 0
    with open_again() as source:
        for batch in source.batches():
            rows += len(batch.lines)
            if judge:
                invalid += len(validator.validate(mapping.apply(batch.cells), batch).issues)
        return Survey(rows, invalid, source.sha256)

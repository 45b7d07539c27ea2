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
    open_again: Callable[[], Source],
    mapping: Mapping,
    validator: Validator | None,
    is_hurried: Callable[[], bool],
) -> Survey | None:
    """Read the file to its end.

    Args:
        open_again: Opens the source file from its start.
        mapping: Which column holds what.
        validator: Judges the records, which takes ten times as long as reading; None leaves
            that out.
        is_hurried: Whether somebody waits for the run to end.

    Returns:
        What was found; None when the run was told to end meanwhile.

    Raises:
        InputError: It cannot be read to its end.
    """
    rows = invalid = 0
    with open_again() as source:
        for batch in source.batches():
            if is_hurried():
                return None
            rows += len(batch.lines)
            if validator is not None:
                invalid += len(validator.validate(mapping.apply(batch.cells), batch).issues)
        return Survey(rows, invalid, source.sha256)

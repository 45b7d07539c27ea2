"""Which contacts a results file says were created."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from importer.errors import InputError
from importer.records import REF_FORM, Batch, Status
from schemas.results import RESULT_COLUMNS, column_positions

_STATUSES: Final = frozenset(status.value for status in Status)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact that the results file calls created.

    Attributes:
        row: Record number in the results file, from 1.
        error_code: What the import had to say of it all the same.
    """

    row: int
    order_ref: str
    ref: str
    href: str
    guest_ref: str
    error_code: str = ""

    @property
    def has_ref(self) -> bool:
        """Whether its ref is one, so that it can be deleted."""
        return REF_FORM.fullmatch(self.ref) is not None

    @property
    def key(self) -> bytes:
        """The ref, however it is written."""
        return _key(self.ref)

    def is_called(self, ref: object) -> bool:
        """Whether the API means this contact by a ref."""
        return (
            isinstance(ref, str) and REF_FORM.fullmatch(ref) is not None and (_key(ref) == self.key)
        )


def own_columns(name: str, header: Sequence[str]) -> dict[str, int]:
    """Return the positions of the columns that every results file has, by name.

    Raises:
        InputError: The file is not a results file.
    """
    columns = column_positions(header)
    if len(columns) < len(RESULT_COLUMNS):
        raise InputError(
            f"{name} is not a results file of import-contacts, which has the columns "
            f"{', '.join(RESULT_COLUMNS)}. Nothing was deleted."
        )
    return columns


def created_records(name: str, batch: Batch, columns: Mapping[str, int]) -> Batch:
    """The records of a batch whose status is ``created``.

    Raises:
        InputError: A record cannot have been written as a result. What happened to such a file is
            unknown, so none of it is used.
    """
    if batch.broken:
        issue = batch.broken[0].issue
        raise _damaged(name, batch, issue.row, issue.message)
    statuses = batch.cells[columns["status"]]
    strange = statuses.index[~statuses.isin(_STATUSES)]
    if len(strange):
        raise _damaged(name, batch, int(strange[0]), "its status is none of a results file")
    cells = batch.cells[statuses == Status.CREATED.value]
    return Batch(cells, batch.lines.loc[cells.index])


def candidates(created: Batch, columns: Mapping[str, int]) -> Iterator[Candidate]:
    """The contacts of those records, in file order."""
    names = ("orderRef", "ref", "href", "guestRef", "errorCode")
    values = [created.cells[columns[name]].tolist() for name in names]
    for row, *texts in zip(created.cells.index.tolist(), *values, strict=True):
        yield Candidate(row, *texts)


def other_refs(name: str, batch: Batch, columns: Mapping[str, int]) -> list[str]:
    """Return the refs of the records of a batch whose status is not ``created``.

    Raises:
        InputError: As for :func:`created_records`.
    """
    created = created_records(name, batch, columns)
    refs = batch.cells[columns["ref"]].drop(created.cells.index)
    return [ref for ref in refs.tolist() if REF_FORM.fullmatch(ref)]


def _key(ref: str) -> bytes:
    return bytes.fromhex(ref.replace("-", ""))


def _damaged(name: str, batch: Batch, row: int, why: str) -> InputError:
    return InputError(
        f"{name}: line {batch.lines.loc[row]} is no record of a results file: {why}. Take the "
        "file as import-contacts wrote it. Nothing was deleted."
    )

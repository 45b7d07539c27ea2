"""Read, map, validate, plan: the way of a batch until it can be sent."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from importer.journal import Claims
from importer.mapping import Mapping
from importer.planning import contacts
from importer.reading import Source
from importer.records import Batch, Contact, Issue, Outcome, Planned, Status
from importer.results import Tally
from importer.validation import Validator
from schemas.canonical import canonical


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch with everything that can be known before the API is asked.

    Attributes:
        invalid: The outcomes of its records that will not be sent.
        planned: Its other records, in row order.
    """

    batch: Batch
    invalid: list[Outcome]
    planned: list[Planned]


class Intake:
    """Prepares the batches of a source file, in file order. Not thread-safe.

    Args:
        source: The open source file.
        mapping: Which column holds what.
        validator: Judges the records.
        key: Digest of a contact's canonical form.
    """

    def __init__(
        self, source: Source, mapping: Mapping, validator: Validator, key: Callable[[bytes], bytes]
    ) -> None:
        self._source = source
        self._mapping = mapping
        self._validator = validator
        self._key = key
        self._claims = Claims()

    def prepare(self, tally: Tally) -> Iterator[Prepared]:
        """Yield all batches; warnings are counted in ``tally``.

        Raises:
            InputError: The source file cannot be read on.
        """
        try:
            for batch in self._source.batches():
                yield self._prepare(batch, tally)
        finally:
            self._claims.close()

    def _prepare(self, batch: Batch, tally: Tally) -> Prepared:
        mapped = self._mapping.apply(batch.cells)
        validated = self._validator.validate(mapped, batch)
        tally.warnings.update(validated.warnings)
        invalid = [_invalid(row, found) for row, found in validated.issues.items()]
        planned = contacts(validated.valid)
        keys = [self._key(canonical(_order(contact), contact.body)) for contact in planned]
        first = self._claims.claim(keys, [contact.row for contact in planned])
        return Prepared(
            batch,
            invalid,
            [
                Planned(contact, key, first.get(contact.row))
                for contact, key in zip(planned, keys, strict=True)
            ],
        )


def _invalid(row: int, issues: tuple[Issue, ...]) -> Outcome:
    return Outcome(
        row=row,
        status=Status.INVALID,
        retryable=False,
        error_code=issues[0].code,
        error="; ".join(dict.fromkeys(issue.message for issue in issues)),
    )


def _order(contact: Contact) -> str:
    # Numbers are told apart by case, which canonical() folds in refs; no ref looks like this.
    return contact.order_ref or f"number {contact.reference_id.encode().hex()}"

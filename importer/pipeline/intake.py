"""Read, map, validate, plan: the way of a batch until it can be sent."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from importer.journal import Claims
from importer.mapping import Mapping as Columns
from importer.planning import plan
from importer.reading import Source
from importer.records import Batch, Issue, Mapped, Outcome, Planned, Status
from importer.results import Tally
from importer.validation import Validator
from schemas.fields import ORDER_REF


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch with everything that can be known before the API is asked.

    Attributes:
        invalid: The outcomes of its records that will not be sent.
        planned: Its other records, in row order.
        unjudged: Row to order, as it stands in the file, of records that nobody has judged.
    """

    batch: Batch
    invalid: list[Outcome]
    planned: list[Planned]
    unjudged: Mapping[int, str] = field(default_factory=dict)


class Intake:
    """Prepares the batches of a source file, in file order. Not thread-safe.

    Args:
        source: The open source file.
        mapping: Which column holds what.
        validator: Judges the records.
        key: Key of a contact, from its order and its canonical form.
    """

    def __init__(
        self,
        source: Source,
        mapping: Columns,
        validator: Validator,
        key: Callable[[str, bytes], bytes],
    ) -> None:
        self._source = source
        self._mapping = mapping
        self._validator = validator
        self._key = key
        self._claims = Claims()

    def prepare(self, tally: Tally, is_hurried: Callable[[], bool]) -> Iterator[Prepared]:
        """Yield all batches.

        Args:
            tally: Counts warnings.
            is_hurried: Whether to judge no more records, which takes ten times as long as
                reading them.

        Raises:
            InputError: The source file cannot be read on.
        """
        try:
            for batch in self._source.batches():
                yield self._unjudged(batch) if is_hurried() else self._prepare(batch, tally)
        finally:
            self._claims.close()

    def _unjudged(self, batch: Batch) -> Prepared:
        orders = dict.fromkeys(batch.lines.index.tolist(), "") | self._mapping.orders(batch.cells)
        return Prepared(batch, [], [], orders)

    def _prepare(self, batch: Batch, tally: Tally) -> Prepared:
        mapped = self._mapping.apply(batch.cells)
        validated = self._validator.validate(mapped, batch)
        tally.warnings.update(validated.warnings)
        invalid = _invalid(validated.issues, mapped)
        planned = plan(validated.valid, self._key)
        first = self._claims.claim(
            [one.key for one in planned], [one.contact.row for one in planned]
        )
        if first:
            planned = [replace(one, duplicate_of=first.get(one.contact.row)) for one in planned]
        return Prepared(batch, invalid, planned)


def _invalid(issues: Mapping[int, tuple[Issue, ...]], mapped: Mapped) -> list[Outcome]:
    """The outcomes of records that are not valid, with the order as it stands in the file."""
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

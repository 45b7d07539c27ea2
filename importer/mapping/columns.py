"""Which column holds what: the header and the options are settled once for a run.

Source: contract, section 3.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from importer.errors import InputError, UsageError
from importer.mapping.headers import (
    ID,
    PROVIDER,
    Target,
    fold,
    nearest_column,
    nearest_field,
    quoted,
    target_of,
)
from importer.settings import MappingOptions
from schemas.fields import FIELDS, IDENTIFIERS, ORDER_FIELDS, ORDER_REF
from schemas.results import REJECTS_COLUMNS

# The columns that --rejects adds: its file can be imported again as it is.
_REJECTS: Final = frozenset(map(fold, REJECTS_COLUMNS))
_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of columns, from 0, by what they hold.

    Attributes:
        targets: Positions by target, in file order.
        providers: (provider, position) of each column that holds the ids of one provider.
        carry: Positions of the columns that are copied into the results.
        warnings: A text for each column that is ignored.
    """

    targets: dict[Target, list[int]]
    providers: tuple[tuple[str, int], ...]
    carry: tuple[int, ...]
    warnings: tuple[str, ...] = ()

    def positions(self, field: str) -> tuple[int, ...]:
        """Give the columns of whole values of *field*: unnumbered, then by number."""
        return tuple(position for _, position in self._numbered(field, ""))

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Give the (provider, id) columns of identifiers: unnumbered, then by number."""
        ids = dict(self._numbered(IDENTIFIERS, ID))
        providers = self._numbered(IDENTIFIERS, PROVIDER)
        return tuple((position, ids[number]) for number, position in providers)

    def fields(self) -> tuple[str, ...]:
        """Give the API fields that have a column, in the order of the API page."""
        present = {target.field for target in self.targets}
        if self.providers:
            present.add(IDENTIFIERS)
        return tuple(field for field in FIELDS if field in present)

    def _numbered(self, field: str, part: str) -> list[tuple[int, int]]:
        return sorted(
            (-1 if target.number is None else target.number, position)
            for target, positions in self.targets.items()
            if (target.field, target.part) == (field, part)
            for position in positions
        )


def settle_columns(header: tuple[str, ...], options: MappingOptions, line: int = 1) -> Columns:
    """Tell which column holds what.

    Args:
        header: Names of the columns, in file order.
        options: What the user says about them; it beats what their names say.
        line: Line in the file on which the header starts.

    Raises:
        UsageError: Options name fields or columns that do not exist; all of them at once.
        InputError: The header contradicts itself or lacks the order; all problems at once.
    """
    asked = _Asked(header)
    mapped = asked.targets(_each(options.columns))
    providers = asked.providers(_each(options.identifiers))
    carry = tuple(asked.position(name, "--carry") for name in options.carry)
    if asked.problems:
        raise UsageError("; ".join(asked.problems))
    columns = _match(header, mapped, Columns({}, providers, carry))
    if problems := _problems(header, columns):
        raise InputError(f"line {line}: the header cannot be used: {'; '.join(problems)}")
    return columns


class _Asked:
    """Finds what options name in the header, and gathers what is wrong with them."""

    def __init__(self, header: tuple[str, ...]) -> None:
        self._header = header
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._folded: dict[str, list[int]] = defaultdict(list)
        for position, name in enumerate(header):
            self._exact[name].append(position)
            self._folded[fold(name)].append(position)
        self.problems: list[str] = []

    def targets(self, columns: Iterable[tuple[str, str]]) -> dict[Target, list[int]]:
        found: dict[Target, list[int]] = {}
        for name, column in columns:
            option = f"--map {name}={column}"
            target = target_of(name)
            if target is None:
                near = nearest_field(name)
                hint = f"did you mean {near}?" if near else f"fields are {', '.join(FIELDS)}"
                self.problems.append(f"{option}: there is no field {quoted(name)}; {hint}")
            elif target in found and target.takes_one_column:
                self.problems.append(f"{option}: {target} is mapped twice; name one column for it")
            else:
                found.setdefault(target, []).append(self.position(column, option))
        return found

    def providers(self, columns: Iterable[tuple[str, str]]) -> tuple[tuple[str, int], ...]:
        return tuple(
            (provider, self.position(column, f"--identifier {provider}={column}"))
            for provider, column in columns
        )

    def position(self, name: str, option: str) -> int:
        """Give the position of column *name*; -1, and a problem, when there is not one."""
        found = self._exact.get(name) or self._folded.get(fold(name)) or []
        if len(found) == 1:
            return found[0]
        if found:
            several = ", ".join(quoted(self._header[position]) for position in found)
            self.problems.append(f"{option}: {quoted(name)} may be {several}; write one as it is")
        else:
            near = nearest_column(name, self._header)
            hint = f"; did you mean {quoted(near)}?" if near else ""
            self.problems.append(f"{option}: there is no column {quoted(name)}{hint}")
        return -1


def _each(named: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Each name with each of its columns."""
    return ((name, column) for name, columns in named.items() for column in columns)


def _match(header: tuple[str, ...], mapped: dict[Target, list[int]], columns: Columns) -> Columns:
    """Add to *columns* what options map and what the other names say by themselves."""
    targets = {target: list(positions) for target, positions in mapped.items()}
    settled = {position for positions in mapped.values() for position in positions}
    of_provider = {position for _, position in columns.providers}
    warnings: list[str] = []
    for position, name in enumerate(header):
        target = target_of(name)
        if position in settled:
            continue
        if target is None or (target.field == IDENTIFIERS and position in of_provider):
            if position not in of_provider and position not in columns.carry:
                warnings += _ignored(position, name)
        elif target in mapped or Target(target.field) in mapped:
            warnings.append(f"column {quoted(name)} is ignored: --map names another for {target}")
        else:
            targets.setdefault(target, []).append(position)
    return Columns(targets, columns.providers, columns.carry, tuple(warnings))


def _ignored(position: int, name: str) -> list[str]:
    if not fold(name):
        return [f"column {position + 1} has no name and is ignored"]
    if fold(name) in _REJECTS:
        return []
    near = nearest_field(name)
    hint = f"; did you mean {near}? Say --map {near}={quoted(name)}" if near else ""
    return [f"column {quoted(name)} is ignored: there is no such field{hint}"]


def _problems(header: tuple[str, ...], columns: Columns) -> list[str]:
    problems = []
    for target, positions in columns.targets.items():
        if len(positions) > 1 and target.takes_one_column:
            names = ", ".join(quoted(header[position]) for position in positions)
            problems.append(f"{len(positions)} columns for {target}: {names}; rename all but one")
        if target.part:
            other = Target(target.field, target.number, ID if target.part == PROVIDER else PROVIDER)
            if other not in columns.targets:
                problems.append(f"a column {target} without a column {other}")
    if not any(Target(field) in columns.targets for field in ORDER_FIELDS):
        problems.append(
            f"no column for the order: name one {' or '.join(ORDER_FIELDS)},"
            f" or use --map {ORDER_REF}=COLUMN; {_named(header)}"
        )
    return problems


def _named(header: tuple[str, ...]) -> str:
    if len(header) == 1:
        # Nearly always the cells are separated by something that is not looked for.
        return f"the one column is {quoted(header[0])}; if it is several, use --delimiter"
    more = ", …" if len(header) > _SHOWN else ""
    return f"the columns are {', '.join(map(quoted, header[:_SHOWN]))}{more}"

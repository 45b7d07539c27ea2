"""Which column holds what: settled once for a run, from the header and the options.

Source: docs/input.md, "Columns".
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from importer.errors import InputError, UsageError
from importer.settings import MappingOptions, UnknownColumns
from schemas.fields import FIELDS, IDENTIFIERS, ORDER_FIELDS, ORDER_REF
from schemas.headers import (
    ID,
    PROVIDER,
    Target,
    fold,
    is_of_rejects,
    mistaken_field,
    nearest_column,
    no_such_field,
    numbered_field,
    quoted,
    suggested_field,
    target_of,
)

_SHOWN: Final = 10
_SHOWN_CHARACTERS: Final = 4000


@dataclass(frozen=True, slots=True)
class Unused:
    """A column that is not used.

    Attributes:
        position: Position in the header, from 0.
        name: Its name as it stands in the file.
        reason: What is known about it, for a person; ``""`` for nothing.
        is_mistake: Whether its name is nearly that of a field.
        is_listed: Whether ``--ignore`` lists it.
    """

    position: int
    name: str
    reason: str = ""
    is_mistake: bool = False
    is_listed: bool = False

    def __str__(self) -> str:
        name = (
            quoted(self.name) if fold(self.name) else f"column {self.position + 1} without a name"
        )
        return f"{name} ({self.reason})" if self.reason else name


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of columns, from 0, by what they hold.

    Attributes:
        targets: Positions by target, in file order.
        providers: (provider, position) of each column with the ids of one provider.
        carry: Positions of the columns that are copied into the results.
        unused: The columns that are not used for anything, in file order.
    """

    targets: dict[Target, list[int]]
    providers: tuple[tuple[str, int], ...]
    carry: tuple[int, ...]
    unused: tuple[Unused, ...] = ()

    def whole(self, field: str) -> tuple[int, ...]:
        """Return the columns of whole values of *field*: unnumbered, then by number."""
        return tuple(position for _, position in self._numbered(field, ""))

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Return the (provider, id) columns of identifiers: unnumbered, then by number."""
        ids = dict(self._numbered(IDENTIFIERS, ID))
        providers = self._numbered(IDENTIFIERS, PROVIDER)
        return tuple((position, ids[number]) for number, position in providers)

    def of_field(self, field: str) -> tuple[int, ...]:
        """Return all columns of *field*, in file order."""
        of_providers = [position for _, position in self.providers if field == IDENTIFIERS]
        of_targets = [
            position
            for target, positions in self.targets.items()
            if target.field == field
            for position in positions
        ]
        return tuple(sorted({*of_targets, *of_providers}))

    def _numbered(self, field: str, part: str) -> list[tuple[int, int]]:
        return sorted(
            (-1 if target.number is None else target.number, position)
            for target, positions in self.targets.items()
            if (target.field, target.part) == (field, part)
            for position in positions
        )


def settle_columns(
    header: tuple[str, ...],
    options: MappingOptions,
    line: int = 1,
    with_default: Collection[str] = (),
) -> Columns:
    """Find out which column holds what.

    Args:
        header: Names of the columns, in file order.
        options: What the user says about them; it beats what their names say.
        line: Line of the file on which the header starts.
        with_default: Fields that need no column.

    Raises:
        UsageError: Options name fields or columns that do not exist; all of them at once.
        InputError: The header contradicts itself, lacks the order, or has columns that are
            not used by mistake; all problems at once.
    """
    named = _Named(header)
    mapped = named.targets(_each(options.columns))
    providers = named.providers(_each(options.identifiers))
    carry = tuple(named.position(name, "--carry") for name in options.carry)
    ignored = {position for name in options.ignore for position in named.positions(name)}
    used = {at for positions in mapped.values() for at in positions} | {at for _, at in providers}
    named.problems += [
        f"--ignore {quoted(header[at])}: another option uses this column; leave one of them out"
        for at in sorted(ignored & used - {_ABSENT})
    ]
    if named.problems:
        raise UsageError("; ".join(named.problems))
    columns = _match(header, mapped, Columns({}, providers, carry), ignored)
    problems = _problems(header, columns, with_default) + [
        _mistake(column) for column in columns.unused if column.is_mistake
    ]
    if options.unknown_columns is UnknownColumns.ERROR:
        unknown = [it for it in columns.unused if not (it.is_listed or it.is_mistake)]
        if unknown:
            problems.append(f"{_unmatched(unknown)}; use --map FIELD=COLUMN or --ignore COLUMN")
    problems = list(dict.fromkeys(named.repeated + problems))
    if problems:
        raise InputError(f"line {line}: the header cannot be used: {'; '.join(problems)}")
    return columns


def ignored_columns(columns: Columns) -> str:
    """Return the one warning for all columns that are ignored, ``""`` if none needs one."""
    unused = [column for column in columns.unused if not column.is_listed]
    return f"{_unmatched(unused)}; ignored" if unused else ""


_ABSENT: Final = -1


class _Named:
    """Finds what options name in the header, and gathers what is wrong with them.

    Attributes:
        problems: What is wrong with the options.
        repeated: What is wrong with the header: columns that options use and that are there
            more than once.
    """

    def __init__(self, header: tuple[str, ...]) -> None:
        self._header = header
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._folded: dict[str, list[int]] = defaultdict(list)
        for position, name in enumerate(header):
            self._exact[name.strip()].append(position)
            self._folded[fold(name)].append(position)
        self.problems: list[str] = []
        self.repeated: list[str] = []

    def targets(self, columns: Iterable[tuple[str, str]]) -> dict[Target, list[int]]:
        found: dict[Target, list[int]] = {}
        for name, column in columns:
            option = f"--map {name}={column}"
            target = target_of(name)
            if target is None:
                self.problems.append(f"{option}: {no_such_field(name)}")
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

    def positions(self, name: str) -> list[int]:
        """Return the positions of all columns that *name* means."""
        return self._exact.get(name.strip()) or self._folded.get(fold(name)) or []

    def position(self, name: str, option: str) -> int:
        """Return the position of the one column *name*, or gather a problem."""
        found = self.positions(name)
        if len(found) == 1:
            return found[0]
        if len({self._header[position].strip() for position in found}) == 1:
            self.repeated.append(_repeated(self._header, found))
            return found[0]
        if found:
            several = ", ".join(quoted(self._header[position]) for position in found)
            self.problems.append(f"{option}: {quoted(name)} may be {several}; write one exactly")
        else:
            near = nearest_column(name, self._header)
            hint = f"did you mean {quoted(near)}?" if near else _names(self._header)
            self.problems.append(f"{option}: there is no column {quoted(name)}; {hint}")
        return _ABSENT


def _each(named: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield each name with each of its columns."""
    return ((name, column) for name, columns in named.items() for column in columns)


def _match(
    header: tuple[str, ...],
    mapped: dict[Target, list[int]],
    columns: Columns,
    ignored: set[int],
) -> Columns:
    """Add to *columns* what options map, and what the names of other columns say."""
    targets = {target: list(positions) for target, positions in mapped.items()}
    settled = {position for positions in mapped.values() for position in positions}
    of_provider = {position for _, position in columns.providers}
    unknown: list[int] = []
    unused: list[Unused] = []
    for position, name in enumerate(header):
        target = target_of(name)
        if position in settled:
            continue
        if position in ignored:
            unused.append(Unused(position, name, is_listed=True))
        elif target is None or (target.field == IDENTIFIERS and position in of_provider):
            if not (position in of_provider or is_of_rejects(name)):
                unknown.append(position)
        elif target in mapped or Target(target.field) in mapped:
            unused.append(Unused(position, name, f"--map names another for {target}"))
        else:
            targets.setdefault(target, []).append(position)
    present = {target.field for target in targets}
    for position in unknown:
        column = _unknown(position, header[position], present)
        if column.is_mistake or position not in columns.carry:
            unused.append(column)
    unused.sort(key=lambda column: column.position)
    return Columns(targets, columns.providers, columns.carry, tuple(unused))


def _unknown(position: int, name: str, present: set[str]) -> Unused:
    if field := numbered_field(name):
        return Unused(position, name, is_mistake=field not in present, reason=field)
    if field := mistaken_field(name):
        return Unused(position, name, is_mistake=True, reason=field)
    field = suggested_field(name)
    hint = f"did you mean {field}? Use --map {field}={quoted(name)}" if field else ""
    return Unused(position, name, hint if field not in present else "")


def _mistake(column: Unused) -> str:
    name = quoted(column.name)
    return (
        f"column {name} matches no field, but nearly {column.reason}: use --map"
        f" {column.reason}={name} if that is meant, else --ignore {name}"
    )


def _unmatched(columns: list[Unused]) -> str:
    """Return a message about columns that match no field; a very long one is cut."""
    names, length = [], 0
    for column in columns:
        names.append(str(column))
        length += len(names[-1])
        if length > _SHOWN_CHARACTERS:
            break
    more = f" and {len(columns) - len(names):,} more" if len(columns) > len(names) else ""
    matches = "1 column matches" if len(columns) == 1 else f"{len(columns):,} columns match"
    return f"{matches} no field: {', '.join(names)}{more}"


def _problems(
    header: tuple[str, ...], columns: Columns, with_default: Collection[str]
) -> list[str]:
    problems = []
    for target, positions in columns.targets.items():
        by_name = defaultdict(list)
        for position in positions:
            by_name[header[position].strip()].append(position)
        problems += [_repeated(header, same) for same in by_name.values() if len(same) > 1]
        if len(by_name) > 1 and target.takes_one_column:
            names = ", ".join(quoted(header[position]) for position in positions)
            problems.append(
                f"{len(positions)} columns for {target}: {names}; rename all but one, or use"
                " --ignore"
            )
        if target.part:
            other = Target(target.field, target.number, ID if target.part == PROVIDER else PROVIDER)
            if other not in columns.targets:
                problems.append(f"a column {target} without a column {other}")
    if not any(Target(field) in columns.targets or field in with_default for field in ORDER_FIELDS):
        problems.append(
            f"no column for the order: name one {' or '.join(ORDER_FIELDS)},"
            f" or use --map {ORDER_REF}=COLUMN; {_names(header)}"
        )
    return problems


def _repeated(header: tuple[str, ...], positions: list[int]) -> str:
    *first, last = (str(position + 1) for position in positions)
    return (
        f"{quoted(header[positions[0]].strip())} is the name of columns {', '.join(first)} and"
        f" {last}; rename or remove all but one"
    )


def _names(header: tuple[str, ...]) -> str:
    if len(header) == 1:
        # Nearly always the cells are separated by something that is not looked for.
        return (
            f"the only column is {quoted(header[0])}; if it is several, use --delimiter, and if"
            " the header is further down, use --skip-lines"
        )
    more = ", …" if len(header) > _SHOWN else ""
    return f"the columns are {', '.join(map(quoted, header[:_SHOWN]))}{more}"


def fields_of(columns: Columns, with_default: Collection[str] = ()) -> tuple[str, ...]:
    """Return the fields that have a column or a default, in the order of the API page."""
    return tuple(field for field in FIELDS if columns.of_field(field) or field in with_default)

"""How options are declared, named, read and described.

An option is declared once, as a field of a dataclass in :mod:`importer.settings`::

    concurrency: int = option(
        Whole(1, 256), 8, Group.DELIVERY, "Most requests in flight.", sample="8"
    )

Everything else is derived from that field: the option of the command line, the key in the
configuration file, the environment variable, the keyword argument of the Python API, the help,
the JSON Schema and the tables of ``docs/options.md``. Type checkers compare the annotation of the
field with its kind and its default.

Source: docs/options.md; docs/architecture.md, how to add an option.
"""

import math
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import StrEnum, unique
from pathlib import Path
from typing import Any, Final, Generic, TypedDict, TypeVar, Unpack, overload

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

PREFIX: Final = "IMPORT_CONTACTS_"
"""How the environment variables of options begin."""

_BLANK: Final = ": it is blank; leave it out, or check whether a variable in the command is unset."
_TRUE: Final = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE: Final = frozenset({"0", "false", "f", "no", "n", "off"})


@unique
class Group(StrEnum):
    """The headings of the help and of the documentation, in their order."""

    FILES = "Files"
    DESTINATION = "Destination"
    SAFETY = "Safety gates"
    JOURNAL = "Journal"
    INPUT = "Input"
    VALUES = "Values"
    MATCHING = "Existing contacts"
    DELIVERY = "Delivery"
    OUTPUT = "Output and logging"


@unique
class Origin(StrEnum):
    """Where a value comes from, the strongest first."""

    CALL = "call"
    COMMAND_LINE = "command line"
    ENVIRONMENT = "environment"
    CONFIG = "config file"
    DEFAULT = "default"


ANYWHERE: Final = frozenset({Origin.CALL, Origin.COMMAND_LINE, Origin.ENVIRONMENT, Origin.CONFIG})
NOT_FROM_PYTHON: Final = ANYWHERE - {Origin.CALL}
ONLY_COMMAND_LINE: Final = frozenset({Origin.COMMAND_LINE})


class BadValueError(Exception):
    """A value that an option does not accept.

    Attributes:
        problems: What is wrong, each as the text that follows the name of the option.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return " ".join(problem.removeprefix(": ") for problem in self.problems)


class Kind(ABC, Generic[T]):
    """What values an option accepts, and how they are read.

    Attributes:
        metavar: What stands for a value in the help.
        expected: What messages call a value of the right type.
        types: Types of values from TOML or Python.
        repeatable: Whether the option may be given several times.
    """

    metavar: str = "TEXT"
    expected: str = "a string"
    types: tuple[type, ...] = (str,)
    repeatable: bool = False

    @abstractmethod
    def parse(self, text: str) -> T:
        """Read one text, from the command line or the environment.

        Raises:
            BadValueError: It is not a value of this kind.
        """

    def from_texts(self, texts: Sequence[str]) -> T:
        """Read all texts that the command line or a variable has for the option."""
        return self.parse(texts[-1])

    def from_value(self, value: object) -> T:
        """Read a value from TOML or Python.

        Raises:
            BadValueError: It has another type, or is not a value of this kind.
        """
        # bool is a subclass of int.
        if isinstance(value, bool) or not isinstance(value, self.types):
            raise BadValueError(f" must be {self.expected}, not {type_of(value)}.")
        return self.parse(str(value))

    def split(self, text: str) -> list[str]:
        """Return the texts that one environment variable holds."""
        return [text]

    def schema(self) -> dict[str, object]:
        """Return the JSON Schema of a value in the configuration file."""
        return {"type": "string", "minLength": 1}

    def shown(self, value: T) -> str:
        """Return a value as reports and the log show it."""
        return str(value)


class Flag(Kind[bool]):
    """A switch.

    Args:
        negatable: Whether there is a ``--no-…`` as well.
    """

    metavar = ""
    expected = "true or false"
    types = (bool,)

    def __init__(self, *, negatable: bool = False) -> None:
        self.negatable = negatable

    def parse(self, text: str) -> bool:
        word = text.strip().lower()
        if word not in _TRUE | _FALSE:
            raise BadValueError(f": {text!r} is not true or false.")
        return word in _TRUE

    def from_value(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise BadValueError(f" must be {self.expected}, not {type_of(value)}.")
        return value

    def schema(self) -> dict[str, object]:
        return {"type": "boolean"}

    def shown(self, value: bool) -> str:  # noqa: FBT001 - the value itself
        return "yes" if value else "no"


class Text(Kind[str]):
    """A string that is not empty."""

    def __init__(self, metavar: str = "TEXT") -> None:
        self.metavar = metavar

    def parse(self, text: str) -> str:
        if not text:
            # Otherwise the value of the configuration file would silently apply.
            raise BadValueError(_BLANK)
        return _as_utf8(text)


class Delimiter(Kind[str]):
    """One character, or the word ``tab``."""

    metavar = "CHARACTER"

    def parse(self, text: str) -> str:
        character = {"tab": "\t", r"\t": "\t"}.get(text.lower(), text)
        if len(character) != 1:
            raise BadValueError(f": {text!r} is not one character (write tab for a tab).")
        return character


class Name(Text):
    """The name of a column, a field or a provider.

    Args:
        separators: Regular expression of what separates several in one variable.
    """

    def __init__(self, metavar: str, separators: str = r"[;\n]") -> None:
        super().__init__(metavar)
        self.separators = separators

    def split(self, text: str) -> list[str]:
        return _split(self.separators, text)


class Choice(Kind[E]):
    """One of the values of an enumeration."""

    def __init__(self, choices: type[E]) -> None:
        self.choices = choices
        self.metavar = "|".join(choices)

    def parse(self, text: str) -> E:
        try:
            return self.choices(text)
        except ValueError:
            known = ", ".join(self.choices)
            raise BadValueError(f": {text!r} is not one of {known}.") from None

    def schema(self) -> dict[str, object]:
        return {"enum": list(map(str, self.choices))}


class Whole(Kind[int]):
    """A whole number from ``least`` to ``most``."""

    expected = "a whole number"
    types = (int,)

    def __init__(self, least: int = 0, most: int | None = None, metavar: str = "N") -> None:
        self.least, self.most, self.metavar = least, most, metavar

    def parse(self, text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise BadValueError(f": {text!r} is not a whole number.") from None
        if number < self.least or (self.most is not None and number > self.most):
            limits = f"{self.least} to {self.most}" if self.most else f"of {self.least} and above"
            raise BadValueError(f": {number} is not in the range {limits}.")
        return number

    def schema(self) -> dict[str, object]:
        most = {} if self.most is None else {"maximum": self.most}
        return {"type": "integer", "minimum": self.least} | most


class Number(Kind[float]):
    """A finite number above 0, and of ``most`` at the most.

    Args:
        metavar: What stands for a value in the help.
        most: The greatest number.
        allows_zero: Whether 0 is accepted as well.
    """

    expected = "a number"
    types = (int, float)

    def __init__(self, metavar: str, most: float = math.inf, *, allows_zero: bool = False) -> None:
        self.metavar, self.most, self.allows_zero = metavar, most, allows_zero

    def parse(self, text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            raise BadValueError(f": {text!r} is not a number.") from None
        is_enough = number >= 0 if self.allows_zero else number > 0
        if not (is_enough and number <= self.most and math.isfinite(number)):
            least = "from 0" if self.allows_zero else "above 0"
            limits = least if math.isinf(self.most) else f"{least} and up to {self.most:g}"
            raise BadValueError(f": {number:g} is not in the range {limits}.")
        return number

    def schema(self) -> dict[str, object]:
        most = {} if math.isinf(self.most) else {"maximum": self.most}
        least = "minimum" if self.allows_zero else "exclusiveMinimum"
        return {"type": "number", least: 0} | most

    def shown(self, value: float) -> str:
        return f"{value:g}"


class Parsed(Kind[T]):
    """A value of a class of its own, which knows how it is written.

    Args:
        metavar: The form of a value.
        made: The class, or the type that ``read`` returns.
        read: Makes a value from a text; raises ValueError with what is wrong.
        expected: As for :class:`Kind`.
        types: Types from which it is read, besides its own.
    """

    def __init__(
        self,
        metavar: str,
        made: type[T],
        read: Callable[[str], T],
        expected: str,
        types: tuple[type, ...] = (str,),
    ) -> None:
        self.metavar, self.made, self.read = metavar, made, read
        self.expected, self.types = expected, types

    def parse(self, text: str) -> T:
        try:
            return self.read(text.strip())
        except ValueError as error:
            raise BadValueError(f": {error}") from None

    def from_value(self, value: object) -> T:
        return value if isinstance(value, self.made) else super().from_value(value)

    def schema(self) -> dict[str, object]:
        names = {int: "integer", str: "string", float: "number"}
        return {"type": [names[one] for one in self.types]}


class File(Kind[Path]):
    """The path of a file.

    Args:
        or_stream: Whether ``-`` stands for a standard stream.
    """

    metavar = "FILE"
    types = (str, os.PathLike)

    def __init__(self, *, or_stream: bool = False) -> None:
        self.or_stream = or_stream

    def parse(self, text: str) -> Path:
        if not text:
            raise BadValueError(_BLANK)
        if text == "-" and not self.or_stream:
            raise BadValueError(": it must be a file; - has no meaning here.")
        return Path(text)


class Many(Kind[tuple[T, ...]]):
    """Any number of values of one kind."""

    expected = "a list of strings"
    types = (list, tuple)
    repeatable = True

    def __init__(self, item: Kind[T]) -> None:
        self.item, self.metavar = item, item.metavar

    def parse(self, text: str) -> tuple[T, ...]:
        return (self.item.parse(text),)

    def from_texts(self, texts: Sequence[str]) -> tuple[T, ...]:
        return tuple(map(self.item.parse, texts))

    def from_value(self, value: object) -> tuple[T, ...]:
        _check_list(value, self.expected)
        return tuple(map(self.item.from_value, value)) if isinstance(value, list | tuple) else ()

    def split(self, text: str) -> list[str]:
        return self.item.split(text)

    def schema(self) -> dict[str, object]:
        return {"type": "array", "items": self.item.schema()}

    def shown(self, value: tuple[T, ...]) -> str:
        return ", ".join(map(self.item.shown, value))


class Table(Kind[Mapping[str, tuple[str, ...]]]):
    """Names with their values, ``NAME=VALUE`` or a table of the configuration file.

    The values that one place has for a name add up; those of a stronger place replace them.

    Args:
        metavar: What stands for a name and its value in the help.
        holds: What messages call a value.
        names_fields: Whether names are API fields, which may be spelled in several ways.
        joiner: What joins the names of tables within the table.
        may_be_blank: Whether a value may be blank.
    """

    expected = "a list of strings"
    repeatable = True

    def __init__(
        self,
        metavar: str,
        holds: str,
        *,
        names_fields: bool = False,
        joiner: str = ".",
        may_be_blank: bool = False,
    ) -> None:
        self.metavar = metavar
        self.holds, self.names_fields, self.joiner = holds, names_fields, joiner
        self.may_be_blank = may_be_blank

    def parse(self, text: str) -> Mapping[str, tuple[str, ...]]:
        return self.from_texts([text])

    def from_texts(self, texts: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        return collected(map(self._pair, texts))

    def from_value(self, value: object) -> Mapping[str, tuple[str, ...]]:
        """Read a list of texts of the form ``NAME=VALUE``."""
        return self.from_texts(_check_list(value, self.expected))

    def from_table(self, value: object) -> Mapping[str, tuple[str, ...]]:
        """Read a table of names, each with a value or a list of values.

        Raises:
            BadValueError: It is not a table, or some values are wrong; all are named.
        """
        if not isinstance(value, Mapping):
            raise BadValueError(f" must be a table with {self.holds} each, not {type_of(value)}.")
        pairs: list[tuple[str, str]] = []
        problems: list[str] = []
        for name, values in self._flattened(value):
            for one in values if isinstance(values, list | tuple) and values else [values]:
                if isinstance(one, str) and (one.strip() or self.may_be_blank) and name.strip():
                    pairs.append((name.strip(), one.strip()))
                else:
                    problems.append(f" {name} must be {self.holds}, or a list of them.")
        if problems:
            raise BadValueError(*problems)
        return collected(pairs)

    def split(self, text: str) -> list[str]:
        return _split(r"[;\n]", text)

    def schema(self) -> dict[str, object]:
        return {
            "type": "array",
            "items": {"type": "string", "pattern": f"^[^=]+=.{'*' if self.may_be_blank else '+'}$"},
        }

    def table_schema(self) -> dict[str, object]:
        """Return the JSON Schema of the table in the configuration file."""
        text = {"type": "string", "minLength": 0 if self.may_be_blank else 1}
        several = {"type": "array", "items": text, "minItems": 1}
        nested = {"type": "object", "additionalProperties": {"anyOf": [text, several]}}
        return {"type": "object", "additionalProperties": {"anyOf": [text, several, nested]}}

    def shown(self, value: Mapping[str, tuple[str, ...]]) -> str:
        return ", ".join(f"{name}={one}" for name, values in value.items() for one in values)

    def _pair(self, text: str) -> tuple[str, str]:
        name, equals, value = _as_utf8(text).partition("=")
        if not (equals and name.strip() and (value.strip() or self.may_be_blank)):
            raise BadValueError(f": {text!r} is not of the form {self.metavar}.")
        return name.strip(), value.strip()

    def _flattened(
        self, table: Mapping[str, object], above: str = ""
    ) -> Iterator[tuple[str, object]]:
        for name, value in table.items():
            if isinstance(value, Mapping):
                yield from self._flattened(value, f"{above}{name}{self.joiner}")
            else:
                yield f"{above}{name}", value


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option, as it was declared.

    Attributes:
        keyword: Name of the keyword argument and, for a table, of the table in the file.
        name: Long name, without dashes.
        short: Short name, without its dash; ``""`` for none.
        kind: What values it accepts.
        default: Value when it is not given.
        default_text: How the default is described, when its value does not say it.
        group: Where it is listed.
        help: What it does, in one or two sentences.
        sources: Where its value may come from.
        sample: A value as the sample configuration file shows it; ``""`` for none.
        is_argument: Whether it is given by its position, without a name.
        is_optional: Whether that argument may be left out.
    """

    keyword: str
    name: str
    short: str
    kind: Kind[Any]
    default: object
    default_text: str
    group: Group
    help: str
    sources: frozenset[Origin]
    sample: str
    is_argument: bool
    is_optional: bool

    @property
    def variable(self) -> str:
        """The environment variable of the option."""
        return PREFIX + self.name.upper().replace("-", "_")

    @property
    def flags(self) -> list[str]:
        """All spellings on the command line, the long name first."""
        negated = isinstance(self.kind, Flag) and self.kind.negatable
        return [
            f"--{self.name}",
            *([f"--no-{self.name}"] if negated else []),
            *([f"-{self.short}"] if self.short else []),
        ]

    @property
    def described_default(self) -> str:
        """The default for people, ``""`` if there is none."""
        if self.default_text or self.default is None or self.kind.repeatable:
            return self.default_text
        return "" if self.default is False else self.kind.shown(self.default)


class _Details(TypedDict, total=False):
    name: str
    short: str
    default_text: str
    sources: frozenset[Origin]
    sample: str
    is_argument: bool
    is_optional: bool


@overload
def option(
    kind: Kind[T], default: None, group: Group, text: str, **details: Unpack[_Details]
) -> T | None: ...


@overload
def option(
    kind: Kind[T], default: T, group: Group, text: str, **details: Unpack[_Details]
) -> T: ...


def option(
    kind: Kind[T], default: T | None, group: Group, text: str, **details: Unpack[_Details]
) -> T | None:
    """Declare an option as the field of a dataclass.

    Args:
        kind: What values it accepts.
        default: Value when it is not given.
        group: Where it is listed.
        text: What it does, in one or two sentences.
        details: See :class:`Option`. The long name is that of the field by default.
    """
    declared = Option(
        keyword="",
        name=details.get("name", ""),
        short=details.get("short", ""),
        kind=kind,
        default=default,
        default_text=details.get("default_text", ""),
        group=group,
        help=text,
        sources=details.get("sources", ANYWHERE),
        sample=details.get("sample", ""),
        is_argument=details.get("is_argument", False),
        is_optional=details.get("is_optional", False),
    )
    metadata = {_METADATA: declared}
    found: Any = (
        field(default_factory=dict, metadata=metadata)
        if default == {}
        else field(default=default, metadata=metadata)
    )
    return found  # type: ignore[no-any-return]  # as dataclasses.field() does


_METADATA: Final = "option"


def declared(cls: type) -> Mapping[str, Option]:
    """Return the options that a dataclass and those within it declare, by keyword."""
    return {key: one for key, one in _declared(cls).items() if not one.is_argument}


def argument_of(cls: type) -> Option:
    """Return the one declared option that is given by its position."""
    (found,) = (one for one in _declared(cls).values() if one.is_argument)
    return found


def _declared(cls: type) -> dict[str, Option]:
    found: dict[str, Option] = {}
    for one in fields(cls):
        if nested := _nested(one.type):
            found |= _declared(nested)
        elif (option := one.metadata.get(_METADATA)) is not None:
            name = option.name or one.name.replace("_", "-")
            found[one.name] = replace(option, keyword=one.name, name=name)
    return found


def build(cls: type[T], values: Mapping[str, object]) -> T:
    """Make a dataclass, with those within it, from values by keyword.

    What is missing has its default, so that no option can be left out.
    """
    given: dict[str, object] = {}
    for one in fields(cls):  # type: ignore[arg-type]  # every caller passes a dataclass
        if nested := _nested(one.type):
            given[one.name] = build(nested, values)
        elif one.name in values and _METADATA in one.metadata:
            given[one.name] = values[one.name]
    return cls(**given)


def shown_values(settings: object) -> Iterator[tuple[Option, str]]:
    """Return every option of a built dataclass with its value for people."""
    for one in fields(settings):  # type: ignore[arg-type]  # every caller passes a dataclass
        value = getattr(settings, one.name)
        if _nested(one.type):
            yield from shown_values(value)
        elif (option := _declared(type(settings)).get(one.name)) and not option.is_argument:
            yield option, "" if value is None else option.kind.shown(value)


def collected(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Return the values of each name, in the order in which they were given."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        found[name] = (*found.get(name, ()), value)
    return found


def type_of(value: object) -> str:
    """Return what messages call the type of a value."""
    for kind, name in _TYPE_NAMES.items():
        if isinstance(value, kind):
            return name
    return f"a {type(value).__name__}"


_TYPE_NAMES: Final[dict[type, str]] = {
    bool: "true or false",  # before int, of which it is a subclass
    int: "a number",
    float: "a decimal number",
    str: "a string",
    list: "a list",
    tuple: "a list",
    Mapping: "a table",
}


def _nested(annotation: object) -> type | None:
    return annotation if isinstance(annotation, type) and is_dataclass(annotation) else None


def _check_list(value: object, expected: str) -> list[str]:
    if not isinstance(value, list | tuple):
        raise BadValueError(f" must be {expected}, not {type_of(value)}.")
    for item in value:
        if not isinstance(item, str):
            raise BadValueError(f" must be {expected}; it contains {type_of(item)}.")
    return list(value)


def _as_utf8(text: str) -> str:
    """Return an argument as it was typed: without a locale, Python reads arguments as ASCII."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        return text


def _split(separators: str, text: str) -> list[str]:
    return [part.strip() for part in re.split(separators, text) if part.strip()]

"""Options that stand in a table, a file's or a caller's, held to the same rules as arguments."""

import os
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

import click

from importer.cli.types import MaxErrorsType, PairType

_CREDENTIALS: Final = {"credential", "clientkey", "apikey", "token", "password", "secret", "user"}
_CREDENTIALS_HINT: Final = (
    "credentials stand in a file of their own (credentials-file) or in SITECORE_CDP_CLIENT_KEY "
    "and SITECORE_CDP_API_TOKEN"
)
# To Python, true is a whole number, so it comes first.
_KINDS: Final[dict[type, str]] = {
    bool: "true or false",
    int: "a number",
    float: "a decimal number",
    str: "a text",
    list: "a list",
    tuple: "a list",
    Mapping: "a table",
}
_NOT_IN_TABLES: Final = {"config", "help", "version"}


def table_options(command: click.Command) -> dict[str, click.Option]:
    """The options of a command that a table may hold, by their long names."""
    named = {
        long_name(option): option for option in command.params if isinstance(option, click.Option)
    }
    return {name: option for name, option in named.items() if name not in _NOT_IN_TABLES}


def long_name(option: click.Option) -> str:
    """The first long name of an option, without its dashes."""
    return next(name for name in option.opts if name.startswith("--")).removeprefix("--")


def problem_with(name: str, option: click.Option, value: object) -> str | None:
    """What is wrong with a value, None if nothing is."""
    wanted = "a list of texts" if option.multiple else _wanted(option)[1]
    if not _is_wanted(option, value):
        return f"{name} must be {wanted}, not {_kind(value)}."
    items = value if option.multiple and isinstance(value, list | tuple) else [value]
    for item in items:
        try:
            option.type.convert(item, option, None)
        except click.BadParameter as error:
            return f"{name}: {error.message}"
    return None


def unknown_name(name: str, names: Mapping[str, click.Option]) -> str:
    """What to say about a name that is none of an option."""
    if hint := credentials_hint(name):
        return hint
    near = nearest(name, names)
    return f'there is no option "{name}"{f"; did you mean {near}?" if near else "."}'


def credentials_hint(name: str) -> str:
    """What to say when a name sounds like that of a credential, ``""`` if it does not."""
    folded = "".join(character for character in name.lower() if character.isalpha())
    is_one = any(word in folded for word in _CREDENTIALS)
    return f'"{name}" has no place here: {_CREDENTIALS_HINT}.' if is_one else ""


def nearest(name: str, names: Mapping[str, object]) -> str:
    """The name that is most like another one, ``""`` when none is."""
    found = get_close_matches(name.lower().replace("_", "-"), names, n=1)
    return found[0] if found else ""


def column_pairs(table: str, value: object) -> tuple[list[tuple[str, str]], list[str]]:
    """Names with their columns, a pair for each; and what is wrong with them.

    Args:
        table: What they stand in, for the texts.
        value: Name to a column, or to a list of columns.
    """
    if not isinstance(value, Mapping):
        return [], [f"{table} must be a table of names and their columns, not {_kind(value)}."]
    pairs: list[tuple[str, str]] = []
    problems: list[str] = []
    for name, columns in _flattened(value):
        listed = columns if isinstance(columns, list | tuple) and columns else [columns]
        for column in listed:
            if isinstance(column, str) and column.strip() and name.strip():
                pairs.append((name.strip(), column.strip()))
            else:
                problems.append(f"{table} {name} must be the name of a column, or a list of them.")
    return pairs, problems


def _flattened(table: Mapping[str, object], above: str = "") -> Iterator[tuple[str, object]]:
    """The entries of a table; those of tables within it by dotted names."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _wanted(option: click.Option) -> tuple[tuple[type, ...], str]:
    """The types of a value that are understood, and their name."""
    if option.is_flag:
        return (bool,), "true or false"
    match option.type:
        case click.IntRange():
            return (int,), "a whole number"
        case click.FloatRange():
            return (int, float), "a number"
        case MaxErrorsType():
            return (int, str), 'a whole number or a text such as "2%"'
        case click.Path():
            return (str, os.PathLike), "a text"
        case _:
            return (str,), "a text"


def _is_wanted(option: click.Option, value: object) -> bool:
    if option.multiple:
        return isinstance(value, list | tuple) and all(
            isinstance(item, str) or (isinstance(option.type, PairType) and _is_pair(item))
            for item in value
        )
    # To Python, true is a whole number.
    return isinstance(value, _wanted(option)[0]) and isinstance(value, bool) == option.is_flag


def _is_pair(item: object) -> bool:
    return isinstance(item, tuple) and list(map(type, item)) == [str, str]


def _kind(value: object) -> str:
    for kind, name in _KINDS.items():
        if isinstance(value, kind):
            return name
    return f"a {type(value).__name__}"

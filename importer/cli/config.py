"""The configuration file: TOML with options by their long names, ``[columns]``, ``[identifiers]``.

What it says stands in for the default of an option, so that arguments and the environment
beat it. Source: contract, section 2.
"""

import contextlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from importer.cli.tables import column_pairs, nearest, problem_with, table_options, unknown_name
from importer.errors import UsageError

TABLES: Final = {"columns": "map", "identifiers": "identifier"}
"""The tables of a configuration file, and the option that each stands for."""


def load_config(
    ctx: click.Context,
    param: click.Parameter,
    path: Path | None,
    written_for: click.Command | None = None,
) -> Path | None:
    """Have a configuration file stand in for the defaults of a command.

    Args:
        ctx: What is filled.
        param: The option that names the file.
        path: The file.
        written_for: The command whose options the file holds; by default that of ``ctx``.

    Raises:
        UsageError: It cannot be read, or something in it is not understood; all at once.
    """
    del param
    if path is None:
        return path
    if ctx.resilient_parsing:
        # Something is wrong already; the file may say how to tell it.
        with contextlib.suppress(UsageError):
            ctx.default_map = {name.replace("-", "_"): it for name, it in _content(path).items()}
        return path
    ctx.default_map = read_config(path, written_for or ctx.command)
    return path


def read_config(path: Path, command: click.Command) -> dict[str, object]:
    """The values of a configuration file by parameter name; paths are relative to the file.

    Raises:
        UsageError: As for :func:`load_config`.
    """
    options = table_options(command)
    values: dict[str, object] = {}
    problems: list[str] = []
    for written, value in _content(path).items():
        if written in TABLES:
            found, wrong = column_pairs(f"[{written}]", value)
            name = TABLES[written]
            values[name] = [*_listed(values.get(name)), *found]
            problems += wrong
            continue
        name = written.replace("_", "-")
        option = options.get(name)
        if option is None or option.name is None:
            problems.append(_unknown(written, value, options))
        elif wrong_value := problem_with(written, option, value):
            problems.append(wrong_value)
        elif option.multiple:
            values[option.name] = [*_listed(value), *_listed(values.get(option.name))]
        elif option.name in values:
            problems.append(f"{name} is there twice, once as {written}.")
        else:
            is_file = isinstance(option.type, click.Path) and value != "-"
            values[option.name] = path.parent / str(value) if is_file else value
    if problems:
        raise UsageError(f"--config: {path}: " + " ".join(problems))
    return values


def _content(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"--config: {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"--config: {path} is not UTF-8; save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"--config: {path} is not TOML: {error}.") from None


def _unknown(written: str, value: object, options: Mapping[str, click.Option]) -> str:
    if written == "config":
        return "config cannot name another configuration file."
    if isinstance(value, Mapping) and (near := nearest(written, TABLES)):
        return f"there is no table [{written}]; did you mean [{near}]?"
    return unknown_name(written, options)


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []

"""The options of a run as they were given, and where each comes from."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import click
from click.core import ParameterSource

from importer.cli.config import TABLES
from importer.cli.tables import problem_with, table_options
from importer.errors import UsageError
from importer.settings import MaxErrors, Setting

CALL: Final = "call"
COMMAND_LINE: Final = "command line"
ENVIRONMENT: Final = "environment"
CONFIG: Final = "config file"
DEFAULT: Final = "default"
_STRONGEST_FIRST: Final = (CALL, COMMAND_LINE, ENVIRONMENT, CONFIG, DEFAULT)
_ORIGINS: Final = {
    ParameterSource.COMMANDLINE: COMMAND_LINE,
    ParameterSource.ENVIRONMENT: ENVIRONMENT,
    ParameterSource.DEFAULT_MAP: CONFIG,
}


@dataclass(frozen=True, slots=True)
class Given:
    """The options of a run.

    Attributes:
        values: Value by parameter name, of the option's own type; ``contacts_csv`` among them.
        origins: Where each comes from, by parameter name.
        command: The command whose options they are.
    """

    values: Mapping[str, Any]
    origins: Mapping[str, str]
    command: click.Command

    @classmethod
    def of(cls, ctx: click.Context) -> Self:
        """What a command line, the environment and a configuration file say together.

        A column that an argument names leaves those of other fields where the file puts them.
        """
        values = dict(ctx.params)
        for name in values.keys() & TABLES.values():
            below = _pairs(ctx.command, name, (ctx.default_map or {}).get(name, ()))
            values[name] = below | _pairs(ctx.command, name, values[name])
        origins = {
            name: _ORIGINS.get(source, DEFAULT)
            for name in values
            if (source := ctx.get_parameter_source(name)) is not None
        }
        return cls(values, origins, ctx.command)

    @classmethod
    def of_call(cls, command: click.Command, source: Path, options: Mapping[str, object]) -> Self:
        """What a call from Python says.

        Args:
            command: The command whose options they are.
            source: The source file.
            options: Value by parameter name; None and absence stand for the default.

        Raises:
            UsageError: Values are wrong; all of them at once.
        """
        known = {option.name: option for option in table_options(command).values() if option.name}
        given = {name: value for name, value in options.items() if value is not None}
        problems = [problem_with(name, known[name], value) for name, value in given.items()]
        if any(problems):
            raise UsageError(" ".join(filter(None, problems)))
        ctx = command.make_context(
            "import_contacts", ["--", str(source)], auto_envvar_prefix=None, default_map=given
        )
        by_call = {name: CALL if name in given else DEFAULT for name in known}
        return replace(cls.of(ctx), origins=by_call)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - click's own values
        """The value of a parameter, None when there is no such one."""
        return self.values.get(name)

    def strongest(self, names: Iterable[str], choose: str) -> str | None:
        """Which of options that exclude each other counts: an argument beats a file.

        Raises:
            UsageError: Two of them have the same origin; ``choose`` is what to say.
        """
        given = [name for name in names if self[name]]
        found = [name for name in given if self.rank(name) == min(map(self.rank, given))]
        if len(found) > 1:
            raise UsageError(choose)
        return found[0] if found else None

    def rank(self, name: str) -> int:
        """How strong the origin of a parameter is; 0 is the strongest."""
        return _STRONGEST_FIRST.index(self.origins.get(name, DEFAULT))

    def shown(self, instead: Mapping[str, object], without: Container[str]) -> tuple[Setting, ...]:
        """All options for people to read.

        Args:
            instead: Values that were worked out in place of none, by parameter name.
            without: Parameters that a stronger one has set aside.
        """
        return tuple(
            Setting(
                name,
                _text(instead.get(name) if self[option.name or ""] is None else self[option.name]),
                self.origins.get(option.name or "", DEFAULT),
            )
            for name, option in sorted(table_options(self.command).items())
            if option.name not in without
        )


def _pairs(
    command: click.Command, name: str, pairs: Iterable[object]
) -> dict[str, tuple[str, ...]]:
    """The columns of each field or provider, in the order in which they were named."""
    option = next(param for param in command.params if param.name == name)
    found: dict[str, tuple[str, ...]] = {}
    for left, right in (option.type.convert(pair, option, None) for pair in pairs):
        found[left] = (*found.get(left, ()), right)
    return found


def _text(value: object) -> str:
    match value:
        case None:
            text = ""
        case bool():
            text = "yes" if value else "no"
        case Mapping():
            text = ", ".join(f"{left}={one}" for left, columns in value.items() for one in columns)
        case tuple():
            text = ", ".join(map(str, value))
        case MaxErrors():
            text = f"{value.limit:g}%" if value.is_share else f"{value.limit:.0f}"
        case float():
            text = f"{value:g}"
        case _:
            text = str(value)
    return text

"""Declared options as a click command: it splits the command line and writes the help.

Values are read by :mod:`importer.given`, together with those of the environment and the
configuration file.
"""

import os
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from importer._version import __version__
from importer.errors import ExitStatus
from importer.given import Given, from_command_line
from importer.options import Choice, File, Flag, Group, Option, argument_of, declared
from importer.settings import DestinationSettings

S = TypeVar("S", bound=DestinationSettings)

_CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_ARGUMENT: Final = "argument"


class SettingsCommand(click.Command):
    """A command whose options are those that a class of settings declares.

    Args:
        name: Its name.
        settings: The class.
        run: Runs it, with everything that was asked for.
        text: Its help.
        epilog: The end of its help.
    """

    def __init__(
        self,
        name: str,
        settings: type[S],
        run: Callable[[Given[S]], ExitStatus],
        *,
        text: str,
        epilog: str,
    ) -> None:
        self.declared = declared(settings)
        positional = argument_of(settings)
        super().__init__(
            name,
            params=[
                click.Argument(
                    [_ARGUMENT],
                    metavar=f"[{positional.name}]" if positional.is_optional else positional.name,
                    required=not positional.is_optional,
                    type=_Unread(positional),
                ),
                *map(_click_option, self.declared.values()),
            ],
            help=text,
            epilog=epilog,
            context_settings=_CONTEXT,
            callback=click.pass_context(
                lambda ctx, /, **_: run(
                    from_command_line(
                        settings, ctx.params[_ARGUMENT], arguments_of(ctx), os.environ
                    )
                )
            ),
        )
        click.version_option(__version__, prog_name=name)(self)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under the headings of their groups."""
        records: dict[str, list[tuple[str, str]]] = {group: [] for group in Group}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                option = self.declared.get(param.name or "")
                records[option.group if option else Group.OUTPUT].append(record)
        for heading, found in records.items():
            if found:
                with formatter.section(heading):
                    formatter.write_dl(found)


def arguments_of(ctx: click.Context) -> Mapping[str, object]:
    """Return what the command line has for each option, by keyword."""
    return {
        name: value
        for name, value in ctx.params.items()
        if name != _ARGUMENT and ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


class _Unread(click.ParamType[object]):
    """A value as it was typed, with completions."""

    def __init__(self, option: Option) -> None:
        self.name = option.kind.metavar
        self._kind = option.kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the completions of a value."""
        del ctx, param
        if isinstance(self._kind, File):
            return [CompletionItem(incomplete, type="file")]
        if isinstance(self._kind, Choice):
            return [CompletionItem(one) for one in self._kind.choices if one.startswith(incomplete)]
        return []


def _click_option(option: Option) -> click.Option:
    text = option.help
    if default := option.described_default:
        text += f"  [default: {default}]"
    if isinstance(option.kind, Flag):
        names = option.flags
        if option.kind.negatable:
            names = ["/".join(option.flags[:2]), *option.flags[2:]]
        return click.Option([option.keyword, *names], is_flag=True, default=None, help=text)
    return click.Option(
        [option.keyword, *option.flags],
        type=_Unread(option),
        metavar=option.kind.metavar,
        multiple=option.kind.repeatable,
        help=text,
    )

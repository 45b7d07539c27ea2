"""What arguments, variables and configuration files ask for, read as the commands read them."""

import os
from dataclasses import fields, is_dataclass
from typing import TypeVar

from importer.cli.main import command
from importer.cli.parameters import SettingsCommand, arguments_of
from importer.cli.undo import command as undo
from importer.given import Given, from_command_line
from importer.settings import DestinationSettings, ImportSettings, UndoSettings

S = TypeVar("S", bound=DestinationSettings)


def asked(*arguments: object, source: str = "contacts.csv") -> Given[ImportSettings]:
    """Read arguments of ``import-contacts``, with the environment of the test."""
    return _read(command, ImportSettings, [source, *map(str, arguments)])


def asked_undo(*arguments: object, results: str | None = "results.csv") -> Given[UndoSettings]:
    """Read arguments of ``undo-import``, with the environment of the test."""
    return _read(undo, UndoSettings, [*([results] if results else []), *map(str, arguments)])


def flat(settings: object) -> dict[str, object]:
    """Return all values of settings and those within them, by field."""
    found: dict[str, object] = {}
    for field in fields(settings):  # type: ignore[arg-type]  # every caller passes a dataclass
        value = getattr(settings, field.name)
        is_group = is_dataclass(field.type)
        found |= flat(value) if is_group else {field.name: value}
    return found


def _read(of: SettingsCommand, settings: type[S], arguments: list[str]) -> Given[S]:
    with of.make_context(of.name, arguments) as ctx:
        given = arguments_of(ctx)
        return from_command_line(settings, ctx.params["argument"], given, os.environ)

"""Variables that look like ours and are none, so that a typing error is not passed over."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import click

from importer.cli.tables import long_name, unknown_name
from importer.errors import UsageError

PREFIX: Final = "IMPORT_CONTACTS_"
# Kubernetes gives these to every container when a Service is called import-contacts.
_OF_A_SERVICE: Final = re.compile(r"SERVICE_(HOST|PORT\w*)|PORT(_\d+_(TCP|UDP|SCTP)\w*)?")


def variable(option: click.Option) -> str:
    """The variable that an option can come from."""
    return PREFIX + long_name(option).upper().replace("-", "_")


def check_environment(names: Iterable[str], command: click.Command) -> None:
    """See to it that every ``IMPORT_CONTACTS_`` variable is that of an option.

    Raises:
        UsageError: Some are not; all at once, each with the nearest name.
    """
    options: Mapping[str, click.Option] = {
        long_name(option): option for option in command.params if isinstance(option, click.Option)
    }
    known = {variable(option) for option in options.values()}
    problems = [
        f"{name}: {unknown_name(name.removeprefix(PREFIX).lower().replace('_', '-'), options)}"
        for name in sorted(names)
        if name.startswith(PREFIX)
        and name not in known
        and not _OF_A_SERVICE.fullmatch(name.removeprefix(PREFIX))
    ]
    if problems:
        raise UsageError("In the environment: " + " ".join(problems))

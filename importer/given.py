"""What was asked for, by a command line, the environment, a configuration file or a call.

All values are read by the kinds of the declared options (:mod:`importer.settings`); everything
that is wrong with them is reported in one error. The environment and the configuration file are
those of ``import-contacts``; another command takes from them the options that it shares.

Source: docs/options.md.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

from importer.errors import UsageError
from importer.options import (
    PREFIX,
    BadValueError,
    File,
    Flag,
    Option,
    Origin,
    Table,
    argument_of,
    build,
    collected,
    declared,
    shown_values,
)
from importer.settings import DestinationSettings, ImportSettings, LogFormat, Setting

S = TypeVar("S", bound=DestinationSettings)

CREDENTIAL_VARIABLES: Final = ("SITECORE_CDP_CLIENT_KEY", "SITECORE_CDP_API_TOKEN")
_CREDENTIAL_WORDS: Final = frozenset(
    {"credential", "clientkey", "apikey", "token", "password", "secret", "user"}
)
# Kubernetes sets these in every container when a Service is called import-contacts.
_OF_A_SERVICE: Final = re.compile(r"SERVICE_(HOST|PORT\w*)|PORT(_\d+_(TCP|UDP|SCTP)\w*)?")
_STRENGTH: Final = {origin: number for number, origin in enumerate(Origin)}

Values = dict[str, object]


@dataclass(frozen=True, slots=True)
class Given(Generic[S]):
    """What was asked for.

    Attributes:
        options: Every option with its value.
        origins: Where the values come from, by keyword; an option that is not in it has its
            default.
    """

    options: S
    origins: Mapping[str, Origin]

    def origin(self, keyword: str) -> Origin:
        """Return where the value of an option comes from."""
        return self.origins.get(keyword, Origin.DEFAULT)

    def strongest(self, choices: Mapping[str, object], message: str) -> str | None:
        """Return which of several options that exclude each other applies.

        Args:
            choices: Their values by keyword. One that is not set is not chosen.
            message: What to do when two of the same origin are set.

        Raises:
            UsageError: Two of the same origin are set.
        """
        chosen = [keyword for keyword, value in choices.items() if value]
        strength = min((_STRENGTH[self.origin(keyword)] for keyword in chosen), default=0)
        found = [key for key in chosen if _STRENGTH[self.origin(key)] == strength]
        if len(found) > 1:
            raise UsageError(message)
        return found[0] if found else None

    def shown(
        self, resolved: Mapping[str, object], without: Iterable[str] = ()
    ) -> tuple[Setting, ...]:
        """Return all options for people, by name.

        Args:
            resolved: Values that were worked out for options that were not given.
            without: Keywords of options that a stronger one has set aside.
        """
        settings = [
            Setting(option.name, value or str(resolved.get(option.keyword, "")), origin)
            for option, value in shown_values(self.options)
            if option.keyword not in {"config", *without}
            for origin in [self.origin(option.keyword)]
        ]
        return tuple(sorted(settings, key=lambda one: one.name))


def from_command_line(
    cls: type[S],
    argument: str | None,
    arguments: Mapping[str, object],
    environment: Mapping[str, str],
) -> Given[S]:
    """Read the arguments of a command, its environment and the configuration file they name.

    Args:
        cls: The settings of the command.
        argument: The argument without a name; None if it was left out.
        arguments: Texts, or whether a switch was set, by keyword.
        environment: All variables.

    Raises:
        UsageError: Values or names are wrong; all of them are reported.
    """
    problems: list[str] = []
    options = declared(cls)
    positional = argument_of(cls)
    above: Values = {}
    if argument is not None:
        try:
            above[positional.keyword] = positional.kind.parse(argument)
        except BadValueError as error:
            problems += [f"{positional.name}{problem}" for problem in error.problems]
    above |= _from_arguments(options, arguments, problems)
    middle = _from_environment(options, environment, problems)
    unknown = _unknown_variables(environment)
    if unknown:
        problems.append("In the environment: " + " ".join(unknown))
    below: Values = {}
    path = above.get("config", middle.get("config"))
    if isinstance(path, Path):
        try:
            found = read_config(path)
        except UsageError as error:
            problems.append(str(error))
        else:
            below = {
                keyword: value
                for keyword, value in found.items()
                if keyword in options and Origin.CONFIG in options[keyword].sources
            }
    if problems:
        raise UsageError(" ".join(problems))
    return _merged(
        cls,
        {Origin.COMMAND_LINE: above, Origin.ENVIRONMENT: middle, Origin.CONFIG: below},
    )


def from_call(cls: type[S], argument: Path, keywords: Mapping[str, object]) -> Given[S]:
    """Read the keyword arguments of a call; None stands for the default.

    Args:
        cls: The settings of the command.
        argument: The argument without a name.
        keywords: Values by keyword.

    Raises:
        UsageError: Values are wrong; all of them are reported.
    """
    problems: list[str] = []
    values: Values = {argument_of(cls).keyword: argument}
    for keyword, value in keywords.items():
        if value is not None:
            kind = declared(cls)[keyword].kind
            read = kind.from_table if isinstance(kind, Table) else kind.from_value
            try:
                values[keyword] = read(value)
            except BadValueError as error:
                problems += [f"{keyword}{problem}" for problem in error.problems]
    if problems:
        raise UsageError(" ".join(problems))
    return _merged(cls, {Origin.CALL: values})


def read_config(path: Path) -> Values:
    """Read a configuration file of ``import-contacts``; paths are relative to the file.

    Returns:
        Values by keyword.

    Raises:
        UsageError: It cannot be read, or names or values in it are wrong; all are reported.
    """
    by_name = {one.name: one for one in _of_files().values()}
    tables = {key: one.kind for key, one in _of_files().items() if isinstance(one.kind, Table)}
    values: Values = {}
    added: dict[str, Mapping[str, tuple[str, ...]]] = {}
    problems: list[str] = []
    for written, value in _content(path).items():
        try:
            if table := tables.get(written):
                added[written] = table.from_table(value)
                continue
            option = by_name.get(written.replace("_", "-"))
            if option is None:
                problems.append(_unknown_key(written, value, by_name, tables))
            elif option.keyword in values:
                problems.append(f"{option.name} is given twice, once as {written}.")
            else:
                read = option.kind.from_value(value)
                beside = isinstance(option.kind, File) and value != "-"
                values[option.keyword] = path.parent / read if beside else read
        except BadValueError as error:
            label = f"[{written}]" if written in tables else written
            problems += [f"{label}{problem}" for problem in error.problems]
    if problems:
        raise UsageError(f"--config: {path}: " + " ".join(problems))
    for keyword, table_values in added.items():
        listed = values.get(keyword)
        both = [listed if isinstance(listed, Mapping) else {}, table_values]
        values[keyword] = collected(
            (name, one) for found in both for name, several in found.items() for one in several
        )
    return values


def requested_log_format(
    arguments: Mapping[str, object], environment: Mapping[str, str]
) -> LogFormat:
    """Return the log format that was asked for, although something else may be wrong."""
    options = declared(ImportSettings)
    wanted = options["log_format"]
    found = [arguments.get("log_format"), environment.get(wanted.variable)]
    path = arguments.get("config") or environment.get(options["config"].variable)
    if isinstance(path, str):
        try:
            content = _content(Path(path))
        except UsageError:
            content = {}
        found += [content.get(wanted.name), content.get(wanted.keyword)]
    for value in found:
        if value in set(LogFormat):
            return LogFormat(str(value))
    return LogFormat.TEXT


def credentials_hint(name: str) -> str:
    """Return where credentials belong, if a name sounds like that of one, else ``""``."""
    folded = "".join(character for character in name.lower() if character.isalpha())
    if not any(word in folded for word in _CREDENTIAL_WORDS):
        return ""
    return (
        f'"{name}" is not an option: credentials belong in a file of their own '
        f"(credentials-file) or in {' and '.join(CREDENTIAL_VARIABLES)}."
    )


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the name that is most like another one, ``""`` when none is."""
    from difflib import get_close_matches  # noqa: PLC0415 - only after a mistake

    found = get_close_matches(name.lower().replace("_", "-"), list(names), n=1)
    return found[0] if found else ""


def _of_files() -> dict[str, Option]:
    options = declared(ImportSettings)
    return {key: one for key, one in options.items() if Origin.CONFIG in one.sources}


def _from_arguments(
    options: Mapping[str, Option], arguments: Mapping[str, object], problems: list[str]
) -> Values:
    values: Values = {}
    for keyword, given in arguments.items():
        kind = options[keyword].kind
        texts = given if isinstance(given, tuple) else (given,)
        try:
            is_switch = isinstance(kind, Flag)
            values[keyword] = kind.from_value(given) if is_switch else kind.from_texts(texts)
        except BadValueError as error:
            problems += [f"--{options[keyword].name}{problem}" for problem in error.problems]
    return values


def _from_environment(
    options: Mapping[str, Option], environment: Mapping[str, str], problems: list[str]
) -> Values:
    values: Values = {}
    for keyword, option in options.items():
        text = environment.get(option.variable)
        texts = option.kind.split(text) if text else []
        if texts and Origin.ENVIRONMENT in option.sources:
            try:
                values[keyword] = option.kind.from_texts(texts)
            except BadValueError as error:
                problems += [f"{option.variable}{problem}" for problem in error.problems]
    return values


def _unknown_variables(names: Iterable[str]) -> list[str]:
    """Return what is wrong with variables that are no option's, so that a typo is not ignored."""
    options = declared(ImportSettings).values()
    known = {one.variable for one in options if Origin.ENVIRONMENT in one.sources}
    return [
        f"{name}: {_unknown_name(rest.lower().replace('_', '-'), [one.name for one in options])}"
        for name in sorted(names)
        if name.startswith(PREFIX) and name not in known
        for rest in [name.removeprefix(PREFIX)]
        if not _OF_A_SERVICE.fullmatch(rest)
    ]


def _unknown_name(name: str, names: Iterable[str]) -> str:
    if hint := credentials_hint(name):
        return hint
    near = nearest(name, names)
    return f'there is no option "{name}"' + (f"; did you mean {near}?" if near else ".")


def _unknown_key(written: str, value: object, names: Iterable[str], tables: Iterable[str]) -> str:
    if written == "config":
        return "config cannot name another configuration file."
    if isinstance(value, Mapping) and (near := nearest(written, tables)):
        return f"there is no table [{written}]; did you mean [{near}]?"
    return _unknown_name(written, names)


def _content(path: Path) -> dict[str, object]:
    import tomllib  # noqa: PLC0415 - only with a configuration file

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"--config: {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"--config: {path} is not UTF-8; save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"--config: {path} is not valid TOML: {error}.") from None


def _merged(cls: type[S], layers: Mapping[Origin, Values]) -> Given[S]:
    """Return the settings from values by origin, the strongest first."""
    values: Values = {}
    origins: dict[str, Origin] = {}
    for option in (argument_of(cls), *declared(cls).values()):
        keyword, kind = option.keyword, option.kind
        for origin, layer in layers.items():
            if keyword in layer and keyword not in origins:
                origins[keyword], values[keyword] = origin, layer[keyword]
            elif keyword in layer and isinstance(kind, Table):
                values[keyword] = _over(values[keyword], layer[keyword], folds=kind.names_fields)
    return Given(build(cls, values), origins)


def _over(above: object, below: object, *, folds: bool) -> Mapping[str, tuple[str, ...]]:
    """Return the entries of two tables; for a name that is in both, only those of ``above``."""
    if not (isinstance(above, Mapping) and isinstance(below, Mapping)):
        raise TypeError
    if not folds:
        return {**below, **above}
    from schemas.headers import target_of  # noqa: PLC0415 - --help need not wait

    settled = {target_of(name) or name for name in above}
    kept = {name: it for name, it in below.items() if (target_of(name) or name) not in settled}
    return {**kept, **above}

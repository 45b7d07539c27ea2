"""The forms that option values take."""

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, cast

import click

from importer.settings import MaxErrors

_BLANK: Final = "it is blank; leave it out, or see if a variable in the command is not set."


class TextType(click.ParamType[str]):
    """A text that says something."""

    name = "TEXT"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The text as it is written."""
        if not value:
            # In its place, that of a configuration file would count without a word.
            self.fail(_BLANK, param, ctx)
        return _as_utf8(str(value))


class FileType(click.Path):
    """The path of a file.

    Args:
        or_stream: Whether ``-`` stands for a standard stream.
    """

    def __init__(self, *, or_stream: bool = False) -> None:
        super().__init__(path_type=Path)
        self.name = "file"
        self._or_stream = or_stream

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """The path."""
        if not os.fspath(value):
            self.fail(_BLANK, param, ctx)
        if os.fspath(value) == "-" and not self._or_stream:
            self.fail("it must be a file; - has no meaning here.", param, ctx)
        return Path(value)


class ColumnType(TextType):
    """The name of a column; in a variable, several stand in lines or between semicolons."""

    name = "COLUMN"
    separators = r"[;\n]"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """The values of a repeatable option that one variable holds."""
        return _split(self.separators, rv)


class FieldType(ColumnType):
    """The name of a field, which holds no blanks: commas and blanks separate several, too."""

    name = "FIELD"
    separators = r"[;,\s]"


class PairType(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``; in a variable, several stand in lines or between semicolons."""

    def __init__(self, left: str, right: str) -> None:
        self.name = f"{left}={right}"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """The two parts, trimmed."""
        if isinstance(value, tuple):
            return value
        left, equals, right = _as_utf8(str(value)).partition("=")
        if not (equals and left.strip() and right.strip()):
            self.fail(f"{value!r} is not of the form {self.name}.", param, ctx)
        return left.strip(), right.strip()

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """The form, as the help shows it."""
        del param, ctx
        return self.name

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """The pairs that one variable holds."""
        return _split(ColumnType.separators, rv)


class DelimiterType(click.ParamType[str]):
    """One character, or the word ``tab``."""

    name = "CHARACTER"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The character."""
        text = {"tab": "\t", r"\t": "\t"}.get(str(value).lower(), str(value))
        if len(text) != 1:
            self.fail(f"{value!r} is not one character (write tab for a tab).", param, ctx)
        return text


class PositiveType(click.FloatRange):
    """A number above 0 that is no infinity.

    Args:
        most: The greatest one.
    """

    def __init__(self, most: float | None = None) -> None:
        super().__init__(min=0, min_open=True, max=most)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number."""
        number = float(super().convert(cast("float", value), param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class MaxErrorsType(click.ParamType[MaxErrors]):
    """A number of rows, or a percentage."""

    name = "N|N%"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> MaxErrors:
        """The limit."""
        if isinstance(value, MaxErrors):
            return value
        text = str(value).strip()
        is_share = text.endswith("%")
        try:
            limit = float(text[:-1]) if is_share else int(text)
        except ValueError:
            limit = -1
        if not 0 <= limit <= (100 if is_share else limit):
            self.fail(f"{value!r} is neither a number nor a percentage such as 2.5%.", param, ctx)
        return MaxErrors(limit, is_share)


def _as_utf8(text: str) -> str:
    """An argument as it was typed; without a locale, Python takes arguments for ASCII."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8")
    except UnicodeError:
        return text


def _split(separators: str, text: str) -> Sequence[str]:
    return [part.strip() for part in re.split(separators, text) if part.strip()]

"""The forms that option values take."""

import math
import re
from collections.abc import Sequence
from typing import cast

import click

from importer.settings import MaxErrors


class ColumnType(click.ParamType[str]):
    """The name of a column; in a variable, several stand in lines or between semicolons."""

    name = "COLUMN"
    separators = r"[;\n]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """The name as it is written."""
        del param, ctx
        return _as_utf8(str(value))

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
    """A number above 0 that is no infinity."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True)

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

"""The forms that option values take."""

import click

from importer.settings import MaxErrors


class PairType(click.ParamType[tuple[str, str]]):
    """``NAME=VALUE``."""

    def __init__(self, left: str, right: str) -> None:
        self.name = f"{left}={right}"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """The two parts, trimmed."""
        if isinstance(value, tuple):
            return value
        left, equals, right = str(value).partition("=")
        if not (equals and left.strip() and right.strip()):
            self.fail(f"{value!r} is not of the form {self.name}.", param, ctx)
        return left.strip(), right.strip()

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """The form, as the help shows it."""
        del param, ctx
        return self.name


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

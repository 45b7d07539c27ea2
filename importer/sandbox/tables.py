"""Typed reading of tables that a person wrote; a mistyped name is told with the nearest one."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final, TypeVar

from importer.sandbox.faults import Latency
from importer.sandbox.options import SandboxError

_Word = TypeVar("_Word", bound=StrEnum)
_Default = TypeVar("_Default")

_SECONDS: Final = r"(\d+(?:\.\d*)?|\.\d+)"
_LATENCY: Final = re.compile(rf"(?:{_SECONDS}(?:-{_SECONDS})?|exp:{_SECONDS})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a file, or the pairs of one option.

    Attributes:
        content: As the TOML parser gave it.
        where: What an error text begins with.
    """

    content: Mapping[str, Any]
    where: str

    def refuse_unknown(self, names: Sequence[str]) -> None:
        """Raise a SandboxError for the first key that is not one of ``names``."""
        for key in self.content:
            self._known(key, names, "is not known")

    def text(self, key: str, default: str) -> str:
        """Return a text."""
        value = self.content.get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value

    def texts(self, key: str) -> list[str]:
        """Return one text or several as a list."""
        values = self._several(key)
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(key, "a text or a list of texts")
        return values

    def word(self, key: str, words: type[_Word]) -> _Word:
        """Return a required member of ``words``."""
        if key not in self.content:
            raise SandboxError(f"{self.where}: {key} is missing; it is one of {_listed(words)}.")
        return words(self._known(self.content[key], list(words), f"is no {key}"))

    def words(self, key: str, words: type[_Word]) -> list[_Word]:
        """Return one member of ``words`` or several as a list."""
        known = list(words)
        return [words(self._known(value, known, f"is no {key}")) for value in self._several(key)]

    def flag(self, key: str) -> bool:
        """Return true or false, false by default."""
        value = self.content.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def whole(self, key: str, default: _Default, least: int | None = 1) -> int | _Default:
        """Return a whole number that is not below ``least``."""
        if key not in self.content:
            return default
        value = self.content[key]
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, "a whole number")
        if least is not None and value < least:
            raise self._wrong(key, f"a whole number, {least} or more")
        return value

    def wholes(self, key: str) -> list[int]:
        """Return one whole number from 1 or several as a list."""
        single = [Table({key: value}, self.where) for value in self._several(key)]
        return [table.whole(key, 1) for table in single]

    def number(self, key: str, default: _Default) -> float | _Default:
        """Return a finite number above 0."""
        if key not in self.content:
            return default
        value = self.content[key]
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise self._wrong(key, "a number")
        if not (math.isfinite(value) and value > 0):
            raise self._wrong(key, "a number above 0")
        return float(value)

    def tables(self, key: str) -> "list[Table]":
        """Return the tables of an array of tables."""
        values = self.content.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise SandboxError(f"{self.where}: write [[{key}]] above each {key}.")
        return [
            Table(value, f"{self.where}, {key} {position}")
            for position, value in enumerate(values, start=1)
        ]

    def _several(self, key: str) -> list[Any]:
        value = self.content.get(key, [])
        return value if isinstance(value, list) else [value]

    def _known(self, value: object, names: Sequence[str], complaint: str) -> str:
        if isinstance(value, str) and value in names:
            return value
        nearest = get_close_matches(str(value), names, n=1)
        remedy = f"did you mean {nearest[0]}?" if nearest else f"take one of {_listed(names)}."
        raise SandboxError(f"{self.where}: {value!r} {complaint}; {remedy}")

    def _wrong(self, key: str, expected: str) -> SandboxError:
        return SandboxError(f"{self.where}: {key} must be {expected}.")


def read_latency(text: str, where: str) -> Latency:
    """Read how long every answer waits.

    Args:
        text: ``0.05`` (seconds), ``0.02-0.08`` (spread evenly) or ``exp:0.05`` (spread
            exponentially, by its mean).
        where: What an error text begins with.

    Raises:
        SandboxError: It is none of these.
    """
    shape = _LATENCY.match(text)
    if shape is None:
        raise SandboxError(
            f"{where}: latency must be 0.05 (seconds), 0.02-0.08 (spread evenly) "
            f"or exp:0.05 (spread exponentially, by its mean)."
        )
    low, high, mean = (float(part) if part else None for part in shape.groups())
    if low is not None and high is not None and high < low:
        raise SandboxError(f"{where}: latency {text} ends before it begins.")
    return Latency(low or 0.0, (low if high is None else high) or 0.0, mean or 0.0)


def _listed(names: "Sequence[str] | type[StrEnum]") -> str:
    return ", ".join(str(name) for name in names)

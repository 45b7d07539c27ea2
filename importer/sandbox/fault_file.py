"""Reads faults from a TOML file or an option. Unknown names and values are errors.

Source: docs/sandbox.md.
"""

import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from importer.sandbox.faults import (
    ALWAYS_APPLIED,
    TIMED,
    FaultAction,
    FaultRule,
    Faults,
    Latency,
)
from importer.sandbox.messages import Call
from importer.sandbox.settings import SandboxError
from importer.sandbox.store import canonical_uuid

_Word = TypeVar("_Word", bound=StrEnum)
_Default = TypeVar("_Default")

_SECONDS: Final = r"(\d+(?:\.\d*)?|\.\d+)"
_LATENCY: Final = re.compile(rf"(?:{_SECONDS}(?:-{_SECONDS})?|exp:{_SECONDS})\Z", re.ASCII)
_FILE_KEYS: Final = ("seed", "latency", "rate_limit", "fault")
_RULE_KEYS: Final = (
    "action", "name", "call", "order", "share", "turn", "every",
    "applied", "status", "retry_after", "seconds",
)  # fmt: skip
_SELECTORS: Final = ("share", "turn", "every")
_ERROR_STATUSES: Final = range(300, 600)
_GATEWAY_STATUSES: Final = range(502, 505)


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of a file, or the pairs of one option, read with types.

    Attributes:
        content: As the TOML parser returned it.
        where: The beginning of an error message.
    """

    content: Mapping[str, Any]
    where: str

    def refuse_unknown(self, names: Sequence[str]) -> None:
        """Raise a SandboxError for the first key that is not one of ``names``."""
        for key in self.content:
            self._known(key, names, "is not known")

    def text(self, key: str, default: str) -> str:
        """Return a string."""
        value = self.content.get(key, default)
        if not isinstance(value, str):
            raise self._wrong(key, "a string")
        return value

    def texts(self, key: str) -> list[str]:
        """Return one string or several as a list."""
        values = self._several(key)
        if not all(isinstance(value, str) for value in values):
            raise self._wrong(key, "a string or a list of strings")
        return values

    def word(self, key: str, words: type[_Word]) -> _Word:
        """Return a required member of ``words``."""
        if key not in self.content:
            raise SandboxError(f"{self.where}: {key} is missing; it is one of {_listed(words)}.")
        return words(self._known(self.content[key], list(words), f"is not a valid {key}"))

    def words(self, key: str, words: type[_Word]) -> list[_Word]:
        """Return one member of ``words`` or several as a list."""
        known = list(words)
        return [
            words(self._known(value, known, f"is not a valid {key}"))
            for value in self._several(key)
        ]

    def flag(self, key: str) -> bool:
        """Return a boolean, with false as its default."""
        value = self.content.get(key, False)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def whole(self, key: str, default: _Default, least: int | None = 1) -> int | _Default:
        """Return a whole number of at least ``least``."""
        if key not in self.content:
            return default
        value = self.content[key]
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(key, "a whole number")
        if least is not None and value < least:
            raise self._wrong(key, f"a whole number, {least} or more")
        return value

    def wholes(self, key: str) -> list[int]:
        """Return one whole number of at least 1 or several as a list."""
        single = [_Table({key: value}, self.where) for value in self._several(key)]
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

    def tables(self, key: str) -> "list[_Table]":
        """Return the tables of an array of tables."""
        values = self.content.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise SandboxError(f"{self.where}: write [[{key}]] above each {key}.")
        return [
            _Table(value, f"{self.where}, {key} {position}")
            for position, value in enumerate(values, start=1)
        ]

    def _several(self, key: str) -> list[Any]:
        value = self.content.get(key, [])
        return value if isinstance(value, list) else [value]

    def _known(self, value: object, names: Sequence[str], complaint: str) -> str:
        if isinstance(value, str) and value in names:
            return value
        nearest = get_close_matches(str(value), names, n=1)
        remedy = f"did you mean {nearest[0]}?" if nearest else f"use one of {_listed(names)}."
        raise SandboxError(f"{self.where}: {value!r} {complaint}; {remedy}")

    def _wrong(self, key: str, expected: str) -> SandboxError:
        return SandboxError(f"{self.where}: {key} must be {expected}.")


def read_faults(path: Path) -> Faults:
    """Read a file such as ``sample_data/bad-day.toml``.

    Raises:
        SandboxError: It cannot be read, or a name or value in it is invalid.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SandboxError(f"Cannot read the faults file {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SandboxError(f"The faults file {path} is not UTF-8.") from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SandboxError(f"The faults file {path} is not TOML: {error}.") from None
    return _faults(_Table(content, f"The faults file {path}"))


def read_rule(text: str, position: int) -> FaultRule:
    """Read one rule from an option, for example ``action=drop,share=0.05,applied=true``.

    Args:
        text: ``key=value`` pairs, separated by commas.
        position: Position of the option, from 1; it names a rule without a name.

    Raises:
        SandboxError: A name or value in it is invalid.
    """
    pairs: dict[str, Any] = {}
    for pair in text.split(","):
        key, sign, value = (part.strip() for part in pair.partition("="))
        if not sign:
            raise SandboxError(f"--fault {text!r}: {pair!r} has no '='; write action=drop.")
        pairs[key] = value
        with suppress(tomllib.TOMLDecodeError):  # a bare word is a string
            pairs[key] = tomllib.loads(f"value = {value}")["value"]
    return _rule(_Table(pairs, f"--fault {text!r}"), f"--fault {position}")


def read_latency(text: str, where: str) -> Latency:
    """Read the wait before every answer.

    Args:
        text: ``0.05`` (seconds), ``0.02-0.08`` (uniformly distributed) or ``exp:0.05``
            (exponentially distributed, by its mean).
        where: The beginning of an error message.

    Raises:
        SandboxError: It has another form.
    """
    shape = _LATENCY.match(text)
    if shape is None:
        raise SandboxError(
            f"{where}: latency must be 0.05 (seconds), 0.02-0.08 (uniform) "
            f"or exp:0.05 (exponential, by its mean)."
        )
    low, high, mean = (float(part) if part else None for part in shape.groups())
    if low is not None and high is not None and high < low:
        raise SandboxError(
            f"{where}: latency {text} ends below its start; write {shape[2]}-{shape[1]}."
        )
    return Latency(low or 0.0, (low if high is None else high) or 0.0, mean or 0.0)


def _faults(table: _Table) -> Faults:
    table.refuse_unknown(_FILE_KEYS)
    return Faults(
        seed=table.whole("seed", 0, least=None),
        latency=read_latency(str(table.content.get("latency", 0)), table.where),
        rate_limit=table.number("rate_limit", None),
        rules=tuple(
            _rule(rule, f"fault {position}")
            for position, rule in enumerate(table.tables("fault"), start=1)
        ),
    )


def _rule(table: _Table, name: str) -> FaultRule:
    table.refuse_unknown(_RULE_KEYS)
    action = table.word("action", FaultAction)
    _refuse_contradictions(table, action)
    share = table.number("share", None)
    if share is not None and share > 1:
        raise SandboxError(f"{table.where}: share must be above 0 and at most 1, as 0.05.")
    allowed = _GATEWAY_STATUSES if action is FaultAction.PAGE else _ERROR_STATUSES
    status = table.whole("status", allowed[0] if action is FaultAction.PAGE else 503)
    if status not in allowed:
        raise SandboxError(
            f"{table.where}: status must be from {allowed[0]} to {allowed[-1]} "
            f"when action is {action}."
        )
    return FaultRule(
        action=action,
        name=table.text("name", f"{name}: {action}"),
        calls=frozenset(table.words("call", Call)),
        orders=frozenset(canonical_uuid(order) or order for order in table.texts("order")),
        share=share,
        turns=frozenset(table.wholes("turn")),
        every=table.whole("every", None),
        applied=action in ALWAYS_APPLIED or table.flag("applied"),
        status=status,
        retry_after=str(table.content.get("retry_after", "")),
        seconds=table.number("seconds", 0.0),
    )


def _refuse_contradictions(table: _Table, action: FaultAction) -> None:
    given = table.content
    selectors = [key for key in _SELECTORS if key in given]
    if len(selectors) > 1:
        raise SandboxError(f"{table.where}: give only one of {' and '.join(selectors)}.")
    if action in TIMED and "seconds" not in given:
        raise SandboxError(f"{table.where}: action {action} needs seconds.")
    unused = [
        *(["seconds"] if action not in TIMED else []),
        *(
            ["status", "retry_after"]
            if action not in {FaultAction.STATUS, FaultAction.PAGE}
            else []
        ),
        *(["applied"] if action in ALWAYS_APPLIED else []),
    ]
    for key in unused:
        if key in given:
            raise SandboxError(
                f"{table.where}: {key} has no effect with action {action}; remove it."
            )


def _listed(names: "Sequence[str] | type[StrEnum]") -> str:
    return ", ".join(str(name) for name in names)

"""Reads misbehaviour from a TOML file or an option; what it cannot understand is an error."""

import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from importer.sandbox.api import Call
from importer.sandbox.faults import ALWAYS_APPLIED, TIMED, Action, Misbehaviour, Rule
from importer.sandbox.options import SandboxError
from importer.sandbox.orders import canonical_uuid
from importer.sandbox.tables import Table, read_latency

_FILE_KEYS: Final = ("seed", "latency", "rate_limit", "fault")
_RULE_KEYS: Final = (
    "action", "name", "call", "order", "share", "turn", "every",
    "applied", "status", "retry_after", "seconds",
)  # fmt: skip
_SELECTORS: Final = ("share", "turn", "every")
_ERROR_STATUSES: Final = range(300, 600)
_GATEWAY_STATUSES: Final = range(502, 505)


def read_misbehaviour(path: Path) -> Misbehaviour:
    """Read a file such as ``sample_data/bad-day.toml``.

    Raises:
        SandboxError: It cannot be read, or a name or value in it is not understood.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as fault:
        raise SandboxError(f"Cannot read the faults file {path}: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise SandboxError(f"The faults file {path} is not UTF-8.") from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise SandboxError(f"The faults file {path} is not TOML: {fault}.") from None
    return _misbehaviour(Table(content, f"The faults file {path}"))


def read_rule(text: str, position: int) -> Rule:
    """Read one rule from an option, for example ``action=drop,share=0.05,applied=true``.

    Args:
        text: ``key=value`` pairs with a comma between them.
        position: Which such option it is, from 1; it names the rule that has no name.

    Raises:
        SandboxError: A name or value in it is not understood.
    """
    pairs: dict[str, Any] = {}
    for pair in text.split(","):
        key, sign, value = (part.strip() for part in pair.partition("="))
        if not sign:
            raise SandboxError(f"--fault {text!r}: {pair!r} has no '='; write action=drop.")
        pairs[key] = value
        with suppress(tomllib.TOMLDecodeError):  # a bare word is a text
            pairs[key] = tomllib.loads(f"value = {value}")["value"]
    return _rule(Table(pairs, f"--fault {text!r}"), f"--fault {position}")


def _misbehaviour(table: Table) -> Misbehaviour:
    table.refuse_unknown(_FILE_KEYS)
    return Misbehaviour(
        seed=table.whole("seed", 0, least=None),
        latency=read_latency(str(table.content.get("latency", 0)), table.where),
        rate_limit=table.number("rate_limit", None),
        rules=tuple(
            _rule(rule, f"fault {position}")
            for position, rule in enumerate(table.tables("fault"), start=1)
        ),
    )


def _rule(table: Table, name: str) -> Rule:
    table.refuse_unknown(_RULE_KEYS)
    action = table.word("action", Action)
    _refuse_contradictions(table, action)
    share = table.number("share", None)
    if share is not None and share > 1:
        raise SandboxError(f"{table.where}: share must be above 0 and at most 1, as 0.05.")
    allowed = _GATEWAY_STATUSES if action is Action.PAGE else _ERROR_STATUSES
    status = table.whole("status", allowed[0] if action is Action.PAGE else 503)
    if status not in allowed:
        raise SandboxError(
            f"{table.where}: status must be from {allowed[0]} to {allowed[-1]} "
            f"when action is {action}."
        )
    return Rule(
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


def _refuse_contradictions(table: Table, action: Action) -> None:
    given = table.content
    selectors = [key for key in _SELECTORS if key in given]
    if len(selectors) > 1:
        raise SandboxError(f"{table.where}: take one of {' and '.join(selectors)}.")
    if action in TIMED and "seconds" not in given:
        raise SandboxError(f"{table.where}: action {action} needs seconds.")
    unused = [
        *(["seconds"] if action not in TIMED else []),
        *(["status", "retry_after"] if action not in {Action.STATUS, Action.PAGE} else []),
        *(["applied"] if action in ALWAYS_APPLIED else []),
    ]
    for key in unused:
        if key in given:
            raise SandboxError(f"{table.where}: {key} means nothing for action {action}.")

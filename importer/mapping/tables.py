"""What the options say about values: texts that are blank, translations, and defaults.

They are applied before any value is checked, so a translated value or a default passes the same
checks as a value of the file.

Source: docs/input.md, "Values of your own".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import pandas as pd

from importer.errors import UsageError
from importer.mapping.lists import text_splitter
from importer.records import Batch, Issue, Mapped
from importer.settings import MappingOptions
from schemas.fields import FIELDS, IDENTIFIERS, ORDER_REF, TEXT_LIST_FIELDS
from schemas.headers import no_such_field, quoted, target_of
from schemas.text import BLANKS

Check = Callable[[Mapped, Batch], Mapping[int, tuple[Issue, ...]]]
"""Returns what is wrong with the rows of a batch, by row number."""

_ANY_ORDER: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a run, by API field.

    Attributes:
        null: Texts of cells that are blank, trimmed.
        translations: What values become, by their folded text.
        defaults: Value of rows in which the field is blank: a text, or a tuple for a list.
        problems: What is wrong with the tables.
    """

    null: frozenset[str] = frozenset()
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, options: MappingOptions) -> Self:
        """Read the tables of the options; what is wrong with them is left out."""
        problems: list[str] = []
        translations: dict[str, dict[str, str]] = {}
        for name, text, becomes in options.translations:
            if found := _field(name, "--value", problems):
                table = translations.setdefault(found, {})
                _add_translation(table, found, text, becomes, problems)
        defaults: dict[str, object] = {}
        for name, texts in options.defaults.items():
            if found := _field(name, "--default", problems):
                value = texts[0].strip(BLANKS)
                if found in defaults or len(texts) > 1:
                    problems.append(f"--default {found} is given twice; name one value for it")
                defaults[found] = value
                if found in TEXT_LIST_FIELDS:
                    items = text_splitter(found, options.list_separator)(value)
                    if not isinstance(items, tuple):
                        problems += [f"--default {found}: {text}" for text in items.messages]
                        items = ()
                    defaults[found] = items
        return cls(
            frozenset(text.strip(BLANKS) for text in options.null),
            translations,
            {name: value for name, value in defaults.items() if value},
            tuple(problems),
        )


def check_tables(options: MappingOptions, check: Check) -> None:
    """Refuse tables of values and defaults with anything wrong in them.

    Args:
        options: The options with the tables.
        check: What checks rows of the source file.

    Raises:
        UsageError: A field does not exist, a text is translated twice, or a value is not valid
            for its field; all faults at once.
    """
    tables = Tables.of(options)
    entries: list[tuple[str, str, object]] = [
        (f"--default {name}", name, value) for name, value in tables.defaults.items()
    ]
    for name, table in tables.translations.items():
        for text in dict.fromkeys(filter(None, table.values())):
            value = (text,) if name in TEXT_LIST_FIELDS else text
            entries.append((f"--value {name}:…={quoted(text)}", name, value))
    problems = [*tables.problems, *_invalid(entries, check)]
    if problems:
        raise UsageError("; ".join(problems))


def _field(name: str, option: str, problems: list[str]) -> str:
    """Return the field that *name* means, or ``""`` and a problem."""
    target = target_of(name)
    if target is None:
        problems.append(f"{option} {name}: {no_such_field(name)}")
        return ""
    if target.field == IDENTIFIERS:
        problems.append(
            f"{option} {name}: identifiers tell guests apart, so no value of them can be given for"
            " many rows; use --identifier PROVIDER=COLUMN"
        )
        return ""
    if target.number is not None:
        problems.append(f"{option} {name}: name the field as a whole, {target.field}")
        return ""
    return target.field


def _add_translation(
    found: dict[str, str], name: str, text: str, becomes: tuple[str, ...], problems: list[str]
) -> None:
    folded = text.strip(BLANKS).casefold()
    if not folded:
        problems.append(f"--value {name}: a blank cannot be translated; use --default {name}")
    elif len({found.get(folded, becomes[0]), *becomes}) > 1:
        problems.append(
            f"--value {name}: {quoted(text)} is translated twice (upper and lower case are the"
            " same); name one value for it"
        )
    else:
        found[folded] = becomes[0].strip(BLANKS)


def _invalid(entries: list[tuple[str, str, object]], check: Check) -> list[str]:
    """Return what is wrong with the values, by checking each as a row of the source file."""
    if not entries:
        return []
    rows = pd.RangeIndex(1, len(entries) + 1, name="row")
    used = {name for _, name, _ in entries}
    fields = pd.DataFrame(index=rows)
    for field_name in FIELDS:
        if field_name in used or field_name == ORDER_REF:
            blank: object = () if field_name in TEXT_LIST_FIELDS else ""
            if field_name == ORDER_REF:
                blank = _ANY_ORDER
            column = [value if name == field_name else blank for _, name, value in entries]
            fields[field_name] = pd.Series(column, rows, dtype=object)
    batch = Batch(pd.DataFrame(index=rows), pd.Series(range(len(rows)), rows))
    issues = check(Mapped(fields), batch)
    return [
        f"{option}: {issue.message}"
        for row, (option, name, _) in zip(rows.tolist(), entries, strict=True)
        for issue in issues.get(row, ())
        if issue.code == f"invalid.{name}"
    ]

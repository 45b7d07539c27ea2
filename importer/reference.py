"""What the declared options say, as JSON Schema, as Markdown and as a sample configuration.

``python -m importer.reference``, in a checkout, writes ``docs/options.md`` and
``sample_data/import-contacts.toml`` anew.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import TextWrapper
from typing import Final

from importer.options import Flag, Group, Option, Origin, Table, declared
from importer.settings import ImportSettings, JournalSettings, UndoSettings

PAGE: Final = Path("docs/options.md")
SAMPLE: Final = Path("sample_data/import-contacts.toml")

_COMMANDS: Final = {
    "import-contacts": ImportSettings,
    "undo-import": UndoSettings,
    "contacts-journal": JournalSettings,
}
_TABLES: Final = re.compile(r"(<!-- options:(\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_STARTS_WITH: Final = frozenset({"region", "max-errors", "phone-region"})  # not commented out
_COMMENT: Final = TextWrapper(
    98, initial_indent="# ", subsequent_indent="# ", break_long_words=False, break_on_hyphens=False
)
_SAMPLE_HEAD: Final = """\
# Everything that a configuration file can contain, for:
#
#   import-contacts contacts.csv --config import-contacts.toml
#
# An argument beats the environment (IMPORT_CONTACTS_MAX_ERRORS, for example), and the environment
# beats this file. Paths are relative to this file. Credentials do not belong here: see
# credentials-file. Unknown names and wrong values are errors, and all of them are reported.
"""
_SAMPLE_TABLES: Final = """
# --- Columns whose names do not say what they contain: field = column ---

[columns]
# firstName = "Given Name"
# postCode = "ZIP"
# emails = ["Work E-mail", "Home E-mail"]  # a list field may have several

# --- Columns with the guests' ids of one provider: provider = column ---

[identifiers]
# CRM = "Customer No"

# --- What values of a field become, in any case: "from" = "to" ---

[values.gender]
# M = "male"
# F = "female"

# --- Values of fields that are blank or have no column ---

[defaults]
# country = "IE"
"""


def config_schema() -> dict[str, object]:
    """Return the JSON Schema of a configuration file."""
    properties: dict[str, object] = {}
    for option in _of_files():
        properties[option.name] = {**option.kind.schema(), "description": option.help}
        if isinstance(option.kind, Table):
            text = f"The same as {option.name}, as a table."
            properties[option.keyword] = {**option.kind.table_schema(), "description": text}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration file of import-contacts",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def tables(command: str) -> str:
    """Return the options of a command as Markdown, one table for each group."""
    found = ""
    for group, options in _grouped(command).items():
        rows = "".join(_row(option) for option in options)
        found += f"### {group}\n\n| option | meaning | default |\n| --- | --- | --- |\n{rows}\n"
    return found


def page(text: str) -> str:
    """Return the text of a page with all tables of options in it written anew."""
    return _TABLES.sub(lambda found: f"{found[1]}\n{tables(found[2])}{found[3]}", text)


def sample_config() -> str:
    """Return a configuration file that shows every option."""
    found = _SAMPLE_HEAD
    for group, options in _grouped("import-contacts").items():
        shown = [one for one in options if Origin.CONFIG in one.sources]
        if shown:
            found += f"\n# --- {group} ---\n\n" + "".join(map(_sample_lines, shown))
    return found + _SAMPLE_TABLES


def main() -> None:
    """Write the files of the checkout anew."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    SAMPLE.write_text(sample_config(), encoding="utf-8")


def _of_files() -> Iterator[Option]:
    return (one for one in declared(ImportSettings).values() if Origin.CONFIG in one.sources)


def _grouped(command: str) -> dict[Group, list[Option]]:
    options = declared(_COMMANDS[command]).values()
    found = {group: [one for one in options if one.group is group] for group in Group}
    return {group: grouped for group, grouped in found.items() if grouped}


def _row(option: Option) -> str:
    flags = option.flags
    if not isinstance(option.kind, Flag):
        flags[0] += f" {option.kind.metavar}"
    default = option.described_default or ("off" if option.default is False else "")
    cells = (
        ", ".join(f"`{flag}`" for flag in reversed(flags)),
        option.help,
        f"`{default}`" if "<" in default else default,  # not an HTML tag
    )
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"


def _sample_lines(option: Option) -> str:
    comment = option.help
    if option.described_default:
        comment += f" Default: {option.described_default}."
    line = f"{option.name} = {option.sample}"
    return f"{_COMMENT.fill(comment)}\n{'' if option.name in _STARTS_WITH else '# '}{line}\n"


if __name__ == "__main__":
    main()

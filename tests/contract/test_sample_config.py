"""The commented configuration file says all that can be said, and is right."""

import re
from pathlib import Path

import pytest

from importer.cli.config import TABLES, read_config
from importer.cli.main import command
from importer.cli.tables import table_options

SAMPLE = Path(__file__).parents[2] / "sample_data" / "import-contacts.toml"


@pytest.fixture
def all_of_it(tmp_path: Path) -> Path:
    """The sample with every example taken out of its comment."""
    path = tmp_path / "all.toml"
    text = re.sub(r"(?m)^# (?=\w[\w-]* = )", "", SAMPLE.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    return path


def test_the_sample_is_understood() -> None:
    """As it stands, somebody can start from it."""
    assert read_config(SAMPLE, command)["region"] == "eu"


def test_the_sample_holds_every_option(all_of_it: Path) -> None:
    """With its comments taken away, each option is there once, with a value that is right."""
    values = read_config(all_of_it, command)
    assert set(values) == {option.name for option in table_options(command).values()}
    assert set(TABLES.values()) <= set(values)


def test_its_paths_are_relative_to_it(all_of_it: Path) -> None:
    """Wherever the command is started, cron's home directory for example."""
    values = read_config(all_of_it, command)
    for name in ("out", "rejects", "report", "summary", "journal", "credentials_file"):
        path = values[name]
        assert isinstance(path, Path)
        assert path.parent == all_of_it.parent

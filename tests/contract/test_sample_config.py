"""The sample configuration file contains every option and is valid."""

import re
from pathlib import Path

import pytest

from importer import reference
from importer.given import read_config
from importer.options import File, Origin, declared
from importer.settings import ImportSettings

SAMPLE = Path(__file__).parents[2] / reference.SAMPLE
OPTIONS = declared(ImportSettings)


@pytest.fixture
def uncommented(tmp_path: Path) -> Path:
    """Return the sample with every example uncommented."""
    path = tmp_path / "all.toml"
    text = re.sub(r"(?m)^# (?=\w[\w-]* = )", "", SAMPLE.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    return path


def test_sample_is_up_to_date() -> None:
    """Run ``python -m importer.reference`` after a change of the declaration."""
    assert SAMPLE.read_text(encoding="utf-8") == reference.sample_config()


def test_sample_is_valid() -> None:
    """A user can start from it as it is."""
    assert read_config(SAMPLE)["region"] == "eu"


def test_sample_contains_every_option(uncommented: Path) -> None:
    """Each option is there once, with a value that is accepted."""
    wanted = {key for key, one in OPTIONS.items() if Origin.CONFIG in one.sources}
    assert set(read_config(uncommented)) == wanted


def test_lines_of_the_sample_are_not_too_long() -> None:
    """It is read in a terminal."""
    assert max(map(len, SAMPLE.read_text(encoding="utf-8").splitlines())) < 100


def test_paths_of_the_sample_are_relative_to_it(uncommented: Path) -> None:
    """Also if the command is started elsewhere, such as in the home directory by cron."""
    for keyword, value in read_config(uncommented).items():
        if isinstance(OPTIONS[keyword].kind, File):
            assert isinstance(value, Path)
            assert value.parent == uncommented.parent

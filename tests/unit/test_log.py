"""The log has one event per line, with a stable name, on any stream."""

import ast
import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from importer.log import EVENTS, cleaned, configure, counted, event, is_configured, write_line
from importer.reporting import WARNINGS

PACKAGE = Path(__file__).parents[2] / "importer"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    logger = logging.getLogger("importer")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


def used_names() -> set[str]:
    """Return the names of all events that the program logs, from its source."""
    calls = (
        node
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "event"
    )
    return {ast.unparse(call.args[1]).strip("'") for call in calls}


def test_catalogue_contains_exactly_the_logged_events() -> None:
    """So the documentation of events is complete."""
    assert used_names() - {"warning.event"} | {one.event for one in WARNINGS.values()} == set(
        EVENTS
    )


@pytest.mark.parametrize("name", EVENTS)
def test_names_have_two_words_and_an_explanation(name: str) -> None:
    """The explanation is a sentence."""
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", name)
    assert EVENTS[name].endswith(".")


def test_json_is_one_object_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It is ASCII, whatever the message contains."""
    configure("json", logging.INFO)
    event(logging.INFO, "run.started", 'line\nbreak "é" \x1b[31m\u202e', input="a\nb\udcff", rows=3)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isascii()
    found = json.loads(line)
    assert (found["event"], found["level"], found["rows"]) == ("run.started", "info", 3)
    assert found["message"] == 'line break "é"  [31m '
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["time"])


def test_text_is_one_line_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """A file name can neither forge a line nor colour a terminal."""
    configure("text", logging.INFO)
    event(logging.WARNING, "column.ignored", "a\r\nERROR b\x1b[2J\u2028c\u202ed\x85e")
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\S+Z WARNING column\.ignored: a  ERROR b \[2J c d e", line)


def test_events_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    """A warning, for example, when only errors are wanted."""
    configure("text", logging.ERROR)
    event(logging.WARNING, "column.ignored", "x")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_characters_that_a_stream_cannot_encode_are_escaped(encoding: str) -> None:
    """As with LANG=C, or for a file name that is not valid text."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    write_line("Nguyễn \udce9", stream)
    expected = "Nguyễn" if encoding == "utf-8" else "Nguy\\u1ec5n"
    assert raw.getvalue().decode(encoding) == f"{expected} \\udce9\n"


class _Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(text)


@pytest.mark.parametrize("stream", [None, _Broken()], ids=["closed", "broken"])
def test_closed_stream_is_ignored(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None
) -> None:
    """The run continues."""
    monkeypatch.setattr(sys, "stderr", stream)
    write_line("x")


def test_importing_it_configures_nothing() -> None:
    """A library leaves logging to its caller."""
    logger = logging.getLogger("importer")
    assert any(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    logger.handlers = [logging.NullHandler()]
    assert not is_configured()
    configure("text", logging.INFO)
    assert is_configured()


def test_cleaning_keeps_letters() -> None:
    """Only control characters are replaced."""
    assert cleaned("Zoë 李明 O'Brien") == "Zoë 李明 O'Brien"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1000, "1,000 rows")]
)
def test_counted_noun_is_plural_unless_the_number_is_one(number: int, text: str) -> None:
    """With a comma between thousands."""
    assert counted(number, "row") == text

"""The log: one event a line, by a stable name, harmless whatever it is written to."""

import ast
import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from importer.log import EVENTS, cleaned, configure, event, is_configured, write_line

PACKAGE = Path(__file__).parents[2] / "importer"


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    logger = logging.getLogger("importer")
    before = (logger.handlers, logger.level, logger.propagate)
    yield
    logger.handlers, logger.level, logger.propagate = before


def used_names() -> set[str]:
    """The names of all events that the program logs, by its source."""
    calls = (
        node
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "event"
    )
    return {ast.unparse(call.args[1]).strip("'") for call in calls}


def test_all_events_are_in_the_catalogue_and_all_of_it_is_used() -> None:
    """So that what docs/events.md says of them is true."""
    in_a_table = {"name"}  # pipeline/run.py: rows.without_identifiers, rows.title_unlisted
    rows = {name for name in EVENTS if name.startswith("rows.")}
    assert used_names() - in_a_table | rows == set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_names_are_stable_words(name: str) -> None:
    """A thing and what became of it; each is explained in a sentence."""
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", name)
    assert EVENTS[name].endswith(".")


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """ASCII alone, with whatever the message holds."""
    configure("json", logging.INFO)
    event(logging.INFO, "run.started", 'line\nbreak "é" \x1b[31m\u202e', input="a\nb\udcff", rows=3)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isascii()
    found = json.loads(line)
    assert (found["event"], found["level"], found["rows"]) == ("run.started", "info", 3)
    assert found["message"] == 'line break "é"  [31m '
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found["time"])


def test_text_is_one_line_without_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody can forge a line or colour a terminal by a file's name."""
    configure("text", logging.INFO)
    event(logging.WARNING, "column.ignored", "a\r\nERROR b\x1b[2J\u2028c\u202ed\x85e")
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\S+Z WARNING column\.ignored: a  ERROR b \[2J c d e", line)


def test_levels_decide(capsys: pytest.CaptureFixture[str]) -> None:
    """What is below is not written."""
    configure("text", logging.ERROR)
    event(logging.WARNING, "column.ignored", "x")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_a_stream_cannot_say_is_escaped(encoding: str) -> None:
    """A bare LANG=C harms nothing, nor does a file name that is no text."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    write_line("Nguyễn \udce9", stream)
    expected = "Nguyễn" if encoding == "utf-8" else "Nguy\\u1ec5n"
    assert raw.getvalue().decode(encoding) == f"{expected} \\udce9\n"


class _Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(text)


@pytest.mark.parametrize("stream", [None, _Broken()], ids=["closed", "broken"])
def test_a_stream_that_nobody_reads_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO | None
) -> None:
    """The run goes on."""
    monkeypatch.setattr(sys, "stderr", stream)
    write_line("x")


def test_importing_it_configures_nothing() -> None:
    """A library leaves the log to its caller."""
    logger = logging.getLogger("importer")
    assert any(isinstance(handler, logging.NullHandler) for handler in logger.handlers)
    logger.handlers = [logging.NullHandler()]
    assert not is_configured()
    configure("text", logging.INFO)
    assert is_configured()


def test_cleaning_keeps_letters() -> None:
    """Only what controls is taken out."""
    assert cleaned("Zoë 李明 O'Brien") == "Zoë 李明 O'Brien"

"""The report says what the figures say, holds nothing else, and needs nothing from elsewhere."""

import re
import xml.etree.ElementTree as ET  # the page is our own
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from nights import NIGHT

import importer
from importer.errors import ExitStatus
from importer.metrics import Metrics
from importer.records import Status
from importer.reporting.charts import charts, duration
from importer.reporting.page import page
from importer.settings import Setting

SETTINGS = (
    Setting("concurrency", "8", "default"),
    Setting("date-format", "<%d>", "config file"),
    Setting("rate", "", "default"),
)


class Outline(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count it in."""
        self.attributes += [(name, value) for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Nothing is left open."""
        del tag
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """It closes what was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Gather text."""
        if self.open and self.open[-1] not in {"style", "title"}:
            self.text += f" {data.strip()}" if data.strip() else ""


@pytest.fixture
def busy() -> Metrics:
    """Two minutes of requests, a third of them in trouble."""
    metrics = Metrics()
    for number in range(600):
        metrics.observe(number / 5, 0.02 + number / 1000, number % 3 == 0, 1 + number % 8)
    return metrics


def test_it_is_whole_html_that_loads_nothing(busy: Metrics) -> None:
    """No script, no address, no style sheet but its own, and a policy that forbids them."""
    text = page(NIGHT, busy, SETTINGS)
    outline = Outline(text)
    assert outline.open == []
    names = {name for name, _ in outline.attributes}
    assert names.isdisjoint({"src", "href", "srcset", "onclick", "onload", "xlink:href"})
    assert "<script" not in text
    assert not re.search(r"https?://|url\(|@import", text)
    assert "default-src 'none'" in text


def test_it_says_what_the_figures_say(busy: Metrics) -> None:
    """The same headline, counts, first lines, remarks and steps as the other summaries."""
    text = Outline(page(NIGHT, busy, SETTINGS)).text
    for words in (
        "15 of 1,000 rows are not done.",
        "Exit status 1",
        "31 January 2026, 03:00 UTC",
        "2 unclear answers were settled",
        "fell from 8 to 2",
        "invalid.emails",
        "12, 40, …",
        "breaks the rule for emails",
        "the API knows no such order",
        "98.5 %",
        "Run the same command again",
        "date-format <%d> config file",
    ):
        assert words in text, words
    assert "rate" not in text.split("Settings")[1].split("Results")[0].split()


def test_what_to_do_next_comes_before_the_figures_in_detail(busy: Metrics) -> None:
    """A morning's look ends there."""
    text = Outline(page(NIGHT, busy, SETTINGS)).text
    headings = ("What to do next", "What became of the rows", "What went wrong", "Requests over")
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)


CODES = {
    code
    for path in (Path(importer.__file__).parent).rglob("*.py")
    if "sandbox" not in path.parts
    for code in re.findall(
        r"[\"']((?:contact|order|response|network|duplicate)\.[a-z_]+)[\"']",
        path.read_text(encoding="utf-8"),
    )
}


@pytest.mark.parametrize("code", sorted(CODES | {"unknown", "stopped.api_down", "http.418"}))
def test_every_error_code_has_its_meaning(code: str) -> None:
    """In words, beside the code."""
    text = page(replace(NIGHT, errors={code: 1}, first_lines={}), Metrics(), ())
    assert re.search(rf'<code>{re.escape(code)}</code> <span class="says">\w', text)


def test_who_cannot_see_it_is_told_what_it_shows(busy: Metrics) -> None:
    """Each chart in a sentence with its figures, each table with its columns."""
    text = page(NIGHT, busy, SETTINGS)
    labels = [value for name, value in Outline(text).attributes if name == "aria-label"]
    assert labels[0] == "985 created, 10 invalid, 4 rejected, 1 failed"
    assert labels[1].startswith("Requests a second, over 2 min: at most ")
    assert re.search(r"ended, over 2 min: between \d+.*ms and \d+ ms\.$", str(labels[2]))
    assert labels[3] == "Requests in flight, over 2 min: at most 8."
    assert text.count("<th") == text.count('<th scope="col"') + text.count("<thead")


def test_what_comes_from_outside_is_escaped() -> None:
    """A file's name is text, whatever it looks like."""
    text = page(replace(NIGHT, source='<script>alert("1")</script>.csv'), Metrics(), SETTINGS)
    assert "<script" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("status", list(ExitStatus))
def test_every_exit_status_that_a_run_ends_with_has_its_words(status: ExitStatus) -> None:
    """Those that leave no summary have no page either."""
    if status in {ExitStatus.USAGE, ExitStatus.LOCKED}:
        pytest.skip("ends before there is a summary")
    assert f"Exit status {int(status)}" in page(replace(NIGHT, exit_status=status), Metrics(), ())


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_meaning_and_colour(status: Status) -> None:
    """In light, in dark and on paper."""
    text = page(replace(NIGHT, rows=1, statuses={status: 1}), Metrics(), ())
    assert f"fill: var(--{status.value})" in text
    assert len(re.findall(rf"--{status.value}: #", text)) == 3


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([], id="none"),
        pytest.param([(0.0, 0.01, False, 1)], id="one"),
        pytest.param([(0.0, 0.0, True, 1)], id="no-time"),
        pytest.param([(0.0, 0.01, False, 1), (90.0, 1e6, True, 256)], id="a-gap"),
    ],
)
def test_charts_of_odd_runs_are_whole(requests: list[tuple[float, float, bool, int]]) -> None:
    """Whatever there is to draw, it is drawn with numbers."""
    metrics = Metrics()
    for one in requests:
        metrics.observe(*one)
    text = page(NIGHT, metrics, ())
    assert Outline(text).open == []
    assert len(charts(metrics)) == (3 if requests else 0)
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(drawing)  # noqa: S314 - the page is our own
        assert not re.search(r"nan|inf|None", drawing.replace("inf-", ""))


def test_the_shapes_stay_in_their_box(busy: Metrics) -> None:
    """From 0 to 100 in height, and no wider than there are slices."""
    for chart in charts(busy):
        for shape in chart.shapes:
            heights = [float(y) for y in re.findall(r"(?:M[\d.]+ |V)(-?[\d.]+)", shape.path)]
            assert all(0 <= y <= 100 for y in heights)
            places = [float(x) for x in re.findall(r"[MH](-?[\d.]+)", shape.path)]
            assert all(0 <= x <= chart.width for x in places)
        assert all(0 <= mark.top <= 100 for mark in chart.marks)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0123, "12.3 ms"),
        (1, "1 s"),
        (59.4, "59.4 s"),
        (60, "1 min"),
        (137.2, "2 min 17 s"),
        (3600, "1 h 00 min"),
        (90061, "25 h 01 min"),
    ],
)
def test_time_spans_are_written_as_people_do(seconds: float, text: str) -> None:
    """In the largest units that matter."""
    assert duration(seconds) == text

"""The report shows the figures of a run, and loads nothing."""

import re
import xml.etree.ElementTree as ET  # the page is our own
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from nights import NIGHT

from importer.errors import ExitStatus
from importer.metrics import Metrics
from importer.records import Status
from importer.reporting.charts import charts, duration
from importer.reporting.page import page
from importer.settings import Setting
from schemas.results import error_meaning

SETTINGS = (
    Setting("concurrency", "8", "default"),
    Setting("date-format", "<%d>", "config file"),
    Setting("rate", "", "default"),
)


class Outline(HTMLParser):
    """The elements, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember what is open."""
        self.attributes += [(name, value) for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember the attributes only."""
        del tag
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """Check that the last open element is closed."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect text."""
        if self.open and self.open[-1] not in {"style", "title"}:
            self.text += f" {data.strip()}" if data.strip() else ""


@pytest.fixture
def busy() -> Metrics:
    """Return metrics of two minutes, a third of the requests with trouble."""
    metrics = Metrics()
    for number in range(600):
        metrics.observe(number / 5, 0.02 + number / 1000, number % 3 == 0, 1 + number % 8)
    return metrics


def test_page_is_complete_html_that_loads_nothing(busy: Metrics) -> None:
    """No script, no URL, no other style sheet, and a policy that forbids them."""
    text = page(NIGHT, busy, SETTINGS)
    outline = Outline(text)
    assert outline.open == []
    names = {name for name, _ in outline.attributes}
    assert names.isdisjoint({"src", "href", "srcset", "onclick", "onload", "xlink:href"})
    assert "<script" not in text
    assert not re.search(r"https?://|url\(|@import", text)
    assert "default-src 'none'" in text


def test_page_shows_the_summary(busy: Metrics) -> None:
    """Headline, counts, first lines, remarks and next steps are those of the summary."""
    text = Outline(page(NIGHT, busy, SETTINGS)).text
    for words in (
        "15 of 1,000 rows are not done.",
        "Exit status 1: finished, but some rows are not done",
        "31 January 2026, 03:00 UTC",
        "2 unclear answers were settled",
        "fell from 8 to 2",
        "invalid.emails",
        "12, 40, …",
        "the value of emails breaks a rule",
        "the API has no such order or contact",
        "98.5 %",
        "Run the same command again",
        "date-format <%d> config file",
    ):
        assert words in text, words
    assert "rate" not in text.split("Settings")[1].split("Results")[0].split()


def test_next_steps_come_before_the_details(busy: Metrics) -> None:
    """They are what a reader needs first."""
    text = Outline(page(NIGHT, busy, SETTINGS)).text
    headings = ("What to do next", "Rows by status", "Errors", "Requests over")
    places = [text.index(heading) for heading in headings]
    assert places == sorted(places)


@pytest.mark.parametrize("code", ["unknown", "stopped.api_down", "http.418", "invalid.street"])
def test_error_codes_are_shown_with_their_meaning(code: str) -> None:
    """In words, beside the code."""
    text = page(replace(NIGHT, errors={code: 1}, first_lines={}), Metrics(), ())
    meaning = f'<code>{code}</code> <span class="says">{error_meaning(code)}</span>'
    assert error_meaning(code)
    assert meaning in text


def test_charts_and_tables_have_text_for_screen_readers(busy: Metrics) -> None:
    """A sentence with the figures of each chart, and headers for the columns of each table."""
    text = page(NIGHT, busy, SETTINGS)
    labels = [value for name, value in Outline(text).attributes if name == "aria-label"]
    assert labels[0] == "985 created, 10 invalid, 4 rejected, 1 failed"
    assert labels[1].startswith("Requests a second, over 2 min: at most ")
    assert re.search(r"completed, over 2 min: between \d+.*ms and \d+ ms\.$", str(labels[2]))
    assert labels[3] == "Requests in flight, over 2 min: at most 8."
    assert text.count("<th") == text.count('<th scope="col"') + text.count("<thead")


def test_file_names_are_escaped() -> None:
    """They are text, whatever they look like."""
    text = page(replace(NIGHT, source='<script>alert("1")</script>.csv'), Metrics(), SETTINGS)
    assert "<script" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("status", list(ExitStatus))
def test_every_exit_status_is_shown_with_its_meaning(status: ExitStatus) -> None:
    """In the first line."""
    text = page(replace(NIGHT, exit_status=status), Metrics(), ())
    assert f"Exit status {int(status)}: {status.meaning}" in text


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_meaning_and_colour(status: Status) -> None:
    """In light, in dark and on paper."""
    text = page(replace(NIGHT, rows=1, statuses={status: 1}), Metrics(), ())
    assert status.meaning in Outline(text).text
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
def test_charts_of_unusual_runs_are_well_formed(
    requests: list[tuple[float, float, bool, int]],
) -> None:
    """All coordinates are finite numbers."""
    metrics = Metrics()
    for one in requests:
        metrics.observe(*one)
    text = page(NIGHT, metrics, ())
    assert Outline(text).open == []
    assert len(charts(metrics)) == (3 if requests else 0)
    for drawing in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ET.fromstring(drawing)  # noqa: S314 - the page is our own
        assert not re.search(r"nan|inf|None", drawing.replace("inf-", ""))


def test_shapes_stay_in_their_box(busy: Metrics) -> None:
    """Heights are from 0 to 100, and the width is the number of slices."""
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
def test_time_spans_have_readable_units(seconds: float, text: str) -> None:
    """At most two of them."""
    assert duration(seconds) == text

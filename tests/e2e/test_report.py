"""The report in a browser: light and dark colours, on a phone and on paper."""

import json
import re
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from browser import PATH, Browser
from command import Workplace, order
from nights import NIGHT
from servers.reference import Fault, ReferenceServer, Request

from importer.metrics import Metrics
from importer.records import Status
from importer.reporting.page import page
from importer.settings import Setting

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PATH is None, reason="Chromium is not installed"),
]

# The reports of the policy go to the document that it protects: nothing leaves the browser.
PROBE = """<script>
addEventListener("load", () => {
  const left = document.body.getBoundingClientRect().left;
  const rights = {};
  for (const e of document.querySelectorAll("body *:not(svg *)"))
    rights[e.tagName + "." + e.getAttribute("class") + " " + e.textContent.slice(0, 20)] =
      e.getBoundingClientRect().right - left;
  const style = e => getComputedStyle(document.querySelector(e));
  const found = {
    rights,
    resources: performance.getEntriesByType("resource").map(r => r.name),
    paper: style("body").backgroundColor, ink: style("body").color,
    paths: document.querySelectorAll(".plot path").length,
    drawn: [...document.querySelectorAll(".plot path")].filter(p => p.getBBox().width > 0).length,
    shares: [...document.querySelectorAll(".share rect")].map(r => r.getBoundingClientRect().width),
    bar: document.querySelector(".share").getBoundingClientRect().width,
    heading: document.querySelector("h1").textContent,
  };
  document.documentElement.dataset.found = JSON.stringify(found);
});
</script>"""


@pytest.fixture
def report(workplace: Workplace) -> Path:
    """Return the report of a run with most kinds of results."""

    def fault(request: Request) -> Fault | None:
        number = int(request.order_ref[-3:])
        return {0: Fault(status=503), 1: Fault(status=400), 2: Fault(store=True, drop=True)}.get(
            number % 10
        )

    rows = [("orderRef", "firstName", "gender")]
    rows += [(order(number), "Ann", "?" if number % 7 == 3 else "male") for number in range(80)]
    with ReferenceServer(faults=fault) as server:
        ran = workplace.send(
            workplace.write(rows), server, "--report", "report.html", "--attempts", 2
        )
    assert ran.exit_status == 1, ran.stderr
    return workplace.directory / "report.html"


def look(report: Path, tmp_path: Path, *flags: str) -> dict[str, object]:
    """Return what a script in the page finds; the policy of the page is relaxed for it."""
    page = tmp_path / "probed.html"
    text = report.read_text(encoding="utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    assert policy in text
    text = text.replace(policy, f"{policy}; script-src 'unsafe-inline'")
    page.write_text(text.replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    dom = Browser(tmp_path).dom(page, *flags)
    match = re.search(r'data-found="([^"]*)"', dom)
    assert match is not None
    found: dict[str, object] = json.loads(match[1].replace("&quot;", '"').replace("&amp;", "&"))
    return found


@pytest.mark.parametrize("width", [1200, 700, 500, 360])
def test_no_element_is_wider_than_the_screen(report: Path, tmp_path: Path, width: int) -> None:
    """From a desktop to a phone, and nothing is loaded."""
    # A window is never narrower than 500 pixels, so for a phone the page itself is.
    text = report.read_text(encoding="utf-8")
    report.write_text(text.replace("</head>", f"<style>body {{width: {width}px}}</style></head>"))
    found = look(report, tmp_path, f"--window-size={max(500, width)},900")
    rights = found["rights"]
    assert isinstance(rights, dict)
    assert {name: right for name, right in rights.items() if right > width + 1} == {}
    assert found["resources"] == []
    assert found["heading"] == "25 of 80 rows are not done."


@pytest.mark.parametrize("width", [1200, 360])
def test_long_words_and_large_numbers_stay_on_the_screen(tmp_path: Path, width: int) -> None:
    """With many error codes, a large file, and long names, also from right to left."""
    codes = [f"invalid.{'long' * 12}{number}" for number in range(30)]
    night = replace(
        NIGHT,
        rows=30_000_000,
        source=f"/srv/{'directory' * 20}/אנשי קשר.csv",
        statuses=dict.fromkeys(Status, 2_500_000),
        errors=dict.fromkeys(codes, 1_000_000),
        first_lines=dict.fromkeys(codes, [12_345_678] * 5),
        stop=f"No connection to {'host' * 40}.",
    )
    settings = [Setting("map", f"city={'עיר' * 60}, street={'x' * 200}", "command line")]
    report = tmp_path / "report.html"
    text = page(night, Metrics(), settings)
    report.write_text(text.replace("</head>", f"<style>body {{width: {width}px}}</style></head>"))
    # A window of 500 pixels is the narrowest, and the page asks for its own width.
    found = look(report, tmp_path, f"--window-size={max(500, width)},900")
    rights = found["rights"]
    assert isinstance(rights, dict)
    assert {name: right for name, right in rights.items() if right > width + 1} == {}


def test_all_shapes_are_drawn(report: Path, tmp_path: Path) -> None:
    """Six shapes in three charts, and the shares of the statuses fill their bar."""
    found = look(report, tmp_path)
    assert found["paths"] == found["drawn"] == 6
    shares, bar = found["shares"], found["bar"]
    assert isinstance(shares, list)
    assert sum(shares) == pytest.approx(bar, rel=0.01)


def test_page_follows_the_colour_scheme(report: Path, tmp_path: Path) -> None:
    """Text is readable in both."""
    dark = look(report, tmp_path, "--blink-settings=preferredColorScheme=0")
    light = look(report, tmp_path, "--blink-settings=preferredColorScheme=1")
    for found, paper_is_light in ((dark, False), (light, True)):
        paper, ink = luminance(str(found["paper"])), luminance(str(found["ink"]))
        assert (paper > ink) == paper_is_light
        assert (max(paper, ink) + 0.05) / (min(paper, ink) + 0.05) > 7  # WCAG 2, level AAA


def test_page_can_be_printed(report: Path, tmp_path: Path) -> None:
    """On a few sheets."""
    pdf = Browser(tmp_path).pdf(report)
    assert pdf.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page[^s]", pdf)) <= 4


def test_screenshot_has_the_colours_of_the_statuses(report: Path, tmp_path: Path) -> None:
    """Without any script: created in blue, invalid in ochre."""
    png = Browser(tmp_path).picture(report, "--window-size=1000,800")
    colours = pixels(png)
    assert (0x2A, 0x6F, 0x97) in colours
    assert (0xE0, 0x9F, 0x3E) in colours
    assert (0xFF, 0xFF, 0xFF) in colours


def luminance(colour: str) -> float:
    """Return the relative luminance of ``rgb(...)``, as defined by WCAG."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def pixels(png: bytes) -> set[tuple[int, ...]]:
    """Return the colours of a PNG with 8 bits a channel."""
    width, height, _, kind = struct.unpack(">IIBB", png[16:26])
    size = {2: 3, 6: 4}[kind]
    data, at = b"", 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        data += png[at + 8 : at + 8 + length] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += length + 12
    raw, line = zlib.decompress(data), width * size
    found: set[tuple[int, ...]] = set()
    above = bytearray(line)
    for row in range(height):
        start = row * (line + 1)
        above = unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + line]), above, size)
        found.update(tuple(above[x : x + 3]) for x in range(0, line, size))
    return found


def unfiltered(kind: int, line: bytearray, above: bytearray, size: int) -> bytearray:
    """Return one line of a PNG without its filter. Source: RFC 2083, section 6."""
    for x in range(len(line)):
        left = line[x - size] if x >= size else 0
        corner = above[x - size] if x >= size else 0
        match kind:
            case 1:
                guess = left
            case 2:
                guess = above[x]
            case 3:
                guess = (left + above[x]) // 2
            case 4:
                near = left + above[x] - corner
                guess = min(
                    (left, above[x], corner),
                    key=lambda value: abs(near - value),
                )
            case _:
                guess = 0
        line[x] = (line[x] + guess) & 0xFF
    return line

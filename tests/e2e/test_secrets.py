"""Credentials and personal data are never written anywhere except to the results.

Every cell and both credentials carry a mark that occurs nowhere else, and the API quotes what
it was sent in all of its refusals; then everything the program wrote is searched.
"""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Workplace, order
from servers.reference import Fault, ReferenceServer, Request

from importer.rehearsal import sandbox_running

KEY, TOKEN = "KEYMARKkey", "TOKENMARKtoken"
MARKS = ("CELLMARK", "cellmark", KEY, TOKEN, base64.b64encode(f"{KEY}:{TOKEN}".encode()).decode())
HEADER = ("orderRef", "firstName", "email", "gender", "dateOfBirth", "passportNumber", "Nick")
ARGUMENTS = (
    "--rejects", "rejects.csv", "--summary", "summary.json", "--report", "report.html",
    "--concurrency", "2", "--attempts", "2", "--timeout", "2",
)  # fmt: skip
NOT_FOR_ALL = {"contacts.csv", "results.csv", "rejects.csv", "credentials.toml"}


def rows() -> list[tuple[str, ...]]:
    """Return records with every kind of outcome, all of them marked."""
    good = ("CELLMARK Ann", "cellmark@example.com", "male", "1990-01-01", "CELLMARK1", "CELLMARK")
    return [
        HEADER,
        *((order(number), *good) for number in range(1, 13)),
        ("CELLMARK", *good),
        (order(20), "CELLMARK\a", "cellmark", "CELLMARK", "CELLMARK", "CELLMARK\0", "x"),
        (order(21), *good, "too", "CELLMARK many"),
        (order(1), *good),
    ]


def quoting(request: Request) -> Fault | None:
    """Return refusals of many kinds that quote the request."""
    words = request.body.decode() + request.headers["authorization"]
    body = json.dumps({"status": 1, "message": f"CELLMARK {words}"}).encode()
    number = int(request.order_ref[-2:])
    return {
        2: Fault(status=400, body=body),
        3: Fault(status=404, body=body),
        4: Fault(status=500, body=body),
        5: Fault(store=True, status=500, body=body),
        6: Fault(store=True, drop=True),
        7: Fault(status=502, body=b"<html>CELLMARK</html>"),
        8: Fault(status=409, body=body),
        9: Fault(store=True, status=201, body=body),
        10: Fault(status=429, body=body),
    }.get(number)


def always(status: int) -> Callable[[Request], Fault]:
    """Return one refusal for every request, which quotes it."""

    def fault(request: Request) -> Fault:
        words = request.body.decode() + request.headers["authorization"]
        return Fault(status=status, body=json.dumps({"status": 1, "message": words}).encode())

    return fault


def search(workplace: Workplace, *texts: str) -> None:
    """Search for every mark in ``texts`` and in all files that are not for personal data."""
    written = {
        path.name: path.read_bytes()
        for path in (*workplace.directory.iterdir(), workplace.journal)
        if path.name not in NOT_FOR_ALL
    }
    assert "127.0.0.1.journal" in written
    for name, content in (written | {f"text {n}": t.encode() for n, t in enumerate(texts)}).items():
        for mark in MARKS:
            assert mark.encode() not in content, f"{mark} in {name}"
    for name in ("results.csv", "rejects.csv"):
        content = (workplace.directory / name).read_bytes()
        assert not [mark for mark in MARKS[2:] if mark.encode() in content]


@pytest.fixture
def marked(workplace: Workplace) -> Workplace:
    """Return a directory with marked credentials in their own file."""
    path = workplace.directory / "credentials.toml"
    path.touch(0o600)
    path.write_text(f'client_key = "{KEY}"\napi_token = "{TOKEN}"\n')
    del workplace.environment["SITECORE_CDP_CLIENT_KEY"]
    del workplace.environment["SITECORE_CDP_API_TOKEN"]
    return workplace


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("volume", ["--verbose", "--quiet"])
@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(quoting, id="all-kinds"),
        pytest.param(always(401), id="401"),
        pytest.param(always(403), id="403"),
        pytest.param(always(404), id="404"),
        pytest.param(always(415), id="415"),
    ],
)
def test_nothing_secret_is_written(
    marked: Workplace, faults: Callable[[Request], Fault | None], log_format: str, volume: str
) -> None:
    """Even with the most verbose options and many kinds of errors."""
    with ReferenceServer(faults=faults, authorize=False) as server:
        ran = marked.send(
            marked.write(rows()), server, "--credentials-file", "credentials.toml",
            "--log-format", log_format, volume, *ARGUMENTS,
        )  # fmt: skip
    assert ran.exit_status in {1, 4, 5}, ran.stderr
    assert len(ran.results) == len(rows()) - 1
    search(marked, ran.stderr, ran.stdout)
    assert "CELLMARK" in (marked.directory / "rejects.csv").read_text()


@pytest.mark.slow
def test_reason_of_a_stop_does_not_quote_the_api(marked: Workplace) -> None:
    """It is in the log, the summary and the report."""
    with ReferenceServer(faults=always(503), authorize=False) as server:
        ran = marked.send(
            marked.write(rows()), server, "--credentials-file", "credentials.toml",
            "--max-errors", 0, "-v", *ARGUMENTS,
        )  # fmt: skip
    assert ran.exit_status == 5, ran.stderr
    search(marked, ran.stderr)


def test_process_list_shows_no_credentials(marked: Workplace) -> None:
    """Neither does the environment of the process, if they come from a file."""
    shown: list[bytes] = []
    process = None

    def look(_: Request) -> None:
        assert process is not None
        proc = Path(f"/proc/{process.pid}")
        shown.extend(proc.joinpath(name).read_bytes() for name in ("cmdline", "environ", "comm"))

    with ReferenceServer(faults=look, authorize=False) as server:
        server.latency = 0.2
        process = marked.start(
            marked.write(rows()[:2]), "--base-url", server.url, "--out", marked.out,
            "--credentials-file", "credentials.toml",
        )  # fmt: skip
        process.communicate(timeout=120)
    assert process.returncode == 0
    assert len(shown) == 3
    assert not [mark for mark in MARKS for text in shown if mark.encode() in text]


def test_sandbox_does_not_receive_production_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has its own."""
    monkeypatch.setenv("SITECORE_CDP_CLIENT_KEY", KEY)
    monkeypatch.setenv("SITECORE_CDP_API_TOKEN", TOKEN)
    with sandbox_running(None):
        tasks = Path("/proc/self/task").glob("*/children")
        children = [number for task in tasks for number in task.read_text().split()]
        reported = [Path(f"/proc/{number}/environ").read_bytes() for number in children]
        reported += [Path(f"/proc/{number}/cmdline").read_bytes() for number in children]
    assert any(b"importer.sandbox" in text for text in reported)
    assert not [mark for mark in MARKS for text in reported if mark.encode() in text]


def test_journal_of_a_killed_run_contains_nothing_secret(marked: Workplace) -> None:
    """Neither do the files that the database keeps beside it while it is open."""
    with ReferenceServer(authorize=False) as server:
        server.latency = 0.3
        process = marked.start(
            marked.write(rows()), "--base-url", server.url, "--out", marked.out,
            "--credentials-file", "credentials.toml", "--concurrency", 1,
        )  # fmt: skip
        while len(server.requests) < 3:
            assert process.poll() is None
        process.kill()
        process.communicate(timeout=60)
    left = list(marked.journal.parent.iterdir())
    assert {path.suffix for path in left} > {".journal"}
    for path in left:
        assert path.stat().st_mode & 0o077 == 0
        assert not [mark for mark in MARKS if mark.encode() in path.read_bytes()]


def test_internal_error_does_not_show_a_cell(marked: Workplace, tmp_path: Path) -> None:
    """Its own message may quote the cell; type and place of the error are enough."""
    (tmp_path / "sitecustomize.py").write_text(
        "import importer.planning as planning\n"
        "def broken(valid, key):\n    raise KeyError(str(valid.to_dict()))\n"
        "planning.plan = broken\n"
    )
    path = f"{tmp_path}:{marked.environment.get('PYTHONPATH', '')}"
    source = marked.write(rows())
    ran = marked.run(source, "--dry-run", "--out", marked.out, PYTHONPATH=path)
    assert ran.exit_status == 5
    assert "KeyError" in ran.stderr
    assert "report it" in ran.stderr
    assert "CELLMARK" not in ran.stderr
    assert not ran.out.exists()


def test_internal_error_while_sending_leaves_its_row_unclear(
    marked: Workplace, tmp_path: Path
) -> None:
    """The run stops, every row has a result, the place is reported, and the next run continues."""
    (tmp_path / "sitecustomize.py").write_text(
        "from importer.api import Connection\n"
        "carry_out = Connection.carry_out\n"
        "def broken(self, call):\n"
        "    carry_out(self, call)\n"
        "    raise KeyError(call.body)\n"
        "Connection.carry_out = broken\n"
    )
    path = f"{tmp_path}:{marked.environment.get('PYTHONPATH', '')}"
    source, key = marked.write(rows()[:4]), marked.directory / "credentials.toml"
    with ReferenceServer(authorize=False) as server:
        given = (source, "--base-url", server.url, "--credentials-file", key, "--out", marked.out)
        broken = marked.run(*given, PYTHONPATH=path)
        assert (broken.exit_status, broken.statuses) == (5, ["unknown", "not_sent", "not_sent"])
        again = marked.run(*given)
    assert re.search(r"KeyError at .*workers\.py:\d+ > sitecustomize\.py:5\. ", broken.stderr)
    assert "CELLMARK" not in broken.stderr
    assert again.statuses == ["created"] * 3
    assert set(server.contact_counts().values()) == {1}

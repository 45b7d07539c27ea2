"""An import as a cron job: configured by files, silent if nothing is wrong."""

import json
import os
import shlex
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import COMMAND, UNDO, Workplace, order
from servers.reference import API_TOKEN, CLIENT_KEY, Fault, ReferenceServer

from importer.files import AtomicFile
from importer.log import EVENTS

Contacts = Callable[[int], Path]
BARE = {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}


def lines_of(text: str) -> list[dict[str, Any]]:
    """Return the events of a log in JSON: each line is one, with a documented name."""
    events: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert {found["event"] for found in events} <= set(EVENTS)
    for found in events:
        assert {"time", "level", "event", "message"} <= set(found)
    return events


def in_shell(workplace: Workplace, *words: object) -> "subprocess.Popen[bytes]":
    """Start the command in a shell, with redirections among the ``words``."""
    line = " ".join(map(str, (*COMMAND, f"--out {workplace.out}", *words)))
    return subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", f"exec {line}"],  # noqa: S607
        cwd=workplace.directory,
        env=workplace.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_nightly_run_needs_only_files(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """They are in another directory than the one it starts in; nothing is written to the log."""
    contacts(4)
    (workplace.directory / "import.toml").write_text(
        f'base-url = "{server.url}"\nout = "results.csv"\nreport = "report.html"\n'
        'summary = "summary.json"\nquiet = true\ncredentials-file = "credentials.toml"\n'
    )
    credentials = workplace.directory / "credentials.toml"
    credentials.touch(0o600)
    credentials.write_text(f'client_key = "{CLIENT_KEY}"\napi_token = "{API_TOKEN}"\n')
    home = workplace.directory / "home"
    home.mkdir()
    done = subprocess.run(
        [*COMMAND, "../contacts.csv"],
        cwd=home,
        env={
            "HOME": os.environ["HOME"],
            "PATH": os.environ["PATH"],
            "STATE_DIRECTORY": str(workplace.directory),
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "IMPORT_CONTACTS_CONFIG": "../import.toml",
        },
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert list(home.iterdir()) == []
    assert workplace.figures()["statuses"] == {"created": 4}
    for name in ("results.csv", "127.0.0.1.journal", "report.html", "summary.json"):
        assert stat.S_IMODE((workplace.directory / name).stat().st_mode) == 0o600, name


def test_quiet_run_reports_what_is_wrong(workplace: Workplace, contacts: Contacts) -> None:
    """The log has a table of the most frequent errors, their first lines, and the next step."""
    with ReferenceServer(faults=[Fault(status=400)]) as server:
        ran = workplace.send(contacts(3), server, "--quiet", "--concurrency", 1)
    assert ran.exit_status == 1
    assert ran.stderr.splitlines()[0].endswith("contacts.csv: 1 of 3 rows is not done.")
    assert "  http.400            1  first in line 2" in ran.stderr
    assert "Next: see why rows were rejected" in ran.stderr
    assert "INFO" not in ran.stderr


def test_quiet_run_with_a_lost_journal_creates_nothing_twice(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """The orders are read first, and there is nothing that someone has to do."""
    del workplace.environment["IMPORT_CONTACTS_IF_EXISTS"]
    source = contacts(3)
    assert workplace.send(source, server, "--quiet").stderr == ""
    workplace.journal.unlink()
    ran = workplace.send(source, server, "--quiet")
    assert (ran.statuses, ran.stderr) == (["exists"] * 3, "")


def test_every_line_of_the_json_log_is_an_event(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """From the settings to the final figures."""
    source = workplace.write(
        [
            ("orderRef", "firstName", "title", "Nick"),
            (order(1), "Ann", "Grand Duke", "x"),
            ("?", "", "", ""),
        ]
    )
    ran = workplace.send(source, server, "--log-format", "json", "--verbose", "--carry", "title")
    events = lines_of(ran.stderr)
    assert [found["event"] for found in events] == [
        "settings.used", "api.environment", "columns.mapped", "column.ignored", "run.started",
        "rows.without_identifiers", "rows.title_unlisted", "run.finished",
    ]  # fmt: skip
    by_name = {found["event"]: found for found in events}
    assert by_name["settings.used"]["settings"]["carry"] == {
        "value": "title", "origin": "command line",
    }  # fmt: skip
    assert by_name["rows.without_identifiers"]["rows"] == 1
    finished = by_name["run.finished"]
    assert (finished["rows"], finished["exitCode"], finished["level"]) == (2, 1, "error")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--no-such-option"], id="unknown-option"),
        pytest.param(["--limit", "x"], id="wrong-value"),
        pytest.param(["--config", "absent.toml"], id="no-config"),
        pytest.param(["--dry-run", "--out", "no/where"], id="no-directory"),
        pytest.param([], id="no-destination"),
    ],
)
@pytest.mark.parametrize("by", ["argument", "environment"])
def test_wrong_usage_is_reported_as_json(
    workplace: Workplace, contacts: Contacts, arguments: list[str], by: str
) -> None:
    """Wherever the format is set, even if that is after the mistake."""
    env = {"IMPORT_CONTACTS_LOG_FORMAT": "json"} if by == "environment" else {}
    last = ["--log-format", "json"] if by == "argument" else []
    ran = workplace.run(contacts(1), *arguments, *last, **env)
    (found,) = lines_of(ran.stderr)
    assert (ran.exit_status, found["event"], found["exitCode"]) == (2, "run.failed", 2)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--no-such-option"], id="unknown-option"),
        pytest.param(["--limit", "x"], id="wrong-value"),
        pytest.param(["--concurrency", "0", "--rate", ""], id="two-wrong-values"),
    ],
)
@pytest.mark.parametrize("more", ["", "no-such-option = 1\n"], ids=["right", "wrong"])
def test_format_of_the_configuration_file_applies_to_wrong_usage(
    workplace: Workplace, contacts: Contacts, arguments: list[str], more: str
) -> None:
    """Even if the file contains a mistake."""
    config = workplace.directory / "import.toml"
    config.write_text(f'log-format = "json"\nquiet = true\n{more}')
    (found,) = lines_of(workplace.run(contacts(1), "--config", config, *arguments).stderr)
    assert (found["event"], found["exitCode"]) == ("run.failed", 2)


def test_error_of_the_sandbox_is_one_event(workplace: Workplace, contacts: Contacts) -> None:
    """It is another process, whose own output would mix with the lines of the log."""
    faults = workplace.directory / "faults.toml"
    faults.write_text("[[rules]]\n")
    arguments = ("--sandbox", "--sandbox-faults", faults, "--log-format", "json")
    ran = workplace.run(contacts(1), *arguments)
    (found,) = lines_of(ran.stderr)
    assert (ran.exit_status, found["exitCode"]) == (2, 2)
    assert "--sandbox-faults: The faults file" in found["message"]
    assert "'rules' is not known" in found["message"]


BROKEN = {
    "thread": (
        ("import threading\n"
        "def run():\n    raise KeyError('CELLMARK')\n"
        "def broken(*_):\n    one = threading.Thread(target=run); one.start(); one.join()\n"),
        "program.fault",
        "KeyError at",
    ),
    "warning": (
        ("import warnings\n"
        "def broken(*_):\n    warnings.warn('CELLMARK')\n"),
        "program.warning",
        "UserWarning at sitecustomize.py:3",
    ),
    "unraisable": (
        ("class Bad:\n    def __del__(self):\n        raise KeyError('CELLMARK')\n"
        "def broken(*_):\n    Bad()\n"),
        "program.fault",
        "KeyError at",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_error_reported_by_python_is_an_event_without_its_text(
    workplace: Workplace, contacts: Contacts, tmp_path: Path, kind: str
) -> None:
    """A failed thread, a warning, an unraisable error: their texts may quote a cell."""
    code, name, says = BROKEN[kind]
    (tmp_path / "sitecustomize.py").write_text(
        f"{code}import importer.planning as planning\noriginal = planning.plan\n"
        "def plan(valid, key):\n    broken()\n    return original(valid, key)\n"
        "planning.plan = plan\n"
    )
    ran = workplace.run(
        contacts(2), "--dry-run", "--out", workplace.out, "--log-format", "json",
        PYTHONPATH=f"{tmp_path}:{workplace.environment.get('PYTHONPATH', '')}",
    )  # fmt: skip
    assert ran.exit_status == 0, ran.stderr
    (found,) = (one for one in lines_of(ran.stderr) if one["event"].startswith("program."))
    assert found["event"] == name
    assert says in found["message"]
    assert "CELLMARK" not in ran.stderr


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM])
def test_signal_before_the_run_is_one_event(workplace: Workplace, number: signal.Signals) -> None:
    """For example while it waits for standard input."""
    process = workplace.start(
        "-", "--dry-run", "--log-format", "json", "--out", workplace.out, "-v",
        stdin=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    first = process.stderr.readline()  # the settings; from here on, signals are handled by the run
    process.send_signal(number)
    _, rest = process.communicate(timeout=60)
    found = lines_of(first + rest)
    assert [one["event"] for one in found] == ["settings.used", "run.failed"]
    assert (process.returncode, found[-1]["exitCode"]) == (128 + number, 128 + number)
    assert not workplace.out.exists()


def test_signal_while_libraries_are_loaded_is_reported(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Loading takes long enough for a scheduler to cancel the job."""
    slow = workplace.directory / "slow" / "pandas"
    slow.mkdir(parents=True)
    (slow / "__init__.py").write_text(
        "import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(60)\n"
    )
    process = workplace.start(
        contacts(1), "--base-url", server.url, "--out", workplace.out,
        env={"PYTHONPATH": f"{slow.parent}:{workplace.environment.get('PYTHONPATH', '')}"},
    )  # fmt: skip
    while not (workplace.directory / "begun").exists():
        assert process.poll() is None
    process.terminate()
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 143
    message = "ERROR run.failed: Received SIGTERM. Run the same command"
    assert stderr.startswith(f"{stderr[:20]} {message}")
    assert len(stderr.splitlines()) == 1
    assert server.requests == []


@pytest.mark.parametrize("command", [COMMAND, UNDO], ids=["import", "undo"])
def test_removed_working_directory_is_reported(
    workplace: Workplace, contacts: Contacts, command: tuple[str, ...]
) -> None:
    """As wrong usage, not as an internal error."""
    gone = workplace.directory / "gone"
    line = f"mkdir {gone} && cd {gone} && rmdir {gone} && exec " + shlex.join(
        [*command, str(contacts(1)), "--base-url", "http://127.0.0.1:9"]
    )
    done = workplace.shell(line)
    assert done.returncode == 2
    assert "working directory cannot be found" in done.stderr


@pytest.mark.parametrize("option", ["--api-token", "--client-key=S3CRET", "--password"])
def test_credential_among_the_arguments_is_refused(
    workplace: Workplace, contacts: Contacts, option: str
) -> None:
    """The message says where it belongs, and does not repeat it."""
    ran = workplace.run(contacts(1), option, "S3CRET")
    assert ran.exit_status == 2
    assert "SITECORE_CDP_API_TOKEN" in ran.stderr
    assert "S3CRET" not in ran.stderr


def test_mistyped_variable_is_refused(workplace: Workplace, contacts: Contacts) -> None:
    """The message names the nearest option."""
    ran = workplace.run(contacts(1), "--dry-run", IMPORT_CONTACTS_MAX_EROR="3")
    assert ran.exit_status == 2
    assert "did you mean max-errors?" in ran.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("STRICT", "maybe"), ("LIMIT", "x"), ("MAP", "street"), ("LOG_FORMAT", "xml")],
)
def test_wrong_value_of_a_variable_names_the_variable(
    workplace: Workplace, contacts: Contacts, name: str, value: str
) -> None:
    """The command line does not show where it comes from."""
    ran = workplace.run(contacts(1), "--dry-run", **{f"IMPORT_CONTACTS_{name}": value})
    assert ran.exit_status == 2
    assert ran.stderr.startswith(f"Error: IMPORT_CONTACTS_{name}: '{value}' is not ")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_bare_environment_is_sufficient(
    workplace: Workplace, server: ReferenceServer, log_format: str
) -> None:
    """Without a locale, names are escaped in the log and intact in the results."""
    source = workplace.write([("orderRef", "firstName", "Größe"), (order(1), "Σωκράτης", "ß")])
    ran = workplace.run(
        source, "--base-url", server.url, "--out", workplace.out, "--carry", "Größe",
        "--map", "city=Größe", "--log-format", log_format, "-v", **BARE,
    )  # fmt: skip
    assert ran.exit_status == 0, ran.stderr
    assert ran.stderr.isascii()
    assert ran.results[0]["Größe"] == "ß"
    assert server.contacts[order(1)][0]["firstName"] == "Σωκράτης"


@pytest.mark.parametrize(
    "redirection", ["2>&-", "2>&- >&- <&-", "2>&1 | head -c 1", "2>/dev/full", "2>&1 | true"]
)
def test_closed_pipe_does_not_affect_the_run(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts, redirection: str
) -> None:
    """It continues, its files are complete, and its exit status is unchanged."""
    process = in_shell(
        workplace, contacts(20), "--base-url", server.url, "--progress", "-v", redirection
    )
    assert process.communicate(timeout=120)[1] == b""
    assert process.returncode == 0
    assert workplace.out.read_text().count("created") == 20


def test_help_into_a_closed_pipe_exits_0(workplace: Workplace) -> None:
    """As in: import-contacts --help | head -1."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "--help"],
        env=workplace.environment,
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_number_of_a_closed_standard_stream_is_not_reused(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """Otherwise log lines would be written into the next file that is opened."""
    numbers: list[str] = []

    def look(_: object) -> None:
        folder = Path(f"/proc/{process.pid}/fd")
        numbers.extend(str((folder / str(number)).readlink()) for number in range(3))

    server.fault_of = look
    process = in_shell(workplace, contacts(1), "--base-url", server.url, "<&- >&- 2>&-")
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert numbers == [os.devnull] * 3


def test_results_for_closed_standard_output_are_refused(
    workplace: Workplace, contacts: Contacts
) -> None:
    """Before anything is sent, as they would be lost."""
    process = in_shell(workplace, contacts(1), "--dry-run", "--out -", ">&-")
    assert b"standard output is closed" in process.communicate(timeout=120)[1]
    assert process.returncode == 2


def test_interruption_reports_what_happens_next(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """Requests in flight are waited for; a second signal would not wait."""
    server.latency = 0.5
    process = workplace.start(
        contacts(50), "--base-url", server.url, "--out", workplace.out, "--concurrency", 1,
        "--log-format", "json",
    )  # fmt: skip
    while not server.requests:
        assert process.poll() is None
    process.terminate()
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 143
    events = {found["event"]: found for found in lines_of(stderr)}
    assert events["run.interrupted"]["signal"] == "SIGTERM"
    assert events["run.finished"]["exitCode"] == 143


def test_verbose_run_logs_settings_and_environment(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """Settings with their origin, proxy and certificates; never the password of a proxy."""
    ran = workplace.run(
        contacts(1), "--base-url", server.url, "--out", workplace.out, "-v", "--rate", "50",
        IMPORT_CONTACTS_TIMEOUT="7", HTTPS_PROXY="http://me:PROXYSECRET@proxy.example:3128",
    )  # fmt: skip
    assert "rate: 50 (command line)" in ran.stderr
    assert "timeout: 7 (environment)" in ran.stderr
    assert "concurrency: 8 (default)" in ran.stderr
    assert "api.environment: no proxy" in ran.stderr
    assert "PROXYSECRET" not in ran.stderr


def test_unwritable_summary_or_report_is_refused(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """Before anything is sent."""
    for option in ("--summary", "--report", "--rejects"):
        ran = workplace.send(contacts(1), server, option, workplace.directory)
        assert ran.exit_status == 2
        assert option in ran.stderr
    assert server.requests == []


@pytest.mark.parametrize("option", ["--summary", "--report"])
def test_summary_or_report_lost_midway_exits_5(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts, option: str
) -> None:
    """The results are written, and the log has the figures and the reason."""
    place = workplace.directory / "about"
    place.mkdir()
    server.fault_of = lambda _: shutil.rmtree(place, ignore_errors=True)
    ran = workplace.send(contacts(3), server, option, place / "file", "--log-format", "json")
    finished = lines_of(ran.stderr)[-1]
    assert (ran.exit_status, finished["event"], finished["exitCode"]) == (5, "run.finished", 5)
    assert finished["statuses"] == {"created": 3}
    assert f"{option}: {place}/file cannot be written" in finished["stopped"]
    assert ran.statuses == ["created"] * 3


def test_lost_report_is_in_the_summary(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """Its exit code is the exit status of the process."""
    place = workplace.directory / "about"
    place.mkdir()
    server.fault_of = lambda _: shutil.rmtree(place, ignore_errors=True)
    ran = workplace.send(
        contacts(3), server, "--report", place / "file", "--summary", "summary.json"
    )
    assert (ran.exit_status, workplace.figures()["exitCode"]) == (5, 5)
    assert "contacts.csv: All 3 rows are done." in ran.stderr


@pytest.mark.parametrize("option", ["--summary", "--report", "--rejects", "--out"])
def test_file_that_another_run_is_writing_is_refused(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts, option: str
) -> None:
    """Before anything is sent."""
    path = workplace.directory / "file"
    with AtomicFile(path, "--out"):
        ran = workplace.run(contacts(1), "--base-url", server.url, option, path)
    assert (ran.exit_status, server.requests) == (2, [])
    assert f"{option}: another run is writing" in ran.stderr


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_files_are_private_whatever_the_umask(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts, umask: int
) -> None:
    """Other users cannot read them, and the next run can."""
    files = ("--rejects", "rejects.csv", "--summary", "summary.json", "--report", "report.html")
    process = workplace.start(
        contacts(2), "--base-url", server.url, "--out", workplace.out, *files, umask=umask
    )
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (*workplace.directory.iterdir(), workplace.journal)
        if path.name != "contacts.csv"
    }
    assert stat.S_IMODE(workplace.journal.parent.stat().st_mode) == 0o700
    assert len(modes) == 5
    assert set(modes.values()) == {0o600}

"""The import from Python: the same run, in the caller's own process."""

import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Workplace
from servers.reference import API_TOKEN, CLIENT_KEY, Fault, ReferenceServer

import importer

Contacts = Callable[[int], Path]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITECORE_CDP_CLIENT_KEY", CLIENT_KEY)
    monkeypatch.setenv("SITECORE_CDP_API_TOKEN", API_TOKEN)


def test_summary_is_returned(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """The results are written where they were asked for."""
    summary = importer.import_contacts(contacts(5), base_url=server.url, out=workplace.out)
    assert summary.exit_status is importer.ExitStatus.OK
    assert summary.statuses == {importer.Status.CREATED: 5}
    assert summary.headline == "All 5 rows are done."
    assert workplace.out.read_text().count("created") == 5
    assert sum(server.contact_counts().values()) == 5


def test_options_are_those_of_the_command(workplace: Workplace, server: ReferenceServer) -> None:
    """They have the same names; columns are a mapping, and credentials may be passed."""
    source = workplace.write([("Order", "Given", "No"), ("x", "Ann", "7")])
    summary = importer.import_contacts(
        str(source),
        base_url=server.url,
        client_key=CLIENT_KEY,
        api_token=API_TOKEN,
        columns={"orderRef": "Order", "firstName": "Given"},
        identifiers={"CRM": "No"},
        require=["firstName"],
        max_errors="50%",
        out=workplace.out,
        rejects=workplace.directory / "rejects.csv",
        report=workplace.directory / "report.html",
        summary=workplace.directory / "summary.json",
        journal=None,
        limit=10,
    )
    assert summary.errors == {"invalid.orderRef": 1}
    assert summary.exit_status is importer.ExitStatus.SOME_ROWS_FAILED
    assert {path.name for path in workplace.directory.iterdir()} == {
        "contacts.csv", "results.csv", "rejects.csv", "report.html", "summary.json",
    }  # fmt: skip
    assert workplace.journal.exists()
    assert "call" in (workplace.directory / "report.html").read_text()


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        pytest.param({}, importer.UsageError, "--region", id="no-destination"),
        pytest.param({"region": "mars"}, importer.UsageError, "mars", id="region"),
        pytest.param({"concurrency": "8"}, importer.UsageError, "a whole number", id="type"),
        pytest.param({"client_key": "k"}, importer.UsageError, "together", id="half"),
        pytest.param({"columns": [1]}, importer.UsageError, "not a list", id="columns"),
        pytest.param({"columns": {"city": 5}}, importer.UsageError, "columns city", id="column"),
        pytest.param(
            {"client_key": "k", "api_token": "t", "credentials_file": "c.toml"},
            importer.UsageError,
            "not both",
            id="two-credentials",
        ),
        pytest.param({"quiet": True}, TypeError, "no option 'quiet'", id="no-log"),
        pytest.param({"map": {"city": "Town"}}, TypeError, "no option 'map'", id="no-map"),
        pytest.param({"concurency": 8}, TypeError, "did you mean concurrency", id="unknown"),
        pytest.param({"dry_run": True, "encoding": "x"}, importer.UsageError, "x", id="encoding"),
        pytest.param({"dry_run": True, "limit": -1}, importer.UsageError, "range", id="limit"),
    ],
)
def test_wrong_options_raise(
    contacts: Contacts, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    """The message names the option and what it accepts."""
    with pytest.raises(error, match=says):
        importer.import_contacts(contacts(1), **options)


def test_unreadable_file_raises(workplace: Workplace, server: ReferenceServer) -> None:
    """Nothing is sent, and there are no results."""
    with pytest.raises(importer.InputError):
        importer.import_contacts(
            workplace.directory / "absent.csv", base_url=server.url, out=workplace.out
        )
    assert not workplace.out.exists()


def test_stopped_run_returns_its_summary(workplace: Workplace, contacts: Contacts) -> None:
    """Its results are written; the exit status says that there is more to do."""
    with ReferenceServer(faults=lambda _: Fault(status=401)) as server:
        summary = importer.import_contacts(contacts(3), base_url=server.url, out=workplace.out)
    assert summary.exit_status is importer.ExitStatus.CREDENTIALS
    assert summary.statuses == {importer.Status.NOT_SENT: 3}


def test_process_is_left_alone(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """No signal handler and no logging configuration, in any thread."""
    before = [signal.getsignal(number) for number in SIGNALS]
    handlers = list(logging.getLogger("importer").handlers)
    seen: list[object] = []
    source = contacts(3)
    server.fault_of = lambda _: seen.extend(signal.getsignal(number) for number in SIGNALS)
    summaries: list[importer.Summary] = []

    def call() -> None:
        summaries.append(importer.import_contacts(source, base_url=server.url, out=workplace.out))

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert summaries[0].exit_status is importer.ExitStatus.OK
    assert set(map(id, seen)) <= set(map(id, before))
    assert logging.getLogger("importer").handlers == handlers


def test_events_go_to_the_log_of_the_caller(
    workplace: Workplace,
    server: ReferenceServer,
    contacts: Contacts,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Through the logger of the package."""
    monkeypatch.setattr(logging.getLogger("importer"), "propagate", True)
    caplog.set_level(logging.INFO, "importer")
    importer.import_contacts(contacts(2), base_url=server.url, out=workplace.out)
    assert "run.started" in {vars(record).get("event") for record in caplog.records}


def test_environment_of_the_command_is_not_read(
    contacts: Contacts, workplace: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call has its own arguments."""
    monkeypatch.setenv("IMPORT_CONTACTS_LIMIT", "1")
    monkeypatch.setenv("IMPORT_CONTACTS_REGION", "eu")
    summary = importer.import_contacts(contacts(3), dry_run=True, out=workplace.out)
    assert summary.rows == 3


def test_importing_the_package_loads_nothing_heavy() -> None:
    """All public names exist when they are asked for."""
    code = (
        "import sys, importer\n"
        "heavy = {'pandas', 'click', 'requests', 'jinja2'} & set(sys.modules)\n"
        "print(*heavy, *(name for name in importer.__all__ if not hasattr(importer, name)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_library_does_not_import_click() -> None:
    """Not even when it has read its options."""
    code = "import sys, importer.library; print('click' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_unknown_attribute_raises() -> None:
    """As it does for any module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = importer.nothing

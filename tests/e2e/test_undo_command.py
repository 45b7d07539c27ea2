"""``undo-import`` as a command: its confirmation, its options and its exit statuses."""

import os
import pty
import time
from pathlib import Path

import pytest
from command import UNDO, Workplace, order
from servers.reference import Fault, ReferenceServer
from undone import Contacts, at_first_delete, imported, results

from importer.errors import ExitStatus
from importer.journal import Journal, Sender
from schemas.results import RESULT_COLUMNS


def test_yes_is_required_without_a_terminal(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The message has the number of contacts, and nothing is deleted."""
    imported(workplace, contacts, server, 3)
    ran = workplace.run(workplace.out, "--base-url", server.url, command=UNDO)
    assert ran.exit_status == ExitStatus.USAGE
    assert "3 contacts" in ran.stderr
    assert "--yes" in ran.stderr
    assert "guest" in ran.stderr
    assert server.requests == []
    assert not (workplace.directory / "results.undone.csv").exists()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        pytest.param(b"y\n", ExitStatus.OK, id="yes"),
        pytest.param(b"n\n", ExitStatus.USAGE, id="no"),
        pytest.param(b"\n", ExitStatus.USAGE, id="nothing"),
        pytest.param(b"\x04", ExitStatus.USAGE, id="end-of-input"),
        pytest.param(b"\x03", ExitStatus.INTERRUPTED, id="ctrl-c"),
    ],
)
def test_confirmation_is_asked_for_on_a_terminal(
    workplace: Workplace,
    contacts: Contacts,
    server: ReferenceServer,
    answer: bytes,
    status: ExitStatus,
) -> None:
    """It shows how many contacts and where; only "yes" deletes."""
    imported(workplace, contacts, server, 1)
    pid, terminal = pty.fork()
    if pid == 0:
        command = [*UNDO, str(workplace.out), "--base-url", server.url]
        os.chdir(workplace.directory)
        os.execve(command[0], command, workplace.environment)  # noqa: S606 - our own command
    said = b""
    while b"[y/N]" not in said:
        said += os.read(terminal, 1000)
    assert f"Delete 1 contact at {server.url}?".encode() in said
    # Python handles a signal that arrives before it waits for the answer only after the answer.
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        time.sleep(0.01)
    os.write(terminal, answer)
    while True:
        try:
            said += os.read(terminal, 1000)
        except OSError:
            break
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == status, said
    os.close(terminal)
    assert server.contact_counts() == ({} if status is ExitStatus.OK else {order(1): 1})


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("orderRef,firstName\r\n1,Ann\r\n", id="a-source-file"),
        pytest.param(",".join(RESULT_COLUMNS[:-1]) + "\r\n", id="a-column-is-missing"),
        pytest.param(",".join(RESULT_COLUMNS) + "\r\n1,2,o,created,r\r\n", id="a-short-record"),
        pytest.param(",".join(RESULT_COLUMNS) + f"\r\n1,2,o,made{',' * 8}\r\n", id="a-status"),
        pytest.param("", id="empty"),
        pytest.param(None, id="missing"),
    ],
)
def test_other_file_than_results_exits_3(
    workplace: Workplace, server: ReferenceServer, text: str | None
) -> None:
    """One clear error, nothing deleted, no files."""
    if text is not None:
        workplace.out.write_text(text)
    ran = workplace.undo(server)
    assert ran.exit_status == ExitStatus.INPUT, ran.stderr
    assert "results.csv" in ran.stderr
    assert server.requests == []
    assert not ran.out.exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param([], "--region", id="no-destination"),
        pytest.param(["--region", "eu", "--base-url", "http://127.0.0.1"], "only one", id="two"),
        pytest.param(["--base-url", "http://example.com"], "http", id="plain-http"),
        pytest.param(["--region", "eu", "--out", "results.csv"], "source file", id="out-is-input"),
        pytest.param(["--region", "eu", "--sandbox"], "--sandbox", id="sandbox"),
        pytest.param(["--region", "eu", "--config", "none.toml"], "none.toml", id="config"),
    ],
)
def test_wrong_usage_exits_2(workplace: Workplace, arguments: list[str], says: str) -> None:
    """One clear error that names what is wrong."""
    results(workplace)
    ran = workplace.run(workplace.out, "--yes", *arguments, command=UNDO)
    assert ran.exit_status == ExitStatus.USAGE
    assert says in ran.stderr


def test_contacts_of_another_region_are_refused_before_anything_is_deleted(
    workplace: Workplace,
) -> None:
    """In this region they would appear to be absent."""
    href = f"https://api-engage-us.sitecorecloud.io/v2.1/orderContacts/{order(7)}"
    results(workplace, {"orderRef": order(1), "ref": order(7), "href": href})
    ran = workplace.run(workplace.out, "--region", "eu", "--yes", command=UNDO)
    assert ran.exit_status == ExitStatus.USAGE
    assert "api-engage-us.sitecorecloud.io" in ran.stderr
    assert "api-engage-eu.sitecorecloud.io" in ran.stderr
    assert "--region" in ran.stderr


def test_contacts_of_another_host_on_loopback_are_a_warning(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """A loopback address can be a tunnel or a copy, so nothing is harmed."""
    stored = server.store(order(1), {"firstName": "Ann"})
    href = f"https://api-engage-eu.sitecorecloud.io/v2.1/orderContacts/{stored['ref']}"
    results(workplace, {"orderRef": order(1), "ref": stored["ref"], "href": href})
    ran = workplace.undo(server)
    assert ran.statuses == ["deleted"]
    assert "destination.differs" in ran.stderr


def test_wrong_credentials_exit_4(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """It stops immediately, with nothing deleted and every row left for the next run."""
    imported(workplace, contacts, server, 20)
    server.authorization = "Basic other"
    ran = workplace.undo(server)
    assert ran.exit_status == ExitStatus.CREDENTIALS
    assert {(row["status"], row["errorCode"]) for row in ran.results} == {
        ("failed", "stopped.credentials")
    }
    assert len(server.requests) == 1


def test_unavailable_api_exits_5(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """It asks the client to come back tomorrow; the next run continues."""
    imported(workplace, contacts, server, 5)
    server.contact_fault_of = lambda _: Fault(status=503, headers={"Retry-After": "86400"})
    ran = workplace.undo(server)
    assert ran.exit_status == ExitStatus.STOPPED
    assert ran.statuses == ["failed"] * 5
    server.contact_fault_of = lambda _: None
    assert workplace.undo(server).statuses == ["deleted"] * 5


def test_too_many_errors_exit_5(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """``--max-errors`` counts failed deletions."""
    imported(workplace, contacts, server, 50)
    server.contact_fault_of = lambda _: Fault(status=400)
    ran = workplace.undo(server, "--max-errors", 2, "--concurrency", 1)
    assert ran.exit_status == ExitStatus.STOPPED
    assert len(server.requests) == 3


def test_journal_in_use_exits_75(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """An import is using it."""
    imported(workplace, contacts, server, 2)
    held = Journal.open(workplace.journal, Sender(server.url))
    ran = workplace.undo(server)
    held.close()
    assert ran.exit_status == ExitStatus.LOCKED
    assert server.requests == []


def test_summary_reports_the_lowest_pace(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Compared with the requested one."""
    imported(workplace, contacts, server, 4)
    server.contact_fault_of = at_first_delete(Fault(status=503))
    ran = workplace.undo(server, "--concurrency", 6)
    assert "fell from 6 to" in ran.stderr


def test_rate_and_concurrency_are_respected(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """There are never more requests in flight than requested; carried columns are kept."""
    source = contacts(60)
    server.latency = 0.01
    workplace.send(source, server, "--carry", "firstName")
    server.peak = 0
    ran = workplace.undo(server, "--concurrency", 3)
    assert server.peak == 3
    assert [row["firstName"] for row in ran.results] == [f"Name {n}" for n in range(1, 61)]


def test_log_contains_no_secrets(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Neither credentials nor what the API returns about contacts."""
    imported(workplace, contacts, server, 2)
    server.contact_fault_of = lambda _: Fault(status=400, body=b'{"code":400,"message":"Name 1"}')
    ran = workplace.undo(server, "-v", "--log-format", "json")
    for secret in ("Name 1", "p1@example.com", "c2FuZGJveDpzYW5kYm94"):
        assert secret not in ran.stderr


def test_undo_uses_the_configuration_file_of_the_import(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Destination, credentials, pace and journal apply; options of the import only are ignored."""
    secret = workplace.directory / "credentials.toml"
    secret.touch(0o600)
    secret.write_text('client_key = "sandbox"\napi_token = "sandbox"\n')
    config = workplace.directory / "import.toml"
    config.write_text(
        f'base-url = "{server.url}"\ncredentials-file = "credentials.toml"\nout = "results.csv"\n'
        'journal = "kept.journal"\nsummary = "of-import.json"\nif-exists = "skip"\n'
        'concurrency = 1\n[columns]\nfirstName = "firstName"\n'
    )
    no = {"SITECORE_CDP_CLIENT_KEY": "", "SITECORE_CDP_API_TOKEN": ""}
    ran = workplace.run(contacts(5), "--config", config, **no)
    assert ran.exit_status == 0, ran.stderr
    figures = workplace.figures("of-import.json")
    server.peak = 0
    ran = workplace.run(workplace.out, "--config", config, "--yes", command=UNDO, **no)
    assert ran.exit_status == 0, ran.stderr
    assert (server.contact_counts(), server.peak) == ({}, 1)
    assert workplace.figures("of-import.json") == figures
    assert "journal.unknown" not in ran.stderr
    variable = {"IMPORT_CONTACTS_CONFIG": str(config)}
    ran = workplace.run(workplace.out, "--yes", command=UNDO, **no, **variable)
    assert ran.exit_status == 0, ran.stderr


def test_files_that_an_undo_reads_are_not_overwritten(workplace: Workplace) -> None:
    """Neither credentials nor configuration."""
    results(workplace)
    for option in ("--credentials-file", "--config"):
        kept = workplace.directory / "kept.toml"
        kept.touch(0o600)
        kept.write_text("")
        given = (workplace.out, "--region", "eu", option, kept, "--out", kept)
        ran = workplace.run(*given, command=UNDO)
        assert (ran.exit_status, kept.read_text()) == (ExitStatus.USAGE, "")


def test_undo_reports_the_origin_of_its_settings(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """An unknown variable is an error; ``-v`` shows settings, proxy and certificates."""
    results(workplace)
    variables = {"IMPORT_CONTACTS_BASE_URL": server.url, "IMPORT_CONTACTS_RATE": "7"}
    ran = workplace.run(workplace.out, "-v", command=UNDO, **variables)
    assert ran.exit_status == ExitStatus.SOME_ROWS_FAILED, ran.stderr
    assert "rate: 7 (environment)" in ran.stderr
    assert "api.environment" in ran.stderr
    ran = workplace.run(workplace.out, command=UNDO, **variables, IMPORT_CONTACTS_RAT="7")
    assert ran.exit_status == ExitStatus.USAGE
    assert "IMPORT_CONTACTS_RAT" in ran.stderr


def test_standard_input_is_refused_as_results_file(workplace: Workplace) -> None:
    """It could not be read twice, and the confirmation could not be read from it."""
    ran = workplace.run("-", "--region", "eu", "--yes", command=UNDO, stdin=b"")
    assert ran.exit_status == ExitStatus.USAGE
    assert "RESULTS_CSV" in ran.stderr
    assert "must be a file" in ran.stderr

"""Every exit status, by the situation that causes it."""

import shlex

import pytest
from command import COMMAND, Workplace, order
from servers.reference import Fault, ReferenceServer

from importer.errors import ExitStatus

GOOD = [("orderRef", "firstName"), (order(1), "Ann"), (order(2), "Bob")]

SPREADSHEET = b"PK\x03\x04\x14\0\x06\0\x08\0" + b"\0" * 16 + b"\x13\0\0\0[Content_Types].xml"


def test_all_done_exits_0(workplace: Workplace, server: ReferenceServer) -> None:
    """Every row is created."""
    assert workplace.send(workplace.write(GOOD), server).exit_status == ExitStatus.OK


def test_some_rows_not_done_exits_1(workplace: Workplace) -> None:
    """The API has rejected one row; the results contain its message."""
    with ReferenceServer(faults=[Fault(status=400)]) as server:
        ran = workplace.send(workplace.write(GOOD), server)
    assert ran.exit_status == ExitStatus.SOME_ROWS_FAILED
    row = ran.results[0]
    assert (row["status"], row["httpStatus"], row["errorCode"]) == ("rejected", "400", "http.400")
    assert "A fault was asked for." in row["error"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--no-such-option"], "--no-such-option", id="unknown-option"),
        pytest.param([], "--region", id="no-destination"),
        pytest.param(["--region", "mars"], "mars", id="unknown-region"),
        pytest.param(["--region", "eu", "--sandbox"], "only one", id="two-destinations"),
        pytest.param(["--base-url", "http://example.com"], "http", id="plain-http"),
        pytest.param(["--base-url", "https://me:secret@example.com"], "user name", id="userinfo"),
        pytest.param(["--dry-run", "--out", "contacts.csv"], "source file", id="out-is-input"),
        pytest.param(["--dry-run", "--out", "no/such/dir.csv"], "no directory", id="no-directory"),
        pytest.param(["--dry-run", "--map", "firstNam=x"], "firstName", id="nearest-field"),
        pytest.param(["--dry-run", "--map", "firstName"], "FIELD=COLUMN", id="map-form"),
        pytest.param(["--dry-run", "--require", "emial"], "emails", id="nearest-required"),
        pytest.param(["--dry-run", "--phone-region", "XX"], "XX", id="unknown-phone-region"),
        pytest.param(["--dry-run", "--encoding", "klingon"], "klingon", id="unknown-encoding"),
        pytest.param(["--dry-run", "--max-errors", "many"], "many", id="max-errors"),
        pytest.param(["--dry-run", "--concurrency", "0"], "0", id="concurrency"),
        pytest.param(["--dry-run", "--out", ""], "--out", id="blank-path"),
        pytest.param(["--base-url", ""], "blank", id="blank-address"),
        pytest.param(["--dry-run", "--require", ""], "blank", id="blank-field"),
        pytest.param(["--dry-run", "--journal", "-"], "must be a file", id="journal-is-no-file"),
        pytest.param(["--dry-run", "--config", "-"], "must be a file", id="config-is-no-file"),
        pytest.param(["--dry-run", "--limit", 10**30], "range", id="limit-of-no-file"),
        pytest.param(["--dry-run", "--timeout", "1e12"], "range", id="timeout-of-no-clock"),
        pytest.param(["--sandbox-faults", "x", "--region", "eu"], "--sandbox", id="faults-alone"),
    ],
)
def test_wrong_usage_exits_2(workplace: Workplace, arguments: list[str], says: str) -> None:
    """One clear error that names what is wrong; no secret, no traceback, no results."""
    workplace.write(GOOD)
    ran = workplace.run("contacts.csv", *arguments)
    assert ran.exit_status == ExitStatus.USAGE, ran.stderr
    assert says in ran.stderr
    assert "secret" not in ran.stderr
    assert not ran.out.exists()


@pytest.mark.parametrize("name", ["SITECORE_CDP_CLIENT_KEY", "SITECORE_CDP_API_TOKEN"])
@pytest.mark.parametrize("value", ["", "two\nlines"])
def test_unusable_credentials_exit_2(
    workplace: Workplace, server: ReferenceServer, name: str, value: str
) -> None:
    """Before anything is sent; the message names the variable and not its value."""
    workplace.write(GOOD)
    ran = workplace.run("contacts.csv", "--base-url", server.url, **{name: value})
    assert ran.exit_status == ExitStatus.USAGE
    assert name in ran.stderr
    assert "lines" not in ran.stderr
    assert server.requests == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "contacts.csv", id="missing"),
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"orderRef,firstName\n\xff,x\n", "line 2", id="undecodable"),
        pytest.param(b"orderRef,firstName,firstName\n", "firstName", id="doubles"),
        pytest.param(b"orderRef,firstName,FirstName\n", "FirstName", id="two-for-one-field"),
        pytest.param(b"firstName\nAnn\n", "orderRef", id="no-order-column"),
        pytest.param(SPREADSHEET, "xlsx", id="spreadsheet"),
        pytest.param(b"<!DOCTYPE html><html></html>", "HTML", id="html"),
        pytest.param(b"%PDF-1.7\n", "PDF", id="pdf"),
        pytest.param(b'[{"orderRef": "x"}]', "JSON", id="json"),
    ],
)
def test_unreadable_input_exits_3(
    workplace: Workplace, server: ReferenceServer, content: bytes | None, says: str
) -> None:
    """One clear error with the position and the remedy; nothing is sent or left behind."""
    source = workplace.directory / "contacts.csv"
    if content is not None:
        source.write_bytes(content)
    ran = workplace.send(source, server)
    assert ran.exit_status == ExitStatus.INPUT, ran.stderr
    assert says in ran.stderr
    assert server.requests == []
    assert {path.name for path in workplace.directory.iterdir()} <= {"contacts.csv"}


def test_undecodable_byte_at_the_end_is_found_before_anything_is_sent(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """The whole file is read once before the first request."""
    source = workplace.directory / "contacts.csv"
    lines = [f"{order(n)},Ann".encode() for n in range(20_000)]
    source.write_bytes(b"orderRef,firstName\n" + b"\n".join(lines) + b"\xff\n")
    ran = workplace.send(source, server)
    assert ran.exit_status == ExitStatus.INPUT
    assert "line 20001" in ran.stderr.replace(",", "")
    assert server.requests == []


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_exit_4(workplace: Workplace, status: int) -> None:
    """After one request; every row is left for the next run."""
    with ReferenceServer(faults=lambda _: Fault(status=status)) as server:
        ran = workplace.send(workplace.write(GOOD), server)
    assert ran.exit_status == ExitStatus.CREDENTIALS
    assert ran.statuses == ["not_sent", "not_sent"]
    assert {row["errorCode"] for row in ran.results} == {"stopped.credentials"}
    assert len(server.requests) == 1
    assert "SITECORE_CDP_CLIENT_KEY" in ran.stderr


def test_stop_records_every_row_of_a_large_file(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """It has more rows than may be pending, so reading waits for the first outcomes."""
    server.fault_of = lambda _: Fault(status=401, delay=2.0)
    rows = [(order(n), f"Name {n}") for n in range(25_000)]
    ran = workplace.send(workplace.write([("orderRef", "firstName"), *rows]), server)
    assert ran.exit_status == ExitStatus.CREDENTIALS
    assert ran.statuses == ["not_sent"] * 25_000
    assert len(server.requests) == 1


def test_credentials_revoked_midway_exit_4_and_the_next_run_continues(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """What was created before stays created."""
    rows = [(order(n), f"Name {n}") for n in range(20)]
    source = workplace.write([("orderRef", "firstName"), *rows])
    good = iter(range(5))
    server.fault_of = lambda _: None if next(good, None) is not None else Fault(status=401)
    first = workplace.send(source, server, "--concurrency", 1)
    assert first.exit_status == ExitStatus.CREDENTIALS
    assert first.statuses == ["created"] * 5 + ["not_sent"] * 15
    server.fault_of = lambda _: None
    second = workplace.send(source, server)
    assert second.statuses == ["exists"] * 5 + ["created"] * 15
    assert set(server.contact_counts().values()) == {1}


GROW = "open('contacts.csv', 'a').write('00000000-0000-4000-8000-000000000999,Eve\\r\\n')"
GROWING = {
    "before-it-is-sent": f"""
import importer.pipeline.import_run as run
survey = run.survey
def growing(*given):
    surveyed = survey(*given)
    {GROW}
    return surveyed
run.survey = growing
""",
    "while-it-is-sent": f"""
import importer.pipeline.run as run
from importer.api.client import Connection
run._MOST_PENDING = 10  # so that reading has not finished by then
carry_out, once = Connection.carry_out, [1]
def growing(self, *given):
    if once:
        once.pop()
        {GROW}
    return carry_out(self, *given)
Connection.carry_out = growing
""",
}


@pytest.mark.parametrize("code", GROWING.values(), ids=GROWING)
def test_growing_file_exits_5(workplace: Workplace, server: ReferenceServer, code: str) -> None:
    """Its complete records are sent; the next run continues with the rest."""
    rows = [(order(n), f"Name {n}") for n in range(300)]
    source = workplace.write([("orderRef", "firstName"), *rows])
    (workplace.directory / "sitecustomize.py").write_text(code)
    path = f"{workplace.directory}:{workplace.environment.get('PYTHONPATH', '')}"
    ran = workplace.run(source, "--base-url", server.url, "--out", workplace.out, PYTHONPATH=path)
    assert ran.exit_status == ExitStatus.STOPPED
    assert "changed" in ran.stderr
    assert "Wait until the export has finished, then run the same command again" in ran.stderr
    assert workplace.send(source, server).exit_status == ExitStatus.OK
    assert server.contact_counts() == {order(n): 1 for n in [*range(300), 999]}


def test_standard_input_that_does_not_fit_on_disk_exits_3(workplace: Workplace) -> None:
    """Not as an internal error: its temporary copy is too large."""
    workplace.write([("orderRef", "firstName"), *((order(n), "Ann") for n in range(1000))])
    command = shlex.join([*COMMAND, "-", "--dry-run", "--out", "results.csv"])
    done = workplace.shell(f"ulimit -f 8; exec {command} < contacts.csv")
    assert done.returncode == ExitStatus.INPUT, done.stderr
    assert "standard input cannot be copied" in done.stderr


def test_redirect_exits_5_and_is_not_followed(workplace: Workplace) -> None:
    """Personal data is sent only to the configured host."""
    with (
        ReferenceServer() as other,
        ReferenceServer(
            faults=lambda _: Fault(status=307, headers={"Location": f"{other.url}/v2.1/x"})
        ) as server,
    ):
        ran = workplace.send(workplace.write(GOOD), server)
    assert ran.exit_status == ExitStatus.STOPPED
    assert ran.statuses == ["failed", "not_sent"]
    assert other.requests == []


def test_journal_of_another_run_exits_75(workplace: Workplace, server: ReferenceServer) -> None:
    """The second run exits immediately and changes nothing."""
    rows = [(order(n), f"Name {n}") for n in range(40)]
    source = workplace.write([("orderRef", "firstName"), *rows])
    server.latency = 0.2
    first = workplace.start(
        source, "--base-url", server.url, "--out", workplace.out, "--concurrency", 1
    )
    while not server.requests:
        assert first.poll() is None
    second = workplace.send(source, server)
    assert second.exit_status == ExitStatus.LOCKED
    assert not workplace.out.exists()
    server.latency = 0.0
    _, stderr = first.communicate(timeout=120)
    assert first.returncode == ExitStatus.OK, stderr
    assert set(server.contact_counts().values()) == {1}

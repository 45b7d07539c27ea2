"""All runs to a destination share one journal: no contact twice, whatever the files are called."""

import csv
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from asking import asked_undo
from command import Workplace, order, wait_until
from servers.reference import API_TOKEN, CLIENT_KEY, Fault, ReferenceServer

import importer
from importer.api import Credentials, one_name_of
from importer.errors import ExitStatus, NothingToDeleteError, UsageError
from importer.journal import Entry, Journal, Run, Sender, Wait
from importer.pipeline import undo_file
from importer.records import Status
from importer.reporting import Summary
from importer.resolve import undo_run

ROWS = 8
NAIVE = Path(__file__).parents[1] / "support" / "naive.py"
ONE_EACH = {f"Name {n}": 1 for n in range(1, ROWS + 1)}


class Desk:
    """Imports and undoes files in this process, all with the journal of the destination."""

    def __init__(self, workplace: Workplace, server: ReferenceServer) -> None:
        self.workplace = workplace
        self.server = server
        del workplace.environment["IMPORT_CONTACTS_IF_EXISTS"]
        self.rows = [(order(n), f"Name {n}", f"p{n}@example.com") for n in range(1, ROWS + 1)]

    def write(self, name: str, rows: list[tuple[str, str, str]]) -> Path:
        """Write a source file."""
        return self.workplace.write([("orderRef", "firstName", "emails"), *rows], name)

    def send(self, source: Path, **options: object) -> Summary:
        """Import a file."""
        given = {
            "base_url": self.server.url,
            "client_key": CLIENT_KEY,
            "api_token": API_TOKEN,
            "out": source.with_suffix(".results.csv"),
        }
        return importer.import_contacts(source, **given | options)  # type: ignore[arg-type]

    def whole(self, name: str = "contacts.csv", **options: object) -> Summary:
        """Import all rows."""
        return self.send(self.write(name, self.rows), **options)

    def undo(self, *arguments: str, results: str | None = None, force: bool = False) -> Summary:
        """Undo runs, or the results of one."""
        out = () if "--dry-run" in arguments else ("--out", self.workplace.directory / "u.csv")
        given = asked_undo("--base-url", self.server.url, *out, *arguments, results=results)
        credentials = Credentials(CLIENT_KEY, API_TOKEN)
        return undo_file(undo_run(given), credentials, lambda _: None, force=force)

    def contacts(self) -> dict[str, int]:
        """Return how often the API has each contact."""
        stored = [one for contacts in self.server.contacts.values() for one in contacts]
        return dict(Counter(one["firstName"] for one in stored))

    def requests(self, method: str) -> int:
        """Return how many requests of a method were sent."""
        return sum(request.method == method for request in self.server.requests)

    def opened(self) -> Journal:
        """Open the journal for reading."""
        sender = Sender(one_name_of(self.server.url), CLIENT_KEY)
        return Journal.open_for_reading(self.workplace.journal, sender)

    def runs(self) -> list[Run]:
        """Return the runs in the journal."""
        with closing(self.opened()) as journal:
            return list(journal.runs())

    def entries(self) -> list[Entry]:
        """Return the contacts in the journal."""
        with closing(self.opened()) as journal:
            return list(journal.contacts())


@pytest.fixture
def desk(
    workplace: Workplace, server: ReferenceServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """Return a desk whose files are in the working directory."""
    monkeypatch.chdir(workplace.directory)
    return Desk(workplace, server)


# -- sequences of runs ---------------------------------------------------------------------------


def first_row(desk: Desk) -> None:
    """Import the first row alone."""
    desk.whole(limit=1, out=desk.workplace.directory / "first.csv")


def dated(desk: Desk) -> None:
    """Import an export of another day, with the same content."""
    name = f"contacts-{len(list(desk.workplace.directory.iterdir()))}.csv"
    desk.whole(name)


def refused(desk: Desk) -> None:
    """Import while the API refuses every second contact, then the rejects when it recovers."""
    rejects = desk.workplace.directory / "rejects.csv"
    desk.server.fault_of = lambda request: (
        Fault(status=400) if int(request.order_ref[-1], 16) % 2 else None
    )
    desk.whole(rejects=rejects)
    desk.server.fault_of = lambda _: None
    desk.send(rejects)


def unclear(desk: Desk) -> None:
    """Import while the API stores and breaks off, and cannot be read; then the rejects."""
    rejects = desk.workplace.directory / "rejects.csv"
    desk.server.fault_of = lambda request: (
        Fault(store=True, status=500) if int(request.order_ref[-1], 16) % 2 else None
    )
    desk.server.list_fault_of = lambda _: Fault(status=400)
    desk.whole(rejects=rejects, if_exists="create", attempts=1)
    desk.server.fault_of = desk.server.list_fault_of = lambda _: None
    desk.send(rejects)


def killed(desk: Desk) -> None:
    """Kill an import while a request is on its way."""
    source = desk.write("killed.csv", desk.rows)
    desk.server.latency = 0.1
    sent = desk.requests("POST")
    given = (source, "--base-url", desk.server.url, "--concurrency", 1)
    process = desk.workplace.start(*given)
    wait_until(lambda: desk.requests("POST") > sent + 2, process)
    process.kill()
    process.communicate(timeout=60)
    # What was on its way may be stored until now; nothing can be promised about a later moment
    # once the journal is lost as well.
    end = time.monotonic() + 5 * desk.server.latency
    wait_until(lambda: time.monotonic() > end)
    desk.server.latency = 0.0


def lose(desk: Desk) -> None:
    """Lose the journal."""
    desk.workplace.journal.unlink()


def undo_last(desk: Desk) -> None:
    """Delete what the last import created."""
    desk.undo("--run", "last")


def fresh(desk: Desk) -> None:
    """Import as if nothing had been sent."""
    desk.whole(fresh=True)


Step = Callable[[Desk], object]
SEQUENCES: list[list[Step]] = [
    [first_row, Desk.whole],
    [Desk.whole, dated, dated],
    [refused, dated],
    [unclear, dated],
    [Desk.whole, lose, Desk.whole],
    [first_row, lose, dated, Desk.whole],
    [refused, lose, Desk.whole],
    [killed, Desk.whole],
    [killed, lose, dated],
    [Desk.whole, undo_last, dated],
    [first_row, dated, undo_last, undo_last, Desk.whole],
    [Desk.whole, undo_last, lose, dated, lose, first_row, dated],
    [Desk.whole, undo_last, fresh, dated],
]


def names(steps: list[Step]) -> str:
    """Return the id of a sequence."""
    return "-".join(step.__name__ for step in steps)


@pytest.mark.parametrize("steps", SEQUENCES, ids=names)
def test_each_contact_is_there_once_after_a_sequence_of_runs(desk: Desk, steps: list[Step]) -> None:
    """Whatever the files are called, and whatever was lost or deleted in between."""
    for step in steps:
        step(desk)
    assert desk.contacts() == ONE_EACH


def naively(desk: Desk, source: Path, *, kills: bool = False) -> None:
    """Import a file with a program that remembers by the name of the file."""
    command = [sys.executable, NAIVE, source, desk.server.url, f"{source}.done"]
    process = subprocess.Popen(command, env=desk.workplace.environment)
    if kills:
        sent = desk.requests("POST")
        wait_until(lambda: desk.requests("POST") > sent + 2, process)
        process.kill()
    process.wait(60)


def naive_step(desk: Desk, step: Step, number: int) -> None:
    """Do what a step does with the naive program."""
    if step is first_row:
        naively(desk, desk.write("first.csv", desk.rows[:1]))
    elif step is lose:
        for path in desk.workplace.directory.glob("*.done"):
            path.unlink()
    elif step is unclear:
        desk.server.fault_of = lambda _: Fault(store=True, status=500)
        naively(desk, desk.write("contacts.csv", desk.rows))
        desk.server.fault_of = lambda _: None
    elif step is killed:
        desk.server.latency = 0.1
        naively(desk, desk.write("contacts.csv", desk.rows), kills=True)
        desk.server.latency = 0.0
    else:
        name = "contacts.csv" if step is Desk.whole else f"contacts-{number}.csv"
        naively(desk, desk.write(name, desk.rows))


@pytest.mark.parametrize(
    "steps",
    [one for one in SEQUENCES if not {undo_last, fresh, refused} & set(one)],
    ids=names,
)
def test_naive_program_fails_the_same_sequences(desk: Desk, steps: list[Step]) -> None:
    """The control: they would show that contacts are created twice."""
    for number, step in enumerate(steps):
        naive_step(desk, step, number)
    assert desk.contacts() != ONE_EACH


# -- what it costs -------------------------------------------------------------------------------


def two_of_each_order() -> list[tuple[str, str, str]]:
    """Return 16 rows of 8 orders, in no order."""
    return [(order(n % 8), f"Name {n}", f"p{n}@example.com") for n in range(16)]


@pytest.mark.parametrize(
    ("options", "readings"),
    [
        pytest.param({}, 8, id="auto"),
        pytest.param({"if_exists": "create"}, 0, id="create"),
        pytest.param({"fresh": True}, 0, id="fresh"),
        pytest.param({"dry_run": True}, 0, id="dry-run"),
    ],
)
def test_first_run_reads_each_order_once(
    desk: Desk, options: dict[str, object], readings: int
) -> None:
    """Only by default, however many contacts the order gets."""
    desk.rows = two_of_each_order()
    desk.whole(**options)
    assert desk.requests("GET") == readings
    assert desk.requests("POST") == (0 if "dry_run" in options else 16)


def test_trusted_journal_costs_no_reading(desk: Desk) -> None:
    """One request for each new contact, and none for the others."""
    desk.whole()
    desk.server.requests.clear()
    desk.rows += [(order(n), f"New {n}", "") for n in range(1, 4)]
    assert desk.whole("other.csv").statuses == {Status.CREATED: 3, Status.EXISTS: ROWS}
    assert [request.method for request in desk.server.requests] == ["POST"] * 3


@pytest.mark.parametrize(
    ("options", "trusted"),
    [
        pytest.param({}, True, id="whole"),
        pytest.param({"limit": 3}, False, id="limit"),
        pytest.param({"limit": 100}, False, id="limit-above-the-rows"),
        pytest.param({"dry_run": True}, False, id="dry-run"),
        pytest.param({"max_errors": 0}, False, id="stopped"),
    ],
)
def test_only_a_complete_run_makes_the_journal_trusted(
    desk: Desk,
    options: dict[str, object],
    trusted: bool,  # noqa: FBT001 - a column
) -> None:
    """Until then, the next run reads orders first."""
    if "max_errors" in options:
        desk.server.fault_of = lambda _: Fault(status=400)
    desk.whole(**options)
    desk.server.fault_of = lambda _: None
    with closing(desk.opened()) as journal:
        assert journal.has_complete_run is trusted
    desk.server.requests.clear()
    desk.whole()
    expected = 0 if trusted else len({r.order_ref for r in desk.server.requests})
    assert desk.requests("GET") == expected


def test_order_is_read_although_the_untrusted_journal_has_contacts_of_it(desk: Desk) -> None:
    """Those of a first run that was killed; the journal before it is lost."""
    rows = desk.rows
    desk.rows = [(order(1), name, email) for _, name, email in rows]
    desk.whole()
    desk.workplace.journal.unlink()
    desk.whole(limit=2)
    assert desk.whole().statuses == {Status.EXISTS: ROWS}
    assert desk.contacts() == ONE_EACH


# -- numbered runs -------------------------------------------------------------------------------


def test_runs_are_numbered_and_recorded(desk: Desk) -> None:
    """With what was asked for and what came of it; dry runs are not."""
    first = desk.whole(limit=2, carry=["firstName"])
    desk.whole(dry_run=True, out=None)
    second = desk.whole("other.csv")
    undone = desk.undo("--run", "1")
    assert [one.journal.run for one in (first, second, undone)] == [1, 2, 3]
    runs = desk.runs()
    assert [(run.command, run.source, run.counts, run.exit_status) for run in runs] == [
        ("import-contacts", str(desk.workplace.directory / "contacts.csv"), {"created": 2}, 0),
        (
            "import-contacts",
            str(desk.workplace.directory / "other.csv"),
            {"created": ROWS - 2, "exists": 2},
            0,
        ),
        ("undo-import", "run 1", {"deleted": 2}, 0),
    ]
    assert [run.is_whole for run in runs] == [False, True, False]
    assert runs[1].source_digest == second.sha256
    assert (runs[0].options["limit"], runs[0].options["carry"]) == ("2", "firstName")
    assert all(run.ended_at is not None for run in runs)
    assert CLIENT_KEY not in str(runs[0].options)
    assert (second.journal.contacts, second.journal.path) == (ROWS, str(desk.workplace.journal))
    assert (first.journal.is_new, second.journal.is_new) == (True, False)


def test_killed_run_stays_open(desk: Desk) -> None:
    """It has no end and no exit status; the next run has the next number."""
    killed(desk)
    assert desk.whole().journal.run == 2
    (run, _) = desk.runs()
    assert (run.number, run.ended_at, run.exit_status, run.counts) == (1, None, None, {})


def test_failed_run_is_recorded_with_its_exit_status(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped, or ended by an error while the results are written."""
    desk.server.fault_of = lambda _: Fault(status=401)
    desk.whole()
    desk.server.fault_of = lambda _: None

    def full(*_: object) -> None:
        raise importer.StoppedError("full")

    monkeypatch.setattr("importer.pipeline.outputs.Outputs.commit", full)
    with pytest.raises(importer.StoppedError):
        desk.whole()
    assert [run.exit_status for run in desk.runs()] == [ExitStatus.CREDENTIALS, ExitStatus.STOPPED]
    assert desk.runs()[1].counts == {"created": ROWS}


def test_report_that_cannot_be_written_is_in_the_recorded_exit_status(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in that of the process."""

    def full(*_: object) -> str:
        raise importer.StoppedError("full")

    monkeypatch.setattr("importer.reporting.page.page", full)
    summary = desk.whole(report=desk.workplace.directory / "r.html")
    assert summary.exit_status is ExitStatus.STOPPED
    assert [run.exit_status for run in desk.runs()] == [ExitStatus.STOPPED]


def test_log_and_final_text_name_journal_and_run(desk: Desk) -> None:
    """With what the journal contains, or that it is new."""
    source = desk.write("contacts.csv", desk.rows)
    given = (source, "--base-url", desk.server.url)
    journal = desk.workplace.journal
    first = desk.workplace.run(*given)
    assert f"journal: {journal} (new, run 1)" in first.stderr
    assert "so orders are read first" in first.stderr
    assert f"\nJournal: {journal} ({ROWS} contacts, run 1)" in first.stderr
    again = desk.workplace.run(*given)
    assert f"journal: {journal} ({ROWS} contacts, run 2)" in again.stderr
    assert "read first" not in again.stderr


def test_rehearsal_leaves_no_journal(workplace: Workplace) -> None:
    """Not even where --journal names one; nothing of it counts."""
    pytest.importorskip("aiohttp")
    source = workplace.write([("orderRef", "firstName"), (order(1), "Ann")])
    ran = workplace.run(source, "--sandbox", "--journal", "j.journal", "--summary", "s.json")
    assert ran.exit_status == 0, ran.stderr
    assert "\nJournal: none (a rehearsal leaves none)" in ran.stderr
    assert not workplace.journal.parent.exists()
    assert not (workplace.directory / "j.journal").exists()
    figures = workplace.figures("s.json")
    assert (figures["run"], figures["journal"], figures["statuses"]) == (None, None, {"created": 1})


def test_names_that_sqlite_reads_as_addresses_are_files(desk: Desk) -> None:
    """Of the results and of the journal."""
    desk.whole(out="file:r.csv", journal="file:r.journal?mode=memory")
    assert {"file:r.csv", "file:r.journal?mode=memory"} <= {
        path.name for path in desk.workplace.directory.iterdir()
    }


def test_wait_is_for_another_run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the number of seconds; 0 gives up immediately."""
    desk.whole()
    holder = Journal.open(desk.workplace.journal, Sender(""))
    with pytest.raises(importer.JournalLockedError):
        desk.whole()
    monkeypatch.setattr("importer.journal.database._POLL_SECONDS", 0.0)
    polls: list[float] = []

    def sleep(seconds: float) -> None:
        polls.append(seconds)
        holder.close()

    monkeypatch.setattr(
        "importer.pipeline.run.Wait", lambda seconds: Wait(seconds, lambda: 0.0, sleep)
    )
    assert desk.whole(wait=60).statuses == {Status.EXISTS: ROWS}
    assert len(polls) == 1


# -- dry runs ------------------------------------------------------------------------------------


def test_dry_run_reads_the_journal_and_keeps_the_results(desk: Desk) -> None:
    """They have another name by default, and are never overwritten."""
    desk.whole(limit=3, out=None)
    results = desk.workplace.directory / "contacts.results.csv"
    before, journal = results.read_bytes(), desk.workplace.journal.read_bytes()
    summary = desk.whole(dry_run=True, out=None)
    assert summary.statuses == {Status.EXISTS: 3, Status.VALID: ROWS - 3}
    assert summary.out == "contacts.dry-run.csv"
    with pytest.raises(UsageError, match="a dry run does not overwrite them"):
        desk.whole(dry_run=True, out=results)
    assert (results.read_bytes(), desk.workplace.journal.read_bytes()) == (before, journal)


# -- undo by run ---------------------------------------------------------------------------------


def refs_of(desk: Desk, name: str = "u.csv") -> list[tuple[str, str]]:
    """Return the status and ref of each result of an undo."""
    with (desk.workplace.directory / name).open(newline="") as file:
        return [(row["status"], row["ref"]) for row in csv.DictReader(file)]


def test_undo_of_a_run_deletes_what_it_created_and_nothing_else(desk: Desk) -> None:
    """However often its results were overwritten since."""
    desk.whole(limit=3)
    desk.whole()
    own = {entry.ref for entry in desk.entries() if entry.run == 1}
    assert desk.undo("--run", "1").statuses == {Status.DELETED: 3}
    assert {ref for _, ref in refs_of(desk)} == own
    assert desk.contacts() == {f"Name {n}": 1 for n in range(4, ROWS + 1)}
    desk.undo("--run", "2", "--run", "last")
    assert desk.contacts() == {}


def test_last_run_is_the_last_import_whose_contacts_are_there(desk: Desk) -> None:
    """Neither one that found everything, nor an undo, nor one that is undone."""
    desk.whole(limit=3)
    desk.whole()
    desk.whole()
    assert desk.undo("--run", "last").statuses == {Status.DELETED: ROWS - 3}
    assert desk.undo("--run", "last").statuses == {Status.DELETED: 3}
    with pytest.raises(NothingToDeleteError, match="no contact that an import created is there"):
        desk.undo("--run", "last")


def test_found_and_updated_contacts_are_left_alone(desk: Desk) -> None:
    """They are not the run's own; an update cannot be undone."""
    for row in desk.rows[:2]:
        desk.server.store(row[0], {"firstName": row[1], "emails": [row[2]]})
    desk.server.store(desk.rows[2][0], {"firstName": "Old", "emails": [desk.rows[2][2]]})
    assert desk.whole(if_exists="update").statuses == {
        Status.EXISTS: 2,
        Status.UPDATED: 1,
        Status.CREATED: ROWS - 3,
    }
    assert desk.undo("--run", "1").statuses == {Status.DELETED: ROWS - 3}
    assert desk.contacts() == {"Name 1": 1, "Name 2": 1, "Name 3": 1}
    with pytest.raises(NothingToDeleteError) as caught:
        desk.undo("--run", "1")
    for fact in ("5 contacts deleted since", "3 contacts found", "1 contact updated"):
        assert fact in str(caught.value)


def test_contacts_that_were_changed_since_are_left_alone(desk: Desk) -> None:
    """Unless --force is given; the run can be undone to its end then."""
    desk.whole()
    contact = desk.server.contacts[order(2)][0]
    contact |= {"createdAt": "2026-01-01T00:00:00.000Z", "modifiedAt": "2026-01-01T00:00:02.000Z"}
    assert desk.undo("--run", "1").statuses == {Status.DELETED: ROWS - 1, Status.FAILED: 1}
    assert desk.undo("--run", "1", force=True).statuses == {Status.DELETED: 1}


def test_nothing_to_delete_names_the_runs_that_created_the_contacts(desk: Desk) -> None:
    """The results of a later run call them ``exists``."""
    desk.whole(limit=3)
    desk.whole()
    desk.whole()
    desk.server.requests.clear()
    results = str(desk.workplace.directory / "contacts.results.csv")
    with pytest.raises(NothingToDeleteError) as caught:
        desk.undo(results=results)
    assert caught.value.exit_status is ExitStatus.SOME_ROWS_FAILED
    assert f"created by run 1 (3), run 2 ({ROWS - 3})" in str(caught.value)
    assert "--run 1 --run 2" in str(caught.value)
    with pytest.raises(NothingToDeleteError, match="The last run that did is run 2"):
        desk.undo("--run", "3")
    assert (desk.server.requests, len(desk.runs())) == ([], 3)


def test_dry_run_of_an_undo_has_results_of_its_own(desk: Desk) -> None:
    """And is not numbered."""
    desk.whole()
    assert desk.undo("--run", "1", "--dry-run").statuses == {Status.VALID: ROWS}
    assert [status for status, _ in refs_of(desk, "run-1.dry-run.csv")] == ["valid"] * ROWS
    assert len(desk.runs()) == 1


@pytest.mark.parametrize("number", ["2", "99"])
def test_unknown_run_is_refused(desk: Desk, number: str) -> None:
    """As is any run without a journal."""
    with pytest.raises(UsageError, match="there is no journal"):
        desk.undo("--run", number)
    desk.whole()
    with pytest.raises(UsageError, match=f"has no run {number}"):
        desk.undo("--run", number)


def test_undo_that_was_killed_goes_on(desk: Desk) -> None:
    """Contacts whose deletion was on its way are still those of the run."""
    desk.whole()
    desk.server.latency = 0.1
    given = ("--run", "1", "--base-url", desk.server.url, "--yes", "--concurrency", 1)
    process = desk.workplace.start(
        *given, command=(sys.executable, "-c", "from importer.cli.undo import main; main()")
    )
    wait_until(lambda: desk.requests("DELETE") > 2, process)
    process.kill()
    process.communicate(timeout=60)
    # What was on its way may be stored until now; nothing can be promised about a later moment
    # once the journal is lost as well.
    end = time.monotonic() + 5 * desk.server.latency
    wait_until(lambda: time.monotonic() > end)
    desk.server.latency = 0.0
    assert sum(desk.undo("--run", "last").statuses.values()) >= ROWS - 3
    assert desk.contacts() == {}
    assert desk.whole().statuses == {Status.CREATED: ROWS}

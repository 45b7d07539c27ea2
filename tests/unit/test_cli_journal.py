"""``contacts-journal``: what it shows of a journal, in every form."""

import csv
import json
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from importer.cli.journal import command
from importer.errors import ExitStatus, JournalLockedError, UsageError
from importer.journal import Entry, Journal, Sender, State, create_folder, default_path

ORDERS = [f"00000000-0000-4000-8000-{n:012d}" for n in range(3)]
EU = "https://api-engage-eu.sitecorecloud.io:443"
US = "https://api-engage-us.sitecorecloud.io:443"


def fill(path: Path, destination: str = EU) -> None:
    """Write a journal of a complete run, an undo and a run that was killed."""
    create_folder(path)
    with closing(Journal.open(path, Sender(destination, "key"))) as journal:
        first = journal.begin_run("import-contacts", "=a.csv", options={"limit": "2"})
        journal.write(
            [
                Entry(journal.key(one, b"c"), one, State.CREATED, f"r{n}", f"https://x/{n}", "g", 1)
                for n, one in enumerate(ORDERS[:2])
            ]
        )
        journal.finish_run(first, {"created": 2, "invalid": 1}, 1, "ab" * 32)
        journal.begin_run("import-contacts", "b.csv")
        journal.write([Entry(journal.key(ORDERS[2], b"c"), ORDERS[2], State.INTENT)])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a journal in no state folder."""
    found = tmp_path / "j.journal"
    fill(found)
    return found


def shown(*arguments: object) -> str:
    """Return what the command writes; it must exit with 0."""
    ran = CliRunner().invoke(command, [*map(str, arguments)], standalone_mode=False)
    if ran.exception:
        raise ran.exception
    assert ran.return_value is ExitStatus.OK
    assert ran.stderr == ""
    return ran.stdout


def test_runs_are_a_table(path: Path) -> None:
    """One that was killed has no end and no exit status."""
    header, first, second = shown("runs", "--journal", path).splitlines()
    assert header.split() == [
        "run", "command", "startedAt", "endedAt", "source", "statuses", "exitStatus",
    ]  # fmt: skip
    assert first.split()[0] == "1"
    assert first.split()[4:] == ["=a.csv", "created=2", "invalid=1", "1"]
    assert header.index("source") == first.index("=a.csv") == second.index("b.csv")
    assert second.endswith("b.csv")


def test_runs_as_json_have_all_that_is_recorded(path: Path) -> None:
    """Options and digest, too; blank is null."""
    first, second = json.loads(shown("runs", "--journal", path, "--format", "json"))
    assert (first["options"], first["inputSha256"]) == ({"limit": "2"}, "ab" * 32)
    assert (first["statuses"], first["exitStatus"]) == ({"created": 2, "invalid": 1}, 1)
    assert (second["endedAt"], second["exitStatus"], second["statuses"]) == (None, None, {})


def test_runs_as_csv_are_safe_in_a_spreadsheet(path: Path) -> None:
    """The name of a file could be a formula."""
    rows = list(csv.DictReader(shown("runs", "--journal", path, "--format", "csv").splitlines()))
    assert [row["source"] for row in rows] == ["'=a.csv", "b.csv"]


@pytest.mark.parametrize(
    ("arguments", "orders"),
    [
        ([], ORDERS),
        (["--run", 1], ORDERS[:2]),
        (["--run", 2], ORDERS[2:]),
        (["--run", 3], []),
        (["--order", ORDERS[1]], ORDERS[1:2]),
        (["--order", ORDERS[1].upper()], ORDERS[1:2]),
        (["--order", ORDERS[1], "--run", 2], []),
    ],
)
def test_contacts_are_csv(path: Path, arguments: list[object], orders: list[str]) -> None:
    """In the documented columns, of all runs and orders or of some."""
    text = shown("contacts", "--journal", path, *arguments)
    header, *rows = csv.reader(text.splitlines())
    assert header == ["orderRef", "state", "ref", "href", "guestRef", "run", "sentAt"]
    assert sorted(row[0] for row in rows) == orders
    if not arguments:
        assert rows[0][1:] == ["created", "r0", "https://x/0", "g", "1", "1970-01-01T00:00:01Z"]
        assert rows[2][1:] == ["intent", "", "", "", "2", ""]


@pytest.mark.parametrize("style", ["text", "json"])
def test_contacts_in_other_forms(path: Path, style: str) -> None:
    """A table, and an array."""
    text = shown("contacts", "--journal", path, "--format", style)
    if style == "json":
        assert [one["run"] for one in json.loads(text)] == [1, 1, 2]
        assert json.loads(shown("contacts", "--journal", path, "--format", style, "--run", 9)) == []
    else:
        assert [line.split()[1] for line in text.splitlines()] == [
            "state", "created", "created", "intent",
        ]  # fmt: skip


def test_sound_journal_is_called_sound(path: Path) -> None:
    """And is not changed by any command."""
    before = path.read_bytes()
    assert shown("verify", "--journal", path) == f"{path} is sound.\n"
    assert json.loads(shown("verify", "--journal", path, "--format", "json")) == []
    assert path.read_bytes() == before


def test_damage_is_named_and_exits_with_2(path: Path) -> None:
    """A changed letter in a reference."""
    content = path.read_bytes()
    assert content.count(b"https://x/1") == 1
    path.write_bytes(content.replace(b"https://x/1", b"https://x/7"))
    ran = CliRunner().invoke(command, ["verify", "--journal", str(path)], standalone_mode=False)
    assert isinstance(ran.exception, UsageError)
    assert "is damaged: Entry 2" in str(ran.exception)
    assert ran.stdout.splitlines()[0] == "problem"
    assert ORDERS[1] in ran.stdout


@pytest.mark.parametrize("show", ["runs", "contacts", "verify"])
def test_file_that_is_not_a_journal_is_refused(tmp_path: Path, show: str) -> None:
    """One that is absent, empty or something else."""
    for content in (None, b"", b"a,b\n" * 1000):
        found = tmp_path / "other"
        if content is not None:
            found.write_bytes(content)
        with pytest.raises(UsageError):
            shown(show, "--journal", found)


def test_only_journal_of_the_state_folder_is_the_default() -> None:
    """Several are listed, and one is chosen by its destination."""
    with pytest.raises(UsageError, match="no journal in the state folder"):
        shown("runs")
    fill(default_path(EU))
    assert len(shown("runs").splitlines()) == 3
    fill(default_path(US), US)
    with pytest.raises(UsageError) as caught:
        shown("runs")
    for destination in (EU, US):
        assert str(default_path(destination)) in str(caught.value)
    assert len(shown("runs", "--region", "us").splitlines()) == 3


def test_destinations_of_one_file_are_kept_apart(path: Path) -> None:
    """Without a destination, all are shown."""
    fill(path, US)

    def count(*more: str) -> int:
        return len(shown("contacts", "--journal", path, *more).splitlines())

    assert count() == 1 + 6
    assert count("--region", "us") == count("--base-url", EU) == 1 + 3
    assert count("--region", "ap") == 1


def test_journal_that_a_run_holds_is_refused(path: Path) -> None:
    """With the exit status of any second run."""
    with closing(Journal.open(path, Sender(EU))), pytest.raises(JournalLockedError):
        shown("runs", "--journal", path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runs", "--run", "1"], "for contacts only"),
        (["verify", "--order", "x"], "for contacts only"),
        (["show"], "'show' is not one of runs, contacts, verify."),
        (["runs", "--region", "eu", "--base-url", EU], "only one"),
    ],
)
def test_wrong_usage_is_refused(path: Path, arguments: list[str], message: str) -> None:
    """The message says what is right."""
    with pytest.raises(UsageError, match=message):
        shown(*arguments, "--journal", path)

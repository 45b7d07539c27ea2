"""Input that is refused (exit status 3) leaves the journal and the destination as they were."""

from pathlib import Path

import pytest
from command import order
from servers.reference import API_TOKEN, CLIENT_KEY, ReferenceServer

import importer
from importer.errors import ExitStatus, InputError, UsageError
from importer.files import AtomicFile
from importer.pipeline import import_run
from importer.records import Status

HEADER = "orderRef,firstName,gender\n"
GOOD = "".join(f"{order(number)},Ann,female\n" for number in range(3))
REFUSED = {
    "invalid-row": f"{HEADER}{GOOD}{order(9)},Ann,?\n",
    "undecodable-byte-far-down": f"{HEADER}{GOOD * 5000}\udcff,Ann,female\n",
    "no-order-column": "firstName\nAnn\n",
    "empty": "",
}


class Desk:
    """A directory to import files from, in this process."""

    def __init__(self, directory: Path, server: ReferenceServer) -> None:
        self.out = directory / "results.csv"
        self.journal = directory / "journal"
        self._source = directory / "contacts.csv"
        self._server = server

    def run(self, content: str, *, strict: bool = False, fresh: bool = False) -> importer.Summary:
        """Import a file of that content."""
        self._source.write_text(content, encoding="utf-8", errors="surrogateescape")
        return importer.import_contacts(
            self._source,
            out=self.out,
            journal=self.journal,
            base_url=self._server.url,
            client_key=CLIENT_KEY,
            api_token=API_TOKEN,
            strict=strict,
            fresh=fresh,
        )

    def refuse(self, content: str, *, fresh: bool) -> None:
        """Import a file that must be refused."""
        try:
            summary = self.run(content, strict="?" in content, fresh=fresh)
        except InputError:
            return
        assert summary.exit_status is ExitStatus.INPUT


@pytest.fixture
def desk(tmp_path: Path, server: ReferenceServer) -> Desk:
    """Return an empty directory to import files from."""
    return Desk(tmp_path, server)


@pytest.mark.parametrize("fresh", [False, True], ids=["plain", "fresh"])
@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_refused_file_leaves_the_journal_unchanged(
    desk: Desk, server: ReferenceServer, content: str, *, fresh: bool
) -> None:
    """Also with --fresh: the next run still has an entry for every contact."""
    assert desk.run(HEADER + GOOD).statuses == {Status.CREATED: 3}
    before = desk.journal.read_bytes()
    desk.refuse(content, fresh=fresh)
    assert desk.journal.read_bytes() == before
    assert desk.run(HEADER + GOOD).statuses == {Status.EXISTS: 3}
    assert sum(request.method == "POST" for request in server.requests) == 3


@pytest.mark.parametrize("fresh", [False, True], ids=["plain", "fresh"])
@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_refused_file_creates_no_journal(
    desk: Desk, server: ReferenceServer, content: str, *, fresh: bool
) -> None:
    """Nothing is sent either."""
    desk.refuse(content, fresh=fresh)
    assert not desk.journal.exists()
    assert server.requests == []


def test_header_that_changes_before_the_second_reading_leaves_the_journal_unchanged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --fresh, too."""
    desk.run(HEADER + GOOD)
    before = desk.journal.read_bytes()
    first_reading = import_run.survey

    def changing(*given: object) -> object:
        surveyed = first_reading(*given)  # type: ignore[arg-type]
        (desk.out.parent / "contacts.csv").write_text(f"orderRef,lastName,gender\n{GOOD}")
        return surveyed

    monkeypatch.setattr(import_run, "survey", changing)
    with pytest.raises(InputError, match="changed"):
        desk.run(HEADER + GOOD, fresh=True)
    assert desk.journal.read_bytes() == before


def test_output_that_cannot_be_written_leaves_the_journal_unchanged(desk: Desk) -> None:
    """With --fresh, too; here because another run is writing the file."""
    desk.run(HEADER + GOOD)
    before = desk.journal.read_bytes()
    with AtomicFile(desk.out, "--out"), pytest.raises(UsageError, match="another run"):
        desk.run(HEADER + GOOD, fresh=True)
    assert desk.journal.read_bytes() == before


def test_fresh_run_that_strict_stops_reports_no_row_as_existing(desk: Desk) -> None:
    """Its rows are not looked up in the journal that it was to forget."""
    desk.run(HEADER + GOOD)
    refused = desk.run(REFUSED["invalid-row"], strict=True, fresh=True)
    assert refused.statuses == {Status.INVALID: 1, Status.NOT_SENT: 3}
    assert refused.exit_status is ExitStatus.INPUT


def test_fresh_run_of_an_accepted_file_forgets_the_journal(
    desk: Desk, server: ReferenceServer
) -> None:
    """Its contacts are created again."""
    desk.run(HEADER + GOOD)
    assert desk.run(HEADER + GOOD, strict=True, fresh=True).statuses == {Status.CREATED: 3}
    assert sum(request.method == "POST" for request in server.requests) == 6


def test_statuses_of_a_summary_are_a_plain_dictionary(desk: Desk) -> None:
    """In the order of the statuses, without those that no row has."""
    summary = desk.run(f"{HEADER}{GOOD}{order(9)},Ann,?\n")
    assert repr(summary.statuses).startswith("{<Status.CREATED: 'created'>: 3, <Status.INVALID")
    assert type(summary.errors) is type(summary.notes) is type(summary.warnings) is dict

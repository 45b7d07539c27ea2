"""Which contacts an undo deletes, and on which host they must be."""

import csv
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from importer.errors import InputError, UsageError
from importer.journal import Entry, Journal, Sender, State
from importer.pipeline.undo_survey import Survey, survey
from importer.reading import Source, open_source
from importer.settings import SourceOptions
from importer.undoing.candidates import candidates, created_records, own_columns
from schemas.results import RESULT_COLUMNS

EU = "https://api-engage-eu.sitecorecloud.io"
US = "https://api-engage-us.sitecorecloud.io"
LOCAL = "http://127.0.0.1:8080"
COLUMNS = {name: at for at, name in enumerate(RESULT_COLUMNS)}


def ref(number: int) -> str:
    """Return a ref."""
    return f"00000000-0000-4000-8000-{number:012d}"


def created(number: int, **cells: object) -> dict[str, object]:
    """Return a record of a contact that was created in the region eu."""
    href = f"{EU}/v2.1/orderContacts/{ref(number)}"
    own = {"row": number, "status": "created", "ref": ref(number), "href": href}
    return own | cells


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of the results file."""
    return tmp_path / "results.csv"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Return a journal of the region eu that has an entry for contact 1."""
    with closing(Journal.open(tmp_path / "journal", Sender(EU))) as opened:
        opened.write([Entry(b"k" * 16, ref(9), State.CREATED, ref(1), "", "")])
        yield opened


def write(path: Path, *records: dict[str, object]) -> None:
    """Write a results file."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, RESULT_COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(records)


def source(path: Path) -> Source:
    """Open a results file."""
    return open_source(SourceOptions(path=path), None)  # type: ignore[arg-type] # not read


def surveyed(path: Path, journal: Journal, base_url: str = EU) -> Survey:
    """Return what a first reading finds."""
    return survey(lambda: source(path), "results.csv", journal, base_url)


def test_candidates_are_the_created_records_under_their_record_numbers(path: Path) -> None:
    """All others are not even candidates; lines are those of the results file."""
    statuses = ("created", "exists", "updated", "duplicate", "unknown", "deleted", "created")
    write(path, *(created(n, status=status) for n, status in enumerate(statuses, start=1)))
    with source(path) as opened:
        (batch,) = opened.batches()
        found = created_records("results.csv", batch, COLUMNS)
    assert [(one.row, one.ref) for one in candidates(found, COLUMNS)] == [(1, ref(1)), (7, ref(7))]
    assert found.lines.to_dict() == {1: 2, 7: 8}


def test_columns_are_found_by_name() -> None:
    """In any order; of two columns with one name, the first belongs to the results."""
    assert own_columns("x.csv", (*RESULT_COLUMNS, "status", "note")) == COLUMNS
    moved = own_columns("x.csv", ("note", *RESULT_COLUMNS[::-1]))
    assert moved == {name: at for at, name in enumerate(RESULT_COLUMNS[::-1], start=1)}


@pytest.mark.parametrize("missing", RESULT_COLUMNS)
def test_file_without_a_column_of_results_is_refused(missing: str) -> None:
    """It is not a results file of this program."""
    header = [name for name in RESULT_COLUMNS if name != missing]
    with pytest.raises(InputError, match=r"x\.csv is not a results file"):
        own_columns("x.csv", [*header, "note"])


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"status": "Created"}, id="case"),
        pytest.param({"status": ""}, id="blank"),
        pytest.param({"status": "status"}, id="header-again"),
    ],
)
def test_malformed_record_refuses_the_file(
    path: Path, journal: Journal, record: dict[str, object]
) -> None:
    """The message has the line, and does not quote the cell."""
    write(path, created(1), created(2, **record))
    with pytest.raises(InputError, match=r"results\.csv: line 3 "):
        surveyed(path, journal)


def test_survey_counts_each_contact_once(path: Path, journal: Journal) -> None:
    """Whatever the spelling of its ref; it also counts those with an entry in the journal."""
    again = created(3, ref=ref(2).upper())
    write(path, created(1), created(2), again, created(4, ref=""), created(5, status="exists"))
    found = surveyed(path, journal)
    assert (found.rows, found.created, found.contacts, found.known) == (5, 4, 2, 1)


@pytest.mark.parametrize(
    ("href", "base_url"),
    [
        pytest.param(f"{EU}/v2.1/orderContacts/x", EU, id="same-host"),
        pytest.param("https://API-ENGAGE-EU.sitecorecloud.io/x", EU, id="case"),
        pytest.param("", EU, id="no-host"),
        pytest.param("http://localhost:1/x", LOCAL, id="loopback"),
    ],
)
def test_contacts_of_the_destination(
    path: Path, journal: Journal, href: str, base_url: str
) -> None:
    """The host decides; all loopback addresses are the same."""
    write(path, created(2, href=href))
    assert surveyed(path, journal, base_url).elsewhere == 0


@pytest.mark.parametrize(
    ("href", "base_url"),
    [
        pytest.param(f"{EU}/x", US, id="another-region"),
        pytest.param(f"{LOCAL}/x", EU, id="a-rehearsal"),
        pytest.param("https://api-engage-eu.sitecorecloud.io.example/x", EU, id="look-alike"),
        pytest.param("https://[/x", EU, id="malformed"),
        pytest.param("'=1", EU, id="defused"),
    ],
)
def test_contacts_of_another_destination_are_refused(
    path: Path, journal: Journal, href: str, base_url: str
) -> None:
    """Before anything is deleted; the message has the row."""
    write(path, created(2, href=href))
    with pytest.raises(UsageError, match="row 1 is at"):
        surveyed(path, journal, base_url)


def test_entry_in_the_journal_is_stronger_than_an_address(path: Path, journal: Journal) -> None:
    """Behind a gateway, the API returns its own addresses."""
    write(path, created(1, href="https://other.example/x"))
    assert surveyed(path, journal).elsewhere == 0


def test_contacts_of_other_hosts_are_counted_on_a_loopback_address(
    path: Path, journal: Journal
) -> None:
    """No harm can be done there."""
    write(path, created(2), created(3))
    assert surveyed(path, journal, LOCAL).elsewhere == 2

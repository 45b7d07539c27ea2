"""The files of sample_data are as described in docs/sandbox.md."""

import csv
import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from command import Workplace
from servers.reference import ReferenceServer

from importer.errors import ExitStatus

SAMPLES = Path(__file__).parents[2] / "sample_data"
CONTACTS = SAMPLES / "contacts.csv"
FAULTY = SAMPLES / "faulty.csv"

# Numbers that regulators keep for fiction, as E.164.
FICTION = re.compile(
    r"\+(?:1[2-9][0-9]{2}55501[0-9]{2}"  # North America, 555-01xx of every area
    r"|33(?:19900|26191|35301|46571|53649|63998)[0-9]{4}"  # France
    r"|44(?:7700900|2079460|2920180|1314960)[0-9]{3}"  # United Kingdom
    r"|46701740(?:6[0-9]{2})"  # Sweden, 070-174 06 05 to 99
    r"|49(?:3023125|4066969|6990009|8999998)[0-9]{3}"  # Germany
    r"|61(?:[2378]5550[0-9]{4}|491570(?:006|15[6-9])))\Z"  # Australia
)


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the records of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the bodies that contacts.csv leads to."""
    workplace = Workplace(tmp_path_factory.mktemp("bodies"))
    with ReferenceServer() as server:
        assert workplace.send(CONTACTS, server).exit_status == ExitStatus.OK
    return [json.loads(request.body) for request in server.requests]


def test_every_row_of_contacts_csv_is_valid_and_gives_no_warning(tmp_path: Path) -> None:
    """The first run of a new user should raise no questions."""
    workplace = Workplace(tmp_path)
    ran = workplace.run(CONTACTS, "--dry-run", "--out", workplace.out, "--summary", "summary.json")
    assert ran.exit_status == ExitStatus.OK
    assert set(ran.statuses) == {"valid"}
    assert len(ran.statuses) >= 25
    assert workplace.figures()["warnings"] == {}


def test_its_orders_are_in_orders_csv_and_one_has_two_contacts() -> None:
    """A sandbox with only these orders accepts all contacts."""
    orders = {row["orderRef"] for row in rows_of(SAMPLES / "orders.csv")}
    contacts = Counter(row["orderRef"] for row in rows_of(CONTACTS))
    assert set(contacts) <= orders
    assert 2 in contacts.values()


def test_its_names_are_of_many_scripts_and_countries(bodies: list[dict[str, Any]]) -> None:
    """Letters of all scripts are sent unchanged."""
    scripts = {
        unicodedata.name(letter).partition(" ")[0]
        for body in bodies
        for letter in f"{body['firstName']}{body.get('lastName', '')}"
        if letter.isalpha()
    }
    assert len(scripts) >= 12
    assert len({body["country"] for body in bodies}) >= 25


def test_addresses_and_numbers_are_fictitious(bodies: list[dict[str, Any]]) -> None:
    """They use domains reserved for examples and numbers reserved for fiction."""
    emails = [email for body in bodies for email in body.get("emails", [])]
    phones = [phone for body in bodies for phone in body.get("phoneNumbers", [])]
    assert emails
    assert [email for email in emails if not re.search(r"@example\.(com|org|net)\Z", email)] == []
    assert phones
    assert [phone for phone in phones if not FICTION.match(phone)] == []


RECORD, ORDER, IDENTIFIERS = "invalid.record", "invalid.orderRef", "invalid.identifiers"
FAULTY_RESULTS = [
    (1, 2, "valid", ""),
    (2, 3, "invalid", ORDER),  # blank
    (3, 4, "invalid", ORDER),  # no UUID
    (4, 5, "invalid", "invalid.firstName"),  # control characters, up to row 6
    (5, 6, "invalid", "invalid.lastName"),
    (6, 7, "invalid", "invalid.title"),
    (7, 8, "invalid", "invalid.gender"),
    (8, 9, "invalid", "invalid.dateOfBirth"),  # not ISO 8601
    (9, 10, "invalid", "invalid.dateOfBirth"),  # not in the past
    (10, 11, "invalid", "invalid.nationality"),
    (11, 12, "invalid", "invalid.passportNumber"),
    (12, 13, "invalid", "invalid.emails"),
    (13, 14, "invalid", "invalid.phoneNumbers"),  # national
    (14, 15, "invalid", "invalid.phoneNumbers"),  # cut by a spreadsheet
    (15, 16, "invalid", "invalid.phoneNumbers"),  # too short
    (16, 17, "invalid", "invalid.street"),
    (17, 18, "invalid", "invalid.city"),
    (18, 19, "invalid", "invalid.state"),
    (19, 20, "invalid", "invalid.postCode"),
    (20, 21, "invalid", "invalid.country"),
    (21, 22, "invalid", IDENTIFIERS),  # no provider
    (22, 23, "invalid", IDENTIFIERS),  # no id
    (23, 24, "invalid", IDENTIFIERS),  # other objects
    (24, 25, "invalid", IDENTIFIERS),  # broken JSON
    (25, 26, "invalid", "invalid.contact"),  # nothing besides the order
    (26, 27, "invalid", RECORD),  # too few cells
    (27, 28, "invalid", RECORD),  # too many
    (28, 29, "valid", ""),  # a quote inside an unquoted cell is text
    (29, 30, "invalid", RECORD),  # text after the closing quote
    (30, 31, "invalid", RECORD),  # NUL
    (31, 34, "invalid", ORDER),  # commas alone, after two blank lines
    (32, 35, "invalid", RECORD),  # too few cells over two lines
    (33, 37, "invalid", "invalid.lastName"),  # five faults
    (34, 38, "duplicate", ""),  # of row 1
    (35, 39, "valid", ""),  # an unlisted title and no identifier are warnings
    (36, 40, "invalid", RECORD),  # unclosed quote
    (37, 41, "valid", ""),
    (38, 42, "invalid", IDENTIFIERS),  # a placeholder
    (39, 43, "invalid", IDENTIFIERS),  # cut by a spreadsheet
    (40, 44, "invalid", IDENTIFIERS),  # an invisible character
    (41, 45, "invalid", "invalid.phoneNumbers"),  # two numbers in one
    (42, 46, "invalid", "invalid.phoneNumbers"),  # a (0) that is not part of the number
    (43, 47, "invalid", "invalid.phoneNumbers"),  # a decimal number
    (44, 48, "invalid", "invalid.dateOfBirth"),  # the day number of a spreadsheet
    (45, 49, "invalid", "invalid.dateOfBirth"),  # day 0 of a spreadsheet
    (46, 50, "invalid", "invalid.firstName"),  # the error of a spreadsheet
    (47, 51, "invalid", "invalid.lastName"),  # a replacement character
    (48, 52, "invalid", "invalid.emails"),  # a name and an address
    (49, 53, "valid", ""),  # a default date and an unassigned number are warnings
]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """Return the run that sent faulty.csv to a server that creates every contact."""
    workplace = Workplace(tmp_path_factory.mktemp("faulty"))
    with ReferenceServer() as server:
        files = ("--rejects", "rejects.csv", "--summary", "summary.json")
        ran = workplace.send(FAULTY, server, *files)
    assert ran.exit_status == ExitStatus.SOME_ROWS_FAILED
    return workplace


def test_faulty_csv_gives_each_fault_its_code_and_line(faulty: Workplace) -> None:
    """No record is lost, merged, or reported with the fault of another one."""
    found = [
        (
            int(row["row"]),
            int(row["line"]),
            row["status"].replace("created", "valid"),
            row["errorCode"],
        )
        for row in rows_of(faulty.out)
    ]
    assert found == FAULTY_RESULTS
    assert faulty.figures()["warnings"] == {
        "dates.default": 1,
        "no_identifiers": 2,
        "phones.unassigned": 1,
        "title_unlisted": 1,
    }


def test_row_with_several_faults_reports_all_of_them(faulty: Workplace) -> None:
    """Row 33 has five."""
    error = rows_of(faulty.out)[32]["error"]
    reported = re.findall(r"(?:^|; )(\w+): ", error)
    assert reported == ["lastName", "emails", "gender", "dateOfBirth", "country"]


def test_the_rejects_of_faulty_csv_give_the_same_faults_again(faulty: Workplace) -> None:
    """They contain the records unchanged, in a file that is read like the source."""
    ran = faulty.run("rejects.csv", "--dry-run", "--out", "again.csv")
    assert ran.exit_status == ExitStatus.SOME_ROWS_FAILED
    again = [row["errorCode"] for row in rows_of(faulty.directory / "again.csv")]
    assert again == [code for *_, status, code in FAULTY_RESULTS if status == "invalid"]

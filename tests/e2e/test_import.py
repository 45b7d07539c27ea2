"""The basic import, end to end."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Workplace, order
from servers.reference import Fault, ReferenceServer

from importer._version import __version__

Contacts = Callable[[int], Path]
FIELDS = (
    "orderRef", "firstName", "lastName", "emails", "identifiers", "street", "city", "state",
    "postCode", "title", "gender", "dateOfBirth", "phoneNumbers", "nationality",
    "passportNumber", "country",
)  # fmt: skip
NAMES = ("John", "Σωκράτης", "Мария", "李明", "Nguyễn", "O'Brien", "NA", "null", "علي", "🙂 Smiley")
PAGE_EXAMPLE = {
    "firstName": "John",
    "lastName": "Doe",
    "emails": ["john.doe@gmail.com"],
    "identifiers": [{"provider": "ProfileSystem", "id": "B7524AE6-CF1C-440F-B1A2-0C9D42F5CB41"}],
    "street": ["Tara St.", "Main Ave."],
    "city": "Dublin",
    "state": "10001",
    "title": "Mr",
    "gender": "male",
    "dateOfBirth": "1991-01-01T16:17:16Z",
    "phoneNumbers": ["+353161123345", "+353161123346"],
    "nationality": "Irish",
    "passportNumber": "PZ4A9565",
    "country": "IE",
}


def row_and_body(number: int) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return a record of sixteen cells and the body that it becomes."""
    name = NAMES[number % len(NAMES)]
    row = (
        order(number), name, f"{name}, junior", f"p{number}@example.com;q{number}@example.com",
        f"CRM:{number};ERP:x:{number}", f'{number} "Tara" St.|Main, Ave.', "007", "1e5",
        f"{number:05d}", "MR.", "FEMALE", "1991-01-31", "+353 1 611 2334", "Irish",
        f"PZ{number}", "Ireland",
    )  # fmt: skip
    body = {
        "firstName": name,
        "lastName": f"{name}, junior",
        "emails": [f"p{number}@example.com", f"q{number}@example.com"],
        "identifiers": [
            {"provider": "CRM", "id": f"{number}"},
            {"provider": "ERP", "id": f"x:{number}"},
        ],
        "street": [f'{number} "Tara" St.', "Main, Ave."],
        "city": "007",
        "state": "1e5",
        "postCode": f"{number:05d}",
        "title": "Mr",
        "gender": "female",
        "dateOfBirth": "1991-01-31T00:00:00Z",
        "phoneNumbers": ["+35316112334"],
        "nationality": "Irish",
        "passportNumber": f"PZ{number}",
        "country": "IE",
    }
    return row, body


def test_every_body_equals_its_record(workplace: Workplace, server: ReferenceServer) -> None:
    """300 rows with every field; each result has the ref of its contact."""
    pairs = [row_and_body(number) for number in range(300)]
    ran = workplace.send(workplace.write([FIELDS, *(row for row, _ in pairs)]), server)
    assert ran.exit_status == 0, ran.stderr
    assert ran.stdout == ""
    bodies = {request.order_ref: json.loads(request.body) for request in server.requests}
    assert bodies == {order(number): body for number, (_, body) in enumerate(pairs)}
    for number, row in enumerate(ran.results):
        (contact,) = server.contacts[order(number)]
        assert (row["row"], row["line"]) == (str(number + 1), str(number + 2))
        assert (row["orderRef"], row["status"]) == (order(number), "created")
        assert (row["ref"], row["href"]) == (contact["ref"], contact["href"])
        assert contact["guest"]["href"].endswith(row["guestRef"])
        assert (row["attempts"], row["httpStatus"], row["error"]) == ("1", "201", "")


def test_example_of_the_api_reference_is_sent_unchanged(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Its values and their order are sent byte for byte."""
    fields = list(PAGE_EXAMPLE)
    cells = ["|".join(v) if isinstance(v, list) and k != "identifiers" else v
             for k, v in PAGE_EXAMPLE.items()]  # fmt: skip
    cells[fields.index("identifiers")] = json.dumps(PAGE_EXAMPLE["identifiers"])
    source = workplace.write([["orderRef", *fields], [order(1), *map(str, cells)]])
    assert workplace.send(source, server).exit_status == 0
    (request,) = server.requests
    assert request.body == json.dumps(PAGE_EXAMPLE, separators=(",", ":")).encode()
    assert request.path == f"/v2.1/orders/{order(1)}/contacts"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == f"import-contacts/{__version__}"


def test_seven_faults_give_seven_codes_and_thirteen_contacts(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Invalid rows do not affect the others, and each names its error."""
    rows = [list(row_and_body(number)[0]) for number in range(20)]
    for number, field, value in (
        (1, "orderRef", "../../guests"),
        (3, "emails", "not an address"),
        (5, "gender", "n/a"),
        (7, "dateOfBirth", "01/02/1990"),
        (9, "phoneNumbers", "3.53861E+11"),
        (11, "country", "Atlantis"),
        (13, "firstName", "bell\a"),
    ):
        rows[number][FIELDS.index(field)] = value
    ran = workplace.send(workplace.write([FIELDS, *rows]), server)
    assert ran.exit_status == 1
    assert sum(server.contact_counts().values()) == 13
    invalid = [row for row in ran.results if row["status"] == "invalid"]
    assert [(row["row"], row["errorCode"]) for row in invalid] == [
        ("2", "invalid.orderRef"),
        ("4", "invalid.emails"),
        ("6", "invalid.gender"),
        ("8", "invalid.dateOfBirth"),
        ("10", "invalid.phoneNumbers"),
        ("12", "invalid.country"),
        ("14", "invalid.firstName"),
    ]
    assert all(row["error"] and row["retryable"] == "false" for row in invalid)


def test_all_issues_of_a_row_are_reported_together(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """So the row can be fixed in one go."""
    source = workplace.write(
        [("orderRef", "emails", "gender", "country"), ("x", "y", "z", "Atlantis")]
    )
    (row,) = workplace.send(source, server).results
    for field in ("orderRef", "emails", "gender", "country"):
        assert field in row["error"]


def test_second_run_sends_nothing(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """It finds every row in the journal, with its ref."""
    source = contacts(30)
    first = workplace.send(source, server)
    second = workplace.send(source, server)
    assert second.exit_status == 0
    assert second.statuses == ["exists"] * 30
    assert [row["ref"] for row in second.results] == [row["ref"] for row in first.results]
    assert len(server.requests) == 30


def test_fresh_sends_everything_again(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """With --fresh, the journal is forgotten."""
    source = contacts(3)
    workplace.send(source, server)
    assert workplace.send(source, server, "--fresh").statuses == ["created"] * 3


def test_edited_file_sends_only_new_rows(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """Rows are recognised by their content, not by their position."""
    source = contacts(5)
    workplace.send(source, server)
    header, *rows = source.read_text().splitlines()
    source.write_text("\n".join([header, f"{order(9)},New,new@example.com", *reversed(rows)]))
    ran = workplace.send(source, server)
    assert ran.statuses == ["created", *["exists"] * 5]
    assert len(server.requests) == 6


def test_duplicate_has_the_ref_of_its_first(workplace: Workplace, server: ReferenceServer) -> None:
    """An equal contact of another order is not a duplicate."""
    row, other = (order(1), "Ann", "a@example.com"), (order(2), "Ann", "a@example.com")
    ran = workplace.send(
        workplace.write([("orderRef", "firstName", "email"), row, other, row]), server
    )
    assert ran.exit_status == 0
    assert ran.statuses == ["created", "created", "duplicate"]
    assert ran.results[2]["ref"] == ran.results[0]["ref"]
    assert server.contact_counts() == {order(1): 1, order(2): 1}


def test_dry_run_sends_and_records_nothing(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """It needs no credentials, shows what would be sent and leaves no journal."""
    source = contacts(3)
    ran = workplace.run(source, "--dry-run", "--out", workplace.out, SITECORE_CDP_API_TOKEN="")
    assert ran.exit_status == 0
    assert ran.statuses == ["valid"] * 3
    assert server.requests == []
    assert {path.name for path in workplace.directory.iterdir()} == {"contacts.csv", "results.csv"}


def test_strict_sends_nothing_unless_every_row_is_valid(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """One invalid row holds all others back, and the results show which."""
    source = workplace.write(
        [("orderRef", "gender"), (order(1), "male"), (order(2), "?"), (order(3), "male")]
    )
    ran = workplace.send(source, server, "--strict")
    assert ran.exit_status == 3
    assert ran.statuses == ["not_sent", "invalid", "not_sent"]
    assert ran.results[0]["errorCode"] == "stopped.strict"
    assert server.requests == []


def test_limit_imports_the_first_rows(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """For a first careful run."""
    ran = workplace.send(contacts(10), server, "--limit", 3)
    assert ran.statuses == ["created"] * 3


def test_max_errors_stops_the_run(workplace: Workplace, contacts: Contacts) -> None:
    """Once more rows than allowed were rejected, the rest is not sent."""
    with ReferenceServer(faults=lambda _: Fault(status=400)) as server:
        ran = workplace.send(contacts(50), server, "--max-errors", 3, "--concurrency", 1)
    assert ran.exit_status == 5
    assert ran.statuses[:4] == ["rejected"] * 4
    assert ran.statuses[-1] == "not_sent"
    assert ran.results[-1]["errorCode"] == "stopped.max_errors"
    assert len(server.requests) < 10


def test_rejects_can_be_corrected_and_imported_again(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """They contain the failed rows cell for cell; once corrected, these are created."""
    rejects = workplace.directory / "rejects.csv"
    source = workplace.write(
        [
            ("orderRef", "firstName", "gender", "note"),
            (order(1), "Ann", "male", "=x"),
            (order(2), "=Bob", "?", "+1"),
        ]
    )
    workplace.send(source, server, "--rejects", rejects)
    with rejects.open(newline="") as file:
        (reject,) = csv.DictReader(file)
    assert "gender" in reject.pop("importError")
    assert reject.pop("importLine") == "3"
    assert list(reject.values()) == [order(2), "=Bob", "?", "+1"]
    rejects.write_text(rejects.read_text().replace("?", "female"))
    ran = workplace.send(rejects, server)
    assert ran.exit_status == 0
    assert server.contacts[order(2)][0]["firstName"] == "=Bob"
    assert "importError" not in ran.stderr
    assert "importLine" not in ran.stderr


def test_summary_adds_up(workplace: Workplace, server: ReferenceServer, contacts: Contacts) -> None:
    """It is a file for programs, with the digest of the input."""
    source = contacts(7)
    workplace.send(source, server, "--summary", "summary.json")
    figures = workplace.figures()
    assert figures["rows"] == 7
    assert figures["statuses"] == {"created": 7}
    assert figures["errors"] == []
    assert figures["requests"] == 7
    assert figures["exitCode"] == 0
    assert len(figures["inputSha256"]) == 64


def test_standard_input_and_output(workplace: Workplace, server: ReferenceServer) -> None:
    """The source file comes from a pipe, and the results go into one."""
    text = f"orderRef,firstName\n{order(1)},Ann\n"
    ran = workplace.run("-", "--base-url", server.url, "--out", "-", stdin=text.encode())
    assert ran.exit_status == 0
    (row,) = csv.DictReader(ran.stdout.splitlines())
    assert row["status"] == "created"


def test_header_without_records_is_an_empty_run(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """This is not an error."""
    ran = workplace.send(workplace.write([("orderRef", "firstName")]), server)
    assert (ran.exit_status, ran.results) == (0, [])


def test_quiet_run_without_errors_prints_nothing(
    workplace: Workplace, server: ReferenceServer, contacts: Contacts
) -> None:
    """Cron sends a mail for any output."""
    ran = workplace.send(contacts(3), server, "--quiet")
    assert (ran.exit_status, ran.stdout, ran.stderr) == (0, "", "")


@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_rows_of_one_order_are_sent_one_after_the_other(
    workplace: Workplace, server: ReferenceServer, concurrency: int
) -> None:
    """They are sent in file order, while other orders are sent in parallel."""
    server.latency = 0.005
    rows = [(order(n % 5), f"Name {n}") for n in range(100)]
    source = workplace.write([("orderRef", "firstName"), *rows])
    ran = workplace.send(source, server, "--concurrency", concurrency)
    assert ran.exit_status == 0
    assert set(server.peak_by_order.values()) == {1}
    assert server.peak <= min(concurrency, 5)
    for number in range(5):
        names = [contact["firstName"] for contact in server.contacts[order(number)]]
        assert names == [f"Name {n}" for n in range(number, 100, 5)]

"""Unusual input, end to end: each record is validated once, and sent unchanged."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from dataclasses import dataclass

import pytest
import zstandard
from command import Ran, Workplace, order
from servers.reference import ReferenceServer

from importer.pipeline import import_file
from importer.settings import RunOptions, SourceOptions

HEADER = ("orderRef", "firstName", "gender", "note")


@dataclass(frozen=True)
class Value:
    """A cell and what becomes of it: what is sent, None for nothing, or an error."""

    field: str
    cell: str
    sent: object = None
    refused: bool = False


def same(field: str, *cells: str) -> list[Value]:
    """Return cells that are sent unchanged."""
    return [Value(field, cell, cell) for cell in cells]


def becomes(field: str, **sent: str) -> list[Value]:
    """Return cells that are sent in another form."""
    return [Value(field, cell, value) for cell, value in sent.items()]


def lists(field: str, *items: tuple[str, list[str]]) -> list[Value]:
    """Return cells that contain lists."""
    return [Value(field, cell, value) for cell, value in items]


def pairs(*cells: tuple[str, tuple[str, str]]) -> list[Value]:
    """Return cells with one identifier."""
    return [
        Value("identifiers", cell, [{"provider": provider, "id": identifier}])
        for cell, (provider, identifier) in cells
    ]


def refused(field: str, *cells: str) -> list[Value]:
    """Return cells that make their record invalid."""
    return [Value(field, cell, refused=True) for cell in cells]


def blank(field: str, *cells: str) -> list[Value]:
    """Return cells of which nothing is sent."""
    return [Value(field, cell) for cell in cells]


VALUES = [
    *same("firstName", "=cmd|'/C calc'!A0", "+1", "-1", "@SUM(A1)", "'quoted", "O'Brien"),
    *same("firstName", "NA", "None", "null", "nan", "N/A", "<NA>", "TRUE", "\\N", "-"),
    *same("lastName", "007", "1e5", "1E5", "1,5", "12345678901234567890", "0x10", "1_000"),
    *same("city", "Nguyễn", "é", "e\u0301", "李", "علي", "👩\u200d👧", "a\u2028b", "\u00a0x\u00a0"),
    *same("postCode", "00100", "D02 AF30", '"', '""', "[x", "{x}", "a;b|c,d", "\\", "\\n"),
    *same("state", "10001", "x" * 700, "\u202eabc", "\ufeffx"),
    Value("firstName", " \t a  b \r\n", "a  b"),
    *blank("firstName", " ", "\t", "\n", "", "\u00a0", "\u200b"),
    *refused("firstName", "a\tb", "a\nb", "a\x07b", "\x7f", "a\x85b", "\x1b[31mred"),
    *refused("firstName", "#N/A", "#REF!", "#NAME?", "M\ufffdller", "'00501", '="00501"'),
    *becomes("gender", MALE="male", Female="female", uNknown="unknown"),
    *refused("gender", "m", "f", "n/a", "männlich"),
    *becomes("title", **{"MR.": "Mr", "mrs": "Mrs", "dr.": "Dr", "SHAIKHA": "Shaikha"}),
    *same("title", "Herr", "Mx", "Señora"),
    *becomes("country", ie="IE", IRL="IE", Ireland="IE", NA="NA", Namibia="NA", germany="DE"),
    *becomes("country", **{"United Kingdom": "GB", "Côte d'Ivoire": "CI", "The Gambia": "GM"}),
    *becomes("country", **{"UK": "GB", "U.S.": "US", "Korea, South": "KR", "Holland": "NL"}),
    *refused("country", "Korea", "Atlantis", "IEE", "353", "null"),
    Value("dateOfBirth", "1991-01-01", "1991-01-01T00:00:00Z"),
    Value("dateOfBirth", "1991-01-01T16:17:16Z", "1991-01-01T16:17:16Z"),
    Value("dateOfBirth", "1991-01-01T02:00:00+02:00", "1991-01-01T00:00:00Z"),
    *refused("dateOfBirth", "0001-01-01", "1604-03-05", "1899-12-30", "33269", "0000-00-00"),
    Value("dateOfBirth", "1991-01-31T00:00:00+01:00", "1991-01-31T00:00:00Z"),
    Value("dateOfBirth", "1900-01-01", "1900-01-01T00:00:00Z"),
    Value("dateOfBirth", "2000-02-29", "2000-02-29T00:00:00Z"),
    *refused("dateOfBirth", "1900-02-29", "01/02/1990", "44197", "1991-01", "1991", "9999-12-31"),
    *refused("dateOfBirth", "0000-01-01", "1991-W05-1", "NA", "yesterday", "1991-01-01T25:00"),
    *lists(
        "emails",
        ("a@x.ie", ["a@x.ie"]),
        (" A.B+c@X.IE ", ["A.B+c@X.IE"]),
        ("a@x.ie;b@x.ie", ["a@x.ie", "b@x.ie"]),
        ("a@x.ie, b@x.ie|c@x.ie\nd@x.ie", ["a@x.ie", "b@x.ie", "c@x.ie", "d@x.ie"]),
        ('["a@x.ie", "b@x.ie"]', ["a@x.ie", "b@x.ie"]),
        (";a@x.ie;;", ["a@x.ie"]),
        ("ü@münchen.de", ["ü@münchen.de"]),
    ),
    *blank("emails", ";", "[]", ' [""] '),
    *refused("emails", "a@x", "a@@x.ie", "a b@x.ie", "a@x.ie b@x.ie", "a@x.ie;b", '["a@x.ie"', "x"),
    *lists(
        "phoneNumbers",
        ("+353161123345", ["+353161123345"]),
        ("+353 (0)1 611 2334", ["+35316112334"]),
        ("+1 (555) 010-0199, +353861234567", ["+15550100199", "+353861234567"]),
    ),
    *refused("phoneNumbers", "+353209100101.0", "+48 (0) 22 512 0000", "+49 421 12345 / 12346"),
    *refused("phoneNumbers", "01 611 2345", "3.53861E+11", "353861234567", "+999123456", "+1", "x"),
    *lists(
        "street",
        ("1 Main St, Flat 2; Dublin", ["1 Main St, Flat 2", "Dublin"]),
        ("[Unit 5] High St", ["[Unit 5] High St"]),
        ('["a;b", "c|d"]', ["a;b", "c|d"]),
        ("=1+1", ["=1+1"]),
        ("null", ["null"]),
    ),
    *refused("street", '["a"', "[a]", "['a']", '["', '["a\\u0000"]'),
    *pairs(
        ("CRM:7", ("CRM", "7")),
        ("CRM:a:b", ("CRM", "a:b")),
        ('[{"provider": "CRM", "id": "7;8"}]', ("CRM", "7;8")),
        ('{"provider": "CRM", "id": "007"}', ("CRM", "007")),
        ('[{"id": 12345678901234567890, "provider": "CRM"}]', ("CRM", "12345678901234567890")),
    ),
    *pairs(("CRM:0", ("CRM", "0"))),
    *refused("identifiers", "CRM:NULL", "CRM:1.23457E+15", "CRM:\\N", "CRM:10001.0", "CRM:1\u200b"),
    *refused("identifiers", "CRM", "CRM:", ":7", '[{"provider": "CRM"}]', '["CRM:7"]', "[CRM]:7"),
]  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """The results of one run over a table."""

    ran: Ran
    bodies: dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """Run once over a record for each value, each in its own order."""
    workplace = Workplace(tmp_path_factory.mktemp("values"))
    fields = list(dict.fromkeys(value.field for value in VALUES))
    rows = [
        [order(number), "4 Tara", *(value.cell if value.field == f else "" for f in fields)]
        for number, value in enumerate(VALUES)
    ]
    source = workplace.write([["orderRef", "nationality", *fields], *rows])
    with ReferenceServer() as server:
        ran = workplace.send(source, server, "--carry", "firstName")
        bodies = {request.order_ref: json.loads(request.body) for request in server.requests}
    return Checked(ran, bodies)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        pytest.param(
            number, value, id=f"{value.field}-{value.cell[:20].encode('unicode-escape')!r}"
        )
        for number, value in enumerate(VALUES)
    ],
)
def test_value_is_sent_as_documented(values: Checked, number: int, value: Value) -> None:
    """Otherwise its row has the error code of its field, and is not sent."""
    row = values.ran.results[number]
    assert row["row"] == str(number + 1)
    assert row["orderRef"] == order(number)
    if value.refused:
        assert (row["status"], row["errorCode"]) == ("invalid", f"invalid.{value.field}")
        assert order(number) not in values.bodies
    else:
        expected = {value.field: value.sent} if value.sent is not None else {}
        assert values.bodies[order(number)] == expected | {"nationality": "4 Tara"}
        assert row["status"] == "created"


def test_formulas_are_defused_only_in_the_results(values: Checked) -> None:
    """The body has the value of the file; only a spreadsheet must not run it."""
    assert values.ran.results[0]["firstName"] == "'=cmd|'/C calc'!A0"
    assert values.bodies[order(0)]["firstName"] == "=cmd|'/C calc'!A0"


# Text of the file, what becomes of it: one entry a result.
RECORDS = [
    pytest.param("{o},Ann,male,x\n", ["valid"], id="sound"),
    pytest.param("\n  \n\t\n", [], id="blank-lines"),
    pytest.param("{o},Ann,male\n", ["invalid.record"], id="short"),
    pytest.param("{o},Ann,male,x,y\n", ["invalid.record"], id="long"),
    pytest.param('{o},Ann,male,x, ,""\n', ["valid"], id="blank-cells-at-the-end"),
    pytest.param("{o}\n", ["invalid.record"], id="one-cell"),
    pytest.param(",,,\n", ["invalid.orderRef"], id="commas"),
    pytest.param('{o},"two\nlines",male,x\n', ["invalid.firstName"], id="line-break"),
    pytest.param('{o},Ann,male,"two\r\n\r\nlines"\r\n', ["valid"], id="two-line-breaks"),
    pytest.param("{o},a,male,x\r{o},b,male,x\r\n", ["valid", "valid"], id="mixed-ends"),
    pytest.param('{o},"a ""b"" c",male,x\n', ["valid"], id="doubled-quotes"),
    pytest.param('{o},a"b,male,x\n', ["valid"], id="quote-in-a-cell"),
    pytest.param('{o},a "b, c" d,male,x\n', ["invalid.record"], id="quotes-around-a-delimiter"),
    pytest.param(
        '{o},"a,male,x\n{o},b,male,x\n{o},c",male,x\n', ["invalid.record"], id="two-stray-quotes"
    ),
    pytest.param('{o},"a"b,male,x\n', ["invalid.record"], id="text-after-quote"),
    pytest.param('{o}, "a" ,male,x\n', ["valid"], id="blanks-beside-quotes"),
    pytest.param('{o},"a\\"b",male,x\n', ["invalid.record"], id="backslash-quote"),
    pytest.param('{o},"a,male,x\n{o},b,male,x\n', ["invalid.record", "valid"], id="unclosed"),
    pytest.param("{o},'a',male,x\n", ["valid"], id="single-quotes-are-text"),
    pytest.param("{o},a\0b,male,x\n", ["invalid.record"], id="nul"),
    pytest.param("{o},a\x0cb,male,x\n", ["invalid.firstName"], id="form-feed-is-no-line-end"),
    pytest.param("{o},a\u2028b,male,x\n", ["valid"], id="line-separator-is-no-line-end"),
    pytest.param("{o},Ann,?,x\n", ["invalid.gender"], id="bad-value"),
    pytest.param("bad,Ann,?,x\n", ["invalid.orderRef"], id="two-faults"),
    pytest.param("{o},{long},male,{long}\n", ["valid"], id="cells-of-a-megabyte"),
    pytest.param('"{o}","Ann","male","last"', ["valid"], id="no-final-line-end"),
]


def text_of(number: int) -> str:
    """Return the text of one entry of the table, with its own order."""
    text = str(RECORDS[number].values[0])
    return text.replace("{o}", order(number)).replace("{long}", "x" * 1_000_000)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Run once over a file of all entries."""
    workplace = Workplace(tmp_path_factory.mktemp("records"))
    source = workplace.directory / "contacts.csv"
    texts = [",".join(HEADER), "\n", *map(text_of, range(len(RECORDS)))]
    source.write_bytes("".join(texts).encode())
    return workplace.run(source, "--dry-run", "--out", workplace.out, "--carry", "gender")


def test_every_record_has_one_result(records: Ran) -> None:
    """They are numbered from 1 without gaps, valid or not."""
    assert records.exit_status == 1
    count = sum(len(record.values[1]) for record in RECORDS)  # type: ignore[arg-type]
    assert [row["row"] for row in records.results] == list(map(str, range(1, count + 1)))


@pytest.mark.parametrize(
    ("number", "expected"),
    [pytest.param(number, record.values[1], id=record.id) for number, record in enumerate(RECORDS)],
)
def test_record_is_reported_with_its_own_line(
    records: Ran, number: int, expected: list[str]
) -> None:
    """A broken record neither swallows nor shifts the others."""
    before = "".join(["header\n", *map(text_of, range(number))])
    first = len(io.StringIO(before, newline=None).readlines()) + 1
    last = first + len(io.StringIO(text_of(number), newline=None).readlines()) - 1
    found = [row for row in records.results if first <= int(row["line"]) <= last]
    assert [row["errorCode"] or row["status"] for row in found] == expected
    for row in found:
        if row["errorCode"] == "invalid.record":
            assert (row["status"], row["orderRef"], row["retryable"]) == ("invalid", "", "false")
        else:
            assert row["gender"] in {"male", "?", ""}


def test_row_has_all_its_issues_and_the_code_of_the_first(records: Ran) -> None:
    """They are in the order of the fields."""
    (row,) = [row for row in records.results if row["orderRef"] == "bad"]
    assert row["error"].index("orderRef: ") < row["error"].index("gender: ")


BAD = f"orderRef,firstName,gender\n{order(1)},Ann,male\n{order(2)},=Zoë,?\n{order(3)},Bob\n"


def packed(text: bytes) -> bytes:
    """Return the text in a ZIP archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("contacts.csv", text)
    return archive.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        pytest.param("c.csv", BAD.encode(), {}, id="plain"),
        pytest.param("c.csv", BAD.encode("utf-8-sig"), {}, id="bom"),
        pytest.param("c.csv", BAD.encode("utf-16"), {}, id="utf-16"),
        pytest.param("c.csv", BAD.encode("cp1252"), {"encoding": "cp1252"}, id="cp1252"),
        pytest.param("c", b"sep=;\r\n" + BAD.replace(",", ";").encode(), {}, id="sep-line"),
        pytest.param("c.tsv", BAD.replace(",", "\t").encode(), {}, id="tab"),
        pytest.param("c.csv", BAD.replace(",", "§").encode(), {"delimiter": "§"}, id="delimiter"),
        pytest.param("c.csv", BAD.replace("\n", "\r").encode(), {}, id="cr"),
        pytest.param("c.csv.gz", gzip.compress(BAD.encode()), {}, id="gz"),
        pytest.param("c.bz2", bz2.compress(BAD.encode()), {}, id="bz2"),
        pytest.param("c.csv.xz", lzma.compress(BAD.encode()), {}, id="xz"),
        pytest.param("c.zst", zstandard.compress(BAD.encode()), {}, id="zst"),
        pytest.param(
            "c.csv", b"Contacts\n\n" + BAD.encode(), {"skip_lines": 2}, id="skipped-lines"
        ),
        pytest.param(
            "c.csv", b"\nsep=,\r\n" + BAD.encode(), {"skip_lines": 1}, id="skipped-blank-line"
        ),
        pytest.param("c.ZIP", packed(BAD.encode()), {}, id="zip"),
    ],
)
def test_rejects_can_be_corrected_and_imported_repeatedly(
    workplace: Workplace, name: str, content: bytes, options: dict[str, str | int]
) -> None:
    """The options stay the same; rows that were not corrected are rejected again, cell for cell."""

    def dry_run(source: str, rejects: str) -> list[str]:
        # Within this process: a dry run of three rows is faster than starting the command.
        import_file(
            RunOptions(
                source=SourceOptions(path=workplace.directory / source, **options),
                out=workplace.out,
                journal=workplace.directory / "journal",
                rejects=workplace.directory / rejects,
                dry_run=True,
                bar=False,
            ),
            credentials=None,
        )
        results = Ran(0, "", "", workplace.out).results
        return [row["errorCode"] or row["status"] for row in results]

    (workplace.directory / name).write_bytes(content)
    assert dry_run(name, "1.csv") == ["valid", "invalid.gender", "invalid.record"]
    codec = options.get("encoding") or ("utf-16" if content[:2] == b"\xff\xfe" else "utf-8")
    rejects = (workplace.directory / "1.csv").read_bytes().decode(codec)
    assert "=Zoë" in rejects
    (workplace.directory / "1.csv").write_bytes(rejects.replace("?", "female").encode(codec))
    assert dry_run("1.csv", "2.csv") == ["valid", "invalid.record"]
    assert dry_run("2.csv", "3.csv") == ["invalid.record"]


def test_rejects_of_standard_input_equal_those_of_a_file(workplace: Workplace) -> None:
    """A pipe is read twice like a file."""
    rejects = workplace.directory / "rejects.csv"
    ran = workplace.run("-", "--dry-run", "--out", "-", "--rejects", rejects, stdin=BAD.encode())
    assert ran.exit_status == 1
    assert len(list(csv.DictReader(ran.stdout.splitlines()))) == 3
    assert len(rejects.read_text().splitlines()) == 3


def test_duplicate_is_no_error_in_a_dry_run(workplace: Workplace) -> None:
    """A dry run creates nothing, so there is no need to mention it."""
    source = workplace.write([HEADER, *[(order(1), "Ann", "male", "")] * 2])
    ran = workplace.run(source, "--dry-run", "--out", workplace.out, "--summary", "summary.json")
    assert ran.exit_status == 0
    assert [(row["status"], row["errorCode"]) for row in ran.results] == [
        ("valid", ""),
        ("duplicate", ""),
    ]
    assert workplace.figures()["errors"] == []


def test_warnings_are_counted_and_reported_once(workplace: Workplace) -> None:
    """Rows without identifiers and with unlisted titles are sent, but not silently."""
    rows = [(order(number), title) for number, title in enumerate(("Mr", "Herr", "Mx"))]
    source = workplace.write([("orderRef", "title"), *rows])
    ran = workplace.run(source, "--dry-run", "--out", workplace.out)
    assert ran.exit_status == 0
    assert ran.stderr.count("rows.without_identifiers: 3 rows") == 1
    assert ran.stderr.count("rows.title_unlisted: 2 rows") == 1


def test_export_of_a_crm_is_mapped_by_options(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Names, identifiers, dates and phone numbers need options only."""
    header = ("Order Id", "Vorname", "E-Mail 1", "E-Mail 2", "Geburtstag", "Telefon", "CRM Id")
    row = (order(1), "Jürgen", "a@x.ie", "b@x.ie", "31.01.1990", "030 123456", "007")
    source = workplace.directory / "export.csv"
    with source.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows([header, row, ("", *row[1:])])
    ran = workplace.send(
        source, server,
        *("--map", "orderRef=order_id", "--map", "firstName=Vorname"),
        *("--map", "dateOfBirth=Geburtstag", "--map", "phone=Telefon"),
        *("--identifier", "CRM=crm id", "--encoding", "cp1252", "--date-format", "%d.%m.%Y"),
        *("--phone-region", "de", "--require", "firstName", "--require", "city"),
    )  # fmt: skip
    assert [row["errorCode"] for row in ran.results] == ["invalid.city", "invalid.orderRef"]
    assert server.requests == []
    ran = workplace.send(
        source, server,
        *("--map", "orderRef=order_id", "--map", "firstName=Vorname", "--carry", "CRM Id"),
        *("--map", "dateOfBirth=Geburtstag", "--map", "phone=Telefon"),
        *("--identifier", "CRM=crm id", "--encoding", "cp1252", "--date-format", "%d.%m.%Y"),
        *("--phone-region", "de"),
    )  # fmt: skip
    assert [(row["status"], row["CRM Id"]) for row in ran.results] == [
        ("created", "007"),
        ("invalid", "007"),
    ], ran.stderr
    (request,) = [request for request in server.requests if request.body]
    assert json.loads(request.body) == {
        "firstName": "Jürgen",
        "emails": ["a@x.ie", "b@x.ie"],
        "identifiers": [{"provider": "CRM", "id": "007"}],
        "dateOfBirth": "1990-01-31T00:00:00Z",
        "phoneNumbers": ["+4930123456"],
    }

"""Validation: every record is valid, or has issues that name all its errors."""

import pandas as pd
import pytest
from batches import NOW, ORDER, batch_of, body_of, validated

from importer.errors import UsageError
from importer.mapping import Mapper
from importer.records import Batch, BrokenRecord, Issue
from importer.settings import MappingOptions, Rules
from importer.validation import Validator
from schemas.fields import FIELDS


def codes(*rows: tuple[str, ...], header: tuple[str, ...], **options: object) -> list[list[str]]:
    """Return the codes of each row."""
    found = validated(header, *rows, **options)  # type: ignore[arg-type]
    return [[issue.code for issue in found.issues.get(row, ())] for row in range(1, len(rows) + 1)]


def test_row_with_several_faults_reports_all_in_field_order() -> None:
    """One look at the results is enough to correct a row."""
    header = (
        "country",
        "dateOfBirth",
        "phoneNumbers",
        "gender",
        "identifiers",
        "emails",
        "orderRef",
    )
    row = ("Narnia", "9999-01-01", "12;+1 800 FLOWERS", "x", "CRM", '["a"', "../x")
    assert codes(row, header=header) == [
        [
            "invalid.orderRef", "invalid.emails", "invalid.identifiers", "invalid.gender",
            "invalid.dateOfBirth", "invalid.phoneNumbers", "invalid.phoneNumbers",
            "invalid.country",
        ]
    ]  # fmt: skip


def test_messages_name_the_field_and_never_the_value() -> None:
    """Issues are written to places where personal data must not be."""
    row = (
        "secret1",
        "secret2@",
        "secret3",
        "secret4",
        "secret5",
        "secret6\x00",
        "secret7",
        '["secret8',
    )
    header = (
        "orderRef",
        "emails",
        "phone",
        "gender",
        "country",
        "passportNumber",
        "dateOfBirth",
        "street",
    )
    issues = validated(header, row).issues[1]
    assert len(issues) == len(header)
    for issue in issues:
        assert issue.message.startswith(f"{issue.code.removeprefix('invalid.')}: ")
        assert "secret" not in issue.message
        assert issue.message.isprintable()
        assert len(issue.message) <= 200


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        (("orderRef", "city"), ("", "x"), ["invalid.orderRef"]),
        (("referenceId", "city"), ("", "x"), ["invalid.referenceId"]),
        (("orderRef", "referenceId", "city"), ("", "", "x"), ["invalid.orderRef"]),
        (("orderRef", "referenceId", "city"), ("", "4711", "x"), []),
        (("orderRef", "referenceId", "city"), ("bad", "4711", "x"), ["invalid.orderRef"]),
        (("orderRef", "referenceId", "city"), (ORDER, "", "x"), []),
        (("referenceId", "city"), ("47\x0011", "x"), ["invalid.referenceId"]),
        (("orderRef", "city"), (ORDER, " "), ["invalid.contact"]),
        (("orderRef",), (ORDER,), ["invalid.contact"]),
        (("orderRef", "emails"), (ORDER, " ; "), ["invalid.contact"]),
        (("orderRef", "city"), ("", ""), ["invalid.orderRef", "invalid.contact"]),
        (("orderRef", "emails"), (ORDER, "[x"), ["invalid.emails"]),
        (("orderRef", "emails"), (ORDER, "x"), ["invalid.emails"]),
    ],
)
def test_row_needs_its_order_and_one_more_field(
    header: tuple[str, ...], row: tuple[str, ...], expected: list[str]
) -> None:
    """A faulty field counts as a field; one fault is reported once."""
    assert codes(row, header=header) == [expected]


@pytest.mark.parametrize(
    ("field", "header", "row", "expected"),
    [
        ("city", ("orderRef", "city", "state"), (ORDER, "", "x"), ["invalid.city"]),
        ("city", ("orderRef", "state"), (ORDER, "x"), ["invalid.city"]),
        ("emails", ("orderRef", "state"), (ORDER, "x"), ["invalid.emails"]),
        ("emails", ("orderRef", "emails", "state"), (ORDER, ";", "x"), ["invalid.emails"]),
        ("emails", ("orderRef", "emails"), (ORDER, "[x"), ["invalid.emails"]),
        ("emails", ("orderRef", "emails"), (ORDER, "a@b.ie"), []),
        ("identifiers", ("orderRef", "city"), (ORDER, "x"), ["invalid.identifiers"]),
        ("orderRef", ("orderRef", "city"), ("", "x"), ["invalid.orderRef"]),
        ("orderRef", ("referenceId", "city"), ("4711", "x"), ["invalid.orderRef"]),
        ("referenceId", ("orderRef", "city"), (ORDER, "x"), ["invalid.referenceId"]),
    ],
)
def test_required_field_must_be_filled(
    field: str, header: tuple[str, ...], row: tuple[str, ...], expected: list[str]
) -> None:
    """A required field without a column is missing in every row."""
    assert codes(row, header=header, rules=Rules(require=(field,))) == [expected]


@pytest.mark.parametrize(
    ("rules", "needle"),
    [
        (Rules(require=("emails", "emial")), "did you mean emails?"),
        (Rules(require=("xyz",)), "fields are orderRef"),
        (Rules(phone_region="UK"), "phone region"),
        (Rules(date_format=("%d/%m",)), "date format"),
        (Rules(date_format=("iso", "%Q")), "date format"),
        (Rules(date_format=("%d/%m/%y",)), "--year-pivot"),
        (Rules(year_pivot=1950), "year pivot"),
        (Rules(identity_provider=("CRM", " ")), "--identity-provider"),
    ],
)
def test_rule_that_cannot_work_is_a_usage_error(rules: Rules, needle: str) -> None:
    """A mistyped option stops the run before it starts."""
    with pytest.raises(UsageError, match=needle.replace("?", r"\?")):
        Validator(rules, NOW)


def test_rules_reach_the_values() -> None:
    """Region and formats of the run apply to every row."""
    rules = Rules(phone_region="ie", date_format=("%d.%m.%y", "iso"), year_pivot=30)
    assert body_of("phoneNumbers", "01 611 2334", rules=rules) == ["+35316112334"]
    assert body_of("dateOfBirth", "31.01.91", rules=rules) == "1991-01-31T00:00:00Z"
    assert body_of("dateOfBirth", "1991-01-31", rules=rules) == "1991-01-31T00:00:00Z"


def test_every_record_of_a_batch_is_valid_or_has_issues() -> None:
    """Broken records are reported with the issue that the reader found."""
    batch = batch_of((ORDER, "x"), (ORDER, ""), (ORDER, "y"), first=5)
    broken = BrokenRecord(
        Issue(8, "invalid.record", "has 3 cells, the header has 2"), ("a", "b", "c")
    )
    batch = Batch(batch.cells, pd.Series([6, 7, 8, 9], range(5, 9)), (broken,))
    mapped = Mapper.of(("orderRef", "city"), MappingOptions()).apply(batch.cells)
    found = Validator(Rules(), NOW).validate(mapped, batch)
    assert found.valid.index.tolist() == [5, 7]
    assert [*found.issues] == [6, 8]
    assert found.issues[8] == (broken.issue,)
    assert [*found.valid.columns] == ["orderRef", "city"]


def test_batch_may_have_no_sound_records() -> None:
    """It may contain only broken records, or nothing."""
    for index in (pd.RangeIndex(0), pd.Index([], dtype=object), pd.Index([], dtype="int64")):
        cells = pd.DataFrame(
            {place: pd.Series([], index, dtype=object) for place in range(2)}, index
        )
        batch = Batch(cells, pd.Series([], dtype="int64"))
        mapped = Mapper.of(("orderRef", "emails"), MappingOptions()).apply(cells)
        found = Validator(Rules(require=("city",)), NOW).validate(mapped, batch)
        assert (len(found.valid), found.issues, found.warnings) == (0, {}, {})


def test_many_wrong_items_are_reported_in_a_few_lines() -> None:
    """A cell with a thousand wrong addresses does not make a thousand issues."""
    messages = body_of("emails", ";".join("x" * size for size in range(1, 1001)))
    assert isinstance(messages, list)
    assert [message.split(":")[1] for message in messages[:-1]] == [
        f" item {n}" for n in range(1, 6)
    ]
    assert messages[-1] == "emails: 995 more items are wrong"


def test_warnings_are_counted_over_valid_rows() -> None:
    """Values that are sent but may be unwanted are counted once per row."""
    header = ("orderRef", "title", "identifiers")
    rows = [(ORDER, "Mr", "CRM:1"), (ORDER, "Herr", ""), (ORDER, "", "CRM:2"), ("x", "Frau", "")]
    found = validated(header, *rows)
    assert found.warnings == {"no_identifiers": 1, "title_unlisted": 1}
    assert validated(("orderRef", "city"), (ORDER, "x")).warnings == {"no_identifiers": 1}
    assert validated(("orderRef", "identifier"), (ORDER, "C:1")).warnings == {}


def test_fields_keep_their_codes_stable() -> None:
    """Every code is invalid.<field>, with the name of the API."""
    header = FIELDS
    found = validated(header, ("\x00",) * len(header))
    assert [issue.code for issue in found.issues[1]] == [f"invalid.{field}" for field in FIELDS]


@pytest.mark.parametrize(
    ("header", "cells", "warnings"),
    [
        (("phone",), ("+353 20 910 0101; +353 20 910 0102",), {"phones.unassigned": 1}),
        (("phone",), ("+353 1 611 2334; +353 20 910 0101",), {"phones.unassigned": 1}),
        (("phone",), ("+353 1 611 2334",), {}),
        (("dateOfBirth",), ("1900-01-01",), {"dates.default": 1}),
        (("dateOfBirth",), ("1904-01-01",), {"dates.default": 1}),
        (("dateOfBirth",), ("1900-01-01T00:00:00+01:00",), {"dates.default": 1}),
        (("dateOfBirth",), ("1900-01-02",), {}),
        (("lastName", "city"), ("Smith &amp; Sons", "O&#39;Connell &#x26;"), {"text.entities": 1}),
        (("street",), ('["Smith &amp; Sons House", "12 O&#39;Connell St"]',), {"text.entities": 1}),
        (("street",), ("Smith & Sons",), {}),
        (("street",), ("AT&T",), {}),
    ],
)
def test_values_that_are_sent_but_odd_are_warnings(
    header: tuple[str, ...], cells: tuple[str, ...], warnings: dict[str, int]
) -> None:
    """They are counted by row, under a stable word."""
    found = validated(("orderRef", "identifiers", *header), (ORDER, "CRM:1", *cells))
    assert found.issues == {}
    assert found.warnings == warnings


def test_warnings_of_refused_rows_are_not_counted() -> None:
    """Only what is sent matters."""
    header = ("orderRef", "identifiers", "phone", "dateOfBirth")
    found = validated(header, ("x", "CRM:1", "+353 20 910 0101", "1900-01-01"))
    assert found.warnings == {}


def test_identifier_of_another_provider_is_invalid() -> None:
    """With --identity-provider, a misspelled provider does not fail silently."""
    header = ("orderRef", "identifiers", "city")
    rows = [
        (ORDER, "CRM:1", "x"),
        (ORDER, "crm:2", "x"),
        (ORDER, "", "x"),
        (ORDER, "CRM:1;X:2", ""),
    ]
    rules = Rules(identity_provider=("CRM", "Loyalty"))
    found = validated(header, *rows, rules=rules)
    assert [issue.code for issue in found.issues[2]] == ["invalid.identifiers"]
    assert "did you mean CRM?" in found.issues[2][0].message
    assert found.issues[4][0].message.startswith("identifiers: item 2: the provider is not one")
    assert found.warnings == {"no_identifiers": 1}


def test_all_faults_of_the_identifiers_of_a_row_are_reported() -> None:
    """Each item with its number."""
    found = body_of("identifiers", "CRM:NULL;CRM:10001;CRM:1.23457E+15;null:#N/A")
    assert isinstance(found, list)
    assert [message.split(":")[1] for message in found] == [
        " item 1",
        " item 3",
        " item 4",
        " item 4",
    ]


@pytest.mark.parametrize(
    "field", [field for field in FIELDS if field not in {"emails", "phoneNumbers", "identifiers"}]
)
@pytest.mark.parametrize("cell", ["#REF!", "#N/A", "M\N{REPLACEMENT CHARACTER}ller"])
def test_garbage_is_invalid_in_every_field(field: str, cell: str) -> None:
    """The message names the kind of garbage."""
    header = tuple(dict.fromkeys(("orderRef", field, "city")))
    row = tuple(cell if name == field else ORDER if name == "orderRef" else "x" for name in header)
    (issue,) = validated(header, row).issues[1]
    assert issue.code == f"invalid.{field}"
    assert "spreadsheet error" in issue.message or "U+FFFD" in issue.message


@pytest.mark.parametrize("field", ["emails", "phoneNumbers", "identifiers"])
@pytest.mark.parametrize("text", ["#REF!", "M\N{REPLACEMENT CHARACTER}ller"])
def test_garbage_is_invalid_in_every_list(field: str, text: str) -> None:
    """Item by item."""
    cell = f"CRM:{text}" if field == "identifiers" else text
    (message,) = body_of(field, cell)  # type: ignore[misc]
    assert "spreadsheet error" in message or "U+FFFD" in message


@pytest.mark.parametrize("cell", ["\u00a0", " \u200b ", "\ufeff", "\u3000"])
def test_cell_without_anything_visible_is_blank(cell: str) -> None:
    """It looks empty to a person."""
    header = ("orderRef", "firstName", "city")
    assert codes((ORDER, cell, "x"), header=header) == [[]]
    assert codes((ORDER, cell, ""), header=header) == [["invalid.contact"]]
    required = Rules(require=("firstName",))
    assert codes((ORDER, cell, "x"), header=header, rules=required) == [["invalid.firstName"]]


def test_all_rules_that_cannot_be_used_are_named_at_once() -> None:
    """Not one at each run."""
    rules = Rules(
        require=("frstName", "emials"),
        date_format=("%d",),
        phone_region="XX",
        identity_provider=(" ",),
    )
    with pytest.raises(UsageError) as caught:
        Validator(rules, NOW)
    for part in ("frstName", "emials", "'%d'", "'XX'", "--identity-provider is blank"):
        assert part in str(caught.value)

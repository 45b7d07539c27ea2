"""Validation: every record is valid or has issues, and all of them are told."""

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
    """Give the codes of each row."""
    found = validated(header, *rows, **options)  # type: ignore[arg-type]
    return [[issue.code for issue in found.issues.get(row, ())] for row in range(1, len(rows) + 1)]


def test_row_with_several_faults_reports_all_in_field_order() -> None:
    """One look at the results is enough to mend a row."""
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
    """Issues go where personal data must not."""
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
    """A field at fault is a field; one fault is told once."""
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
        (Rules(date_format="%d/%m"), "date format"),
        (Rules(date_format="%Q"), "date format"),
    ],
)
def test_rule_that_cannot_work_is_a_usage_error(rules: Rules, needle: str) -> None:
    """A mistyped option stops the run before it starts."""
    with pytest.raises(UsageError, match=needle.replace("?", r"\?")):
        Validator(rules, NOW)


def test_rules_reach_the_values() -> None:
    """Region and format of the run count for every row."""
    rules = Rules(phone_region="ie", date_format="%d.%m.%Y")
    assert body_of("phoneNumbers", "01 611 2334", rules=rules) == ["+35316112334"]
    assert body_of("dateOfBirth", "31.01.1991", rules=rules) == "1991-01-31T00:00:00Z"
    assert body_of("dateOfBirth", "1991-01-31", rules=rules) == "1991-01-31T00:00:00Z"


def test_every_record_of_a_batch_is_valid_or_has_issues() -> None:
    """Broken records are told too, with the issue that the reader found."""
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


def test_batch_without_sound_records_is_no_special_case() -> None:
    """A batch may hold broken records alone, or nothing."""
    for index in (pd.RangeIndex(0), pd.Index([], dtype=object), pd.Index([], dtype="int64")):
        cells = pd.DataFrame(
            {place: pd.Series([], index, dtype=object) for place in range(2)}, index
        )
        batch = Batch(cells, pd.Series([], dtype="int64"))
        mapped = Mapper.of(("orderRef", "emails"), MappingOptions()).apply(cells)
        found = Validator(Rules(require=("city",)), NOW).validate(mapped, batch)
        assert (len(found.valid), found.issues, found.warnings) == (0, {}, {})


def test_many_wrong_items_are_told_in_a_few_lines() -> None:
    """A cell with a thousand wrong addresses does not make a thousand issues."""
    messages = body_of("emails", ";".join("x" * size for size in range(1, 1001)))
    assert isinstance(messages, list)
    assert [message.split(":")[1] for message in messages[:-1]] == [
        f" item {n}" for n in range(1, 6)
    ]
    assert messages[-1] == "emails: 995 more items are wrong"


def test_warnings_are_counted_over_valid_rows() -> None:
    """What was not refused but may be unwanted is counted once a row."""
    header = ("orderRef", "title", "identifiers")
    rows = [(ORDER, "Mr", "CRM:1"), (ORDER, "Herr", ""), (ORDER, "", "CRM:2"), ("x", "Frau", "")]
    found = validated(header, *rows)
    assert found.warnings == {"no_identifiers": 1, "title_unlisted": 1}
    assert validated(("orderRef", "city"), (ORDER, "x")).warnings == {"no_identifiers": 1}
    assert validated(("orderRef", "identifier"), (ORDER, "C:1")).warnings == {}


def test_fields_keep_their_codes_stable() -> None:
    """Every code is invalid.<field> of the API page."""
    header = FIELDS
    found = validated(header, ("\x00",) * len(header))
    assert [issue.code for issue in found.issues[1]] == [f"invalid.{field}" for field in FIELDS]

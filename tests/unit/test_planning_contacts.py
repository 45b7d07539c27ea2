"""Planning: the bodies of requests, as in the API reference."""

import json
from datetime import UTC, datetime

import pytest
from batches import ORDER, body_of, contacts_of, validated

from importer.planning import plan
from importer.settings import Rules
from schemas.fields import CONTACT_FIELDS, FIELDS

# The request fields of the API reference, unchanged.
PAGE = {
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


def test_example_of_the_api_reference_is_sent_unchanged() -> None:
    """Values, order and types of the reference are in the body, byte for byte."""
    cells = {
        name: value if isinstance(value, str) else json.dumps(value) for name, value in PAGE.items()
    }
    shuffled = ("orderRef", *sorted(cells))
    (contact,) = contacts_of(shuffled, (ORDER, *(cells[name] for name in sorted(cells))))
    assert (contact.row, contact.order_ref, contact.reference_id) == (1, ORDER, "")
    assert json.loads(contact.body) == PAGE
    assert contact.body == json.dumps(PAGE, separators=(",", ":")).encode()


def test_blank_fields_are_left_out() -> None:
    """Neither an empty text nor null nor an empty list is ever sent."""
    (contact,) = contacts_of(
        ("orderRef", *CONTACT_FIELDS), (ORDER, "x", *[" "] * (len(CONTACT_FIELDS) - 1))
    )
    assert contact.body == b'{"firstName":"x"}'


def test_contacts_keep_rows_and_their_order() -> None:
    """Each contact has its row number, although rows between them were refused."""
    rows = [(ORDER, "a"), ("x", "b"), (ORDER, "c")]
    assert [(c.row, c.fields["city"]) for c in contacts_of(("orderRef", "city"), *rows)] == [
        (1, "a"),
        (3, "c"),
    ]


def test_order_number_is_carried_where_the_reference_is_unknown() -> None:
    """A row with both is sent by its orderRef."""
    header = ("orderRef", "referenceId", "city")
    found = contacts_of(header, ("", "4711", "x"), (ORDER, "4711", "x"), (ORDER, "", "x"))
    assert [(c.order_ref, c.reference_id) for c in found] == [
        ("", "4711"),
        (ORDER, ""),
        (ORDER, ""),
    ]


def test_empty_frame_has_no_contacts() -> None:
    """It is not an error."""
    assert contacts_of(FIELDS, ("",) * len(FIELDS)) == []


def test_lists_and_identifiers_are_json_arrays_and_objects() -> None:
    """JSON has no tuples."""
    assert body_of("street", "a;b") == ["a", "b"]
    assert body_of("identifiers", "CRM:7") == [{"provider": "CRM", "id": "7"}]


ORDERED = [
    pytest.param("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC), id="date"),
    pytest.param(" 2026-01-31T16:17:18Z ", datetime(2026, 1, 31, 16, 17, 18, tzinfo=UTC), id="UTC"),
    pytest.param("2026-01-31T16:17", datetime(2026, 1, 31, 16, 17, tzinfo=UTC), id="no zone"),
    pytest.param("2026-01-31T23:30:00-02:00", datetime(2026, 2, 1, 1, 30, tzinfo=UTC), id="offset"),
    pytest.param("2999-01-31", datetime(2999, 1, 31, tzinfo=UTC), id="future"),
    pytest.param("", None, id="blank"),
]


@pytest.mark.parametrize(("cell", "moment"), ORDERED)
def test_time_of_the_order_is_kept_beside_the_contact(cell: str, moment: datetime | None) -> None:
    """It is not a field of the contact, so it is not sent."""
    header = ("referenceId", "Ordered At", "city")
    (contact,) = contacts_of(header, ("W1", cell, "Dublin"))
    assert contact.ordered_at == moment
    assert contact.fields == {"city": "Dublin"}


@pytest.mark.parametrize("cell", ["31.01.2026", "yesterday", "2026-02-30", "46053", "2026-01"])
def test_time_of_the_order_must_be_a_date(cell: str) -> None:
    """Otherwise the wrong one of several orders could be selected."""
    found = validated(("referenceId", "orderedAt", "city"), ("W1", cell, "Dublin"))
    assert [issue.code for issue in found.issues[1]] == ["invalid.orderedAt"]


def test_time_of_the_order_is_read_by_the_date_format_of_the_run() -> None:
    """As dates of birth are."""
    header, row = ("referenceId", "orderedAt", "city"), ("W1", "31.01.2026", "Dublin")
    found = validated(header, row, rules=Rules(date_format=("%d.%m.%Y",)))
    assert found.valid["orderedAt"].tolist() == ["2026-01-31T00:00:00Z"]


def test_row_with_only_its_order_is_invalid() -> None:
    """The time of the order is not a field of a contact."""
    found = validated(("referenceId", "orderedAt"), ("W1", "2026-01-31"))
    assert [issue.code for issue in found.issues[1]] == ["invalid.contact"]


def test_orders_of_one_number_and_several_days_are_several_orders() -> None:
    """An equal contact of another day is not a duplicate."""
    header = ("referenceId", "orderedAt", "city")
    days = ("2025-01-31", "2026-01-31", "2026-01-31T10:00:00Z", "")
    found = validated(header, *(("W1", day, "Dublin") for day in days))
    keys = [one.key for one in plan(found.valid, lambda order, _: order.encode())]
    assert keys[0] != keys[1] == keys[2] != keys[3] != keys[0]

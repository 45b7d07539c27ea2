"""Planning: bodies as the API page shows them."""

import json

from batches import ORDER, body_of, contacts_of

from schemas.fields import CONTACT_FIELDS, FIELDS

# The request fields of the API page, as they stand there.
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


def test_example_of_the_api_page_is_sent_exactly_as_it_stands() -> None:
    """Values, order and types of the page arrive in the body, byte for byte."""
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
    (contact,) = contacts_of(("orderRef", *CONTACT_FIELDS), (ORDER, "x", *[" "] * 14))
    assert contact.body == b'{"firstName":"x"}'


def test_contacts_keep_rows_and_their_order() -> None:
    """Each contact knows its row, whatever was refused between."""
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


def test_nothing_valid_is_no_contacts() -> None:
    """An empty frame is a plan of nothing."""
    assert contacts_of(FIELDS, ("",) * len(FIELDS)) == []


def test_lists_are_lists() -> None:
    """JSON knows no tuples, and an identifier is an object."""
    assert body_of("street", "a;b") == ["a", "b"]
    assert body_of("identifiers", "CRM:7") == [{"provider": "CRM", "id": "7"}]

"""The canonical form: which contacts are equal."""

from typing import Any

import pytest

from schemas.canonical import canonical, canonical_field, differing_fields, same_contact

SENT: dict[str, Any] = {
    "firstName": "John",
    "emails": ["a@b.ie", "c@d.ie"],
    "identifiers": [{"provider": "CRM", "id": "7"}, {"provider": "SF", "id": "9"}],
    "dateOfBirth": "1991-01-01T16:17:16Z",
    "country": "IE",
}


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("firstName", " John\t", "John"),
        ("firstName", "", None),
        ("emails", ["A@b.ie", "c@d.ie"], ["C@D.ie ", "a@B.ie", "a@b.ie"]),
        ("emails", [], None),
        ("emails", [""], [None]),
        ("emails", "a@b.ie", ["a@b.ie"]),
        ("street", ("b", "a"), ["a", "b"]),
        ("dateOfBirth", "1991-01-01T16:17:16Z", "1991-01-01T17:17:16.000+01:00"),
        ("dateOfBirth", "1991-01-01", "1991-01-01T00:00:00Z"),
        ("country", "ie", "IE"),
        ("gender", "MALE", "male"),
        (
            "identifiers",
            [{"provider": "A", "id": "1", "expiryDate": None}],
            [{"id": "1", "provider": "A"}],
        ),
        ("postCode", 10001, "10001"),
        ("firstName", "José", "Jose\u0301"),
        ("firstName", "José", "José\u00a0"),
        ("firstName", "José", "\u2009José\u200b\ufeff"),
        ("firstName", "\u00a0", None),
        ("street", ["Café\u3000", "b"], ["b", "Cafe\u0301"]),
        ("street", ["\u00a0"], []),
        ("emails", ["JOSÉ@b.ie"], ["jose\u0301@b.ie"]),
        (
            "identifiers",
            [{"provider": "Système", "id": "é"}],
            [{"provider": "Syste\u0300me", "id": "e\u0301"}],
        ),
    ],
)
def test_one_value_in_two_spellings_is_equal(field: str, one: object, other: object) -> None:
    """Composition, order and omission make no difference."""
    assert canonical_field(field, one) == canonical_field(field, other)
    assert same_contact({field: one}, {field: other})


@pytest.mark.parametrize(
    ("field", "one", "other"),
    [
        ("firstName", "John", "john"),
        ("firstName", "é", "e"),
        ("firstName", "Jo sé", "Jo\u00a0sé"),
        ("firstName", "ﬁ", "fi"),
        ("street", ["A"], ["a"]),
        ("street", ["a;b"], ["a", "b"]),
        ("dateOfBirth", "1991-01-01", "1991-01-02"),
        ("identifiers", [{"provider": "a:b", "id": "c"}], [{"provider": "a", "id": "b:c"}]),
        ("identifiers", [{"provider": "A"}], [{"id": "A"}]),
    ],
)
def test_other_values_differ(field: str, one: object, other: object) -> None:
    """Case, accents and compatibility characters make a difference."""
    assert canonical_field(field, one) != canonical_field(field, other)


def test_contact_is_equal_when_it_has_every_field_that_was_sent() -> None:
    """What the API adds does not matter; what it lacks or changed does, in reference order."""
    found = SENT | {"ref": "x", "city": "Dublin", "emails": ["C@d.ie", "a@b.ie"]}
    assert same_contact(SENT, found)
    assert differing_fields(SENT, found | {"country": "GB", "firstName": None}) == (
        "firstName",
        "country",
    )
    assert differing_fields(found, SENT) == ("city",)


def test_canonical_bytes_depend_on_order_and_content_only() -> None:
    """The key of a contact does not depend on how its values are written."""
    other = SENT | {"emails": ["C@D.ie", "a@b.ie"], "identifiers": SENT["identifiers"][::-1]}
    assert canonical("AB", SENT) == canonical("ab", other)
    assert canonical("ab", SENT) != canonical("ac", SENT)
    assert canonical("ab", SENT) != canonical("ab", SENT | {"city": "x"})
    assert canonical("ab", {"firstName": "x"}) != canonical("ab", {"lastName": "x"})


NESTED: list[object] = []
for _ in range(100_000):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    "value",
    [
        True,
        1.5,
        float("nan"),
        10**5000,
        {"a": {"b": []}},
        [[1], {"a": 1}, None, 3],
        [NESTED],
        {1: 2},
        "\ud800",
        object,
    ],
    ids=["bool", "float", "nan", "huge", "object", "mixed", "deep", "keys", "surrogate", "class"],
)
@pytest.mark.parametrize("field", ["firstName", "emails", "identifiers", "dateOfBirth", "country"])
def test_values_of_the_wrong_type_are_differences(field: str, value: object) -> None:
    """A response of any shape can be compared."""
    assert canonical_field(field, value) == canonical_field(field, value)
    assert not same_contact({field: "1991-01-01"}, {field: value})


def test_bytes_in_the_journal_do_not_change() -> None:
    """Otherwise every existing contact would look new."""
    order_ref = "2D7DE9DF-45A2-45EA-872C-30E45139007D"
    body = SENT | {"emails": ["C@d.ie", "a@b.ie", "c@d.ie"], "lastName": "Nguyễn"}
    assert canonical(order_ref, body) == (
        b'["2d7de9df-45a2-45ea-872c-30e45139007d",{"firstName":"John",'
        b'"emails":["a@b.ie","c@d.ie"],'
        b'"identifiers":[["CRM","7"],["SF","9"]],'
        b'"dateOfBirth":"1991-01-01T16:17:16Z","country":"IE","lastName":"Nguy\xe1\xbb\x85n"}]'
    )


@pytest.mark.parametrize("name", ["José", "Jose\u0301", "José\u00a0", "\u2009Jose\u0301\u200b"])
def test_one_person_has_one_key(name: str) -> None:
    """Composed or decomposed, with blanks or invisible characters at the ends."""
    body = SENT | {"firstName": name, "street": [f"12 {name} St", "b"], "city": "Dublin"}
    usual = SENT | {"firstName": "José", "street": ["b", "12 José St"], "city": "Dublin"}
    if name.endswith(("\u00a0", "\u200b")) or name.startswith("\u2009"):
        body["street"] = usual["street"]
    assert canonical("ab", body) == canonical("ab", usual)


def test_blank_field_equals_a_missing_one() -> None:
    """It is left out of the key."""
    assert canonical("ab", SENT | {"city": "\u00a0"}) == canonical("ab", SENT)
    assert canonical("ab", SENT | {"street": ["\u00a0"]}) == canonical("ab", SENT)

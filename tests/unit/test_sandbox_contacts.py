"""What the sandbox refuses of a contact's body, and how it words the refusal."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from importer.sandbox.contacts import InvalidBodyError, contact_fields

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def refusal(body: bytes) -> str:
    """Return the message with which a body is refused."""
    with pytest.raises(InvalidBodyError) as refused:
        contact_fields(body, NOW)
    return str(refused.value)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="no field is required"),
        pytest.param({"firstName": ""}, id="a blank text is a text"),
        pytest.param({"title": "Admiral"}, id="titles are no closed list"),
        pytest.param({"emails": [], "identifiers": []}, id="empty lists"),
        pytest.param({"lastName": "Nguyễn 王 \U0001f600 \u0000"}, id="any character"),
        pytest.param({"dateOfBirth": "2026-01-01T11:59:59Z"}, id="born a second ago"),
        pytest.param({"dateOfBirth": "2026-01-01T13:59:59+02:00"}, id="born elsewhere"),
        pytest.param({"dateOfBirth": "0000-01-01T00:00:00Z"}, id="year zero"),
        pytest.param({"dateOfBirth": "1990-12-31T23:59:60Z"}, id="leap second"),
        pytest.param({"dateOfBirth": "1990-12-31t23:59:59.1234567z"}, id="small letters"),
    ],
)
def test_what_the_document_allows_is_taken_as_it_is(fields: dict[str, Any]) -> None:
    """A body that the document allows comes back unchanged."""
    assert contact_fields(json.dumps(fields).encode(), NOW) == fields


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"firstName": None}, "firstName: may not be null."),
        ({"firstName": 7}, "firstName: must be of type string."),
        ({"emails": "a@example.com"}, "emails: must be of type array."),
        ({"emails": ["a@example.com", None]}, "emails[1]: may not be null."),
        ({"gender": "Male"}, "gender: must be one of male, female, unknown."),
        ({"identifiers": [{"provider": "CRM"}]}, "identifiers[0].id: may not be null."),
        (
            {"identifiers": [{"provider": "", "id": "1"}]},
            "identifiers[0].provider: may not be empty.",
        ),
        (
            {"identifiers": [{"provider": "CRM", "id": "1", "x": 1}]},
            "identifiers[0].x: is not a field of an order contact.",
        ),
        ({"fristName": "John"}, "fristName: is not a field of an order contact."),
        (
            {"dateOfBirth": "1991-01-01"},
            "dateOfBirth: must be a date and time such as 1991-01-01T16:17:16Z.",
        ),
        ({"dateOfBirth": "2026-01-01T12:00:00Z"}, "dateOfBirth: must be in the past."),
        ([], "The body must be of type object."),
    ],
)
def test_a_refusal_names_the_field(fields: object, message: str) -> None:
    """The message of a refusal begins with the field and says what is wrong with it."""
    assert refusal(json.dumps(fields).encode()) == message


def test_all_faults_are_told_at_once() -> None:
    """A body with two faults is refused with both."""
    message = refusal(b'{"firstName": null, "gender": "m"}')
    assert "firstName: may not be null." in message
    assert "gender: must be one of" in message


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut short"),
        pytest.param(b'{"city": "\xff"}', id="not UTF-8"),
        pytest.param(b'{"city": NaN}', id="not a number"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b'{"city": "\\ud800"}', id="half of a surrogate pair"),
        pytest.param(b'{"city": ' + b"9" * 5000 + b"}", id="a number too long"),
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    """A body that is not JSON is refused as such."""
    assert refusal(body) == "The body is not valid JSON."


def test_the_message_does_not_repeat_the_value() -> None:
    """A refused value, which may be personal, is not in the message."""
    assert "secret" not in refusal(b'{"gender": "secret", "emails": "secret"}')

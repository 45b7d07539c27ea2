"""Which bodies of contacts the sandbox refuses, and with which message."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from importer.sandbox.document import contact_fields
from importer.sandbox.messages import InvalidRequestError

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def refusal(body: bytes) -> str:
    """Return the message of the refusal of a body."""
    with pytest.raises(InvalidRequestError) as refused:
        contact_fields(body, NOW)
    return str(refused.value)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="no field is required"),
        pytest.param({"firstName": ""}, id="empty string"),
        pytest.param({"title": "Admiral"}, id="any title"),
        pytest.param({"emails": [], "identifiers": []}, id="empty lists"),
        pytest.param({"lastName": "Nguyễn 王 \U0001f600 \u0000"}, id="any character"),
        pytest.param({"dateOfBirth": "2026-01-01T11:59:59Z"}, id="born a second ago"),
        pytest.param({"dateOfBirth": "2026-01-01T13:59:59+02:00"}, id="other time zone"),
        pytest.param({"dateOfBirth": "0000-01-01T00:00:00Z"}, id="year zero"),
        pytest.param({"dateOfBirth": "1990-12-31T23:59:60Z"}, id="leap second"),
        pytest.param({"dateOfBirth": "1990-12-31t23:59:59.1234567z"}, id="lower case"),
    ],
)
def test_valid_body_is_accepted_unchanged(fields: dict[str, Any]) -> None:
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
def test_refusal_names_the_field(fields: object, message: str) -> None:
    """The message begins with the field and states what is wrong with it."""
    assert refusal(json.dumps(fields).encode()) == message


def test_refusal_names_every_invalid_field() -> None:
    """A body with two invalid fields is refused with both."""
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
        pytest.param(b"[" * 100_000, id="nested too deeply"),
        pytest.param(b'{"city": "\\ud800"}', id="half of a surrogate pair"),
        pytest.param(b'{"city": ' + b"9" * 5000 + b"}", id="number with too many digits"),
    ],
)
def test_invalid_json_is_refused(body: bytes) -> None:
    """A body that is not JSON is refused as such."""
    assert refusal(body) == "The body is not valid JSON."


def test_refusal_does_not_contain_the_value() -> None:
    """A refused value, which may be personal data, is not in the message."""
    assert "secret" not in refusal(b'{"gender": "secret", "emails": "secret"}')

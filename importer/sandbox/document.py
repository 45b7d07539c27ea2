"""The OpenAPI document: validates the bodies of contacts, and is served by the sandbox.

Two rules cannot be expressed in JSON Schema as the document uses it: a birth must lie in the
past, and the text must be valid Unicode.
"""

import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

import schemas.openapi
from importer.sandbox.messages import InvalidRequestError

_VALIDATOR: Final = Draft202012Validator(
    schemas.openapi.schema("ContactFields"), validate_formats=True
)
_YEAR_ZERO: Final = "0000"
_LEAP_SECOND: Final = re.compile(r"(?<=T\d\d:\d\d:)60")
_SURROGATE_ESCAPE: Final = b"\\ud"


def contact_fields(body: bytes, now: datetime) -> dict[str, Any]:
    """Return the fields in a body, by API field.

    Args:
        body: The request body.
        now: The time, with its time zone, before which a birth must lie.

    Raises:
        InvalidRequestError: The body is not JSON or contains what the document does not allow.
    """
    value = _parsed(body)
    if not _VALIDATOR.is_valid(value):
        messages = [_message(error) for error in _VALIDATOR.iter_errors(value)]
        raise InvalidRequestError(" ".join(messages))
    fields: dict[str, Any] = value
    if "dateOfBirth" in fields and not _is_past(fields["dateOfBirth"], now):
        raise InvalidRequestError("dateOfBirth: must be in the past.")
    return fields


def served_document(base_url: str, today: date) -> bytes:
    """Return the document with the sandbox as its only server.

    JSON Schema cannot express "in the past", so the pattern of the birth does: a day that is
    over in every time zone on ``today``.
    """
    document = schemas.openapi.document()
    document["servers"] = [{"url": base_url, "description": "The local sandbox"}]
    birth = document["components"]["schemas"]["ContactFields"]["properties"]["dateOfBirth"]
    birth["pattern"] = pattern_before(today - timedelta(days=1))
    return json.dumps(document, ensure_ascii=False).encode()


def pattern_before(day: date) -> str:
    """Return a pattern that matches the ISO dates before ``day``."""
    text = day.isoformat()
    smaller = [
        f"{text[:place]}[0-{int(digit) - 1}]"
        for place, digit in enumerate(text)
        if digit not in "-0"
    ]
    return f"^(?:{'|'.join(smaller)})"


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - not validated yet
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        if _SURROGATE_ESCAPE in body.lower():
            # Half of a surrogate pair is not a character: no database or log could store it.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise InvalidRequestError("The body is not valid JSON.") from None
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _message(error: ValidationError) -> str:
    """Return what is wrong in the API's style, without the value."""
    path, kind = list(error.instance_path), error.kind
    if isinstance(kind, ValidationErrorKind.AdditionalProperties):
        names = [_path([*path, name]) for name in kind.unexpected]
        return " ".join(f"{name}: is not a field of an order contact." for name in names)
    if isinstance(kind, ValidationErrorKind.Required):
        path.append(kind.property)
    subject = f"{_path(path)}:" if path else "The body"
    return f"{subject} {_complaint(error)}."


def _complaint(error: ValidationError) -> str:
    match error.kind:
        case ValidationErrorKind.Required():
            return "may not be null"
        case ValidationErrorKind.Type() if error.instance is None:
            return "may not be null"
        case ValidationErrorKind.Type() as kind:
            return f"must be of type {' or '.join(kind.types)}"
        case ValidationErrorKind.Enum() as kind:
            return f"must be one of {', '.join(map(str, kind.options))}"
        case ValidationErrorKind.Format():
            return "must be a date and time such as 1991-01-01T16:17:16Z"
        case _:
            return "may not be empty"  # minLength is the only other rule in the document


def _path(parts: list[str | int]) -> str:
    """Return ``["identifiers", 0, "id"]`` as ``identifiers[0].id``."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".")


def _is_past(date_time: str, now: datetime) -> bool:
    text = _LEAP_SECOND.sub("59", date_time.upper())
    if text.startswith(_YEAR_ZERO):
        return True  # datetime has no year zero
    return datetime.fromisoformat(text) < now.astimezone(UTC)

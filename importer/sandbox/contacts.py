"""Bodies of contacts: what is refused, and how the refusal is worded.

The rules are those of the OpenAPI document. That a birth must lie in the past is the one rule
that its language cannot say.
"""

import json
import re
from datetime import UTC, datetime
from typing import Any, Final

from jsonschema_rs import Draft202012Validator, ValidationError, ValidationErrorKind

import schemas.openapi

_VALIDATOR: Final = Draft202012Validator(
    schemas.openapi.schema("ContactFields"), validate_formats=True
)
_YEAR_ZERO: Final = "0000"
_LEAP_SECOND: Final = re.compile(r"(?<=T\d\d:\d\d:)60")
_SURROGATE_ESCAPE: Final = b"\\ud"


class InvalidBodyError(Exception):
    """The body is refused with 400; the text is the message of the answer."""


def contact_fields(body: bytes, now: datetime) -> dict[str, Any]:
    """Return the fields that a body holds, by API field.

    Args:
        body: The request body.
        now: The moment, with its time zone, before which a birth must lie.

    Raises:
        InvalidBodyError: The body is no JSON or holds what the document does not allow.
    """
    value = _parsed(body)
    if not _VALIDATOR.is_valid(value):
        wordings = [_wording(fault) for fault in _VALIDATOR.iter_errors(value)]
        raise InvalidBodyError(" ".join(wordings))
    fields: dict[str, Any] = value
    if "dateOfBirth" in fields and not _is_past(fields["dateOfBirth"], now):
        raise InvalidBodyError("dateOfBirth: must be in the past.")
    return fields


def _parsed(body: bytes) -> Any:  # noqa: ANN401 - not validated yet
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        if _SURROGATE_ESCAPE in body.lower():
            # Half of a surrogate pair is no character: no database or log could hold it.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise InvalidBodyError("The body is not valid JSON.") from None
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _wording(fault: ValidationError) -> str:
    """Return what is wrong in the words of the API, without the value."""
    path, kind = list(fault.instance_path), fault.kind
    if isinstance(kind, ValidationErrorKind.AdditionalProperties):
        names = [_path([*path, name]) for name in kind.unexpected]
        return " ".join(f"{name}: is not a field of an order contact." for name in names)
    if isinstance(kind, ValidationErrorKind.Required):
        path.append(kind.property)
    subject = f"{_path(path)}:" if path else "The body"
    return f"{subject} {_complaint(fault)}."


def _complaint(fault: ValidationError) -> str:
    kind = fault.kind
    match kind:
        case ValidationErrorKind.Required():
            return "may not be null"
        case ValidationErrorKind.Type() if fault.instance is None:
            return "may not be null"
        case ValidationErrorKind.Type():
            return f"must be of type {' or '.join(kind.types)}"
        case ValidationErrorKind.Enum():
            return f"must be one of {', '.join(map(str, kind.options))}"
        case ValidationErrorKind.Format():
            return "must be a date and time such as 1991-01-01T16:17:16Z"
        case _:
            return "may not be empty"  # the document has no other rule than minLength


def _path(parts: list[str | int]) -> str:
    """Return ``["identifiers", 0, "id"]`` as ``identifiers[0].id``."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.removeprefix(".")


def _is_past(date_time: str, now: datetime) -> bool:
    """Tell whether an RFC 3339 date-time lies before ``now``."""
    text = _LEAP_SECOND.sub("59", date_time.upper())
    if text.startswith(_YEAR_ZERO):
        return True  # a year that datetime does not know
    return datetime.fromisoformat(text) < now.astimezone(UTC)

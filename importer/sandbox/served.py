"""The OpenAPI document as this sandbox serves it."""

import json
from datetime import date, timedelta

import schemas.openapi


def served_document(base_url: str, today: date) -> bytes:
    """Return the document with the sandbox as its only server.

    JSON Schema has no words for "in the past", so the birth's pattern says them: a day that
    is over in every time zone on ``today``.
    """
    document = schemas.openapi.document()
    document["servers"] = [{"url": base_url, "description": "The local sandbox"}]
    birth = document["components"]["schemas"]["ContactFields"]["properties"]["dateOfBirth"]
    birth["pattern"] = before(today - timedelta(days=1))
    return json.dumps(document, ensure_ascii=False).encode()


def before(day: date) -> str:
    """Return the pattern of ISO dates that come before ``day``."""
    text = day.isoformat()
    smaller = [
        f"{text[:place]}[0-{int(digit) - 1}]"
        for place, digit in enumerate(text)
        if digit not in "-0"
    ]
    return f"^(?:{'|'.join(smaller)})"

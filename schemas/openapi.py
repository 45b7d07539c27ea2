"""Loads the OpenAPI document of the calls that the program uses.

Source: docs/api.md, and the vendor's public reference of the Order REST API v2.1.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

DOCUMENT_NAME: Final = "order-contacts.openapi.json"


@cache
def document_text() -> str:
    """Return the document as text."""
    return (files("schemas") / DOCUMENT_NAME).read_text(encoding="utf-8")


def document() -> dict[str, Any]:
    """Return a copy of the document that the caller may change."""
    loaded: dict[str, Any] = json.loads(document_text())
    return loaded


def schema(name: str) -> dict[str, Any]:
    """Return one schema of the document as a self-contained JSON Schema (2020-12).

    Args:
        name: One of ``components.schemas``, for example ``ContactFields``, the schema of the
            bodies of the create and update calls.

    Raises:
        KeyError: The document has no such schema.
    """
    components = document()["components"]
    components["schemas"][name]  # fail here for an unknown name, not at the first validation
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": f"#/components/schemas/{name}",
        "components": components,
    }

"""What the peers share: rows to bodies, answers to results. No checks, no journal."""

import base64
import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

_LISTS = ("emails", "phoneNumbers", "street")


def headers() -> dict[str, str]:
    """The headers of every request."""
    pair = f"{os.environ['SITECORE_CDP_CLIENT_KEY']}:{os.environ['SITECORE_CDP_API_TOKEN']}"
    return {
        "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "Content-Type": "application/json",
    }


def path_of(row: Mapping[str, Any]) -> str:
    """Where a row is posted to."""
    return f"/v2.1/orders/{row['orderRef']}/contacts"


def body_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The request body of a row."""
    body = {field: value for field, value in row.items() if value and field != "orderRef"}
    for field in _LISTS:
        body[field] = [item.strip() for item in body[field].split(";")]
    pairs = (pair.strip().split(":", 1) for pair in body["identifiers"].split(";"))
    body["identifiers"] = [
        {"provider": provider, "id": identifier} for provider, identifier in pairs
    ]
    return body


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a source file."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


class Results:
    """A results file; a context manager."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(("row", "orderRef", "status", "ref"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, number: int, row: Mapping[str, Any], status: int, answer: Any) -> None:  # noqa: ANN401 - JSON
        """Write what became of a row."""
        if status != 201:
            raise ValueError(status)
        self._writer.writerow((number, row["orderRef"], "created", answer["ref"]))

"""Which orders exist."""

import csv
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from importer.sandbox.options import SandboxError
from schemas.fields import ORDER_REF, REFERENCE_ID

# Any fixed UUID serves; this one makes the same number the same order in every sandbox.
_NUMBERS: Final = uuid.UUID("6f7264e7-2d6e-4d5e-8a3b-9a1f0c5e7d10")


class Orders:
    """The orders that the sandbox knows: those of a file, or else every one that is asked for.

    Without a file any UUID is an order, and any order number belongs to one order, the same
    in every sandbox, so that a file with ``referenceId`` can be rehearsed as it is.
    """

    def __init__(self, listed: Mapping[str, str] | None = None) -> None:
        """Args: listed: Order reference (lower case) to order number, ``""`` for none."""
        self._listed = listed
        self._by_number: dict[str, list[str]] = {}
        for ref, number in (listed or {}).items():
            if number:
                self._by_number.setdefault(number, []).append(ref)

    @property
    def listed(self) -> list[str] | None:
        """The references in file order; None when any UUID is an order."""
        return None if self._listed is None else list(self._listed)

    def known(self, ref: str) -> str | None:
        """Return the order's reference in its canonical form, or None if there is no order."""
        canonical = canonical_uuid(ref)
        if canonical is None or self._listed is None:
            return canonical
        return canonical if canonical in self._listed else None

    def number_of(self, ref: str) -> str:
        """Return the order's own number, ``""`` when it is not known."""
        return "" if self._listed is None else self._listed.get(ref, "")

    def of_number(self, number: str) -> list[str]:
        """Return the references of the orders that have this number."""
        if self._listed is None:
            return [str(uuid.uuid5(_NUMBERS, number))]
        return self._by_number.get(number, [])


def canonical_uuid(text: str) -> str | None:
    """Return a UUID in lower case with hyphens, or None if ``text`` is not one."""
    try:
        canonical = str(uuid.UUID(text))
    except ValueError:
        return None
    return canonical if canonical == text.lower() else None


def read_orders(path: Path) -> Orders:
    """Read the orders from a CSV file with the columns ``orderRef`` and ``referenceId``.

    Raises:
        SandboxError: The file cannot be read, lacks ``orderRef``, or a line of it is no order.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            return Orders(_listed(csv.DictReader(source, strict=True), path))
    except OSError as fault:
        raise SandboxError(f"Cannot read the orders file {path}: {fault.strerror}.") from None
    except (UnicodeDecodeError, csv.Error):
        raise SandboxError(f"The orders file {path} is not CSV in UTF-8.") from None


def _listed(records: "csv.DictReader[str]", path: Path) -> dict[str, str]:
    if ORDER_REF not in (records.fieldnames or ()):
        raise SandboxError(
            f"The orders file {path} has no column {ORDER_REF}; "
            f"its header should be {ORDER_REF},{REFERENCE_ID}."
        )
    listed: dict[str, str] = {}
    for record in records:
        where = f"Line {records.line_num} of the orders file {path}"
        ref = canonical_uuid((record[ORDER_REF] or "").strip())
        if ref is None:
            raise SandboxError(f"{where} has no UUID as its {ORDER_REF}.")
        number = (record.get(REFERENCE_ID) or "").strip()
        if listed.setdefault(ref, number) != number:
            raise SandboxError(f"{where} gives an order that stands above a second number.")
    return listed

"""The reference of an order: a UUID, because it becomes a segment of the path.

Source: contract, section 4.
"""

import re
from typing import Final

from schemas.faults import Fault
from schemas.text import invisible

_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")


def is_order_ref(text: str) -> bool:
    """Tell whether *text* is a UUID in its sole normal form: lower case, hyphens, no braces."""
    return _UUID.match(text) is not None


def parse_order_ref(text: str) -> str | Fault:
    """Give the UUID in lower case, or what is wrong with *text*."""
    ref = text.lower()
    if is_order_ref(ref):
        return ref
    return Fault(
        "not a UUID (2d7de9df-45a2-45ea-872c-30e45139007d); the organisation's own order"
        f" numbers go into a column referenceId{invisible(text)}"
    )

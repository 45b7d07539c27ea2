"""The reference of an order: a UUID, because it becomes a segment of the path.

Source: contract, section 4.
"""

import re
from typing import Final

from schemas.faults import Fault
from schemas.text import invisible

ORDER_REF_FORM: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
"""A UUID in its one normal form: lower case, hyphens, no braces."""


def parse_order_ref(text: str) -> str | Fault:
    """Give the UUID in lower case, or what is wrong with *text*."""
    for ref in (text, text.lower()):
        if ORDER_REF_FORM.match(ref):
            return ref
    return Fault(
        "not a UUID (2d7de9df-45a2-45ea-872c-30e45139007d);"
        f" the column for other order numbers is referenceId{invisible(text)}"
    )

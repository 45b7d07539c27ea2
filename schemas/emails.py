"""Mail addresses: held to the syntax, never looked up, sent untouched.

Source: contract, section 4.
"""

import re
from typing import Final

from schemas.text import Fault, invisible

# The address that nearly everybody has; it spares the library's 23 µs. Narrower than the
# library on purpose: whatever does not match is left to it.
_PLAIN: Final = re.compile(
    r"(?!.{255})[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?!.*--)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z])?\Z"
)

# The library's own limit; asked first because it takes a second to say so of a megabyte.
_LONGEST: Final = 254


def parse_email(text: str) -> str | Fault:
    """Give *text* as it stands, or what is wrong with it as an address."""
    if _PLAIN.match(text) or is_address(text):
        return text
    return Fault(_why(text))


def is_address(text: str) -> bool:
    """Tell whether the library takes *text* for a syntactically valid address.

    It also refuses domains that are reserved (``.test``, ``.local``), which is no matter of
    syntax; such a last label is therefore shown to it as another one of the same length.
    """
    if len(text) > _LONGEST:
        return False
    # Loaded late: few files need it, and its patterns take 20 ms to compile.
    from email_validator import (  # noqa: PLC0415
        SPECIAL_USE_DOMAIN_NAMES,
        EmailNotValidError,
        validate_email,
    )

    head, dot, label = text.rpartition(".")
    if dot and label.lower() in SPECIAL_USE_DOMAIN_NAMES:
        text = f"{head}.{'x' * len(label)}"
    try:
        validate_email(text, check_deliverability=False, allow_quoted_local=True)
    except EmailNotValidError:
        return False
    return True


def _why(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at:
        reason = "has no @"
    elif not local or not domain:
        reason = "has nothing before or after the @"
    elif "." not in domain:
        reason = "has no dot after the @"
    elif "@" in local and '"' not in local:
        reason = "has more than one @; separate addresses with ;"
    else:
        reason = "not a valid address"
    return f"{reason} (name@example.com is expected){invisible(text)}"

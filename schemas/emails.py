"""E-mail addresses: their syntax is checked, nothing is looked up, and they are sent as written.

Source: docs/values.md, "E-mail addresses".
"""

import re
from typing import Final

from schemas.text import Fault, fault, why_damaged

# The usual address, accepted without the library, which is slow. Narrower than the library on
# purpose: whatever does not match is left to it.
_PLAIN: Final = re.compile(
    r"(?!.{255})[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?!.*--)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z])?\Z"
)
_MAILTO: Final = "mailto:"
_IN_BRACKETS: Final = re.compile(r"<[^<>]*>\Z")

# The library's own limit, checked first because the library is slow on long text.
_MAX_LENGTH: Final = 254


def parse_email(text: str) -> str | Fault:
    """Return the address as written but for a leading ``mailto:``, or what is wrong with it."""
    if _PLAIN.match(text):
        return text
    address = text
    if text[: len(_MAILTO)].lower() == _MAILTO:
        address = text[len(_MAILTO) :].lstrip()
        if "%" in address or "?" in address:
            return fault(address, "a mailto: link with more than an address; write the address")
    if not address.startswith("'") and not why_damaged(address) and is_address(address):
        return address
    return fault(address, _why(address))


def is_address(text: str) -> bool:
    """Return whether the library accepts *text* as a syntactically valid address.

    The library also refuses reserved domains (``.test``, ``.local``), which is not a matter of
    syntax. Such a last label is replaced by another one of the same length.
    """
    if len(text) > _MAX_LENGTH:
        return False
    # Imported late: few files need it, and it compiles many patterns.
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
    if at and _IN_BRACKETS.search(text):
        return "a name and an address; write the address alone, as in name@example.com"
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
    return f"{reason} (name@example.com is expected)"

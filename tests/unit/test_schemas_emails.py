"""The rule of e-mail addresses."""

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES

from schemas.emails import parse_email
from schemas.text import Fault


@pytest.mark.parametrize(
    "text",
    [
        "a@b.co", "Mary.O'Brien+tag@EXAMPLE.com", "josé@example.com", "a@exämple.com",
        "用户@例え.jp", '"a b"@example.com', '"a@b"@example.com', "a@x--y.com",
        "a@xn--exmple-cua.com", "john.doe@gmail.com", "#a@example.com",
        *(f"a@host.{name}" for name in SPECIAL_USE_DOMAIN_NAMES),
    ],
)  # fmt: skip
def test_valid_address_is_sent_as_written(text: str) -> None:
    """Everything that the syntax allows is kept; reserved domains are no matter of syntax."""
    assert parse_email(text) == text


@pytest.mark.parametrize("prefix", ["mailto:", "MAILTO:", "Mailto: "])
@pytest.mark.parametrize("address", ["a@example.com", "josé@example.com"])
def test_mailto_is_dropped(prefix: str, address: str) -> None:
    """It is a prefix of links, not of addresses."""
    assert parse_email(f"{prefix}{address}") == address


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a", "has no @"),
        ("mailto:", "has no @"),
        ("@b.co", "nothing before or after"),
        ("a@", "nothing before or after"),
        ("a@localhost", "no dot after the @"),
        ("a@test", "no dot after the @"),
        ("a@b.co c@d.co", "more than one @"),
        ("a@@b.co", "more than one @"),
        ("a..b@c.co", "not a valid address"),
        ("a@[127.0.0.1]", "not a valid address"),
        ("A <a@b.co>", "write the address alone"),
        ('"Doe, A" <a@b.co>', "write the address alone"),
        ("<a@b.co>", "write the address alone"),
        ("mailto:A <a@b.co>", "write the address alone"),
        ("mailto:a@b.co?subject=x", "write the address"),
        ("mailto:a%40b@b.co", "write the address"),
        ("'a@b.co", "apostrophe"),
        ("'a@b.co'", "apostrophe"),
        ("a\ufffd@b.co", "U+FFFD"),
        ("#N/A", "spreadsheet error"),
        ("a@b.c\u00a0o", "U+00A0, no-break space"),
        ("a\u200b@b.co", "U+200B, zero width space"),
        ("a@b.co\n", "U+000A"),
        (f"{'a' * 250}@b.co", "not a valid address"),
        (f"{'a' * 10_000_000}@b.co", "not a valid address"),
        (f"a@{'b' * 64}.co", "not a valid address"),
    ],
)
def test_invalid_address_is_refused_with_the_reason(text: str, reason: str) -> None:
    """The message gives the reason and never the address."""
    result = parse_email(text)
    assert isinstance(result, Fault)
    (message,) = result.messages
    assert reason in message
    assert "b.co" not in message

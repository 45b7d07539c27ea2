"""The message of a reply, and the pause that it requests."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from importer.api.replies import (
    MAX_MESSAGE,
    MAX_RETRY_AFTER,
    Reply,
    Secrets,
    clean,
    message_of,
    parse,
    pause_of,
)

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"


def message(
    status: int, body: bytes, content_type: str = "application/json", secrets: Sequence[str] = ()
) -> str:
    """Return the message of a reply."""
    reply = Reply(status=status, body=body, content_type=content_type)
    return message_of(reply, parse(body), Secrets(secrets))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"message": "firstName: may not be null."}', "firstName: may not be null."),
        (b'{"message": ["a", "b"]}', "a; b"),
        (b'[{"message": "a"}, {"message": "b"}]', "a; b"),
        (b'{"message": "=HYPERLINK(1)"}', "=HYPERLINK(1)"),
        (b'{"message": "a\\u001b[31mred\\u001b[0m\\r\\nb\\u0000\\u2028c"}', "ared b c"),
        (b'{"message": "\\u001b]0;title\\u0007x\\u202e\\ud800y"}', "x y"),
        ('{"message": "Nguyễn é"}'.encode(), "Nguyễn é"),
    ],
)
def test_message_of_the_api_is_quoted_as_one_printable_line(body: bytes, expected: str) -> None:
    """It may contain control characters and line breaks."""
    assert message(400, body) == expected


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b"<p>x</p>", "text/html; x=y", "HTTP 502 Bad Gateway, with a body of type text/html"),
        (b"", "text/html", "HTTP 502 Bad Gateway, with no body"),
        (b"\xff\xfe", "", "HTTP 502 Bad Gateway, with a body of no type"),
        (b'{"message": "\\u0000"}', "a/\x1b[0mb", "HTTP 502 Bad Gateway, with a body of type a/b"),
        (b'{"message": 7}', "x/y", "HTTP 502 Bad Gateway, with a body of type x/y"),
    ],
)
def test_page_is_never_quoted(body: bytes, content_type: str, expected: str) -> None:
    """Status and media type are reported instead."""
    assert message(502, body, content_type) == expected


def test_long_message_is_cut() -> None:
    """Ten megabytes become three hundred characters."""
    text = message(400, json.dumps({"message": "x" * 10_000_000}).encode())
    assert (len(text), text[-1]) == (MAX_MESSAGE, "…")


def test_secrets_that_a_server_echoes_are_hidden() -> None:
    """No part of one is left even where the message is cut."""
    for filler in (0, MAX_MESSAGE - 5):
        body = json.dumps({"message": "." * filler + "s3cret-t0ken!"}).encode()
        assert "s3c" not in message(400, body, secrets=("s3cret-t0ken!",))


def test_secrets_are_not_in_their_representation() -> None:
    """A traceback may print local variables."""
    assert "s3cret" not in repr(Secrets(("s3cret",)))


def test_cleaning_keeps_printable_characters() -> None:
    """These are letters of all scripts; any blanks become one."""
    assert clean("  名前\u00a0\tÅ\n") == "名前 Å"


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ([], None),
        (["2"], 2.0),
        ([" 2 "], 2.0),
        (["1.5"], 1.5),
        (["0"], None),
        (["-1"], None),
        (["abc"], None),
        ([""], None),
        (["٣"], None),
        (["86400"], 86400.0),
        (["9" * 5000], MAX_RETRY_AFTER),
        (["2", "7"], 7.0),
        (["junk", "7"], 7.0),
        (["Wed, 21 Oct 2026 07:30:00 GMT"], 120.0),
        (["Wed, 21 Oct 2026 07:27:00 GMT"], None),
        (["Wed, 99 Oct 2026 07:27:00 GMT"], None),
        (["Wed, 21 Oct 99999999999 07:27:00 GMT"], None),
    ],
)
def test_pause_is_read_from_retry_after(values: list[str], seconds: float | None) -> None:
    """It has seconds or dates; the longest counts, and malformed ones are ignored."""
    assert pause_of(Reply(status=429, retry_after=values, date=DATE)) == seconds


def test_retry_date_is_relative_to_the_local_clock_without_a_date_header() -> None:
    """There is no other clock."""
    now = datetime(2026, 10, 21, 7, 28, tzinfo=UTC)
    reply = Reply(status=429, retry_after=["Wed, 21 Oct 2026 07:28:30 GMT"])
    assert pause_of(reply, now) == 30.0

"""Short cuts give the answer of the library that they spare."""

from datetime import datetime, timedelta, timezone

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.dates import parse_birth_date
from schemas.emails import is_address, parse_email
from schemas.phones import E164, ask_library, parse_phone
from schemas.text import Fault

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
LOCAL = st.text("abzAZ09._+-'!%é \"@", max_size=20)
LABEL = st.text("abzAZ09-é", max_size=8) | st.sampled_from(["x" * 63, "x" * 64, "ab--c", "xn--a"])
DOMAIN = st.lists(LABEL, max_size=5).map(".".join)
ADDRESS = st.builds("{}@{}".format, LOCAL, DOMAIN) | st.emails()


@given(ADDRESS)
@example("a@ab--c.ie")
@example("a@xn--a.ie")
@example("a@b.c-d")
@example("a@b.c1")
def test_address_is_judged_as_the_library_judges_it(text: str) -> None:
    """The short cut for plain addresses takes none that the library refuses."""
    assert parse_email(text) == text if is_address(text) else isinstance(parse_email(text), Fault)


@pytest.mark.parametrize("length", [253, 254, 255])
def test_longest_address_is_the_library_s(length: int) -> None:
    """At the limit of length both say the same."""
    text = f"{'a' * (length - 126)}@{'b' * 61}.{'c' * 60}.ie"
    assert len(text) == length
    assert isinstance(parse_email(text), str) == is_address(text) == (length <= 254)


@pytest.mark.parametrize("code", CODES)
def test_plain_number_is_judged_as_the_library_judges_it(code: int) -> None:
    """For every calling code, every length and every first digits."""
    for start in ("", "0", "00", "01", "08", "1", "11", "2", "3", "5", "7", "8", "80", "9", "91"):
        for length in range(2, 16):
            text = f"+{code}{start}{'2345678901234567'[: max(0, length - len(start))]}"
            library = ask_library(text, "US")
            assert parse_phone(text) == library
            assert parse_phone(text, "IE") == library
            assert isinstance(library, Fault) or E164.match(library)


@given(st.text("0123456789+-() /.", min_size=5, max_size=24))
def test_no_digit_is_lost_but_a_national_prefix(text: str) -> None:
    """What is sent ends as the cell ends, and nearly all of its digits are there."""
    sent = parse_phone(text)
    if isinstance(sent, str):
        digits = "".join(filter(str.isdecimal, text))
        assert digits[-4:] == sent[-4:]
        assert len(digits) - len(sent[1:]) <= 5


NOW = datetime(2026, 1, 5, 0, 30, tzinfo=timezone(timedelta(hours=2)))  # the 4th in UTC


@given(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True) | st.dates().map(str))
@example("2026-01-03")
@example("2026-01-04")
@example("2026-01-05")
@example("1900-02-29")
def test_plain_date_is_judged_as_any_other_form(text: str) -> None:
    """A format that is tried first, and never fits, has the short cut stand aside."""
    careful = parse_birth_date(text, NOW, "%d.%m.%Y")
    plain = parse_birth_date(text, NOW)
    assert plain == careful if isinstance(careful, str) else isinstance(plain, Fault)

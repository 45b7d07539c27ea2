"""Fast paths return what the library or the careful rule returns."""

from datetime import datetime, timedelta, timezone

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.dates import BirthDates
from schemas.emails import is_address, parse_email
from schemas.identifiers import PLAIN_ID, parse_identifier
from schemas.phones import E164, ask_library, is_assigned, parse_phone
from schemas.text import Fault, are_plain, parse_text

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
LOCAL = st.text("abzAZ09._+-'!%é \"@", max_size=20)
LABEL = st.text("abzAZ09-é", max_size=8) | st.sampled_from(["x" * 63, "x" * 64, "ab--c", "xn--a"])
DOMAIN = st.lists(LABEL, max_size=5).map(".".join)
ADDRESS = st.builds("{}@{}".format, LOCAL, DOMAIN) | st.emails()


@given(ADDRESS)
@example("a@ab--c.ie")
@example("a@xn--a.ie")
@example("a@b.c-d")
@example("a@b.c1")
@example("'a@b.ie")
def test_address_is_accepted_if_the_library_accepts_it(text: str) -> None:
    """Except for the apostrophe of a spreadsheet, which is the only additional rule."""
    if is_address(text) and not text.startswith("'"):
        assert parse_email(text) == text
    else:
        assert isinstance(parse_email(text), Fault)


@pytest.mark.parametrize("length", [253, 254, 255])
def test_longest_address_is_that_of_the_library(length: int) -> None:
    """Both have the same limit of length."""
    text = f"{'a' * (length - 126)}@{'b' * 61}.{'c' * 60}.ie"
    assert len(text) == length
    assert isinstance(parse_email(text), str) == is_address(text) == (length <= 254)


@pytest.mark.parametrize("code", CODES)
def test_plain_number_is_read_as_the_library_reads_it(code: int) -> None:
    """For every calling code, every length and every first digits."""
    for start in ("", "0", "00", "01", "08", "1", "11", "2", "3", "5", "7", "8", "80", "9", "91"):
        for length in range(2, 16):
            text = f"+{code}{start}{'2345678901234567'[: max(0, length - len(start))]}"
            library = ask_library(text, "US")
            found = parse_phone(text)
            assert parse_phone(text, "IE") == found
            # Where the library strips a prefix and a 0 is left, nothing is guessed.
            assert found == library or ("0" in start and isinstance(found, Fault))
            assert isinstance(library, Fault) or E164.match(library)


@given(
    code=st.sampled_from(CODES),
    digits=st.text("0123456789", min_size=3, max_size=13),
    is_example=st.booleans(),
)
def test_number_is_assigned_if_the_library_says_it_is_valid(
    code: int, digits: str, *, is_example: bool
) -> None:
    """For numbers of all plans, and for their neighbours."""
    text = f"+{code}{digits}"
    if is_example:
        region = phonenumbers.region_code_for_country_code(code)
        number = (
            phonenumbers.example_number(region)
            if region != "001"
            else phonenumbers.example_number_for_non_geo_entity(code)
        )
        text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        text = text[: -len(digits[:2])] + digits[:2]
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return
    sent = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert is_assigned(sent) == phonenumbers.is_valid_number(number)


@pytest.mark.parametrize("region", REGIONS)
def test_example_numbers_of_every_region_are_assigned(region: str) -> None:
    """Of every kind; +1 and +44 have many regions."""
    for kind in range(11):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None:
            text = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            for sent in (text, f"{text[:-1]}{9 - int(text[-1])}", f"{text[:-2]}00"):
                expected = phonenumbers.is_valid_number(phonenumbers.parse(sent))
                assert is_assigned(sent) == expected, sent


NUMBER = st.text("0123456789+-() /.", min_size=5, max_size=24)


@given(NUMBER, st.sampled_from([None, "IE", "DE", "US", "IT", "PL", "BR", "JP", "AU", "RU", "CN"]))
@example("0421 12345/6", "DE")
def test_only_a_prefix_of_digits_is_dropped(text: str, region: str | None) -> None:
    """The number ends as the cell ends, and has nearly all of its digits."""
    sent = parse_phone(text, region)
    if isinstance(sent, str):
        digits = "".join(filter(str.isdecimal, text))
        assert digits[-4:] == sent[-4:]
        assert len(digits) - len(sent[1:]) <= 7
        assert parse_phone(sent) == sent


NOW = datetime(2026, 1, 5, 0, 30, tzinfo=timezone(timedelta(hours=2)))  # the 4th in UTC
FAST = BirthDates(NOW)
CAREFUL = BirthDates(NOW, ["iso", "%d.%m.%Y"])


@given(st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", fullmatch=True) | st.dates().map(str))
@example("2026-01-03")
@example("2026-01-04")
@example("2026-01-05")
@example("1900-02-29")
@example("1899-12-30")
@example("1895-12-31")
@example("1896-01-04")
@example("1896-01-05")
def test_plain_date_is_read_as_any_other_form(text: str) -> None:
    """A second format, which never fits, makes the rule take the careful path."""
    careful, fast = CAREFUL.parse(text), FAST.parse(text)
    assert fast == careful if isinstance(careful, str) else isinstance(fast, Fault)


@given(st.dates(), st.sampled_from(["%d%m%Y", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d-%b-%Y"]))
def test_date_written_by_a_format_is_read_as_that_day(day: datetime, form: str) -> None:
    """If it is of the last 130 years, and whatever its digits."""
    text = f"{day.strftime(form.replace('%Y', '@')).replace('@', f'{day.year:04}')}"
    found = BirthDates(NOW, [form]).parse(text)
    if isinstance(found, str):
        assert found == f"{day}T00:00:00Z"


@given(
    st.text("0123456789", min_size=4, max_size=9), st.sampled_from(["%d%m%Y", "%Y%m%d", "%d%m%y"])
)
def test_format_without_separators_never_takes_another_width(text: str, form: str) -> None:
    """Eight digits for a full year, six for two."""
    found = BirthDates(NOW, [form], 30).parse(text)
    if isinstance(found, str):
        assert len(text) == (6 if form.endswith("y") else 8)


@given(st.text("aNul019.,eE+-_ \u200b'#!", max_size=12))
def test_plain_ids_pass_the_careful_rule(text: str) -> None:
    """The fast path accepts no id that the rule refuses."""
    if PLAIN_ID.match(text):
        padded = f"{text} x"  # not plain any more, and neither a number nor a placeholder
        assert parse_identifier(("CRM", text)) == ("CRM", text)
        assert parse_identifier(("CRM", padded)) == ("CRM", padded)


@given(st.lists(st.text("aE r:5'#=\"!+\ufffd\x00\u00a0é", max_size=8), max_size=4))
def test_plain_texts_pass_the_careful_rule(texts: list[str]) -> None:
    """The fast path for all texts accepts none that the rule refuses."""
    if are_plain(texts):
        assert [parse_text(text) for text in texts] == texts

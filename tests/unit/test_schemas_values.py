"""The rule of each single value."""

import sys
import unicodedata
from datetime import UTC, datetime

import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES

from schemas.countries import is_country, parse_country
from schemas.dates import date_format, parse_birth_date
from schemas.emails import parse_email
from schemas.fields import TITLES
from schemas.phones import parse_phone, phone_region
from schemas.text import (
    Fault,
    invisible,
    parse_gender,
    parse_order_ref,
    parse_text,
    parse_title,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REF = "2d7de9df-45a2-45ea-872c-30e45139007d"


def why(result: str | Fault) -> str:
    """Give the one message of a fault."""
    assert isinstance(result, Fault)
    (message,) = result.messages
    return message


@pytest.mark.parametrize("text", [REF, REF.upper(), "2D7de9df-45a2-45ea-872c-30e45139007d"])
def test_order_ref_is_a_uuid_in_lower_case(text: str) -> None:
    """The case of a UUID means nothing."""
    assert parse_order_ref(text) == REF


@pytest.mark.parametrize(
    "text",
    [
        f"{{{REF}}}", f"{REF}\n", f"{REF} ", f"../{REF}", f"{REF}/x", f"{REF}?x=1", f"{REF}#x",
        "%2e%2e%2f", "..", REF.replace("-", ""), f"urn:uuid:{REF}", REF[:-1], f"{REF}0",
        REF.replace("2", "２"), REF.replace("d", "g"), "ORD-4711",
    ],
)  # fmt: skip
def test_nothing_but_a_uuid_reaches_the_path(text: str) -> None:
    """An order that could change the address of a request is refused."""
    assert why(parse_order_ref(text)).startswith("not a UUID")


@pytest.mark.parametrize(
    "text",
    [
        "O'Brien",
        "Nguyễn",
        unicodedata.normalize("NFD", "Nguyễn"),
        "\u00a0x",
        "👩‍👩‍👧",
        "\u202eabc",
        "x" * 700,
    ],
)
def test_text_is_kept_to_the_byte(text: str) -> None:
    """Composed, decomposed, right-to-left and invisible characters are all somebody's name."""
    assert parse_text(text) == text


@pytest.mark.parametrize(
    "character", ["\x00", "\n", "\t", "\x1f", "\x7f", "\x85", "\x9f", "\ud800"]
)
def test_text_holds_no_control_characters(character: str) -> None:
    """The message names the character, which nobody can see."""
    assert f"U+{ord(character):04X}" in why(parse_text(f"a{character}b"))


@pytest.mark.parametrize(
    "text",
    [
        "a@b.co", "Mary.O'Brien+tag@EXAMPLE.com", "josé@example.com", "a@exämple.com",
        "用户@例え.jp", '"a b"@example.com', '"a@b"@example.com', "a@x--y.com",
        "a@xn--exmple-cua.com",
        *(f"a@host.{name}" for name in SPECIAL_USE_DOMAIN_NAMES),
    ],
)  # fmt: skip
def test_valid_address_is_sent_untouched(text: str) -> None:
    """Whatever the syntax allows is kept as written; reserved domains are no matter of syntax."""
    assert parse_email(text) == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a", "has no @"),
        ("@b.co", "nothing before or after"),
        ("a@", "nothing before or after"),
        ("a@localhost", "no dot after the @"),
        ("a@test", "no dot after the @"),
        ("a@b.co c@d.co", "more than one @"),
        ("a@@b.co", "more than one @"),
        ("a..b@c.co", "not a valid address"),
        ("a@[127.0.0.1]", "not a valid address"),
        ("A <a@b.co>", "not a valid address"),
        ("a@b.c\u00a0o", "U+00A0, no-break space"),
        ("a@b.co\n", "U+000A"),
        (f"{'a' * 250}@b.co", "not a valid address"),
        (f"{'a' * 10_000_000}@b.co", "not a valid address"),
        (f"a@{'b' * 64}.co", "not a valid address"),
    ],
)
def test_invalid_address_is_told_why(text: str, reason: str) -> None:
    """The message gives the reason and never the address."""
    assert reason in why(parse_email(text))


@pytest.mark.parametrize(
    ("text", "region", "sent"),
    [
        ("+353161123345", None, "+353161123345"),
        ("+353 (0)1 611 2334", None, "+35316112334"),
        ("(+353) 1-611.2334", None, "+35316112334"),
        ("+49 30/1234567", None, "+49301234567"),
        ("+39 06 1234 5678", None, "+390612345678"),
        ("＋３５３１６１１２３３４５", None, "+353161123345"),
        ("00353161123345", "IE", "+353161123345"),
        ("01 611 2334", "IE", "+35316112334"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("+353161123345", "US", "+353161123345"),
    ],
)
def test_possible_number_becomes_e164(text: str, region: str | None, sent: str) -> None:
    """International numbers need no region, national ones the region of the run."""
    assert parse_phone(text, region) == sent


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3.53861E+11", "a spreadsheet cut its digits"),
        ("3,53861e+11", "a spreadsheet cut its digits"),
        ("+1 800 FLOWERS", "holds letters"),
        ("+353 1 611 2334 ext. 5", "holds letters"),
        ("+353 1 611 2334x5", "holds letters"),
        ("Tel: +353161123345", "holds letters"),
        ("tel:+353161123345", "holds letters"),
        ("+353161123345 +353161123346", "two numbers in one"),
        ("+353161123345/6", "two numbers in one"),
        ("+353161123345/346", "two numbers in one"),
        ("+353 1 611 2334#5", "characters that no phone number has"),
        ("+353 1 611 2334~5", "characters that no phone number has"),
        ("+353 1 611 2334,,5", "characters that no phone number has"),
        ("\u202a+353161123345", "U+202A"),
        ("+353", "too few digits"),
        ("+3531", "too few digits"),
        ("+3531611", "too few digits"),
        ("+353161123345678", "too many digits"),
        ("+999123456789", "no such country calling code"),
        ("+1 2530000", "the area code is missing"),
        ("+", "not a phone number"),
        ("+" + "1" * 240, "too many digits"),
        ("/" * 1_000_000, "too many characters"),
    ],
)
@pytest.mark.parametrize("region", [None, "IE"])
def test_number_is_never_read_out_of_something_else(
    text: str, reason: str, region: str | None
) -> None:
    """What the library would drop or find inside is refused, and the message says why."""
    assert reason in why(parse_phone(text, region))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("00353161123345", "write + in place of the leading 00"),
        ("0161123345", "has no country code"),
        ("353161123345", "has no country code"),
        ("()", "has no country code"),
    ],
)
def test_national_number_needs_a_region(text: str, reason: str) -> None:
    """Without --phone-region nobody can tell whose number it is."""
    assert reason in why(parse_phone(text))


def test_phone_region_must_exist() -> None:
    """A region is a country of the numbering plans, in any case."""
    assert phone_region("ie") == "IE"
    with pytest.raises(ValueError, match="phone region"):
        phone_region("UK")


@pytest.mark.parametrize("text", ["male", "MALE", "Female", "uNKNOWN"])
def test_gender_is_closed_and_in_lower_case(text: str) -> None:
    """The three words of the reference are taken in any case."""
    assert parse_gender(text) == text.lower()


@pytest.mark.parametrize("text", ["m", "F", "diverse", "male.", "1"])
def test_other_genders_are_refused(text: str) -> None:
    """The API knows three words; a guess would be a lie about a person."""
    assert "male, female, unknown" in why(parse_gender(text))


@pytest.mark.parametrize("title", TITLES)
def test_listed_title_takes_the_reference_spelling(title: str) -> None:
    """Case and a final dot do not matter."""
    assert [title] * 4 == [
        parse_title(text) for text in (title, title.upper(), title.lower(), f"{title.upper()}.")
    ]


@pytest.mark.parametrize("text", ["Herr", "Mr..", "Dr. med.", "."])
def test_other_titles_are_sent_as_they_are(text: str) -> None:
    """The list is of examples."""
    assert parse_title(text) == text


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("1991-01-01T16:17:16Z", "1991-01-01T16:17:16Z"),
        ("1991-01-01", "1991-01-01T00:00:00Z"),
        ("19910101", "1991-01-01T00:00:00Z"),
        ("1992-02-29", "1992-02-29T00:00:00Z"),
        ("0001-01-01", "0001-01-01T00:00:00Z"),
        ("1991-01-01 16:17", "1991-01-01T16:17:00Z"),
        ("1991-01-01t16:17:16z", "1991-01-01T16:17:16Z"),
        ("1991-01-01T16:17:16", "1991-01-01T16:17:16Z"),
        ("1991-01-01T00:17:16+01:00", "1990-12-31T23:17:16Z"),
        ("1991-01-01T16:17:16-0530", "1991-01-01T21:47:16Z"),
        ("1991-01-01T16:17:16.000Z", "1991-01-01T16:17:16Z"),
        ("1991-01-01T16:17:16.500Z", "1991-01-01T16:17:16.500Z"),
        ("1991-01-01T16:17:16.000001Z", "1991-01-01T16:17:16.000001Z"),
        ("2025-12-31T23:59:59Z", "2025-12-31T23:59:59Z"),
    ],
)
def test_iso_date_is_sent_as_an_instant_in_utc(text: str, sent: str) -> None:
    """A date is its first moment; a time without a zone is UTC."""
    assert parse_birth_date(text, NOW) == sent


@pytest.mark.parametrize(
    "text",
    [
        "1991-02-29", "01/02/1990", "44197", "1991", "1991-01", "1991-W05", "1991-W05-4",
        "1991-1-1", "1991-0101", "１９９１-01-01", "٠٠٠١-٠١-٠١", "1991-01-01T", "1991-01-01Z",
        "1991-01-01x10:00", "1991-01-01T25:00", "1991-01-01T10:00+25:00",
        "0001-01-01T00:00+01:00", "1991-01-01\n",
        "-",
    ],
)  # fmt: skip
def test_other_dates_are_refused(text: str) -> None:
    """Nothing is guessed about a date."""
    assert "not an ISO 8601 date such as 1991-01-31" in why(parse_birth_date(text, NOW))


@pytest.mark.parametrize(
    "text", ["2026-01-01", "9999-12-31", "2025-12-31T23:30:00-01:00", "2026-01-01T01:00:00+01:00"]
)
def test_birth_lies_strictly_in_the_past(text: str) -> None:
    """The moment of the run is no birthday any more."""
    assert why(parse_birth_date(text, NOW)) == "not in the past"


@pytest.mark.parametrize(
    ("text", "form", "sent"),
    [
        ("31/01/1991", "%d/%m/%Y", "1991-01-31T00:00:00Z"),
        ("01/02/1991", "%m/%d/%Y", "1991-01-02T00:00:00Z"),
        ("1991-01-31", "%d/%m/%Y", "1991-01-31T00:00:00Z"),
        ("1991-02-03", "%Y-%d-%m", "1991-03-02T00:00:00Z"),
        ("31.1.91 10:00 +0100", "%d.%m.%y %H:%M %z", "1991-01-31T09:00:00Z"),
        ("1991年1月31日", "%Y年%m月%d日", "1991-01-31T00:00:00Z"),
    ],
)
def test_date_format_is_tried_before_iso(text: str, form: str, sent: str) -> None:
    """The user's word about the file beats the standard; the standard still counts."""
    assert parse_birth_date(text, NOW, form) == sent


def test_date_format_reads_ascii_digits_alone() -> None:
    """Strptime takes any digits of the world; the rule does not."""
    assert "--date-format" in why(parse_birth_date("٣١/01/1991", NOW, "%d/%m/%Y"))


@pytest.mark.parametrize("form", ["%d/%m", "%Y", "%Q", "%", "", "x", "%-d/%m/%Y"])
def test_date_format_is_tried_before_the_file(form: str) -> None:
    """A format that cannot work is one error, not one for each row."""
    with pytest.raises(ValueError, match="the date format"):
        date_format(form)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("IE", "IE"), ("ie", "IE"), ("IRL", "IE"), ("irl", "IE"), ("Ireland", "IE"), ("NA", "NA"),
        ("na", "NA"), ("NAM", "NA"), ("Namibia", "NA"), ("Côte d’Ivoire", "CI"),
        ("cote d'ivoire", "CI"), ("Ivory Coast", "CI"), ("CURACAO", "CW"),
        ("Türkiye", "TR"), ("Turkey", "TR"),
        ("South Korea", "KR"), ("Korea, Republic of", "KR"), ("Russia", "RU"),
        ("Czech Republic", "CZ"), ("Czechia", "CZ"), ("United Kingdom", "GB"),
        ("United States of America", "US"),
        ("Trinidad & Tobago", "TT"), ("Trinidad and Tobago", "TT"), ("St Lucia", "LC"),
    ],
)  # fmt: skip
def test_country_becomes_its_alpha_2_code(text: str, code: str) -> None:
    """Codes and English names count without case, diacritics and apostrophes."""
    assert parse_country(text) == code
    assert is_country(code)


@pytest.mark.parametrize("text", ["Irland", "EU", "XX", "372", "Eire\u00a0", "Republic", "Korea"])
def test_other_countries_are_refused(text: str) -> None:
    """No country is guessed from what looks like one."""
    assert "not an ISO 3166-1 code" in why(parse_country(text))


def test_uk_is_told_the_code_it_means() -> None:
    """UK is reserved but no code of the standard."""
    assert "is GB" in why(parse_country("uk"))


def test_every_message_is_one_short_line() -> None:
    """Even with the longest name of an invisible character, a message stays readable."""
    points = map(chr, range(sys.maxunicode + 1))
    worst = max((invisible(c) for c in points if not c.isprintable()), key=len)
    hint = chr(int(worst.split("U+")[1].split(",")[0], 16))
    found = [
        parse(f"{hint}?")
        for parse in (parse_order_ref, parse_email, parse_phone, parse_gender, parse_country)
    ]
    found += [parse_birth_date(f"{hint}?", NOW), parse_birth_date(f"{hint}?", NOW, "%d/%m/%Y")]
    assert all(len(f"passportNumber: item 10: {why(result)}") <= 200 for result in found)
    assert all("\n" not in why(result) for result in found)

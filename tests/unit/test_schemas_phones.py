"""The rule of phone numbers."""

import phonenumbers
import pytest

from schemas.phones import is_assigned, parse_phone, phone_region
from schemas.text import Fault

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def why(result: str | Fault) -> str:
    """Return the one message of a fault."""
    assert isinstance(result, Fault)
    (message,) = result.messages
    return message


@pytest.mark.parametrize(
    ("text", "region", "sent"),
    [
        ("+353161123345", None, "+353161123345"),
        ("+353 (0)1 611 2334", None, "+35316112334"),
        ("+44 (0)20 7946 0018", None, "+442079460018"),
        ("+49 (0421) 12345", None, "+4942112345"),
        ("0049 (0)421 12345", "DE", "+4942112345"),
        ("(+353) 1-611.2334", None, "+35316112334"),
        ("+49 30/1234567", None, "+49301234567"),
        ("+49 (0)421 / 12345", None, "+4942112345"),
        ("0421/12345", "DE", "+4942112345"),
        ("0475/12.34.56", "BE", "+32475123456"),
        ("202/555-0123", "US", "+12025550123"),
        ("+33.1.23.45.67.00", None, "+33123456700"),
        ("+39 06 1234 5678", None, "+390612345678"),
        ("+39 (0)6 1234 5678", None, "+390612345678"),
        ("+378 (0)549 123456", None, "+3780549123456"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("06 698 12345", "VA", "+390669812345"),
        ("＋３５３１６１１２３３４５", None, "+353161123345"),
        ("+٣٥٣١٦١١٢٣٣٤٥", None, "+353161123345"),
        ("01 611 2334", "IE", "+35316112334"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("1 (212) 555-0123", "US", "+12125550123"),
        ("+353161123345", "US", "+353161123345"),
        ("22 512 0000", "PL", "+48225120000"),
        ("15123456789", "CN", "+8615123456789"),
        ("55 99999-9999", "BR", "+5555999999999"),
        ("+55 11 96123 - 4567", None, "+5511961234567"),
        ("+43 1 58858 - 0", None, "+431588580"),
        ("+49 421 12345-67", None, "+494211234567"),
        ("tel:+353-1-611-2334", None, "+35316112334"),
        ("TEL: +353 1 611 2334", None, "+35316112334"),
        ("'+353161123345", None, "+353161123345"),
        ("'tel:+353161123345", None, "+353161123345"),
        ("'01 611 2334", "IE", "+35316112334"),
    ],
)
def test_possible_number_becomes_e164(text: str, region: str | None, sent: str) -> None:
    """International numbers need no region, national ones need that of the run."""
    assert parse_phone(text, region) == sent


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("3.53861E+11", "a spreadsheet cut its digits"),
        ("3,53861e+11", "a spreadsheet cut its digits"),
        ("3.53E11", "a spreadsheet cut its digits"),
        ("+353209100101.0", "decimal number"),
        ("353209100101.0", "decimal number"),
        ("+353209100101.00", "decimal number"),
        ("+353 20 910 0101.0", "decimal number"),
        ("209100102.0", "decimal number"),
        ("+1 800 FLOWERS", "contains letters"),
        ("+353 1 611 2334 ext. 5", "contains letters"),
        ("+353 1 611 2334x5", "contains letters"),
        ("+353 1 611 2334 or 2335", "contains letters"),
        ("Mobile: +353161123345", "contains letters"),
        ("tel:+353161123345 (home)", "contains letters"),
        ("#N/A", "spreadsheet error"),
        ("+353161123345 +353161123346", "two numbers in one"),
        ("+353161123345/+353161123346", "two numbers in one"),
        ("+353161123345/6", "two numbers in one"),
        ("+353161123345/346", "two numbers in one"),
        ("+353 1 611 2334 / 087 123 4567", "two numbers in one"),
        ("+49 421 12345 / 12346", "two numbers in one"),
        ("+49 421 12345/12346", "two numbers in one"),
        ("+49 421 12345 ／ 12346", "two numbers in one"),
        ("+49/421/12345/12346", "two numbers in one"),
        ("+49 421 12345 - 12346", "two numbers in one"),
        ("+49 421 12345 – 12346", "two numbers in one"),
        ("+49 421 12345 (12346)", "two numbers in one"),
        ("353+161123345", "+ after its first digit"),
        ("00+353161123345", "+ after its first digit"),
        ("0+353161123345", "+ after its first digit"),
        ("++353161123345", "two numbers in one"),
        ("+353 1 611 2334#5", "characters that no phone number has"),
        ("+353 1 611 2334~5", "characters that no phone number has"),
        ("+353 1 611 2334,,5", "characters that no phone number has"),
        ("+353 1 611 2334 & 2335", "characters that no phone number has"),
        ("\u202a+353161123345", "U+202A"),
        ("+353161123345\u200f", "U+200F"),
        ("+48 (0) 22 512 0000", "leave it out"),
        ("+48 0 22 512 0000", "leave it out"),
        ("+48 (022) 512 0000", "leave it out"),
        ("+48 （０） 22 512 0000", "leave it out"),
        ("+30 (0)210 1234567", "leave it out"),
        ("+(0)353161123345", "starts with 0"),
        ("+34 (0)912 34 56 78", "leave it out"),
        ("+36 (0)1 234 5678", "leave it out"),
        ("+49 421 (0) 12345", "(0) inside"),
        ("+49 421 12345 (0)", "(0) inside"),
        ("+353", "too few digits"),
        ("+3531", "too few digits"),
        ("+3531611", "too few digits"),
        ("+353161123345678", "too many digits"),
        ("+999123456789", "no such country calling code"),
        ("+00353161123345", "starts with 0"),
        ("+1 2530000", "the area code is missing"),
        ("+", "not a phone number"),
        ("+" + "1" * 240, "too many digits"),
        ("/" * 1_000_000, "too many characters"),
    ],
)
@pytest.mark.parametrize("region", [None, "IE"])
def test_number_is_never_extracted_from_other_text(
    text: str, reason: str, region: str | None
) -> None:
    """What the library would drop, guess or find inside is refused with the reason."""
    assert reason in why(parse_phone(text, region))


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("12345/12346", "DE"),
        ("0421 12345/12346", "DE"),
        ("0421 12345 / 0421 12346", "DE"),
        ("(0421) 12345 - 12346", "DE"),
    ],
)
def test_two_national_numbers_in_one_are_refused(text: str, region: str) -> None:
    """German numbers have no fixed length, so two of them are a possible number."""
    assert "two numbers in one" in why(parse_phone(text, region))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("00353161123345", "write + instead of the leading 00"),
        ("tel:0161123345", "has no country code"),
        ("0161123345", "has no country code"),
        ("353161123345", "has no country code"),
        ("()", "has no country code"),
    ],
)
def test_national_number_needs_a_region(text: str, reason: str) -> None:
    """Without --phone-region its country is unknown."""
    assert reason in why(parse_phone(text))


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("0055 11 96123-4567", "BR"),
        ("0044 20 7946 0018", "BR"),
        ("0044 20 7946 0018", "JP"),
        ("0061 2 1234 5678", "AU"),
        ("0061 2 1234 5678", "HK"),
        ("0044 20 7946 0018", "US"),
        ("0044 20 7946 0018", "RU"),
        ("0044 20 7946 0018", "KR"),
        ("0044 20 7946 0018", "SG"),
        ("0044 20 7946 0018", "TH"),
        ("0044 20 7946 0018", "CU"),
        ("0044 20 7946 0018", "NG"),
        ("00 1 415 555 2671", "BO"),
    ],
)
def test_00_must_be_the_international_prefix_of_the_region(text: str, region: str) -> None:
    """In other regions it has no or another meaning, which the library would guess."""
    assert "write + instead" in why(parse_phone(text, region))


@pytest.mark.parametrize(
    ("text", "region", "sent"),
    [
        ("00353161123345", "IE", "+353161123345"),
        ("0044 20 7946 0018", "HK", "+442079460018"),
        ("0044 20 7946 0018", "DE", "+442079460018"),
        ("0011 44 20 7946 0018", "AU", "+442079460018"),
        ("010 44 20 7946 0018", "JP", "+442079460018"),
        ("011 44 20 7946 0018", "US", "+442079460018"),
        ("8 10 44 20 7946 0018", "RU", "+442079460018"),
        ("119 44 20 7946 0018", "CU", "+442079460018"),
        ("009 44 20 7946 0018", "NG", "+442079460018"),
    ],
)
def test_international_prefix_of_the_region_is_read(text: str, region: str, sent: str) -> None:
    """It has one meaning there."""
    assert parse_phone(text, region) == sent


@pytest.mark.parametrize("region", REGIONS)
def test_00_never_becomes_a_number_of_the_region(region: str) -> None:
    """For all regions: a number with 00 is read as a number abroad, or refused."""
    for abroad in ("+442079460018", "+353161123345", "+12125550123", "+5511961234567"):
        found = parse_phone(f"00{abroad[1:]}", region)
        assert isinstance(found, Fault) or found == abroad


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("prefix", ["011", "0011", "010", "810", "119", "001"])
def test_prefixes_of_other_regions_are_not_read_as_national(region: str, prefix: str) -> None:
    """A number abroad that is dialled from a third country is never one of the region."""
    for abroad in ("+442079460018", "+353161123345", "+5511961234567"):
        found = parse_phone(f"{prefix}{abroad[1:]}", region)
        assert isinstance(found, Fault) or found == abroad


@pytest.mark.parametrize("region", REGIONS)
def test_country_code_needs_its_plus(region: str) -> None:
    """For all regions: a number of the region is not read with its country code alone."""
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None or example.country_code == 1:
        return  # in North America the country code is the trunk prefix
    digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
    assert isinstance(parse_phone(digits, region), Fault)
    assert isinstance(parse_phone(f"{digits[:3]} {digits[3:]}", region), Fault)


@pytest.mark.parametrize("region", REGIONS)
def test_national_form_of_every_region_is_read(region: str) -> None:
    """What the library prints as the national form is read as the same number."""
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        sent = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        for form in (
            phonenumbers.PhoneNumberFormat.NATIONAL,
            phonenumbers.PhoneNumberFormat.INTERNATIONAL,
            phonenumbers.PhoneNumberFormat.RFC3966,
        ):
            text = phonenumbers.format_number(example, form)
            assert parse_phone(text, region) == sent, text


@pytest.mark.parametrize(
    ("text", "region"), [("4915123456789", "DE"), ("353161123345", "IE"), ("919876543210", "IN")]
)
def test_country_code_without_plus_is_named(text: str, region: str) -> None:
    """The remedy is the +."""
    assert "write + before its country code" in why(parse_phone(text, region))


@pytest.mark.parametrize("region", REGIONS)
def test_zero_in_brackets_is_never_a_part_that_the_country_does_not_have(region: str) -> None:
    """For all regions: it is dropped, kept where numbers start with it, or refused."""
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.FIXED_LINE)
    if example is None:
        return
    national = phonenumbers.national_significant_number(example)
    sent = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    found = parse_phone(f"+{example.country_code} (0) {national.removeprefix('0')}")
    if isinstance(found, str) and found != sent:
        # The country has another number, which starts with 0: parts of Africa changed their plan.
        assert is_assigned(found) or region in {"BJ", "CG", "CI", "GA", "SM"}


def test_phone_region_must_exist() -> None:
    """A region is a country of the numbering plans, in any case."""
    assert phone_region("ie") == "IE"
    with pytest.raises(ValueError, match="phone region"):
        phone_region("UK")


def test_unassigned_numbers_are_possible() -> None:
    """They are sent, and counted as a warning."""
    assert parse_phone("+353 20 910 0101") == "+353209100101"
    assert not is_assigned("+353209100101")
    assert is_assigned("+35316112334")
    assert not is_assigned("+999123456")

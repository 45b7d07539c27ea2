"""Phone numbers: possible international numbers, sent as E.164.

The library is made to find numbers in prose: it drops words, extensions and second numbers.
What it would drop is refused here first, so that a number is never read out of something
else. Source: contract, section 4.
"""

import re
from functools import cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, ValidationResult

from schemas.text import Fault, invisible

E164: Final = re.compile(r"\+[1-9][0-9]{4,17}\Z")
"""The form in which numbers are sent."""

_PLAIN: Final = re.compile(r"\+[1-9][0-9]{5,16}\Z")
_SCIENTIFIC: Final = re.compile(r"[+-]?\d+(?:[.,]\d*)?[eE][+-]?\d+\Z")
# The library's own punctuation, without what it takes for the mark of an extension (x, #, ~).
_PUNCTUATION: Final = (
    r"\-\u2010-\u2015\u2212\u30FC\uFF0D\uFF0F \u00A0\u00AD\u200B\u2060\u3000"
    r"()\uFF08\uFF09\uFF3B\uFF3D.\[\]/"
)
_FORM: Final = re.compile(rf"[{_PUNCTUATION}]*[+\uFF0B]?[\d{_PUNCTUATION}]*\Z")
# After a slash there is an area's number (030/1234567) or the end of a second one (…345/6).
_SECOND_NUMBER: Final = re.compile(r"/\D*(?:\d\D*){1,3}\Z")

# The library's own limit; asked first because patterns take long on a megabyte.
_LONGEST: Final = 250

_LENGTHS: Final = {
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "the area code is missing",
    ValidationResult.INVALID_COUNTRY_CODE: "there is no such country calling code",
    ValidationResult.TOO_SHORT: "has too few digits for its country",
    ValidationResult.TOO_LONG: "has too many digits for its country",
    ValidationResult.INVALID_LENGTH: "no number of its country has that many digits",
}
_REFUSALS: Final = {
    NumberParseException.INVALID_COUNTRY_CODE: "there is no such country calling code",
    NumberParseException.TOO_SHORT_AFTER_IDD: "has too few digits",
    NumberParseException.TOO_SHORT_NSN: "has too few digits",
    NumberParseException.TOO_LONG: "has too many digits",
}


def phone_region(name: str) -> str:
    """Give the region as the library knows it.

    Raises:
        ValueError: There is no such region.
    """
    region = name.strip().upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"the phone region {name!r} is not an ISO 3166-1 alpha-2 code such as IE")
    return region


def parse_phone(text: str, region: str | None = None) -> str | Fault:
    """Give the number as E.164, or what is wrong with *text*.

    Args:
        text: One number, trimmed.
        region: Region of numbers without a country code; None refuses them.
    """
    if _PLAIN.match(text) and _is_plainly_possible(text):
        return text
    if len(text) > _LONGEST:
        return Fault("has too many characters for a phone number")
    if reason := _why_not_one_number(text):
        return Fault(f"{reason}{invisible(text)}")
    if region is None and "+" not in text and "\uff0b" not in text:
        if text.startswith("00"):
            return Fault("write + in place of the leading 00, or use --phone-region")
        return Fault("has no country code; write it as +353…, or use --phone-region")
    return ask_library(text, region)


def ask_library(text: str, region: str | None) -> str | Fault:
    """Give the library's E.164 form of *text*, or its reason why there is none."""
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        return Fault(_REFUSALS.get(error.error_type, "not a phone number (+353…)"))
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict == ValidationResult.IS_POSSIBLE:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Fault(_LENGTHS[verdict])


def _why_not_one_number(text: str) -> str:
    if _SCIENTIFIC.match(text):
        return "a spreadsheet cut its digits (1.2E+11); export the column as text"
    if any(character.isalpha() for character in text):
        return "holds letters; give the number alone, without words or extension"
    if text.count("+") > 1 or _SECOND_NUMBER.search(text):
        return "looks like two numbers in one; separate them with ;"
    if not _FORM.match(text):
        return "holds characters that no phone number has; write it as +353…"
    return ""


def _is_plainly_possible(text: str) -> bool:
    """Tell whether the library would take ``+digits`` as they stand.

    Whether a number is possible depends on its calling code and length alone, and it stays
    as it is unless a national prefix can be stripped; both are known after a first look.
    """
    plan = _plan(text[1:4])
    if plan is None:
        return False
    code_length, lengths, national_prefix = plan
    if len(text) - 1 - code_length not in lengths:
        return False
    return national_prefix is None or not national_prefix.match(text, 1 + code_length)


@cache
def _plan(start: str) -> tuple[int, frozenset[int], re.Pattern[str] | None] | None:
    """Give calling code length, possible lengths and national prefix for three digits."""
    for code_length in (1, 2, 3):
        code = int(start[:code_length])
        if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            break
    else:
        return None
    lengths = frozenset(
        length
        for length in range(2, 18)
        if phonenumbers.is_possible_number_with_reason(
            PhoneNumber(country_code=code, national_number=10 ** (length - 1))
        )
        == ValidationResult.IS_POSSIBLE
    )
    region = phonenumbers.region_code_for_country_code(code)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    prefix = metadata.national_prefix_for_parsing if metadata else None
    return code_length, lengths, re.compile(prefix) if prefix else None

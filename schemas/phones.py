"""Phone numbers: possible international numbers, sent as E.164.

The library is made to find numbers in prose: it drops words, extensions and second numbers, and
tries several readings of digits. Input that it would read by guessing is refused here.

Source: docs/values.md, "Phone numbers".
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Final

import phonenumbers
from phonenumbers import (
    CountryCodeSource,
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberDesc,
    ValidationResult,
)

from schemas.text import Fault, fault

E164: Final = re.compile(r"\+[1-9][0-9]{4,17}\Z")
"""The form in which numbers are sent."""

_PLAIN: Final = re.compile(r"\+[1-9][0-9]{5,16}\Z")
# What marks text in a spreadsheet or a link, and is no part of the number.
_MARKS: Final = re.compile(r"\A'?\s*(?:tel:)?\s*", re.IGNORECASE)
_SCIENTIFIC: Final = re.compile(r"[+-]?\d+(?:[.,]\d*)?[eE][+-]?\d+\Z")
_DECIMAL: Final = re.compile(r"\.0\Z|\A[+\uFF0B]?\d{6,}[.,]0+\Z")
# The library's own punctuation, without what it takes for the mark of an extension (x, #, ~).
_PUNCTUATION: Final = (
    r"\-\u2010-\u2015\u2212\u30FC\uFF0D\uFF0F \u00A0\u00AD\u200B\u2060\u3000"
    r"()\uFF08\uFF09\uFF3B\uFF3D.\[\]/"
)
_FORM: Final = re.compile(rf"[{_PUNCTUATION}]*[+\uFF0B]?[\d{_PUNCTUATION}]*\Z")
_PLUS: Final = re.compile("[+\uff0b]")
_LATE_PLUS: Final = re.compile(r"\d\D*[+\uff0b]")
_ZERO_CODE: Final = re.compile(r"[+\uff0b]\D*0")
_SLASH: Final = re.compile("[/\uff0f]")
# A short tail after a slash is the end of a second number: 611 2334/5.
_SHORT_TAIL: Final = re.compile("[/\uff0f]" r"\D*(?:\d\D*){1,3}\Z")
# Where a second number may begin, unless what precedes is only the area code.
_BREAK: Final = re.compile(r"\s[\-\u2010-\u2015\u2212]\s|[(\[\uFF08\uFF3B]")
_BRACKETED_ZERO: Final = re.compile(r"[(\[\uFF08\uFF3B]\s*[0\uFF10]+\s*[)\]\uFF09\uFF3D]")
_AREA_CODE: Final = 5
"""Most digits of an area code, without its trunk prefix."""
_SHORT: Final = 3
"""Most digits that are an extension after a complete number and not a second one."""
_NANP: Final = 1
"""The calling code of North America, which is its trunk prefix as well."""

# What regions dial before an international number, besides 00; first nothing, the lost +.
_PREFIXES: Final = ("", "0011", "011", "010", "810", "119", "009", "001")

# The library's own limit, checked first because patterns are slow on long text.
_MAX_LENGTH: Final = 250

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
_LOOKS_INTERNATIONAL: Final = "looks international; write + before its country code"
_LEAVE_OUT: Final = "numbers of its country do not start with this 0; leave it out"
_TWO_NUMBERS: Final = "looks like two numbers in one; separate them with ;"


def phone_region(name: str) -> str:
    """Return the region by the name that the library has for it.

    Raises:
        ValueError: There is no such region.
    """
    region = name.strip().upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"the phone region {name!r} is not an ISO 3166-1 alpha-2 code such as IE")
    return region


def parse_phone(text: str, region: str | None = None) -> str | Fault:
    """Return the number as E.164, or what is wrong with *text*.

    Args:
        text: One number, trimmed.
        region: Region of numbers without a country code; None refuses them.
    """
    if _PLAIN.match(text) and _is_plainly_possible(text):
        return text
    if len(text) > _MAX_LENGTH:
        return Fault("has too many characters for a phone number")
    text = _MARKS.sub("", text)
    if reason := _why_not_one_number(text):
        return fault(text, reason)
    return _parse_digits(text, region)


def ask_library(text: str, region: str | None) -> str | Fault:
    """Return the library's E.164 form of *text*, or why it has none."""
    number = _read(text, region)
    return number if isinstance(number, Fault) else _e164(number)


def is_assigned(number: str) -> bool:
    """Return whether the numbering plan of its country has *number*, in E.164.

    The answer is that of the library's ``is_valid_number``.
    """
    found = _numbers_like(number[1:4], len(number))
    return found is not None and found.has(number)


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _read(text: str, region: str | None) -> PhoneNumber | Fault:
    try:
        number = phonenumbers.parse(text, region, keep_raw_input=True)
    except NumberParseException as error:
        return Fault(_REFUSALS.get(error.error_type, "not a phone number (+353…)"))
    verdict = phonenumbers.is_possible_number_with_reason(number)
    return number if verdict == ValidationResult.IS_POSSIBLE else Fault(_LENGTHS[verdict])


def _parse_digits(text: str, region: str | None) -> str | Fault:
    is_national = not _PLUS.search(text)
    if is_national and (reason := _why_not_national(_digits(text), region)):
        return Fault(reason)
    number = _read(text, region)
    if not isinstance(number, Fault):
        reason = _why_guessed(text, number, region)
        return Fault(reason) if reason else _e164(number)
    if is_national and _is_international(_digits(text), _PREFIXES):
        return Fault(_LOOKS_INTERNATIONAL)
    if _SLASH.search(text):
        return Fault(_TWO_NUMBERS)
    return Fault(_LEAVE_OUT) if _BRACKETED_ZERO.search(text) else number


def _why_not_one_number(text: str) -> str:
    reason = ""
    if _SCIENTIFIC.match(text):
        reason = "a spreadsheet cut its digits (1.2E+11); export the column as text"
    elif _DECIMAL.search(text):
        reason = "became a decimal number (.0 at its end); export the column as text"
    elif any(character.isalpha() for character in text):
        reason = "contains letters; write the number alone, without words or extension"
    elif len(_PLUS.findall(text)) > 1 or _SHORT_TAIL.search(text):
        reason = _TWO_NUMBERS
    elif _LATE_PLUS.search(text):
        reason = "has a + after its first digit; write it as +353…"
    elif _ZERO_CODE.search(text):
        reason = "no country calling code starts with 0; write it as +353…"
    elif not _FORM.match(text):
        reason = "contains characters that no phone number has; write it as +353…"
    return reason


def _why_not_national(digits: str, region: str | None) -> str:
    """Return why the *digits* of a number without ``+`` cannot be read in *region*."""
    is_dialled = digits.startswith("00")
    if region is None:
        if is_dialled:
            return "write + instead of the leading 00, or use --phone-region"
        return "has no country code; write it as +353…, or use --phone-region"
    if is_dialled and not _dials_00(digits, region):
        return f"00 alone is not the international prefix of {region}; write + instead"
    return ""


def _dials_00(digits: str, region: str) -> bool:
    """Return whether *digits*, which start with 00, are an international number of one reading."""
    metadata = PhoneMetadata.metadata_for_region(region)
    prefix = re.match(metadata.international_prefix or "", digits) if metadata else None
    if prefix is None or not prefix.group().startswith("00"):
        return False
    # The region dials 00 and more, such as the code of a carrier.
    return prefix.group() == "00" or isinstance(_read(f"+{digits[2:]}", None), Fault)


def _why_guessed(text: str, number: PhoneNumber, region: str | None) -> str:
    """Return what the library has guessed to read *number* in *text*, or ``""``."""
    found = _e164(number)
    source = number.country_code_source
    code = str(number.country_code)
    is_national = source == CountryCodeSource.FROM_DEFAULT_COUNTRY
    if source == CountryCodeSource.FROM_NUMBER_WITHOUT_PLUS_SIGN and number.country_code != _NANP:
        return _LOOKS_INTERNATIONAL
    if is_national and _is_ambiguous(_digits(text), found, code, region):
        return _LOOKS_INTERNATIONAL
    if number.italian_leading_zero and not _numbers(code, len(found)).could_be(found):
        return _LEAVE_OUT
    for zero in _BRACKETED_ZERO.finditer(text):
        before = _digits(text[: zero.start()])
        if before and (is_national or not before.endswith(code) or len(before) > len(code) + 4):
            return "has a (0) inside; leave it out"
    return "" if _is_one_number(text, number, region) else _TWO_NUMBERS


def _is_ambiguous(digits: str, found: str, code: str, region: str | None) -> bool:
    """Return whether *digits*, read as the national number *found*, may be international."""
    if digits.startswith(code) and is_assigned(f"+{digits}"):
        return True
    if not is_assigned(found):
        return _is_international(digits, _PREFIXES)
    metadata = PhoneMetadata.metadata_for_region(region) if region else None
    trunk = (metadata and metadata.national_prefix) or ""
    is_complete = digits == f"{trunk}{found[1 + len(code) :]}"
    return not is_complete and _is_international(digits, _PREFIXES[1:])


def _is_international(digits: str, prefixes: Sequence[str]) -> bool:
    """Return whether *digits* are a number of some country once its prefix is a ``+``."""
    return any(
        digits.startswith(prefix) and is_assigned(f"+{digits[len(prefix) :]}")
        for prefix in prefixes
    )


def _is_one_number(text: str, number: PhoneNumber, region: str | None) -> bool:
    """Return whether nothing in *text* separates two numbers that were read as one."""
    is_national = number.country_code_source == CountryCodeSource.FROM_DEFAULT_COUNTRY
    longest = _AREA_CODE + (number.country_code == _NANP)

    def area_code(first: str) -> str:
        digits = _digits(first)
        return digits if is_national else digits.partition(str(number.country_code))[2]

    if slashes := [*_SLASH.finditer(text)]:
        area = area_code(text[: slashes[-1].start()])
        metadata = PhoneMetadata.metadata_for_region(region) if region and is_national else None
        if metadata and metadata.national_prefix == "0" and not area.startswith("0"):
            return False
        if len(area.removeprefix("0")) > longest:
            return False
    for found in _BREAK.finditer(text):
        first, rest = text[: found.start()], _digits(text[found.start() :])
        if len(area_code(first)) > longest + 1 and len(rest) > _SHORT:
            one = _read(first, region)
            if isinstance(one, PhoneNumber) and phonenumbers.is_valid_number(one):
                return False
    return True


def _digits(text: str) -> str:
    return phonenumbers.normalize_digits_only(text)


def _is_plainly_possible(text: str) -> bool:
    """Return whether the library would take ``+digits`` unchanged.

    Whether a number is possible depends on its calling code and length alone, and it is left
    unchanged unless a national prefix can be stripped.
    """
    numbers = _numbers_like(text[1:4], len(text))
    return numbers is not None and numbers.keeps(text)


@cache
def _calling_code(start: str) -> str | None:
    """Return the country calling code at the start of three digits."""
    for length in range(1, len(start) + 1):
        if int(start[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return start[:length]
    return None


class _Numbers:
    """The numbers of one calling code and one length, in E.164.

    Args:
        code: The calling code. Some have several regions, of which leading digits tell a few.
        length: Digits of a national number.
    """

    def __init__(self, code: str, length: int) -> None:
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[int(code)]
        plans = [
            plan
            for region in regions
            if (plan := PhoneMetadata.metadata_for_region_or_calling_code(int(code), region))
        ]
        led = [plan for plan in plans if plan.leading_digits and len(regions) > 1]
        self._start = 1 + len(code)
        self._is_possible = (
            phonenumbers.is_possible_number_with_reason(
                PhoneNumber(country_code=int(code), national_number=10 ** max(length - 1, 0))
            )
            == ValidationResult.IS_POSSIBLE
        )
        prefix = plans[0].national_prefix_for_parsing if plans else None
        self._prefix = re.compile(prefix) if prefix else None
        self._general = _any_of(*(_pattern(plan.general_desc, length) for plan in plans))
        self._open = _any_of(*(_assigned(plan, length) for plan in plans if plan not in led))
        self._leading = _any_of(*(f"({plan.leading_digits})" for plan in led), end="")
        self._led = [_any_of(_assigned(plan, length)) for plan in led]

    def keeps(self, number: str) -> bool:
        """Return whether the library leaves *number* as it is: possible, no prefix to strip."""
        return self._is_possible and not (self._prefix and self._prefix.match(number, self._start))

    def could_be(self, number: str) -> bool:
        """Return whether *number* has the form of the country's numbers."""
        return self._general.match(number, self._start) is not None

    def has(self, number: str) -> bool:
        """Return whether *number* is assigned."""
        if self._open.match(number, self._start):
            return True
        led = self._leading.match(number, self._start)
        return bool(
            led and led.lastindex and self._led[led.lastindex - 1].match(number, self._start)
        )


@cache
def _numbers(code: str, e164_length: int) -> _Numbers:
    return _Numbers(code, e164_length - 1 - len(code))


@cache
def _numbers_like(start: str, e164_length: int) -> _Numbers | None:
    """Return the numbers of the calling code at the start of three digits."""
    code = _calling_code(start)
    return None if code is None else _numbers(code, e164_length)


def _any_of(*patterns: str, end: str = r"\Z") -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(filter(None, patterns)) or '(?!)'}){end}")


def _assigned(plan: PhoneMetadata, length: int) -> str:
    """Return a pattern for the numbers of all kinds that a plan has, or ``""``."""
    kinds = (
        plan.fixed_line, plan.mobile, plan.toll_free, plan.premium_rate, plan.shared_cost,
        plan.voip, plan.personal_number, plan.pager, plan.uan, plan.voicemail,
    )  # fmt: skip
    general = _pattern(plan.general_desc, length)
    patterns = "|".join(filter(None, (_pattern(kind, length) for kind in kinds)))
    return rf"(?={general}\Z)(?:{patterns})" if general and patterns else ""


def _pattern(kind: PhoneNumberDesc | None, length: int) -> str:
    """Return a pattern for the numbers of a kind that may have *length* digits, or ``""``."""
    if kind is None or not kind.national_number_pattern:
        return ""
    if kind.possible_length and length not in kind.possible_length:
        return ""
    return f"(?:{kind.national_number_pattern})"

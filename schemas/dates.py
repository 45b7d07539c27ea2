"""Dates of birth: read by the formats of the run, checked, and sent as an instant in UTC.

Source: docs/values.md, "Dates of birth".
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from typing import Final

from schemas.text import Fault, fault

INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3,6})?Z\Z"
)
"""The form in which dates are sent: ``1991-01-01T00:00:00Z``."""

ISO: Final = "iso"
"""The name of ISO 8601 among the formats."""

OLDEST: Final = 130
"""A date of birth more years ago is a mistake."""

DEFAULT_DAYS: Final = frozenset({"1900-01-01T00:00:00Z", "1904-01-01T00:00:00Z"})
"""Days that databases and spreadsheets write for "no date", as they are sent."""

# What spreadsheets and Delphi write for the number 0, and 1899-12-31 for the number 1.
_DAY_ZERO: Final = (date(1899, 12, 30), date(1899, 12, 31))

# Calendar dates only: ``fromisoformat`` also reads weeks, and 1991-W05 is not a day.
_ISO_FORM: Final = re.compile(r"[0-9]{4}(-?)[0-9]{2}\1[0-9]{2}(?:[Tt ][0-9:.,+-]+[Zz]?)?\Z")
_MIDNIGHT_24: Final = re.compile("[Tt ]24")  # Python 3.13 accepts it, 3.11 does not
_ISO_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")

# Digits of the numeric directives; a directive beside another one takes all of them.
_WIDTHS: Final = {
    "d": 2, "m": 2, "Y": 4, "y": 2, "H": 2, "I": 2, "M": 2, "S": 2, "j": 3, "f": 6, "U": 2,
    "W": 2, "V": 2, "G": 4, "w": 1, "u": 1,
}  # fmt: skip
_DIRECTIVE: Final = re.compile(r"%(.)|\s+|.", re.DOTALL)
_PROBE: Final = datetime(2001, 2, 3, tzinfo=UTC)
_CENTURY: Final = 100


class _Format:
    """A ``strptime`` format that has been tried.

    Args:
        text: The format.
        year_pivot: The last two-digit year of the years from 2000 on.

    Raises:
        ValueError: The format cannot be used.
    """

    def __init__(self, text: str, year_pivot: int | None) -> None:
        directives = re.findall(r"%(.)", text)
        self.text = text
        self._year_pivot = year_pivot if "y" in directives else None
        if {"c", "x", "X", "D"} & {*directives}:
            raise ValueError(
                f"the date format {text!r} depends on the machine; spell it out, as in %d/%m/%Y"
            )
        incomplete = f"the date format {text!r} must contain year, month and day, as in %d/%m/%Y"
        if not {"Y", "y", "G"} & {*directives}:
            raise ValueError(incomplete)  # Python 3.13 warns of days without a year
        try:
            read_back = datetime.strptime(_PROBE.strftime(text), text)  # noqa: DTZ007 - a date
        except ValueError as error:
            raise ValueError(f"the date format {text!r} is not understood: {error}") from None
        if read_back.date() != _PROBE.date():
            raise ValueError(incomplete)
        if "y" in directives and year_pivot is None:
            raise ValueError(
                f"the date format {text!r} has a two-digit year: give its century with --year-pivot"
            )
        self._shape = _shape(text)

    def read(self, text: str) -> datetime | None:
        """Return the moment that *text* names, or None."""
        if not self._shape.match(text):
            return None
        try:
            moment = datetime.strptime(text, self.text)  # noqa: DTZ007 - the caller adds the zone
        except ValueError:
            return None
        if self._year_pivot is None:
            return moment
        year = moment.year % _CENTURY
        return moment.replace(year=year + (2000 if year <= self._year_pivot else 1900))

    def has_more_digits(self, text: str) -> bool:
        """Return whether the format is one of digits alone, and of more than *text* has."""
        example = _PROBE.strftime(self.text)
        return example.isdecimal() and len(text) < len(example)

    def fits(self, text: str) -> bool:
        """Return whether *text* has the form of the format, whatever its numbers."""
        return self._shape.match(text) is not None


class BirthDates:
    """The rule of dates of birth.

    Args:
        now: The moment before which dates must lie, with its zone.
        formats: ``strptime`` formats, and ``iso`` for ISO 8601; no other form is understood.
            Empty is ISO 8601.
        year_pivot: The last two-digit year of the years from 2000 on: with 30, ``30`` is 2030
            and ``31`` is 1931. Required by ``%y``.

    Raises:
        ValueError: Formats or the pivot cannot be used; all of them at once.
    """

    def __init__(
        self, now: datetime, formats: Sequence[str] = (), year_pivot: int | None = None
    ) -> None:
        wrong = []
        if year_pivot is not None and not 0 <= year_pivot < _CENTURY:
            wrong.append(f"the year pivot {year_pivot} is not a two-digit year (00 to 99)")
        self._now = now.astimezone(UTC)
        self._today = self._now.date()
        self._oldest = _years_before(self._today, OLDEST)
        self._is_iso = not formats or any(text.lower() == ISO for text in formats)
        self._formats: list[_Format] = []
        for text in dict.fromkeys(formats):
            try:
                if text.lower() != ISO:
                    self._formats.append(_Format(text, year_pivot))
            except ValueError as error:
                wrong.append(str(error))
        if wrong:
            raise ValueError("; ".join(wrong))

    def parse(self, text: str) -> str | Fault:
        """Return the instant as it is sent, or what is wrong with *text*, a trimmed value."""
        if not self._formats and _ISO_DATE.match(text) and self._is_plain(text):
            return f"{text}T00:00:00Z"
        moments = self._readings(text)
        if not moments:
            return fault(text, self._why_not_a_date(text))
        if len({moment.date() for moment in moments}) > 1:
            return Fault("another day by each of two date formats; give one --date-format")
        instant = _in_utc(moments[0])
        reason = self._why_not_a_birth(instant)
        return Fault(reason) if reason else write_instant(instant)

    def parse_ordered_at(self, text: str) -> str | Fault:
        """Return the instant in UTC at which an order was placed, or what is wrong with *text*.

        The forms are those of dates of birth; a date alone is its first moment.
        """
        moments = self._readings(text)
        if not moments:
            return fault(text, self._why_not_a_date(text))
        if len({moment.date() for moment in moments}) > 1:
            return Fault("another day by each of two date formats; give one --date-format")
        return write_instant(_in_utc(moments[0]))

    def _is_plain(self, text: str) -> bool:
        """Return whether *text*, of the form of an ISO date, is a day that is accepted."""
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return False
        return self._oldest <= day < self._today and day not in _DAY_ZERO

    def _readings(self, text: str) -> list[datetime]:
        if not text.isascii() and any(c.isdecimal() and not c.isascii() for c in text):
            return []
        moments = [moment for form in self._formats if (moment := form.read(text)) is not None]
        if self._is_iso and (moment := _read_iso(text)) is not None:
            moments.append(moment)
        return moments

    def _why_not_a_birth(self, instant: datetime) -> str:
        if instant >= self._now:
            return "not in the past"
        if instant.date() in _DAY_ZERO:
            return "a spreadsheet's day 0, so there is no date; leave it blank"
        if instant.date() < self._oldest:
            return f"more than {OLDEST} years ago; leave it blank if it stands for no date"
        return ""

    def _why_not_a_date(self, text: str) -> str:
        if any(form.fits(text) for form in self._formats):
            return "fits a --date-format, but there is no such day or time"
        if not self._is_iso and _read_iso(text):
            return "an ISO 8601 date; add --date-format iso if the file contains such dates"
        if text.isdecimal() and any(form.has_more_digits(text) for form in self._formats):
            return "fewer digits than the --date-format; zeros at the start of a part were lost"
        expected = "YYYY-MM-DD" if self._is_iso else "the --date-format"
        return f"{_kind(text)}; {expected} is expected"


def parse_instant(text: str) -> datetime | None:
    """Return the instant in UTC that *text* names in ISO 8601, or None.

    A date alone is its first moment, and a time without a zone is in UTC.
    """
    moment = _read_iso(text)
    try:
        return moment and moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return None


def write_instant(instant: datetime) -> str:
    """Return *instant* (UTC) as it is sent, without a fraction that is zero."""
    text = instant.isoformat().removesuffix("+00:00")
    return f"{text.removesuffix('000') if instant.microsecond else text}Z"


def _read_iso(text: str) -> datetime | None:
    if not _ISO_FORM.match(text) or _MIDNIGHT_24.search(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def _in_utc(moment: datetime) -> datetime:
    # Midnight with an offset is how systems write a day; in UTC it would be the day before.
    if moment.tzinfo is None or moment.timetz().replace(tzinfo=None) == time():
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)


def _shape(text: str) -> re.Pattern[str]:
    """Return the form of a format, in which numbers without a separator have their full width."""
    parts = [match[0] for match in _DIRECTIVE.finditer(text)]
    pattern = []
    for place, part in enumerate(parts):
        width = _WIDTHS.get(part[1:]) if part.startswith("%") else None
        if width is not None:
            beside = parts[max(place - 1, 0) : place] + parts[place + 1 : place + 2]
            is_adjacent = any(other.startswith("%") and other[1:] in _WIDTHS for other in beside)
            pattern.append(f"[0-9]{{{width}}}" if is_adjacent else f" ?[0-9]{{1,{width}}}")
        elif part.isspace():
            pattern.append(r"\s+")
        elif part == "%%":
            pattern.append("%")
        else:
            pattern.append(".+?" if part.startswith("%") else re.escape(part))
    return re.compile("".join(pattern) + r"\Z", re.IGNORECASE | re.DOTALL)


_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
)  # fmt: skip
_ENGLISH: Final = re.compile(
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
    r"|mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?|[ap]m|st|nd|rd|th|of|t|z"
    r"|utc|gmt|[a-z]{1,3}[sd]t|cest|cet|eet|wet|msk)\Z"
)


def _eight_digits_kind(found: re.Match[str]) -> str:
    text = found[0]
    if _is_day(text[4:], text[2:4], text[:2]) or _is_day(text[4:], text[:2], text[2:4]):
        return "a date without separators; name its --date-format, such as %d%m%Y"
    return _NO_DAY


def _year_first_kind(found: re.Match[str]) -> str:
    year, separator, middle, last, clock = found.groups()
    if not (_is_day(year, middle, last) or _is_day(year, last, middle)):
        return _NO_DAY
    if separator != "-" or len(middle + last) < len("0131"):
        form = separator.join(("%Y", "%m", "%d"))
        return f"not ISO 8601; name its form, such as --date-format {form}"
    if not _is_day(year, middle, last):
        return _NO_DAY
    if _MIDNIGHT_24.match(clock):
        return "24:00 is not accepted; write 00:00 of the next day, or the day alone"
    if re.search("[A-Za-z]{2}", clock):
        return "a time zone by name; write its offset (+01:00), or the day alone"
    return "the time of day is not ISO 8601, or does not exist; write the day alone"


def _year_last_kind(found: re.Match[str]) -> str:
    first, separator, middle, year, _ = found.groups()
    day_first = separator.join(("%d", "%m", "%Y"))
    month_first = separator.join(("%m", "%d", "%Y"))
    match _is_day(year, middle, first), _is_day(year, first, middle):
        case True, True:
            return f"day and month in unknown order; use --date-format {day_first} or {month_first}"
        case True, False:
            return f"not ISO 8601; use --date-format {day_first}"
        case False, True:
            return f"not ISO 8601; use --date-format {month_first}"
    return _NO_DAY


def _words_kind(found: re.Match[str]) -> str:
    words = [word.casefold() for word in re.findall(r"[^\W\d_]+", found.string)]
    if not re.search("[0-9]", found.string):
        return "a word, not a date; leave it blank where there is none"
    if any(not _ENGLISH.match(word) for word in words):
        return "a month name that is not English, or another word; write the month as a number"
    if any(word[:3] in _MONTHS for word in words):
        return "a date with a month name; name its form, such as --date-format '%d %B %Y'"
    return "not a date"


_NO_DAY: Final = "no day of the calendar"
_TWO_DIGITS: Final = "a date with a two-digit year; use --date-format with %y, and --year-pivot"
_REST: Final = r"((?:[T ,].*)?)\Z"

# What a value that is not a date seems to be; the first pattern that matches is reported.
_KINDS: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), kind)
    for pattern, kind in (
        (r".*[^\D0-9]", "digits that are not 0 to 9"),
        (r"[\W_]*\Z", "not a date; leave it blank where there is none"),
        (
            r"(?:0+|0{1,4}[-/. ]0{1,2}[-/. ]0{1,4}(?:[T ].*)?)\Z",
            "all zeros, so there is no date; leave it blank",
        ),
        (r"\\?/?Date\(", "a program's time stamp, /Date(…)/; export it as a date"),
        (r"(?:1[0-9]|20)[0-9]{2}\Z", "a year without month and day"),
        (
            r"[0-9]{4,5}(?:[.,][0-9]+)?\Z",
            "a spreadsheet's day number; format the column as a date and export it again",
        ),
        (r"[0-9]{6}\Z", _TWO_DIGITS),
        (r"[0-9]{8}\Z", _eight_digits_kind),
        (
            r"-?[0-9]{7,}(?:[.,][0-9]*)?\Z",
            "a time stamp (seconds or milliseconds of a clock); export it as a date",
        ),
        (r"[+-]?[0-9]+(?:[.,][0-9]*)?(?:E[+-]?[0-9]+)?\Z", "a number, not a date"),
        (
            r"[0-9]{4}-?(?:W[0-9]{2}(?:-?[0-9])?|[0-9]{3})\Z",
            "a week or a day of the year, not a calendar date",
        ),
        (r"(?:[0-9]{4}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{4})\Z", "a month without a day"),
        (rf"([0-9]{{4}})([-/. ])([0-9]{{1,2}})\2([0-9]{{1,2}})\.?{_REST}", _year_first_kind),
        (rf"([0-9]{{1,2}})([-/. ])([0-9]{{1,2}})\2([0-9]{{4}})\.?{_REST}", _year_last_kind),
        (rf"[0-9]{{1,2}}([-/. ])[0-9]{{1,2}}\1[0-9]{{2}}\.?{_REST}", _TWO_DIGITS),
        (r".*[^\W\d_]", _words_kind),
    )
)


def _kind(text: str) -> str:
    """Return what *text*, which no format reads, seems to be."""
    for pattern, kind in _KINDS:
        if found := pattern.match(text):
            return kind if isinstance(kind, str) else kind(found)
    return "not a date"


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True

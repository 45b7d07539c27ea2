"""The rule of dates of birth."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from schemas.dates import DEFAULT_DAYS, BirthDates, parse_instant
from schemas.text import Fault

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ISO = BirthDates(NOW)


def why(result: str | Fault) -> str:
    """Return the one message of a fault."""
    assert isinstance(result, Fault)
    (message,) = result.messages
    return message


def parse(text: str, *formats: str, pivot: int | None = None) -> str | Fault:
    """Parse ``text`` by ``formats``."""
    return BirthDates(NOW, formats, pivot).parse(text)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("1991-01-01T16:17:16Z", "1991-01-01T16:17:16Z"),
        ("1991-01-01", "1991-01-01T00:00:00Z"),
        ("19910101", "1991-01-01T00:00:00Z"),
        ("1992-02-29", "1992-02-29T00:00:00Z"),
        ("1900-01-01", "1900-01-01T00:00:00Z"),
        ("1896-01-01", "1896-01-01T00:00:00Z"),
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
    """A date is its first moment; a time without a zone is in UTC."""
    assert ISO.parse(text) == sent
    assert parse(text, "iso") == parse(text, "ISO", "%d.%m.%Y") == sent


@pytest.mark.parametrize("offset", ["Z", "+01:00", "-08:00", "+1400", "+05:45", "-00:00"])
@pytest.mark.parametrize("time", ["T00:00:00", "T00:00", " 00:00:00.000"])
def test_midnight_with_an_offset_is_that_day(offset: str, time: str) -> None:
    """Systems write a day in this way; in UTC it would be another one."""
    assert ISO.parse(f"1991-01-31{time}{offset}") == "1991-01-31T00:00:00Z"


def test_midnight_by_a_format_is_that_day_too() -> None:
    """With any format that reads the offset."""
    assert parse("31.1.1991 00:00 +0100", "%d.%m.%Y %H:%M %z") == "1991-01-31T00:00:00Z"
    assert parse("31.1.1991 10:00 +0100", "%d.%m.%Y %H:%M %z") == "1991-01-31T09:00:00Z"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("33269", "day number"),
        ("33269.5", "day number"),
        ("44197", "day number"),
        ("9000", "day number"),
        ("1991", "a year without"),
        ("1991-01", "a month without"),
        ("01/1991", "a month without"),
        ("1991-W05", "a week"),
        ("1991-W05-4", "a week"),
        ("1991W054", "a week"),
        ("1991-031", "a week or a day of the year"),
        ("665280000", "time stamp"),
        ("-665280000", "time stamp"),
        ("665280000000", "time stamp"),
        ("1700000000", "time stamp"),
        ("1700000000.5", "time stamp"),
        ("627982848000000000", "time stamp"),
        ("/Date(665280000000)/", "/Date(…)/"),
        ("\\/Date(665280000000+0100)\\/", "/Date(…)/"),
        ("Date(1991,0,31)", "/Date(…)/"),
        ("0000-00-00", "all zeros"),
        ("00/00/0000", "all zeros"),
        ("00.00.0000", "all zeros"),
        ("0000-00-00 00:00:00", "all zeros"),
        ("00000000", "all zeros"),
        ("0", "all zeros"),
        ("1991-02-30", "no day of the calendar"),
        ("1991-13-01", "no day of the calendar"),
        ("1991-00-01", "no day of the calendar"),
        ("1991-02-29", "no day of the calendar"),
        ("2/29/1991", "no day of the calendar"),
        ("31/11/1991", "no day of the calendar"),
        ("31.04.1991", "no day of the calendar"),
        ("19911332", "no day of the calendar"),
        ("31/12/1990", "use --date-format %d/%m/%Y"),
        ("12/31/1990", "use --date-format %m/%d/%Y"),
        ("31.12.1990", "use --date-format %d.%m.%Y"),
        ("01/02/1990", "day and month in unknown order"),
        ("1991/01/31", "--date-format %Y/%m/%d"),
        ("1991.01.31", "--date-format %Y.%m.%d"),
        ("1991-1-1", "--date-format %Y-%m-%d"),
        ("31011991", "such as %d%m%Y"),
        ("01/02/90", "two-digit year"),
        ("31.12.90", "two-digit year"),
        ("310190", "two-digit year"),
        ("31. Januar 1991", "not English"),
        ("31. Jänner 1991", "not English"),
        ("31 janvier 1991", "not English"),
        ("31 de enero de 1991", "not English"),
        ("31-ene-1991", "not English"),
        ("31 Mrz 1991", "not English"),
        ("1991年1月31日", "not English"),
        ("31 января 1991", "not English"),
        ("31 January 1991", "a month name"),
        ("January 31st, 1991", "a month name"),
        ("31-JAN-1991", "a month name"),
        ("Thu Jan 31 00:00:00 CET 1991", "a month name"),
        ("unknown", "a word"),
        ("N/A", "a word"),
        ("#N/A", "spreadsheet error"),
        ("-", "not a date; leave it blank"),
        ("??", "not a date; leave it blank"),
        ("１９９１-01-01", "digits that are not 0 to 9"),
        ("٠٠٠١-٠١-٠١", "digits that are not 0 to 9"),
        ("1991-01-31T24:00:00", "24:00 is not accepted"),
        ("1991-01-31 24:00", "24:00 is not accepted"),
        ("1991-01-31T25:00", "time of day"),
        ("1991-01-31T10:00+25:00", "time of day"),
        ("1991-01-31T", "time of day"),
        ("1991-01-31 10:00 CET", "time zone by name"),
        ("1991-01-31 10:00 UTC", "time zone by name"),
        ("'1991-01-31", "apostrophe"),
        ("1991-01-31\u200b", "U+200B"),
        ("1991-01-01\n", "U+000A"),
        ("1991-0101", "is expected"),
        ("1991-01-01x10:00", "is expected"),
        ("12", "a number"),
    ],
)
def test_other_values_are_refused_by_kind(text: str, kind: str) -> None:
    """Nothing is guessed; the message names the kind of value and the remedy."""
    message = why(ISO.parse(text))
    assert kind in message
    assert len(f"dateOfBirth: {message}") <= 200


@pytest.mark.parametrize(
    "text", ["2026-01-01", "9999-12-31", "2025-12-31T23:30:00-01:00", "2026-01-01T01:00:00+01:00"]
)
def test_date_of_birth_is_strictly_in_the_past(text: str) -> None:
    """The moment of the run is not in the past."""
    assert why(ISO.parse(text)) == "not in the past"


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01", "0001-01-01T00:00:00Z", "0001-01-01T10:00:00+14:00", "1583-01-01",
        "1601-01-01", "1604-03-05", "1753-01-01", "1800-12-31", "1895-12-31", "18951231",
    ],
)  # fmt: skip
def test_dates_of_more_than_130_years_ago_are_refused(text: str) -> None:
    """Some programs use them for a missing date."""
    assert "130 years ago" in why(ISO.parse(text))
    assert "130 years ago" in why(parse(text, "iso", "%d.%m.%Y"))


@pytest.mark.parametrize("text", ["1899-12-30", "1899-12-31", "18991230", "1899-12-30T00:00:00Z"])
def test_day_zero_of_spreadsheets_is_refused(text: str) -> None:
    """Spreadsheets write it for an empty cell."""
    assert "day 0" in why(ISO.parse(text))


def test_default_days_of_databases_are_sent() -> None:
    """They may be real dates of birth; the run counts them as a warning."""
    assert {ISO.parse("1900-01-01"), ISO.parse("1904-01-01")} == DEFAULT_DAYS
    assert ISO.parse("1900-01-02") not in DEFAULT_DAYS


def test_130_years_are_counted_from_the_run() -> None:
    """Also on 29 February."""
    leap = BirthDates(datetime(2024, 2, 29, tzinfo=UTC))
    assert leap.parse("1894-02-28") == "1894-02-28T00:00:00Z"
    assert isinstance(leap.parse("1894-02-27"), Fault)


@pytest.mark.parametrize(
    ("text", "form", "sent"),
    [
        ("31/01/1991", "%d/%m/%Y", "1991-01-31T00:00:00Z"),
        ("1/2/1991", "%d/%m/%Y", "1991-02-01T00:00:00Z"),
        ("01/02/1991", "%m/%d/%Y", "1991-01-02T00:00:00Z"),
        ("1991-02-03", "%Y-%d-%m", "1991-03-02T00:00:00Z"),
        ("1991年1月31日", "%Y年%m月%d日", "1991-01-31T00:00:00Z"),
        ("31 January 1991", "%d %B %Y", "1991-01-31T00:00:00Z"),
        ("31-JAN-1991", "%d-%b-%Y", "1991-01-31T00:00:00Z"),
        ("31JAN1991", "%d%b%Y", "1991-01-31T00:00:00Z"),
        ("1JAN1991", "%d%b%Y", "1991-01-01T00:00:00Z"),
        ("31011991", "%d%m%Y", "1991-01-31T00:00:00Z"),
        ("19910131", "%Y%m%d", "1991-01-31T00:00:00Z"),
        ("1991-031", "%Y-%j", "1991-01-31T00:00:00Z"),
        ("100% 31.01.1991", "100%% %d.%m.%Y", "1991-01-31T00:00:00Z"),
        ("Thu Jan 31 10:00:00 1991", "%a %b %d %H:%M:%S %Y", "1991-01-31T10:00:00Z"),
    ],
)
def test_date_format_is_read(text: str, form: str, sent: str) -> None:
    """Formats are those of strptime."""
    assert parse(text, form) == sent


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1991-01-31", "%d/%m/%Y"),
        ("1991-01-31", "%Y-%d-%m"),
        ("19910131", "%d.%m.%Y"),
        ("1991-01-31T00:00:00Z", "%d.%m.%Y"),
    ],
)
def test_only_the_given_formats_are_read(text: str, form: str) -> None:
    """ISO 8601 is one of them only if it is listed: one column in two orders is never guessed."""
    assert isinstance(parse(text, form), Fault)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("3011991", "%d%m%Y"),
        ("1021991", "%d%m%Y"),
        ("111991", "%d%m%Y"),
        ("1991111", "%Y%m%d"),
        ("199111", "%Y%m%d"),
        ("1991 111", "%Y %m%d"),
        ("31191", "%d%m%y"),
        ("31011991 1011", "%d%m%Y %H%M%S"),
        ("31/1 1991", "%d%m%Y"),
    ],
)
def test_format_without_separators_takes_full_widths_only(text: str, form: str) -> None:
    """With fewer digits, another day would be read."""
    assert isinstance(parse(text, form, pivot=30), Fault)


@pytest.mark.parametrize(("text", "form"), [("3011991", "%d%m%Y"), ("91131", "%y%m%d")])
def test_lost_zeros_of_a_format_without_separators_are_named(text: str, form: str) -> None:
    """The digits are neither a time stamp nor a spreadsheet's day number then."""
    result = parse(text, form, pivot=30)
    assert isinstance(result, Fault)
    assert why(result).startswith("fewer digits than the --date-format")


def test_all_formats_that_cannot_be_used_are_named_at_once() -> None:
    """With the pivot."""
    with pytest.raises(ValueError, match=r"pivot 100.*'%d'.*'%x'"):
        BirthDates(NOW, ["%d", "iso", "%x"], 100)


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("01/02/1991", ("%d/%m/%Y", "%m/%d/%Y")),
        ("1991-02-03", ("iso", "%Y-%d-%m")),
        ("19910203", ("%Y%d%m", "iso")),
    ],
)
def test_cell_that_two_formats_read_as_different_days_is_refused(
    text: str, formats: tuple[str, ...]
) -> None:
    """In whatever order the formats are given."""
    assert "two date formats" in why(parse(text, *formats))
    assert "two date formats" in why(parse(text, *reversed(formats)))


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("31/01/1991", ("%d/%m/%Y", "%m/%d/%Y")),
        ("01/31/1991", ("%d/%m/%Y", "%m/%d/%Y")),
        ("31.01.1991", ("%d/%m/%Y", "%d.%m.%Y", "iso")),
        ("1991-01-31", ("%d/%m/%Y", "%d.%m.%Y", "iso")),
        ("31/01/1991", ("%d/%m/%Y", "%d/%m/%Y")),
    ],
)
def test_cell_that_one_of_several_formats_reads_is_accepted(
    text: str, formats: tuple[str, ...]
) -> None:
    """So a column may have several forms."""
    assert parse(text, *formats) == "1991-01-31T00:00:00Z"


@pytest.mark.parametrize("text", ["01/01/1991", "02/02/1991"])
def test_formats_may_agree(text: str) -> None:
    """The same day by both is that day."""
    assert isinstance(parse(text, "%d/%m/%Y", "%m/%d/%Y"), str)


@pytest.mark.parametrize(
    ("text", "pivot", "year"),
    [
        ("31-JAN-68", 30, 1968),
        ("31-JAN-25", 30, "not in the past"),
        ("31-JAN-24", 30, 2024),
        ("31-JAN-30", 29, 1930),
        ("31-JAN-00", 0, 2000),
        ("31-JAN-01", 0, 1901),
        ("31-JAN-99", 99, "not in the past"),
        ("29-FEB-00", 10, 2000),
        ("29-FEB-96", 10, 1996),
    ],
)
def test_year_pivot_gives_the_century(text: str, pivot: int, year: int | str) -> None:
    """Years up to the pivot are from 2000 on."""
    now = datetime(2025, 1, 1, tzinfo=UTC)
    result = BirthDates(now, ["%d-%b-%y"], pivot).parse(text)
    assert (why(result) if isinstance(result, Fault) else int(result[:4])) == year


def test_two_digit_year_needs_its_century() -> None:
    """Without --year-pivot, strptime would decide."""
    with pytest.raises(ValueError, match="--year-pivot"):
        BirthDates(NOW, ["%d-%b-%y"])


@pytest.mark.parametrize("pivot", [-1, 100, 1950])
def test_year_pivot_has_two_digits(pivot: int) -> None:
    """It is the last year of the century from 2000 on."""
    with pytest.raises(ValueError, match="year pivot"):
        BirthDates(NOW, [], pivot)


@pytest.mark.parametrize(
    "form",
    ["%d/%m", "%Y", "%Q", "%", "", "x", "%-d/%m/%Y", "%x", "%c", "%D", "DD/MM/YYYY", "dd.mm.yyyy"],
)
def test_date_format_is_checked_before_the_file(form: str) -> None:
    """A format that cannot work is one error, not one for each row."""
    with pytest.raises(ValueError, match="the date format"):
        BirthDates(NOW, ["iso", form])


def test_date_format_reads_ascii_digits_only() -> None:
    """Strptime would accept the digits of any script."""
    assert "digits" in why(parse("٣١/01/1991", "%d/%m/%Y"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("30/02/1991", "no such day"),
        ("2/29/1991", "no such day"),
        ("1991-01-31", "add --date-format iso"),
        ("31.01.1991", "the --date-format is expected"),
        ("33269", "day number"),
    ],
)
def test_message_names_the_date_format(text: str, reason: str) -> None:
    """Where formats are given, they are what is expected."""
    assert reason in why(parse(text, "%d/%m/%Y"))


def test_instants_of_the_api_are_read() -> None:
    """They are compared as instants."""
    assert parse_instant("1991-01-01T01:00:00+01:00") == datetime(1991, 1, 1, tzinfo=UTC)
    assert parse_instant("1991-01-01") == datetime(1991, 1, 1, tzinfo=UTC)
    assert parse_instant("0001-01-01T00:00+01:00") is None
    assert parse_instant("1991-W05") is None


def test_zone_of_the_clock_does_not_matter() -> None:
    """The day of the run is that in UTC."""
    late = BirthDates(datetime(2026, 1, 5, 0, 30, tzinfo=timezone(timedelta(hours=2))))
    assert isinstance(late.parse("2026-01-04"), str)
    assert isinstance(late.parse("2026-01-05"), Fault)


def test_messages_never_repeat_the_value() -> None:
    """They may reach a log."""
    for text in ("31 Secret 1991", "secret", "12345678901"):
        assert not re.search("secret|12345", why(ISO.parse(text)), re.IGNORECASE)

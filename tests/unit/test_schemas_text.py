"""Text, order references, titles and genders."""

import sys
import unicodedata

import pytest

from schemas.fields import TITLES
from schemas.text import (
    Fault,
    comparable,
    invisible,
    parse_code,
    parse_gender,
    parse_order_ref,
    parse_text,
    parse_title,
    trim,
    trim_all,
)

REF = "2d7de9df-45a2-45ea-872c-30e45139007d"


def why(result: object) -> str:
    """Return the one message of a fault."""
    assert isinstance(result, Fault)
    (message,) = result.messages
    return message


@pytest.mark.parametrize("text", [REF, REF.upper(), "2D7de9df-45a2-45ea-872c-30e45139007d"])
def test_order_ref_is_a_uuid_in_lower_case(text: str) -> None:
    """The case of a UUID has no meaning."""
    assert parse_order_ref(text) == REF


@pytest.mark.parametrize(
    "text",
    [
        f"{{{REF}}}", f"{REF}\n", f"{REF} ", f"../{REF}", f"{REF}/x", f"{REF}?x=1", f"{REF}#x",
        "%2e%2e%2f", "..", REF.replace("-", ""), f"urn:uuid:{REF}", REF[:-1], f"{REF}0",
        REF.replace("2", "２"), REF.replace("d", "g"), "ORD-4711", f"'{REF}", "#N/A",
    ],
)  # fmt: skip
def test_only_a_uuid_reaches_the_path(text: str) -> None:
    """An order that could change the URL of a request is refused."""
    assert isinstance(parse_order_ref(text), Fault)


@pytest.mark.parametrize(
    "text",
    [
        "O'Brien",
        "'t Hart",
        "'s-Hertogenbosch",
        "’Abd",
        "Nguyễn",
        unicodedata.normalize("NFD", "Nguyễn"),
        "\u00a0x",
        "👩‍👩‍👧",
        "\u202eabc",
        "x" * 700,
        "NA",
        "None",
        "null",
        "007",
        "1e5",
        "Apt #5",
        "#5",
        "# 12",
        "C#",
        "Who?",
        "Yahoo!",
        "Terr:502",
        "=",
        "a=b",
        "1.23457E+15",
    ],
)
@pytest.mark.parametrize("parse", [parse_text, parse_title])
def test_text_is_sent_as_written(text: str, parse: type) -> None:
    """Text of any script is accepted, and so are words that have another meaning elsewhere."""
    assert parse(text) == text


@pytest.mark.parametrize(
    "character", ["\x00", "\n", "\t", "\x1f", "\x7f", "\x85", "\x9f", "\ud800"]
)
def test_control_characters_are_named(character: str) -> None:
    """The message names the character, which cannot be seen."""
    assert f"U+{ord(character):04X}" in why(parse_text(f"a{character}b"))


SPREADSHEET_ERRORS = (
    "#N/A", "#n/a", "#N/A N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!",
    "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#GETTING_DATA", "#ERROR!", "#####",
    "Err:502", "#Err:508", "#NV", "#BEZUG!", "#WERT!", "#ZAHL!", "#ÜBERLAUF!",
    "#VALEUR!", "#NOM?", "#NOMBRE!", "#¡REF!", "#¡VALOR!", "#¿NOMBRE?", "#¡DIV/0!", "#N/D", "#RIF!",
    "#VALORE!", "#N/B", "#WAARDE!", "#N/D!", "#ADR!", "#ССЫЛКА!", "#ДЕЛ/0!", "#I/T", "#YOK",
)  # fmt: skip


@pytest.mark.parametrize("text", SPREADSHEET_ERRORS)
@pytest.mark.parametrize(
    "parse", [parse_text, parse_code, parse_title, parse_gender, parse_order_ref]
)
def test_spreadsheet_errors_are_named_in_any_field(text: str, parse: type) -> None:
    """Excel, LibreOffice and Google Sheets write them in the language of the user."""
    assert "spreadsheet error" in why(parse(text))


@pytest.mark.parametrize("text", ['="00501"', '=""'])
def test_formula_that_protects_a_text_is_named(text: str) -> None:
    """Some exports write ="00501" to keep the zeros."""
    assert "formula" in why(parse_text(text))


@pytest.mark.parametrize("text", ["M\ufffdller", "\ufffd", "Zo\ufffd\ufffd"])
@pytest.mark.parametrize("parse", [parse_text, parse_code, parse_title, parse_gender])
def test_replacement_characters_are_named(text: str, parse: type) -> None:
    """The letter was lost before the file was written, so nothing can restore it."""
    assert "U+FFFD" in why(parse(text))


@pytest.mark.parametrize("text", ["'00501", "'+353", "'=1+1", "'-", "'@x"])
@pytest.mark.parametrize("parse", [parse_text, parse_code])
def test_apostrophe_of_a_spreadsheet_is_named(text: str, parse: type) -> None:
    """Spreadsheets put it before text that looks like a number or a formula."""
    assert "apostrophe" in why(parse(text))


@pytest.mark.parametrize("text", ["'D02 X285", "'PZ4A9565", "'"])
def test_code_never_starts_with_an_apostrophe(text: str) -> None:
    """A name may, a post code, passport number or order number does not."""
    assert "apostrophe" in why(parse_code(text))


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [
        (" x\t\r\n", "x"),
        ("\u00a0x\u00a0", "\u00a0x\u00a0"),
        ("\u00a0", ""),
        (" \u200b \ufeff\u2003", ""),
        ("\u3164", ""),
        ("\u00ad", ""),
        ("\x00", "\x00"),
        ("é", "é"),
    ],
)
def test_what_is_trimmed_and_what_is_blank(text: str, trimmed: str) -> None:
    """A no-break space is part of a value; a value without anything visible is blank."""
    assert trim(text) == trimmed
    assert trim_all([text, "a"]) == [trimmed, "a"]


@pytest.mark.parametrize(
    "text",
    ["José", "Jose\u0301", "José\u00a0", "\u2009José", "José\u3000", "José\u200b", "\ufeffJosé "],
)
def test_same_text_in_several_spellings_compares_as_equal(text: str) -> None:
    """Composed, decomposed, with blanks or invisible characters at its ends."""
    assert comparable(text) == "José"


@pytest.mark.parametrize("text", ["jose", "Jose", "JOSÉ", "Jo sé", "Jo\u00a0sé", "Ｊosé"])
def test_other_texts_do_not_compare_as_equal(text: str) -> None:
    """Case, accents, inner blanks and compatibility characters are differences."""
    assert comparable(text) != "José"


@pytest.mark.parametrize("text", ["male", "MALE", "Female", "uNKNOWN"])
def test_gender_is_accepted_in_any_case(text: str) -> None:
    """The three words of the reference are sent in lower case."""
    assert parse_gender(text) == text.lower()


@pytest.mark.parametrize("text", ["m", "F", "diverse", "male.", "1", "Herr"])
def test_other_genders_are_refused_with_a_remedy(text: str) -> None:
    """The API knows three words; others can be translated."""
    message = why(parse_gender(text))
    assert "male, female, unknown" in message
    assert "--value gender:" in message


@pytest.mark.parametrize("title", TITLES)
def test_listed_title_takes_the_reference_spelling(title: str) -> None:
    """Case and a final dot do not matter."""
    assert [title] * 4 == [
        parse_title(text) for text in (title, title.upper(), title.lower(), f"{title.upper()}.")
    ]


@pytest.mark.parametrize("text", ["Herr", "Mr..", "Dr. med.", "."])
def test_other_titles_are_sent_as_they_are(text: str) -> None:
    """The list of the reference contains examples."""
    assert parse_title(text) == text


@pytest.mark.parametrize("text", ["a\u00a0b", "a\u200bb", "\u2800", "a\ufe0f", "a\U000e0061"])
def test_hint_names_characters_that_cannot_be_seen(text: str) -> None:
    """Python calls some of them printable."""
    assert "invisible U+" in invisible(text)


def test_hint_is_empty_for_visible_text_and_short_for_any_other() -> None:
    """Even the longest character name leaves room for the message before it."""
    assert invisible("Zoë O'Brien 李 👍") == ""
    assert max(len(invisible(chr(point))) for point in range(sys.maxunicode + 1)) <= 90

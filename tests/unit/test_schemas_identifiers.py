"""The rule of identifiers."""

import unicodedata

import pytest

from schemas.identifiers import PLAIN_ID, is_identifier, parse_identifier
from schemas.text import Fault


def why(pair: tuple[str, str], *providers: str) -> tuple[str, ...]:
    """Return the messages of a faulty pair."""
    result = parse_identifier(pair, providers)
    assert isinstance(result, Fault)
    return result.messages


@pytest.mark.parametrize(
    "identifier",
    [
        "10001", "0", "00000000", "B7524AE6-CF1C-440F-B1A2-0C9D42F5CB41", "1, L:2", "a:b",
        "IE-77", "a@example.com", "+353209100101", "1e5", "12E5", "1E15", "5E-3", "12.50",
        "10.0.0.1", "Nullmann", "Nona", "Nanette", "anon", "x", "-1", "O'Brien", "客户", "ID 7",
        "#7", "1.5", "1.2.3", "e+1", "null-1",
    ],
)  # fmt: skip
def test_ids_are_sent_as_given(identifier: str) -> None:
    """Including ids that only look like placeholders."""
    pair = ("CRM", identifier)
    assert parse_identifier(pair) is pair
    assert is_identifier(pair)


@pytest.mark.parametrize(
    "identifier",
    [
        "NULL", "null", "Null", "(null)", "[null]", "<null>", "{NULL}", '"null"',
        "undefined", "None", "NONE", "nan", "NaN", "-nan", "NaT", "N/A", "n/a", "NA", "<NA>",
        "n.a.", "nil", "\\N", "\\n", "unknown", "Missing", "(empty)", "(blank)", "not available",
        "TBD", "[object Object]", "00000000-0000-0000-0000-000000000000", "{{crm_id}}", "${id}",
        "«CustomerID»", "%ID%",
    ],
)  # fmt: skip
def test_placeholders_are_refused(identifier: str) -> None:
    """Otherwise strangers with one placeholder would become one guest, permanently."""
    assert "the id is a placeholder" in why(("CRM", identifier))[0]


@pytest.mark.parametrize("identifier", ["-", "--", "---", "?", ".", "_", "*", "/", "()", "''"])
def test_ids_without_letters_and_digits_are_refused(identifier: str) -> None:
    """They are placeholders as well."""
    assert "the id " in why(("CRM", identifier))[0]


@pytest.mark.parametrize(
    "identifier",
    [
        "1.23457E+15", "1,23457E+15", "1.23457e+15", "1.23E+05", "9.99E15", "1E+15", "1e+15",
        "1.0E10", "1.23457E+015", "-1.5E+10", "1.23457 E+15", "1.23×10^15", "1.23*10^15",
        "1.2e-7", "1.E+15",
    ],
)  # fmt: skip
def test_ids_that_a_spreadsheet_has_cut_are_refused(identifier: str) -> None:
    """The last digits are lost, so many ids become the same."""
    assert "cut by a spreadsheet" in why(("CRM", identifier))[0]


@pytest.mark.parametrize(
    "identifier", ["10001.0", "10001.00", "10001,0", "0.0", "-5.0", "10001.", "1,234,567.00"]
)
def test_ids_that_became_decimal_numbers_are_refused(identifier: str) -> None:
    """No identity rule would match them, and a new guest would be created."""
    assert "decimal number" in why(("CRM", identifier))[0]


@pytest.mark.parametrize("identifier", ["#N/A", "#REF!", "#NULL!", "#####", '="10001"'])
def test_spreadsheet_garbage_is_refused(identifier: str) -> None:
    """As in all fields."""
    assert "spreadsheet" in why(("CRM", identifier))[0]


INVISIBLE = (
    "\u00a0", "\u00ad", "\u034f", "\u061c", "\u115f", "\u180e", "\u2003", "\u200b", "\u200c",
    "\u200d", "\u200e", "\u200f", "\u202a", "\u202e", "\u2060", "\u2066", "\u2069", "\u2800",
    "\u3000", "\u3164", "\ufe0f", "\ufeff", "\uffa0", "\U000e0041", "\U000e0100", "\ue000",
)  # fmt: skip


@pytest.mark.parametrize("character", INVISIBLE, ids=lambda c: f"U+{ord(c):04X}")
@pytest.mark.parametrize("form", ["10001{}", "{}10001", "100{}01", "ID{}7"])
def test_invisible_characters_in_ids_are_refused_and_named(character: str, form: str) -> None:
    """Two ids that look alike would be two guests."""
    (message,) = why(("CRM", form.format(character)))
    assert f"U+{ord(character):04X}" in message


def test_every_invisible_character_is_refused() -> None:
    """All format characters, separators and controls of Unicode."""
    for point in range(0x110000):
        character = chr(point)
        kind = unicodedata.category(character)
        if kind in {"Cc", "Cf", "Zl", "Zp"} or (kind == "Zs" and character != " "):
            assert isinstance(parse_identifier(("CRM", f"1{character}2")), Fault), hex(point)


def test_leading_apostrophe_of_a_spreadsheet_is_named() -> None:
    """It would be a part of the id."""
    assert "apostrophe" in why(("CRM", "'10001"))[0]
    assert "apostrophe" in why(("CRM", "'abc"))[0]


@pytest.mark.parametrize("provider", ["null", "None", "undefined", "#N/A", "CR\u200bM", "\\N", "-"])
def test_providers_are_checked_as_well(provider: str) -> None:
    """A misspelled provider would silently match nothing."""
    assert why((provider, "7"))[0].startswith("the provider ")


@pytest.mark.parametrize("provider", ["NA", "Unknown", "CRM 2", "客户", "X"])
def test_words_that_may_name_a_provider_are_accepted(provider: str) -> None:
    """Only words that programs write for a missing value are refused."""
    assert is_identifier((provider, "7"))


def test_both_parts_can_be_at_fault() -> None:
    """All faults are reported."""
    assert len(why(("null", "NULL"))) == 2
    assert len(why(("crm", "NULL"), "CRM")) == 2


@pytest.mark.parametrize("pair", [("", "7"), ("CRM", "")])
def test_half_a_pair_is_refused(pair: tuple[str, str]) -> None:
    """Provider and id belong together."""
    assert "both are needed" in why(pair)[0]


@pytest.mark.parametrize(
    ("provider", "hint"),
    [
        ("crm", "did you mean CRM?"),
        ("CRM ID", "did you mean CRM?"),
        ("loyalty", "did you mean Loyalty?"),
        ("Loyalti", "did you mean Loyalty?"),
        ("ProfileSystem", "--identity-provider: CRM, Loyalty"),
        ("CRM\u200b", "did you mean CRM?"),
    ],
)
def test_provider_must_be_one_of_the_identity_rules(provider: str, hint: str) -> None:
    """Upper and lower case count; the nearest name is suggested."""
    assert hint in why((provider, "7"), "CRM", "Loyalty")[0]
    assert is_identifier(("CRM", "7"))
    assert parse_identifier(("Loyalty", "7"), ("CRM", "Loyalty")) == ("Loyalty", "7")


def test_provider_that_the_rules_name_is_never_a_placeholder() -> None:
    """The user has named it."""
    assert parse_identifier(("None", "7"), ("None",)) == ("None", "7")


@pytest.mark.parametrize("identifier", ["1", "A-1_b", "7F", "0007", "1E15"])
def test_fast_path_accepts_only_valid_ids(identifier: str) -> None:
    """It accepts nothing that the rule refuses."""
    assert PLAIN_ID.match(identifier)
    assert is_identifier(("CRM", identifier))


def test_messages_are_one_short_line_without_the_id() -> None:
    """They may be logged."""
    for pair in [("X" * 300, "secret\u200b"), ("crm", "'secret"), ("crm", "{{secret}}")]:
        for message in why(pair, "C" * 300, "D" * 300, "E" * 300, "F" * 300):
            assert "secret" not in message
            assert message.isprintable()
            assert len(f"identifiers: item 10: {message}") <= 200

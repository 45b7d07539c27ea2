"""The rule of countries."""

import csv
from pathlib import Path

import pycountry
import pytest
from babel import Locale

from schemas.countries import is_country, parse_country
from schemas.text import Fault

NAMES = Path(__file__).parents[1] / "data" / "country_names.csv"
"""Names by the United Nations (UNTERM, M49), ISO 4217 and CLDR, from datasets/country-codes."""


def names_of_organisations() -> list[tuple[str, str]]:
    """Return each code with each name."""
    with NAMES.open(encoding="utf-8", newline="") as file:
        return [(row["code"], row["name"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(("code", "name"), names_of_organisations())
def test_names_of_the_un_and_of_iso_4217_are_accepted(code: str, name: str) -> None:
    """With or without their article, and in upper case."""
    assert parse_country(name) == code
    assert parse_country(name.upper()) == code
    assert parse_country(name.removeprefix("the ")) == code


@pytest.mark.parametrize("country", list(pycountry.countries), ids=lambda country: country.alpha_2)
def test_codes_and_names_of_iso_3166_are_accepted(country: object) -> None:
    """Short, official and common names, and both codes."""
    code = country.alpha_2  # type: ignore[attr-defined]
    for kind in ("alpha_2", "alpha_3", "name", "official_name", "common_name"):
        if text := getattr(country, kind, ""):
            assert parse_country(text) == code
            assert parse_country(text.lower()) == code
    assert is_country(code)


@pytest.mark.parametrize("locale", ["en", "en_GB", "en_US", "en_AU", "en_CA", "en_IN", "en_ZA"])
def test_english_names_of_cldr_are_accepted_for_their_country_alone(locale: str) -> None:
    """A territory without a code of ISO 3166-1 (Kosovo, Ascension) is not another country."""
    for code, name in Locale.parse(locale).territories.items():
        found = parse_country(name)
        if pycountry.countries.get(alpha_2=code):
            assert found == code
        else:
            assert isinstance(found, Fault), name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("UK", "GB"), ("uk", "GB"), ("U.K.", "GB"), ("Great Britain", "GB"), ("Britain", "GB"),
        ("England", "GB"), ("Scotland", "GB"), ("Wales", "GB"), ("Northern Ireland", "GB"),
        ("USA", "US"), ("U.S.", "US"), ("U.S.A.", "US"), ("U. S. A.", "US"), ("u.s.a", "US"),
        ("United States", "US"), ("The United States", "US"), ("UAE", "AE"), ("U.A.E.", "AE"),
        ("Holland", "NL"), ("The Netherlands", "NL"), ("Netherlands (the)", "NL"),
        ("Netherlands, The", "NL"), ("Eire", "IE"), ("Éire", "IE"), ("Republic of Ireland", "IE"),
        ("Ireland, Republic of", "IE"), ("South Korea", "KR"), ("Korea, South", "KR"),
        ("Korea (South)", "KR"), ("Korea, Republic of", "KR"), ("Republic of Korea", "KR"),
        ("North Korea", "KP"), ("Korea, North", "KP"), ("DPRK", "KP"),
        ("Korea, Democratic People's Republic of", "KP"), ("Gambia, The", "GM"),
        ("The Gambia", "GM"), ("Bahamas, The", "BS"), ("Iran (Islamic Republic of)", "IR"),
        ("Iran, Islamic Rep.", "IR"), ("Iran", "IR"), ("DRC", "CD"), ("DR Congo", "CD"),
        ("D.R. Congo", "CD"), ("Congo, Dem. Rep.", "CD"), ("Congo-Kinshasa", "CD"),
        ("Congo (Kinshasa)", "CD"), ("Democratic Republic of the Congo", "CD"), ("Zaire", "CD"),
        ("Congo-Brazzaville", "CG"), ("Congo, Rep.", "CG"), ("Republic of the Congo", "CG"),
        ("Congo", "CG"), ("Guinea", "GN"), ("Guinea-Bissau", "GW"), ("Guinea Bissau", "GW"),
        ("Equatorial Guinea", "GQ"), ("Guinea, Equatorial", "GQ"), ("Papua New Guinea", "PG"),
        ("Vatican", "VA"), ("Vatican City", "VA"), ("Holy See (Vatican City State)", "VA"),
        ("Bosnia-Herzegovina", "BA"), ("Bosnia & Herzegovina", "BA"), ("Bosnia", "BA"),
        ("St. Kitts and Nevis", "KN"), ("St Kitts & Nevis", "KN"), ("St.Lucia", "LC"),
        ("Saint Lucia", "LC"), ("St. Vincent and the Grenadines", "VC"), ("St. Helena", "SH"),
        ("Trinidad & Tobago", "TT"), ("Ivory Coast", "CI"), ("Cote d'Ivoire", "CI"),
        ("Côte d’Ivoire", "CI"), ("CURACAO", "CW"), ("Türkiye", "TR"), ("Turkey", "TR"),
        ("Russia", "RU"), ("Russian Federation", "RU"), ("Czech Republic", "CZ"), ("Czechia", "CZ"),
        ("Slovak Republic", "SK"), ("Kyrgyz Republic", "KG"), ("Lao PDR", "LA"), ("Laos", "LA"),
        ("Macedonia", "MK"), ("FYROM", "MK"), ("North Macedonia", "MK"), ("Burma", "MM"),
        ("Myanmar (Burma)", "MM"), ("Swaziland", "SZ"), ("Cape Verde", "CV"), ("East Timor", "TL"),
        ("Macau", "MO"), ("Macao SAR, China", "MO"), ("Hong Kong", "HK"), ("Hong Kong SAR", "HK"),
        ("Taiwan", "TW"), ("Taiwan, Province of China", "TW"), ("China", "CN"), ("PRC", "CN"),
        ("People's Republic of China", "CN"), ("Palestine", "PS"), ("West Bank and Gaza", "PS"),
        ("Micronesia, Fed. Sts.", "FM"), ("Virgin Islands, British", "VG"), ("BVI", "VG"),
        ("Virgin Islands (U.S.)", "VI"), ("US Virgin Islands", "VI"), ("American Samoa", "AS"),
        ("Samoa", "WS"), ("Niger", "NE"), ("Nigeria", "NG"), ("Dominica", "DM"),
        ("Dominican Republic", "DO"), ("Sudan", "SD"), ("South Sudan", "SS"), ("Georgia", "GE"),
        ("South Georgia and the South Sandwich Islands", "GS"), ("Mauritius", "MU"),
        ("Mauritania", "MR"), ("Austria", "AT"), ("Australia", "AU"), ("Slovenia", "SI"),
        ("Slovakia", "SK"), ("Egypt, Arab Rep.", "EG"), ("Yemen, Rep.", "YE"), ("KSA", "SA"),
        ("Venezuela, RB", "VE"), ("Viet Nam", "VN"), ("Vietnam", "VN"), ("Syria", "SY"),
        ("NA", "NA"), ("na", "NA"), ("NAM", "NA"), ("Namibia", "NA"), ("Ireland.", "IE"),
        ("Cayman Is.", "KY"), ("Falkland Islands (Islas Malvinas)", "FK"), ("Åland", "AX"),
    ],
)  # fmt: skip
def test_names_that_people_use_are_accepted(text: str, code: str) -> None:
    """In other orders, abbreviated, with and without articles, dots, hyphens and diacritics."""
    assert parse_country(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "Korea", "Virgin Islands", "America", "Republic", "Republic of China", "Islands",
        "United", "Democratic Republic", "Saint", "St.", "the", "of", "&", "South", "North",
        "Kosovo", "EU", "European Union", "XX", "XK", "ZZ", "372", "Irland", "Deutschland",
        "Yugoslavia", "USSR", "Czechoslovakia", "Serbia and Montenegro", "Netherlands Antilles",
        "N/A", "n/a", "N.A.", "N. A.", "n.a", "i.e.", "I.E.", "I E", "Ire", "GER", "SUI", "D",
        "Ireland/UK", "Ireland; UK", "Ireland 1", "Dublin", "Guinea Conakry Bissau", "West Indies",
        "Eire\u200b?", "-", "...", "UK/Ireland", "None of these",
    ],
)  # fmt: skip
def test_other_texts_are_never_guessed(text: str) -> None:
    """A name of several countries, of no country, or of a former one is refused."""
    assert isinstance(parse_country(text), Fault)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("#N/A", "spreadsheet error"), ("'IE", "apostrophe"), ("Eire\u200b", "U+200B"), ("x", "IRL")],
)
def test_message_names_the_error(text: str, reason: str) -> None:
    """It never repeats the value."""
    result = parse_country(text)
    assert isinstance(result, Fault)
    assert reason in result.messages[0]

"""Countries: ISO 3166-1 codes and English names, sent as alpha-2.

Source: docs/values.md, "Countries".
"""

import re
import unicodedata
from functools import cache
from typing import Final

from schemas.text import Fault, fault

# Names that people use and that neither ISO 3166-1 nor CLDR has as the name of a country. A
# name that could be of two countries (Korea, Virgin Islands, America) is not one of them.
_OTHER_NAMES: Final = {
    "AE": ("UAE", "U.A.E.", "Emirates"),
    "AG": ("Antigua",),
    "AX": ("Aland",),
    "BA": ("Bosnia",),
    "BL": ("St. Barts",),
    "BN": ("Brunei",),
    "BO": ("Bolivia",),
    "BQ": ("Bonaire", "Netherlands Caribbean", "Bonaire, Saba, Sint Eustatius"),
    "CC": ("Keeling Islands", "Cocos Islands"),
    "CD": (
        "Democratic Republic of the Congo", "DRC", "DR Congo", "Congo DR", "Congo-Kinshasa",
        "Zaire", "Belgian Congo", "Congo (DRC)",
    ),
    "CG": ("Republic of the Congo", "Congo-Brazzaville", "Congo (Republic)"),
    "CH": ("Swiss Confederation",),
    "CI": ("Ivory Coast", "Cote d Ivoire"),
    "CN": ("PRC", "P.R. China", "Mainland China"),
    "CV": ("Cape Verde",),
    "CX": ("Christmas Isl.",),
    "CZ": ("Czech Republic",),
    "DO": ("Dominican Rep.",),
    "EH": ("Western Sahara (disputed)", "Sahrawi Arab Democratic Republic"),
    "FK": ("Falklands", "Falkland Islands", "Malvinas", "Islas Malvinas",
           "Falkland Islands (Islas Malvinas)"),
    "FM": ("Micronesia",),
    "FO": ("Faroes", "Faeroe Islands", "Faeroes"),
    "GB": (
        "UK", "U.K.", "G.B.", "Great Britain", "Britain", "England", "Scotland", "Wales",
        "Northern Ireland", "Great Britain and Northern Ireland", "United Kingdom (UK)",
        "United Kingdom (GB)", "United Kingdom of Great Britain",
        "UK of Great Britain and Northern Ireland",
    ),
    "GF": ("Guyane",),
    "GM": ("Republic of Gambia",),
    "GS": ("South Georgia",),
    "GY": ("Co-operative Republic of Guyana",),
    "HK": ("Hong Kong", "Hong Kong (China)", "China, Hong Kong SAR", "Hong Kong, SAR",
           "China, Hong Kong Special Administrative Region"),
    "HM": ("Heard Island",),
    "IE": ("Eire", "Republic of Ireland", "Irish Republic", "Southern Ireland"),
    "IO": ("Chagos", "Chagos Archipelago", "Chagos Islands", "BIOT"),
    "IR": ("Persia",),
    "IT": ("Republic of Italy",),
    "KG": ("Kyrgyz Republic", "Kirghizia", "Kirgizstan"),
    "KH": ("Kampuchea",),
    "KN": ("St. Kitts", "St. Christopher and Nevis"),
    "KP": ("North Korea", "DPRK", "D.P.R. Korea", "Korea DPR"),
    "KR": ("South Korea", "ROK", "Korea (ROK)"),
    "LA": ("Laos", "Lao PDR", "Lao P.D.R.", "Lao"),
    "LK": ("Ceylon",),
    "LY": ("State of Libya", "Libyan Arab Jamahiriya"),
    "MD": ("Moldavia",),
    "MF": ("Saint Martin (France)", "St. Martin (French)"),
    "MK": ("Macedonia", "FYROM", "FYR Macedonia", "The former Yugoslav Republic of Macedonia",
           "Macedonia (FYROM)"),
    "MM": ("Burma", "Union of Myanmar", "Republic of the Union of Myanmar"),
    "MO": ("Macau", "Macao", "Macau (China)", "China, Macao SAR", "Macau SAR", "Macao, SAR",
           "China, Macao Special Administrative Region"),
    "NL": ("Holland", "The Netherlands"),
    "NZ": ("Aotearoa", "Aotearoa New Zealand"),
    "PG": ("PNG",),
    "PM": ("St. Pierre", "Saint-Pierre-et-Miquelon"),
    "PN": ("Pitcairn Island",),
    "PS": ("Palestine", "State of Palestine", "Occupied Palestinian Territory",
           "Palestinian Territory", "Palestinian Territory, Occupied", "West Bank and Gaza"),
    "PW": ("Republic of Palau",),
    "RU": ("Russia",),
    "RW": ("Republic of Rwanda",),
    "SA": ("KSA", "Saudi"),
    "SH": ("St. Helena",),
    "SJ": ("Svalbard", "Svalbard and Jan Mayen Islands"),
    "SK": ("Slovak Republic",),
    "SV": ("Salvador",),
    "SX": ("Sint Maarten (Netherlands)", "St. Maarten"),
    "SY": ("Syria",),
    "SZ": ("Swaziland",),
    "TF": ("French Southern and Antarctic Lands",),
    "TL": ("East Timor",),
    "TR": ("Turkey", "Turkiye"),
    "TT": ("Trinidad",),
    "TW": ("Taiwan", "Taiwan, China", "Chinese Taipei", "Taiwan ROC"),
    "TZ": ("Tanzania",),
    "US": (
        "U.S.", "U.S.A.", "USA", "United States", "The States", "US of America",
        "United States (USA)", "United States of America (USA)", "United States (US)",
    ),
    "VA": ("Vatican", "Vatican City", "Holy See", "Vatican City State", "Holy See (Vatican City)"),
    "VC": ("St. Vincent",),
    "VE": ("Venezuela", "Venezuela, RB"),
    "VG": ("BVI", "British Virgin Islands", "Virgin Islands (UK)", "Virgin Islands (GB)"),
    "VI": ("USVI", "US Virgin Islands", "Virgin Islands (US)", "Virgin Islands (USA)"),
    "VN": ("Vietnam",),
    "WF": ("Wallis and Futuna Islands",),
    "ZA": ("RSA", "Republic of South Africa"),
}  # fmt: skip

# Without these, names differ only in their form: Gambia, The; Netherlands (Kingdom of the).
_FILLERS: Final = frozenset({"the", "of", "and"})
_ABBREVIATIONS: Final = {
    "dem": "democratic", "fed": "federated", "is": "islands", "isl": "islands",
    "island": "islands", "isls": "islands", "rep": "republic", "saint": "st", "sainte": "st",
    "ste": "st", "sts": "states", "terr": "territory", "territories": "territory",
}  # fmt: skip
_APOSTROPHES: Final = str.maketrans("", "", "'\u2019\u2018\u02bc\u00b4`\u02bb")
# Other characters than these are no part of a name's form: N/A is not a way to write NA.
_SEPARATORS: Final = re.compile(r"[\s,()\[\]\u2010-\u2015-]+")
_NAME: Final = re.compile(r"[^\W\d_]+\Z")


def is_country(text: str) -> bool:
    """Return whether *text* is an ISO 3166-1 alpha-2 code in upper case."""
    return text in _alpha_2()


def parse_country(text: str) -> str | Fault:
    """Return the alpha-2 code, or what is wrong with *text*."""
    if text in _alpha_2():
        return text
    if code := _codes().get(text.upper()) or _names().get(_words(text)):
        return code
    return fault(text, "not an ISO 3166-1 code (IE, IRL) or English name (Ireland)")


@cache
def _alpha_2() -> frozenset[str]:
    return frozenset(code for code in _codes().values())


@cache
def _codes() -> dict[str, str]:
    """Return the alpha-2 code for each alpha-2 and alpha-3 code."""
    import pycountry  # noqa: PLC0415 - few runs need it

    return {
        code: country.alpha_2
        for country in pycountry.countries
        for code in (country.alpha_2, country.alpha_3)
    }


@cache
def _names() -> dict[frozenset[str], str]:
    """Return the alpha-2 code for the words of each name that only one country has."""
    import pycountry  # noqa: PLC0415 - few runs need it
    from babel import Locale  # noqa: PLC0415 - loading its names takes time

    territories = [Locale("en").territories, Locale("en", "GB").territories]
    found: dict[frozenset[str], set[str]] = {}
    for country in pycountry.countries:
        code = country.alpha_2
        names = [getattr(country, kind, "") for kind in ("name", "official_name", "common_name")]
        names += [names_of.get(code, "") for names_of in territories]
        for name in (*names, *_OTHER_NAMES.get(code, ())):
            found.setdefault(_words(name), set()).add(code)
    found.pop(frozenset(), None)
    return {words: codes.pop() for words, codes in found.items() if len(codes) == 1}


def _words(name: str) -> frozenset[str]:
    """Return the words of a name: no case, order, diacritics, apostrophes or fillers.

    It is empty for a text that cannot be a name.
    """
    letters = unicodedata.normalize("NFKD", name.translate(_APOSTROPHES))
    plain = "".join(c for c in letters if not unicodedata.combining(c)).casefold()
    words = []
    for part in _SEPARATORS.split(plain.replace("&", " and ").replace(".", ". ")):
        word = part.removesuffix(".")
        if word and not _NAME.match(word):
            return frozenset()
        words.append(_ABBREVIATIONS.get(word, word))
    return frozenset(_joined(words)) - _FILLERS - {""}


def _joined(words: list[str]) -> list[str]:
    """Join single letters to the abbreviation that they are: U. S. A. becomes usa."""
    joined: list[str] = []
    was_letter = False
    for word in words:
        if len(word) == 1 and was_letter:
            joined[-1] += word
        elif word:
            joined.append(word)
        was_letter = len(word) == 1 or (was_letter and not word)
    return joined

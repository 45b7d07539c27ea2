"""Countries: ISO 3166-1 codes and English names, sent as alpha-2.

Source: contract, section 4.
"""

import unicodedata
from functools import cache
from typing import Final

from schemas.text import Fault, invisible

_APOSTROPHES: Final = str.maketrans("", "", "'\u2019\u2018\u02bc\u00b4`")
# English names in wide use that neither list carries, most of them CLDR's own variants.
_VARIANTS: Final = {
    "Burma": "MM",
    "Democratic Republic of the Congo": "CD",
    "East Timor": "TL",
    "Great Britain": "GB",
    "Holy See": "VA",
    "Ivory Coast": "CI",
    "Macau": "MO",
    "Macedonia": "MK",
    "Palestine": "PS",
    "Swaziland": "SZ",
    "Turkey": "TR",
}


def is_country(text: str) -> bool:
    """Tell whether *text* is an ISO 3166-1 alpha-2 code in upper case."""
    return text in _alpha_2()


def parse_country(text: str) -> str | Fault:
    """Give the alpha-2 code, or what is wrong with *text*."""
    if text in _alpha_2():
        return text
    if code := _codes().get(_folded(text)):
        return code
    if text.upper() == "UK":
        return Fault("UK is no ISO 3166-1 code; the code of the United Kingdom is GB")
    return Fault(f"not an ISO 3166-1 code (IE, IRL) or English name (Ireland){invisible(text)}")


@cache
def _alpha_2() -> frozenset[str]:
    import pycountry  # noqa: PLC0415 - see _codes

    return frozenset(country.alpha_2 for country in pycountry.countries)


@cache
def _codes() -> dict[str, str]:
    """Give alpha-2 codes by folded code or name. Loaded late: babel's lists take 40 ms."""
    import pycountry  # noqa: PLC0415 - see above
    from babel import Locale  # noqa: PLC0415 - see above

    codes: dict[str, str] = {}
    territories = [Locale("en").territories, Locale("en", "GB").territories]
    for country in pycountry.countries:
        code = country.alpha_2
        names = [getattr(country, kind, "") for kind in ("name", "official_name", "common_name")]
        names += [names_of.get(code, "") for names_of in territories]
        for name in (code, country.alpha_3, *filter(None, names)):
            codes.setdefault(_folded(name), code)
    for name, code in _VARIANTS.items():
        codes.setdefault(_folded(name), code)
    return codes


def _folded(name: str) -> str:
    """Give *name* without case, diacritics, apostrophes and a leading article."""
    letters = unicodedata.normalize("NFKD", name.translate(_APOSTROPHES))
    return (
        "".join(c for c in letters if not unicodedata.combining(c)).casefold().removeprefix("the ")
    )

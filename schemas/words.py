"""The vocabularies of the API page: gender is closed, title is open.

Source: contract, sections 1 and 4.
"""

from typing import Final

from schemas.faults import Fault
from schemas.fields import GENDERS, TITLES
from schemas.text import invisible, parse_text

_TITLES: Final = {title.casefold(): title for title in TITLES}


def parse_gender(text: str) -> str | Fault:
    """Give the gender in lower case, or what is wrong with *text*."""
    gender = text.lower()
    if gender in GENDERS:
        return gender
    return Fault(f"not one of male, female, unknown{invisible(text)}")


def parse_title(text: str) -> str | Fault:
    """Give a title of the reference in its spelling there (``MR.`` is ``Mr``), others as is."""
    return _TITLES.get(text.removesuffix(".").casefold()) or parse_text(text)

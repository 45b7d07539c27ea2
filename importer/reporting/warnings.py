"""What is worth knowing about rows that are sent, in words.

Source: docs/values.md, "Warnings", and docs/identity.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from importer.log import counted
from importer.records import (
    DATES_DEFAULT,
    GUESTS_SHARED,
    IDENTIFIERS_SHARED,
    NO_IDENTIFIERS,
    PHONES_UNASSIGNED,
    TEXT_ENTITIES,
    TITLE_UNLISTED,
)


@dataclass(frozen=True, slots=True)
class Warning:  # noqa: A001 - Python's own is not used here
    """One kind of warning.

    Attributes:
        event: Name of its event.
        words: What follows the number.
        noun: What is counted, in the singular.
    """

    event: str
    words: str
    noun: str = "row"

    def text(self, count: int, lines: Sequence[int] = (), guests: Sequence[str] = ()) -> str:
        """Return the warning as a sentence.

        Args:
            count: Rows, or whatever it counts.
            lines: Lines of the source file to name.
            guests: Refs of guests to name.
        """
        named = [f"{line:,}" for line in lines] or guests
        where = f"; first in lines {', '.join(named)}" if lines else ""
        where = f": {', '.join(named)}" if guests else where
        return self.words.format(count=counted(count, self.noun), where=where)


WARNINGS: Final = {
    NO_IDENTIFIERS: Warning(
        "rows.without_identifiers",
        "{count} without identifiers: the API may not match such contacts to a guest.",
    ),
    IDENTIFIERS_SHARED: Warning(
        IDENTIFIERS_SHARED,
        "{count} in rows of different people{where}. The API may make them one guest, which "
        "undo-import cannot undo; look at these lines.",
        "identifier",
    ),
    GUESTS_SHARED: Warning(
        GUESTS_SHARED,
        "{count} with contacts of different identifiers{where}. Either a person has several "
        "ids, or the identity rules have merged strangers.",
        "guest",
    ),
    TITLE_UNLISTED: Warning(
        "rows.title_unlisted",
        "{count} with a title that the API reference does not list; it is sent as it is.",
    ),
    PHONES_UNASSIGNED: Warning(
        PHONES_UNASSIGNED,
        "{count} with a phone number that is possible, but not assigned; it is sent.",
    ),
    DATES_DEFAULT: Warning(
        DATES_DEFAULT,
        "{count} with the date of birth 1900-01-01 or 1904-01-01, which often means no date; sent.",
    ),
    TEXT_ENTITIES: Warning(
        TEXT_ENTITIES,
        "{count} with an HTML entity, such as &amp;, in a text; it is sent as it is.",
    ),
}
"""Every warning about rows, by its word in the summary."""

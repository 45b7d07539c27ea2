"""Whether a contact was there before the request that might have created it.

Reading back finds a contact that equals what was sent, and somebody else may have made just
such a one before. Its date tells, if the API says by its own clock how late it is, and unless
it has dated a contact of this run wrongly. Nothing is ever sent again because of a date: one
that is wrong would make doubles.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from importer.api import Listing

_LEEWAY: Final = 60.0
"""Seconds that the clocks of the API's own servers may be apart."""


def instant_of(item: Mapping[str, object], field: str) -> datetime | None:
    """An instant of a contact as the API tells of it; None when it is none."""
    value = item.get(field)
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant and not instant.tzinfo else instant


class Dating:
    """Compares the dates of contacts with the times of requests."""

    def __init__(self) -> None:
        self._witness: tuple[datetime, float] | None = None

    def saw_created(self, contact: Mapping[str, object]) -> None:
        """Take in a contact that has just been created, as the API answered."""
        if self._witness is None and (created := instant_of(contact, "createdAt")):
            self._witness = (created, time.time())

    def there_since(self, ref: str, listing: Listing, sent_at: int) -> datetime | None:
        """Since when a contact has been there, if that was before a request left.

        Args:
            ref: The contact, one of the list.
            listing: The contacts of its order, read after the request.
            sent_at: When it left, seconds since 1970 by the clock of this machine; 0 when
                nobody knows.

        Returns:
            None when it came later, or nobody can tell.
        """
        if not sent_at or listing.clock_lead is None:
            return None
        items = (item for item in listing.items if item.get("ref") == ref)
        created = instant_of(next(items, {}), "createdAt")
        lead = listing.clock_lead.total_seconds()
        if created is None or (self._witness and _is_before(*self._witness, lead)):
            return None
        # A step of this clock since can only make an own contact look older than it is.
        return created if _is_before(created, sent_at, lead) else None


def _is_before(created: datetime, moment: float, lead: float) -> bool:
    return created.timestamp() < moment + lead - _LEEWAY

"""Whether a contact was there before the request that may have created it.

Reading back finds a contact that equals what was sent, but another client may have created such
a one before. Its date shows that, provided that the API says how far its clock is from ours and
has not dated a contact of this run wrongly. Nothing is ever sent again because of a date: a
wrong one would create duplicates.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from importer.api import Listing, instant_of

_LEEWAY: Final = 60.0
"""Seconds that the clocks of the API's own servers may differ."""


class Dating:
    """Compares the dates of contacts with the times of requests.

    Args:
        now: Seconds since 1970 by this machine's clock.
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._witness: tuple[datetime, float] | None = None

    def observe_created(self, contact: Mapping[str, object]) -> None:
        """Take in a contact that has just been created, as the API answered."""
        if self._witness is None and (created := instant_of(contact, "createdAt")):
            self._witness = (created, self._now())

    def there_since(self, ref: str, listing: Listing, sent_at: int) -> datetime | None:
        """Return since when a contact has been there, if that was before a request left.

        Args:
            ref: The contact, one of the list.
            listing: The contacts of its order, read after the request.
            sent_at: When the request left, seconds since 1970 by this machine's clock; 0 if
                unknown.

        Returns:
            None when it was created later, or when that cannot be known.
        """
        if not sent_at or listing.clock_lead is None:
            return None
        items = (item for item in listing.items if item.get("ref") == ref)
        created = instant_of(next(items, {}), "createdAt")
        lead = listing.clock_lead.total_seconds()
        if created is None or (self._witness and _is_before(*self._witness, lead)):
            return None
        # If this clock has been set since, an own contact can only look older than it is.
        return created if _is_before(created, sent_at, lead) else None


def _is_before(created: datetime, moment: float, lead: float) -> bool:
    return created.timestamp() < moment + lead - _LEEWAY

"""Whether a contact was there before the request that might have created it.

Reading back finds a contact that equals what was sent, and somebody else may have made just
such a one before. Its date tells, and only if the API says by its own clock how late it is.
Nothing is ever sent again because of a date: one that is wrong would make doubles.
"""

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


def there_since(ref: str, listing: Listing, sent_at: int) -> datetime | None:
    """Since when a contact has been there, if that was before a request left.

    Args:
        ref: The contact, one of the list.
        listing: The contacts of its order, read after the request.
        sent_at: When it left, seconds since 1970 by the clock of this machine; 0 when nobody
            knows.

    Returns:
        None when it came later, or nobody can tell.
    """
    if not sent_at or listing.clock_lead is None:
        return None
    created = next(
        (instant_of(item, "createdAt") for item in listing.items if item.get("ref") == ref), None
    )
    # A step of this clock between the two can only make an own contact look older than it is.
    left = sent_at + listing.clock_lead.total_seconds()
    return created if created is not None and created.timestamp() < left - _LEEWAY else None

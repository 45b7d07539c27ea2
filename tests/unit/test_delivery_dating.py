"""Whether a contact is older than its request, by the dates of the API."""

from datetime import UTC, datetime, timedelta

import pytest

from importer.api import Listing
from importer.delivery.dating import Dating

SENT = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())


def since(created_at: object, lead: timedelta | None = timedelta(), sent_at: int = SENT) -> str:
    """Return what is known about a contact with that date."""
    items = ({"ref": "other", "createdAt": "1999-01-01"}, {"ref": "own", "createdAt": created_at})
    found = Dating().there_since("own", Listing(items, None, 1, clock_lead=lead), sent_at)
    return found.isoformat() if found else ""


@pytest.mark.parametrize(
    "created_at",
    ["2026-06-01T11:58:59Z", "2026-06-01T13:58:59+02:00", "2026-06-01T11:58:59", "0001-01-01"],
)
def test_contact_more_than_a_minute_older_existed_before(created_at: str) -> None:
    """Its date may have any time zone; without one it is UTC."""
    assert since(created_at)


@pytest.mark.parametrize("created_at", ["2026-06-01T11:59:01Z", "2026-06-01T12:00:01Z"])
def test_contact_of_about_the_same_time_may_be_its_own(created_at: str) -> None:
    """The clocks of the API's servers may differ slightly."""
    assert not since(created_at)


@pytest.mark.parametrize("created_at", [None, 5, "", "yesterday", "2026-06-01T11:58:59+99:00"])
def test_malformed_date_is_ignored(created_at: object) -> None:
    """It is no error either."""
    assert not since(created_at)


def test_date_is_compared_with_the_servers_clock() -> None:
    """The same clock made the date of the contact."""
    assert since("2026-06-01T12:30:00Z", timedelta(hours=1))
    assert not since("2026-06-01T11:30:00Z", timedelta(hours=-1))
    assert not since("2026-06-01T11:00:00Z", None)


def test_request_of_unknown_time_is_not_compared() -> None:
    """The mark of an undo has no time."""
    assert not since("2026-06-01T11:00:00Z", sent_at=0)


@pytest.mark.parametrize("year", [1, 9999])
def test_dates_out_of_range_are_ignored(year: int) -> None:
    """Seconds may lead beyond the last representable year."""
    lead = datetime(year, 1, 1, tzinfo=UTC) - datetime(2026, 6, 1, tzinfo=UTC)
    assert since("2026-06-01T11:00:00Z", lead) == (
        "2026-06-01T11:00:00+00:00" if year == 9999 else ""
    )


@pytest.mark.parametrize(
    ("dated", "is_believed"),
    [
        pytest.param(timedelta(), True, id="rightly"),
        pytest.param(timedelta(hours=-5), False, id="in-another-zone"),
        pytest.param(timedelta(days=-300), False, id="always-alike"),
    ],
)
def test_dates_of_an_api_with_a_wrong_clock_are_ignored(
    dated: timedelta, *, is_believed: bool
) -> None:
    """A contact that was created in this run shows that they are wrong."""
    now = datetime.now(UTC)
    dating = Dating()
    dating.observe_created({"createdAt": (now + dated).isoformat()})
    old = {"ref": "own", "createdAt": (now - timedelta(days=400)).isoformat()}
    listing = Listing((old,), None, 1, clock_lead=timedelta())
    assert bool(dating.there_since("own", listing, int(now.timestamp()))) is is_believed

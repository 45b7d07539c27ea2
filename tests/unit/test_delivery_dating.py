"""Whether a contact was there before its request, by the dates that the API gives."""

from datetime import UTC, datetime, timedelta

import pytest

from importer.api import Listing
from importer.delivery.dating import Dating

SENT = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())


def since(created_at: object, lead: timedelta | None = timedelta(), sent_at: int = SENT) -> str:
    """What is told of a contact with that date."""
    items = ({"ref": "other", "createdAt": "1999-01-01"}, {"ref": "own", "createdAt": created_at})
    found = Dating().there_since("own", Listing(items, None, 1, clock_lead=lead), sent_at)
    return found.isoformat() if found else ""


@pytest.mark.parametrize(
    "created_at",
    ["2026-06-01T11:58:59Z", "2026-06-01T13:58:59+02:00", "2026-06-01T11:58:59", "0001-01-01"],
)
def test_a_contact_of_more_than_a_minute_before_was_there(created_at: str) -> None:
    """Whatever zone the API writes dates in; without one it is UTC."""
    assert since(created_at)


@pytest.mark.parametrize("created_at", ["2026-06-01T11:59:01Z", "2026-06-01T12:00:01Z"])
def test_a_contact_of_about_then_may_be_its_own(created_at: str) -> None:
    """The clocks of the API's servers may be a little apart."""
    assert not since(created_at)


@pytest.mark.parametrize("created_at", [None, 5, "", "yesterday", "2026-06-01T11:58:59+99:00"])
def test_what_is_no_date_tells_nothing(created_at: object) -> None:
    """Nor does it break anything."""
    assert not since(created_at)


def test_the_server_s_clock_counts() -> None:
    """It made the date, so it says how long ago that was."""
    assert since("2026-06-01T12:30:00Z", timedelta(hours=1))
    assert not since("2026-06-01T11:30:00Z", timedelta(hours=-1))
    assert not since("2026-06-01T11:00:00Z", None)


def test_a_request_of_which_nobody_knows_the_time_tells_nothing() -> None:
    """An undo's own mark has none."""
    assert not since("2026-06-01T11:00:00Z", sent_at=0)


@pytest.mark.parametrize("year", [1, 9999])
def test_a_clock_at_the_end_of_time_breaks_nothing(year: int) -> None:
    """Seconds have no last year."""
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
def test_an_api_that_dates_wrongly_is_not_believed(dated: timedelta, *, is_believed: bool) -> None:
    """What it said of a contact that was created in this run shows it."""
    now = datetime.now(UTC)
    dating = Dating()
    dating.observe_created({"createdAt": (now + dated).isoformat()})
    old = {"ref": "own", "createdAt": (now - timedelta(days=400)).isoformat()}
    listing = Listing((old,), None, 1, clock_lead=timedelta())
    assert bool(dating.there_since("own", listing, int(now.timestamp()))) is is_believed

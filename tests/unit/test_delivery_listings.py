"""What a run remembers of the orders' contacts."""

import pytest

from importer.delivery import listings
from importer.delivery.listings import Listings


def test_the_orders_read_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as their contacts allow, so that memory stays flat; the last one always."""
    monkeypatch.setattr(listings, "_CONTACTS_KEPT", 10)
    kept = Listings()
    for number in range(100):
        kept.keep(f"order {number}", [{"ref": "a"}, {"ref": "b"}])
    assert [n for n in range(100) if kept.get(f"order {n}") is not None] == [97, 98, 99]
    kept.keep("large", [{"ref": str(n)} for n in range(50)])
    assert [n for n in range(100) if kept.get(f"order {n}") is not None] == []
    assert len(kept.get("large") or ()) == 50
    for _ in range(5):
        kept.keep("small", [])
        kept.forget("small")
    kept.keep("next", [{"ref": "a"}])
    assert (kept.get("large"), kept.get("next")) == (None, [{"ref": "a"}])


def test_what_became_of_a_contact_is_remembered() -> None:
    """It is added, or takes the values that it has now; its order must have been read."""
    kept = Listings()
    kept.add("order", {"ref": "a"})
    assert kept.get("order") is None
    kept.keep("order", [{"ref": "a", "city": "Cork", "title": "Ms"}])
    kept.add("order", {"ref": "a", "city": "Cobh"})
    kept.add("order", {"ref": "b"})
    assert kept.get("order") == [{"ref": "a", "city": "Cobh", "title": "Ms"}, {"ref": "b"}]


def test_what_a_preview_would_create_is_known_by_its_person() -> None:
    """It has no ref yet, and neither have others."""
    kept = Listings()
    kept.keep("order", [])
    for city in ("Cork", "Cobh"):
        kept.add("order", {"ref": "", "firstName": "Ann", "city": city})
    kept.add("order", {"ref": "", "firstName": "Bob"})
    assert [(one["firstName"], one.get("city")) for one in kept.get("order") or ()] == [
        ("Ann", "Cobh"),
        ("Bob", None),
    ]

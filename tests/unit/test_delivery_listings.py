"""The contacts of orders that a run has read."""

import pytest

from importer.delivery import listings
from importer.delivery.listings import Listings


def test_most_recent_orders_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their contacts are limited to bound memory; the last order is always kept."""
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


def test_created_and_updated_contacts_are_added() -> None:
    """With their present values, if their order was read."""
    kept = Listings()
    kept.add("order", {"ref": "a"})
    assert kept.get("order") is None
    kept.keep("order", [{"ref": "a", "city": "Cork", "title": "Ms"}])
    kept.add("order", {"ref": "a", "city": "Cobh"})
    kept.add("order", {"ref": "b"})
    assert kept.get("order") == [{"ref": "a", "city": "Cobh", "title": "Ms"}, {"ref": "b"}]


def test_contact_of_a_preview_is_recognised_by_its_person() -> None:
    """It has no ref yet, like all others of a preview."""
    kept = Listings()
    kept.keep("order", [])
    for city in ("Cork", "Cobh"):
        kept.add("order", {"ref": "", "firstName": "Ann", "city": city})
    kept.add("order", {"ref": "", "firstName": "Bob"})
    assert [(one["firstName"], one.get("city")) for one in kept.get("order") or ()] == [
        ("Ann", "Cobh"),
        ("Bob", None),
    ]

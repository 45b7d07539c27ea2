"""Settling: find out by reading whether an unclear request created its contact.

Source: docs/promise.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from importer.api import Answer, Listing, Verdict
from importer.api.calls import ListContacts
from importer.delivery.matching import Sighting, look_for
from importer.delivery.state import ContactState, RunState
from importer.engine import Procedure, Stopped, read_list, wait
from importer.records import ContactRefs


@dataclass(frozen=True, slots=True)
class Created:
    """The contact is there.

    Attributes:
        since: Since when, if that was before its request left: it may not be this row's.
    """

    refs: ContactRefs
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """The contact is certainly not there."""

    listing: Listing


@dataclass(frozen=True, slots=True)
class Undecided:
    """Reading could not settle it.

    Attributes:
        note: Why.
        candidates: Refs of contacts that may be it.
        answer: The answer that kept it from being read.
        listing: The contacts of the order, if they were read.
    """

    note: str
    candidates: Sequence[str] = ()
    answer: Answer | None = None
    listing: Listing | None = None


Settled: TypeAlias = Created | Absent | Undecided


def settle(state: ContactState, run: RunState, unclear: Answer | None) -> Procedure[Settled]:
    """Read the order's contacts until they show whether the contact was created.

    Args:
        state: The contact.
        run: What it shares with the others.
        unclear: The answer that left it open; None for a request of an earlier run.
    """
    try:
        return (yield from _settle(state, run, unclear))
    except Stopped as stopped:
        if stopped.answer is not None:
            return Undecided("Sent, but reading back failed.", answer=stopped.answer)
        return Undecided("The run stopped before it could be settled.", answer=unclear)


def _settle(state: ContactState, run: RunState, unclear: Answer | None) -> Procedure[Settled]:
    failures = 0
    delays = run.timing.delays(unclear)
    for number, delay in enumerate(delays, start=1):
        yield from wait(delay)
        while (listing := (yield from read_list(ListContacts(state.order_ref)))).failure:
            failures += 1
            if run.retry.reading_fails(listing.failure, failures):
                return Undecided("Sent, but reading back failed.", answer=listing.failure)
            yield from wait(run.retry.delay(listing.failure, failures))
        if (known := _under_known_ref(state, listing)) is not None:
            run.settled += 1
            return Created(known)
        sighting = _sighting(state, run, listing)
        since = _dates(state, run, listing, sighting)
        own = [refs for refs in sighting.equal if since[refs.ref] is None]
        if len(own) == 1:
            run.settled += 1
            return Created(own[0])
        if own:
            return _several(own, listing)
        if number == len(delays):
            return _after_last_reading(run, sighting, since, listing, is_created(unclear))
    raise ValueError("There must be a delay before each reading.")


def _after_last_reading(
    run: RunState,
    sighting: Sighting,
    since: Mapping[str, datetime | None],
    listing: Listing,
    is_certain: bool,  # noqa: FBT001 - a private function with one caller
) -> Settled:
    if len(sighting.equal) > 1:
        return _several(sighting.equal, listing)
    if sighting.equal:
        # Its date says that it was there before it was sent, but the date may be wrong.
        run.settled += 1
        return Created(sighting.equal[0], since[sighting.equal[0].ref])
    if sighting.alike or is_certain:
        alike = [refs.ref for refs in sighting.alike]
        hint = f", but {', '.join(alike)} may be it" if alike else ""
        note = f"None of the order's contacts equals it{hint}."
        return Undecided(note, alike, listing=listing)
    run.settled += 1
    return Absent(listing)


def second_refs(state: ContactState, run: RunState, listing: Listing, own: str) -> list[str]:
    """Return the refs under which the order holds a contact besides its own one."""
    sighting = _sighting(state, run, listing)
    since = _dates(state, run, listing, sighting)
    return [one.ref for one in sighting.equal if since[one.ref] is None and one.ref != own]


def is_created(answer: Answer | None) -> bool:
    """Return whether the API has said that the contact is there, if not under which ref."""
    return answer is not None and answer.verdict is Verdict.APPLIED


def _under_known_ref(state: ContactState, listing: Listing) -> ContactRefs | None:
    """Return the contact that an undo was about to delete when it was killed, if it is there.

    Its ref may be that of other entries, too, so looking for an equal contact would miss it.
    """
    ref = state.entry.ref if state.entry else ""
    items = (item for item in listing.items if ref and item.get("ref") == ref)
    return next(map(ContactRefs.from_json, items), None)


def _sighting(state: ContactState, run: RunState, listing: Listing) -> Sighting:
    owned = run.memory.owned_refs(state.order_ref, state.keys)
    found = run.memory.found_refs(state.order_ref, state.keys) if owned else set()
    return look_for(state.contact, listing.items, owned, found)


def _dates(
    state: ContactState, run: RunState, listing: Listing, sighting: Sighting
) -> dict[str, datetime | None]:
    sent_at = state.entry.sent_at if state.entry else 0
    there_since = run.dating.there_since
    return {refs.ref: there_since(refs.ref, listing, sent_at) for refs in sighting.equal}


def _several(found: Sequence[ContactRefs], listing: Listing) -> Undecided:
    refs = [one.ref for one in found]
    note = f"Several contacts of the order equal it: {', '.join(refs)}."
    return Undecided(note, refs, listing=listing)

"""``--if-exists``: what to do about a contact once its order's contacts are known.

The order's contacts are read once. The same person is the one that shares an identifier, or
without identifiers an e-mail address, or else first name, last name and birth date.
Source: docs/options.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from importer.api import Answer, NextStep, unusable
from importer.api.calls import ListContacts, ReadContact, UpdateContact
from importer.delivery import outcomes
from importer.delivery.listings import Listed
from importer.delivery.matching import has_more, is_same_person
from importer.delivery.state import ContactState, RunState
from importer.engine import Procedure, Stopped, read_list, send, wait
from importer.journal import State
from importer.records import ContactRefs, Outcome, Status
from importer.settings import IfExists
from schemas.canonical import differing_fields


@dataclass(frozen=True, slots=True)
class _Match:
    """The contact of the order that is the same person, and the fields in which it differs."""

    refs: ContactRefs
    fields: tuple[str, ...]


class _Missing:
    """The order does not have it."""


_MISSING: Final = _Missing()
_Decision: TypeAlias = Outcome | _Match | _Missing


def compare(state: ContactState, run: RunState) -> Procedure[Outcome | None]:
    """Return the outcome of a contact, once it is updated if need be; None to create it."""
    try:
        outcome = yield from _compare(state, run)
    except Stopped as stopped:
        return _at_stop(state, stopped)
    if outcome is None:
        # What the journal has is about a contact that is gone.
        state.entry = state.there = None
        if run.is_preview:
            return outcomes.would_create(state)
    return outcome


def look_first(state: ContactState, run: RunState) -> Procedure[Outcome | None]:
    """Look for a contact that a lost journal may have known; return None to create it.

    It is there if a contact of its order equals it in every field that is sent. One that holds
    nothing else is the contact of one row only.
    """
    try:
        listed = yield from _listed(state, run)
    except Stopped as stopped:
        return _at_stop(state, stopped)
    if isinstance(listed, Outcome):
        return listed
    sent = state.contact.fields
    equal = [item for item in listed if not differing_fields(sent, item)]
    owned = run.memory.owned_refs(state.order_ref, state.keys) if equal else set()
    equal = [item for item in equal if item.get("ref") not in owned]
    exact = [item for item in equal if not has_more(sent, item)]
    for item in exact or equal:
        refs = ContactRefs.from_json(item)
        if refs.ref:
            if exact:
                run.listings.remove(state.order_ref, refs.ref)
            return outcomes.exists(state, refs)
    return None


def _compare(state: ContactState, run: RunState) -> Procedure[Outcome | None]:
    while True:
        listed = yield from _listed(state, run)
        if isinstance(listed, Outcome):
            return listed
        decision = _decide(state, run, listed)
        if isinstance(decision, _Missing):
            # A list can lag behind: what the journal says is there is read by its ref.
            found = yield from _read_own(state, run)
            if found is None or isinstance(found, Outcome):
                return found
            decision = _decide(state, run, [found])
        if isinstance(decision, Outcome):
            return decision
        if isinstance(decision, _Match):
            if run.is_preview:
                return outcomes.would_update(state, decision.refs, decision.fields)
            outcome = yield from _update(state, run, decision)
            if outcome is not None:
                return outcome


def _listed(state: ContactState, run: RunState) -> Procedure[Sequence[Listed] | Outcome]:
    """Return the order's contacts, or the outcome if they cannot be read."""
    known = run.listings.get(state.order_ref)
    if known is not None:
        return known
    failures = 0
    while (listing := (yield from read_list(ListContacts(state.order_ref)))).failure:
        answer = listing.failure
        if answer.http_status == 404:  # noqa: PLR2004 - of HTTP
            stop = run.missing_orders.add(state.order_ref, answer)
            # A preview says of every order whether it exists.
            state.stop = None if run.is_preview else stop
            return outcomes.not_done(state, Status.REJECTED, answer)
        failures += 1
        if run.retry.reading_fails(answer, failures):
            return outcomes.not_done(state, _unread(state), answer)
        yield from wait(run.retry.delay(answer, failures))
    run.missing_orders.found_one()
    run.listings.keep(state.order_ref, listing.items)
    return listing.items


def _read_own(state: ContactState, run: RunState) -> Procedure[Listed | Outcome | None]:
    """Return the contact that the journal says was created; None if it is gone."""
    entry = state.entry
    if entry is None or entry.state is not State.CREATED:
        return None
    if not entry.ref:
        note = "The API has said that it is there, under no ref, and its order does not show it."
        return outcomes.not_done(state, Status.UNKNOWN, None, note)
    failures = 0
    while True:
        answer = yield from send(ReadContact(entry.ref))
        if answer.contact is not None and answer.contact.get("ref") == entry.ref:
            run.listings.add(state.order_ref, answer.contact)
            return answer.contact
        if answer.is_gone:
            return None
        if answer.contact is not None:
            answer = unusable("The API answered with another contact than was asked for")
        failures += 1
        if run.retry.reading_fails(answer, failures):
            return outcomes.not_done(state, _unread(state), answer)
        yield from wait(run.retry.delay(answer, failures))


def _decide(state: ContactState, run: RunState, listed: Sequence[Listed]) -> _Decision:
    own_ref = ""
    if state.entry is not None and state.entry.state is State.CREATED:
        own_ref = state.entry.ref
    matches = _matches(state, listed, own_ref)
    if not matches:
        return _MISSING
    match = next((one for one in matches if not one.fields), matches[0])
    is_own = bool(own_ref) and match.refs.ref == own_ref
    if not match.fields and state.there and match.refs.ref == state.there.ref:
        return outcomes.updated(state, match.refs)  # an unclear update was applied
    if run.if_exists is IfExists.ERROR and not is_own:
        return outcomes.refused_existing(state, match.refs)
    if run.if_exists is not IfExists.UPDATE or not match.fields:
        return outcomes.exists(state, match.refs, match.fields)
    if len(matches) > 1:
        return outcomes.ambiguous(state, [one.refs.ref for one in matches])
    return match


def _matches(state: ContactState, listed: Sequence[Listed], own_ref: str) -> list[_Match]:
    sent = state.contact.fields
    found = [
        (ContactRefs.from_json(item), item)
        for item in listed
        # One that a preview would create has a blank ref.
        if isinstance(item.get("ref"), str)
        and ((own_ref and item["ref"] == own_ref) or is_same_person(sent, item))
    ]
    # The journal's word counts for more than any likeness.
    own = [(refs, item) for refs, item in found if own_ref and refs.ref == own_ref]
    return [_Match(refs, differing_fields(sent, item)) for refs, item in own or found]


def _update(state: ContactState, run: RunState, match: _Match) -> Procedure[Outcome | None]:
    """Return the outcome of an update; None if the order's contacts must be read again."""
    state.there = match.refs
    sent = state.contact.fields
    changes = orjson.dumps({name: sent[name] for name in match.fields})
    while state.attempts < run.retry.attempts:
        answer = yield from _patch(state, changes)
        delay = run.retry.delay(answer, state.attempts)
        match answer.rule.next_step:
            case NextStep.DONE:
                run.missing_orders.found_one()
                return outcomes.updated(state, match.refs)
            case NextStep.SETTLE:
                run.listings.forget(state.order_ref)
                yield from wait(delay)
                return None
            case NextStep.REJECT if answer.is_gone and state.attempts < run.retry.attempts:
                run.listings.forget(state.order_ref)
                return None
            case NextStep.REJECT:
                return outcomes.not_done(state, Status.REJECTED, answer)
        if state.attempts < run.retry.attempts:
            yield from wait(delay)
    return outcomes.not_done(state, Status.FAILED, state.answer)


def _patch(state: ContactState, changes: bytes) -> Procedure[Answer]:
    ref = state.there.ref if state.there else ""
    try:
        answer = yield from send(UpdateContact(ref, changes))
    except Stopped as stopped:
        if stopped.answer is not None:
            state.attempts, state.answer = state.attempts + 1, stopped.answer
        raise
    state.attempts, state.answer = state.attempts + 1, answer
    return answer


def _unread(state: ContactState) -> Status:
    """Return the status when reading has failed: an update may have been applied."""
    return Status.FAILED if state.there is None else Status.UNKNOWN


def _at_stop(state: ContactState, stopped: Stopped) -> Outcome:
    answer = stopped.answer
    if answer is not None and answer is not state.answer:  # to a reading
        if state.there is None:
            return outcomes.not_sent(state, stopped.stop, answer)
        return outcomes.not_done(state, Status.UNKNOWN, answer)
    if answer is None and not stopped.may_be_sent and state.attempts:
        note = "The run stopped before it could be settled."
        return outcomes.not_done(state, Status.UNKNOWN, state.answer, note)
    return outcomes.at_stop(state, stopped)

"""The life of a contact: one procedure from its first request to its outcome.

Source: docs/promise.md.
"""

from dataclasses import replace
from typing import Final

from importer.api import Answer, NextStep
from importer.api.calls import CreateContact, ListContacts
from importer.api.rules import CREATED_UNREADABLE
from importer.delivery import outcomes
from importer.delivery.compare import compare, look_first
from importer.delivery.outcomes import concluded, intended
from importer.delivery.settle import (
    Absent,
    Created,
    Undecided,
    is_created,
    second_refs,
    settle,
)
from importer.delivery.state import ContactState, RunState
from importer.engine import Done, Procedure, Record, Stopped, read_list, send, wait
from importer.records import Outcome, Status
from schemas.canonical import differing_fields

_CREATED_EARLIER: Final = Answer(
    rule=CREATED_UNREADABLE, seconds=0.0, http_status=201, error_code="response.invalid"
)
"""The answer that an earlier run got for a contact whose ref it did not learn."""


def deliver(state: ContactState, run: RunState) -> Procedure[Done]:
    """Take a contact to its outcome."""
    try:
        outcome = yield from _deliver(state, run)
    except Stopped as stopped:
        outcome = outcomes.at_stop(state, stopped)
    if outcome.status is Status.EXISTS:
        run.missing_orders.found_one()
    if run.compares:
        run.listings.learn(state.contact, outcome, attempts=state.attempts, preview=run.is_preview)
    return Done(outcome, concluded(state, outcome), state.stop)


def _deliver(state: ContactState, run: RunState) -> Procedure[Outcome]:
    if state.duplicate_of is not None:
        return (yield from _repeat(state, run))
    if state.is_unsettled and not run.is_preview:
        unclear = _CREATED_EARLIER if state.lacks_ref else None
        settled = yield from settle(state, run, unclear)
        if isinstance(settled, Created) or settled.listing is None:
            return _as_settled(state, settled, unclear)
        if isinstance(settled, Undecided) and not run.compares:
            return _as_settled(state, settled, unclear)
        if run.compares or run.listings.get(state.order_ref) is None:
            # Not there for certain, so it is looked for as any other contact is.
            run.missing_orders.found_one()
            run.listings.keep(state.order_ref, settled.listing.items)
    elif (answer := run.missing_orders.answer_for(state.order_ref)) is not None:
        return outcomes.not_done(state, Status.REJECTED, answer)
    if run.compares or run.looks_first:
        outcome = yield from (compare if run.compares else look_first)(state, run)
        if outcome is not None:
            return outcome
    return (yield from _create(state, run))


def _repeat(state: ContactState, run: RunState) -> Procedure[Outcome]:
    """Refer to the same contact earlier in the file, which has its outcome by now."""
    stopped = None
    try:
        yield Record()
    except Stopped as end:
        stopped = end
    entry = run.memory.find([state.key]).get(state.key)
    if stopped is not None and not outcomes.may_refer_to(entry):
        raise stopped
    return outcomes.duplicate(state, entry, is_preview=run.is_preview)


def _create(state: ContactState, run: RunState) -> Procedure[Outcome]:
    while True:
        if intent := intended(state, run.now()):
            yield Record(intent)  # on disk before the request leaves
        answer = yield from _post(state)
        if answer.http_status == 404:  # noqa: PLR2004 - of HTTP
            state.stop = run.missing_orders.add(state.order_ref, answer)
        if answer.refs.ref and run.is_repeated(answer.refs.ref):
            # A ref that another row was given cannot be right; reading back shows the true one.
            answer = replace(answer, rule=CREATED_UNREADABLE)
        match answer.rule.next_step:
            case NextStep.DONE:
                run.missing_orders.found_one()
                return (yield from _created(state, run, answer))
            case NextStep.REJECT:
                return outcomes.not_done(state, Status.REJECTED, answer)
            case NextStep.SETTLE:
                settled = yield from settle(state, run, answer)
                if not isinstance(settled, Absent):
                    return _as_settled(state, settled, answer)
                state.is_resent = True
                # Whatever pause the answer asked for is over: the readings have waited for it.
                answer = replace(answer, retry_after=None)
        if state.attempts >= run.retry.attempts:
            return outcomes.not_done(state, Status.FAILED, answer)
        yield from wait(run.retry.delay(answer, state.attempts))


def _post(state: ContactState) -> Procedure[Answer]:
    try:
        answer = yield from send(CreateContact(state.order_ref, state.contact.body))
    except Stopped as stopped:
        if stopped.answer is not None:
            state.attempts, state.answer = state.attempts + 1, stopped.answer
        raise
    state.attempts, state.answer = state.attempts + 1, answer
    return answer


def _created(state: ContactState, run: RunState, answer: Answer) -> Procedure[Outcome]:
    outcome = outcomes.created(state, answer.refs)
    sent, stored = state.contact.fields, answer.contact or {}
    run.dating.observe_created(stored)
    # The careful comparison is slow, and nearly every answer repeats what was sent.
    if not sent.items() <= stored.items():
        repeated = {field: value for field, value in sent.items() if field in stored}
        if fields := differing_fields(repeated, stored):
            outcome = outcomes.stored_differently(outcome, fields)
    if not state.is_resent:
        return outcome
    # The API may carry out the request that was given up after all.
    try:
        yield from wait(run.timing.audit)
        listing = yield from read_list(ListContacts(state.order_ref))
    except Stopped:
        return outcome
    others = [] if listing.failure else second_refs(state, run, listing, outcome.ref)
    return outcomes.duplicated(outcome, others) if others else outcome


def _as_settled(
    state: ContactState, settled: Created | Undecided, unclear: Answer | None
) -> Outcome:
    match settled:
        case Created(refs, since):
            outcome = outcomes.created(state, refs)
            return outcomes.there_before(outcome, since) if since else outcome
        case Undecided(note, candidates, answer):
            if is_created(unclear):
                return outcomes.created_without_ref(state, candidates)
            return outcomes.not_done(state, Status.UNKNOWN, answer or unclear, note)

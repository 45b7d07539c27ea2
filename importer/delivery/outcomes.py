"""The outcome of a contact, as it appears in the results, and what the journal keeps of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from importer.api import Answer, Verdict
from importer.delivery.orders import Refusal
from importer.delivery.state import ContactState
from importer.engine import Done, Stop, Stopped
from importer.journal import Entry, State
from importer.records import CONTACT_DUPLICATED, CONTACT_OLDER, ContactRefs, Outcome, Status

_REF_UNKNOWN: Final = (
    "An earlier run created it, and the API did not give its ref; the next run that sends "
    "looks for it among the order's contacts."
)


def _outcome(
    state: ContactState,
    status: Status,
    refs: ContactRefs | None = None,
    code: str = "",
    error: str = "",
) -> Outcome:
    """Return the outcome of a contact without regard to any request."""
    refs = refs or ContactRefs()
    return Outcome(
        row=state.contact.row,
        status=status,
        order_ref=state.order_ref,
        ref=refs.ref,
        href=refs.href,
        guest_ref=refs.guest_ref,
        retryable=None if status.is_done else status is not Status.REJECTED,
        error_code=code,
        error=error,
    )


def _answered(state: ContactState, outcome: Outcome) -> Outcome:
    """Add the attempts of this run and the status of the last answer."""
    http_status = state.answer.http_status if state.answer else None
    return replace(outcome, attempts=state.attempts, http_status=http_status)


def created(state: ContactState, refs: ContactRefs) -> Outcome:
    """The contact is there, according to the API or by reading back."""
    return _answered(state, _outcome(state, Status.CREATED, refs))


def stored_differently(outcome: Outcome, fields: Sequence[str]) -> Outcome:
    """It is there, but not with the values that were sent."""
    text = f"The API stored other values than were sent: {', '.join(fields)}."
    return replace(outcome, error_code="response.differs", error=text)


def there_before(outcome: Outcome, since: datetime) -> Outcome:
    """Reading back found it, created before its request left: it may not be this row's."""
    text = (
        f"The order has had this contact since {since.isoformat(timespec='seconds')}, before "
        "the row was sent, so it may not be this row's. Nothing more was sent, and undo-import "
        "leaves it alone."
    )
    return replace(outcome, error_code=CONTACT_OLDER, error=text)


def duplicated(outcome: Outcome, refs: Sequence[str]) -> Outcome:
    """It is there more than once: the API carried out a request that had been given up."""
    text = (
        "The API carried out an earlier request after all, long after its connection broke. "
        f"The order has the contact again as {', '.join(refs)}: delete the surplus."
    )
    return replace(outcome, error_code=CONTACT_DUPLICATED, error=text)


def created_without_ref(state: ContactState, candidates: Sequence[str]) -> Outcome:
    """The API has said that it is there, but not under which ref."""
    seen = f" (it is one of {', '.join(candidates)})" if candidates else ""
    text = f"The contact was created, but the API did not give its ref{seen}."
    outcome = _outcome(state, Status.CREATED, code="response.invalid", error=text)
    return _answered(state, outcome)


def exists(state: ContactState, refs: ContactRefs, fields: Sequence[str] = ()) -> Outcome:
    """The order has it already; ``fields`` are those in which it differs."""
    code = "contact.differs" if fields else ""
    text = f"It differs in {', '.join(fields)}." if fields else ""
    return _outcome(state, Status.EXISTS, refs, code, text)


def updated(state: ContactState, refs: ContactRefs) -> Outcome:
    """It was there and differed; now it does not."""
    return _answered(state, _outcome(state, Status.UPDATED, refs))


def refused_existing(state: ContactState, refs: ContactRefs) -> Outcome:
    """The order has it already, which ``--if-exists error`` treats as a mistake."""
    text = "The order has this person's contact already."
    return _outcome(state, Status.REJECTED, refs, "contact.exists", text)


def ambiguous(state: ContactState, refs: Sequence[str]) -> Outcome:
    """Several contacts of the order are the same person, so it is open which to change."""
    text = f"Several contacts of the order are this person: {', '.join(refs)}."
    return _outcome(state, Status.REJECTED, code="contact.ambiguous", error=text)


def would_create(state: ContactState) -> Outcome:
    """Nothing was sent; without ``--dry-run`` it would be created."""
    return _outcome(state, Status.VALID)


def would_update(state: ContactState, refs: ContactRefs, fields: Sequence[str]) -> Outcome:
    """Nothing was sent; without ``--dry-run`` these fields of the contact would be changed."""
    text = f"It is there and would be updated in {', '.join(fields)}."
    return _outcome(state, Status.VALID, refs, "contact.differs", text)


def known(state: ContactState, entry: Entry) -> Outcome:
    """The journal has it, so no request is needed."""
    if state.duplicate_of is not None:
        return duplicate(state, entry)
    return exists_by_journal(state.contact.row, entry)


def exists_by_journal(row: int, entry: Entry) -> Outcome:
    """An earlier run created or found it, according to the journal."""
    return Outcome(
        row=row,
        status=Status.EXISTS,
        order_ref=entry.order_ref,
        ref=entry.ref,
        href=entry.href,
        guest_ref=entry.guest_ref,
        error_code="" if entry.ref else "response.invalid",
        error="" if entry.ref else _REF_UNKNOWN,
    )


def duplicate(state: ContactState, entry: Entry | None, *, is_preview: bool = False) -> Outcome:
    """The same contact of the same order is earlier in the file."""
    is_there = entry is not None and entry.is_there
    is_unclear = entry is not None and entry.is_unclear
    fate = "may have been created" if is_unclear else "was not created"
    # A preview knows nothing more about its first than that it would be sent.
    is_silent = is_there or is_preview
    return Outcome(
        row=state.contact.row,
        status=Status.DUPLICATE,
        order_ref=entry.order_ref if entry else state.order_ref,
        ref=entry.ref if entry else "",
        href=entry.href if entry else "",
        guest_ref=entry.guest_ref if entry else "",
        error_code="" if is_silent else "duplicate.not_created",
        error="" if is_silent else f"The same contact as row {state.duplicate_of}, which {fate}.",
    )


def may_refer_to(first: Entry | None) -> bool:
    """Return whether the first of a duplicate is, or may be, there although the run has ended.

    Otherwise both have not been sent.
    """
    return first is not None and first.state is not State.ABSENT


def not_done(state: ContactState, status: Status, answer: Answer | None, note: str = "") -> Outcome:
    """The contact is not there, or that is not known.

    Args:
        state: The contact.
        status: ``rejected``, ``failed`` or ``unknown``.
        answer: The answer that says why.
        note: Text to put before the answer's own message.
    """
    message = answer.message if answer else ""
    code = answer.error_code if answer else "unknown"
    outcome = _outcome(state, status, code=code, error=f"{note} {message}".strip())
    http_status = answer.http_status if answer else None
    return replace(outcome, attempts=state.attempts, http_status=http_status)


def refused(state: ContactState, refusal: Refusal) -> Outcome:
    """Its order cannot be determined from its number."""
    status = Status.REJECTED if refusal.is_final else Status.FAILED
    outcome = _outcome(state, status, code=refusal.code, error=refusal.message)
    return replace(outcome, http_status=refusal.http_status)


def not_sent(state: ContactState, stop: Stop, answer: Answer | None = None) -> Outcome:
    """The run stopped before this row, perhaps because of the answer to it."""
    outcome = row_not_sent(state.contact.row, state.order_ref, stop)
    http_status = answer.http_status if answer else None
    return replace(outcome, attempts=state.attempts, http_status=http_status)


def row_not_sent(row: int, order_ref: str, stop: Stop) -> Outcome:
    """The run stopped before this row."""
    return Outcome(
        row=row,
        status=Status.NOT_SENT,
        order_ref=order_ref,
        retryable=True,
        error_code=f"stopped.{stop.why}",
        error=stop.message,
    )


def at_stop(state: ContactState, stopped: Stopped) -> Outcome:
    """The run stopped while it was on its way, and nothing unclear was being settled."""
    answer = stopped.answer
    if stopped.may_be_sent:
        return not_done(state, Status.UNKNOWN, state.answer)
    if answer is None:
        if state.attempts == 0:
            return not_sent(state, stopped.stop)
        return not_done(state, Status.FAILED, state.answer)
    if answer.verdict is Verdict.UNKNOWN:
        return not_done(state, Status.UNKNOWN, answer)
    if answer.rule.stop in {"credentials", "tls"}:
        return not_sent(state, stopped.stop, answer)
    is_refusal = answer.rule.stop == "media_type"
    return not_done(state, Status.REJECTED if is_refusal else Status.FAILED, answer)


def abandoned(state: ContactState, stop: Stop, first: Entry | None) -> Done:
    """Return the end of a contact that was admitted and had no turn; it is as it was.

    Args:
        state: The contact.
        stop: Why the run ends.
        first: What the journal has by now on the same contact earlier in the file.
    """
    if state.duplicate_of is not None and may_refer_to(first):
        return Done(duplicate(state, first))
    if not state.is_unsettled:
        return Done(not_sent(state, stop))
    if state.lacks_ref:
        outcome = created_without_ref(state, ())
    else:
        outcome = not_done(state, Status.UNKNOWN, None, "The run stopped before it was settled.")
    return Done(outcome, concluded(state, outcome))


def intended(state: ContactState, now: float) -> Sequence[Entry]:
    """Return what must be on disk before a contact is sent; nothing if it is there already."""
    entry = state.entry
    if entry is not None and entry.state is State.INTENT:
        return ()
    # If it is unclear, an earlier request may have created it.
    is_unclear = entry is not None and entry.state is State.UNKNOWN
    sent_at = entry.sent_at if entry and is_unclear else int(now)
    # Under its alias, too, or a run whose look-up fails would say that it is not there.
    entries = [Entry(key, state.order_ref, State.INTENT, sent_at=sent_at) for key in state.keys]
    state.entry = entries[0]
    return entries


def concluded(state: ContactState, outcome: Outcome) -> list[Entry]:
    """Return what the journal keeps of an outcome, nothing if it need not learn of it."""
    entry, keys = state.entry, state.keys
    if state.duplicate_of is not None:
        return []  # its entry is that of its first
    match outcome.status:
        case Status.DUPLICATE | Status.VALID:
            return []
        case Status.CREATED:
            is_older = outcome.error_code == CONTACT_OLDER
            kept = State.FOUND if is_older else State.CREATED
        case Status.EXISTS | Status.UPDATED:
            is_known = entry is not None and entry.is_there and entry.ref == outcome.ref
            kept = entry.state if entry and is_known else State.FOUND
            # Under its alias, the next run knows it without looking its order up again.
            keys = keys[1:] if is_known else keys
        case _ if state.there is not None:
            # That a change failed says nothing against its being there.
            return concluded(state, exists(state, state.there))
        case _ if entry is not None and entry.is_there:
            # What the API has said of it outweighs a reading that could not show it.
            return []
        case Status.UNKNOWN:
            kept = State.UNKNOWN
        case _ if entry is None or not outcome.order_ref:
            return []  # nothing was ever sent, or its order was not looked up this time
        case _:
            kept = State.ABSENT
    order_ref, href, guest_ref = outcome.order_ref, outcome.href, outcome.guest_ref
    sent_at = entry.sent_at if entry else 0
    return [Entry(key, order_ref, kept, outcome.ref, href, guest_ref, sent_at) for key in keys]

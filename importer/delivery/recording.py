"""What the journal is told of a contact on its way, and when."""

import time
from collections.abc import Sequence

from importer.delivery.outcomes import there
from importer.delivery.policy import Action
from importer.delivery.tasks import Task
from importer.journal import Entry, State
from importer.records import CONTACT_OLDER, Outcome, Status


def intended(task: Task) -> Sequence[Entry]:
    """What must be on record before the request of a task leaves, nothing when it is already."""
    entry = task.entry
    if task.action is not Action.SEND or (entry is not None and entry.state is State.INTENT):
        return ()
    # What is unclear may have come of the earlier request.
    is_unclear = entry is not None and entry.state is State.UNKNOWN
    sent_at = entry.sent_at if entry and is_unclear else int(time.time())
    # Under its alias, too, or a run whose look-up fails would say that it is not there.
    entries = [Entry(key, task.order_ref, State.INTENT, sent_at=sent_at) for key in task.keys]
    task.entry = entries[0]
    return entries


def concluded(task: Task, outcome: Outcome) -> list[Entry]:
    """What the journal is told, nothing when it need not learn of it."""
    entry, keys = task.entry, task.keys
    if task.duplicate_of is not None:
        return []  # it has no say in what the journal holds of its first
    match outcome.status:
        case Status.DUPLICATE | Status.VALID:
            return []
        case Status.CREATED:
            is_older = outcome.error_code == CONTACT_OLDER
            state = State.FOUND if is_older else State.CREATED
        case Status.EXISTS | Status.UPDATED:
            is_known = entry is not None and entry.is_there and entry.ref == outcome.ref
            state = entry.state if entry and is_known else State.FOUND
            # Under its alias, the next run knows it without looking its order up again.
            keys = keys[1:] if is_known else keys
        case _ if task.there is not None:
            # A change that failed is no doubt about whether it is there.
            return concluded(task, there(task, task.there, ()))
        case _ if entry is not None and entry.is_there:
            # What the API has said of it outweighs a reading that could not show it.
            return []
        case Status.UNKNOWN:
            state = State.UNKNOWN
        case _ if entry is None or not outcome.order_ref:
            return []  # nothing was ever sent, or its order was not looked up this time
        case _:
            state = State.ABSENT
    order_ref, href, guest_ref = outcome.order_ref, outcome.href, outcome.guest_ref
    sent_at = entry.sent_at if entry else 0
    return [Entry(key, order_ref, state, outcome.ref, href, guest_ref, sent_at) for key in keys]

"""From the last answer to the outcome that stands in the results."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from importer.api import Answer
from importer.delivery.orders import Refusal
from importer.delivery.policy import Stop
from importer.delivery.settling import Found
from importer.delivery.tasks import Task
from importer.journal import Entry, State
from importer.records import CONTACT_DUPLICATED, CONTACT_OLDER, Outcome, Status

_REF_UNKNOWN: Final = (
    "An earlier run has created it, and the API did not say its ref; the next run that sends "
    "looks for it among the order's contacts."
)


def created(task: Task, ref: str, href: str, guest_ref: str) -> Outcome:
    """The contact is there, by the API's word or by reading back."""
    return Outcome(
        row=task.contact.row,
        status=Status.CREATED,
        order_ref=task.order_ref,
        ref=ref,
        href=href,
        guest_ref=guest_ref,
        attempts=task.attempts,
        http_status=task.answer.http_status if task.answer else None,
    )


def stored_differently(outcome: Outcome, fields: Sequence[str]) -> Outcome:
    """It is there, but not with the values that were sent."""
    text = f"The API stored other values than were sent: {', '.join(fields)}."
    return replace(outcome, error_code="response.differs", error=text)


def there_before(outcome: Outcome, since: datetime) -> Outcome:
    """Reading back has found it, made before its request left; so it may be somebody else's."""
    text = (
        f"The order has held this contact since {since.isoformat(timespec='seconds')}, before "
        "the row was sent, so it may be somebody else's. Nothing more was sent, and undo-import "
        "leaves it alone."
    )
    return replace(outcome, error_code=CONTACT_OLDER, error=text)


def duplicated(outcome: Outcome, refs: Sequence[str]) -> Outcome:
    """It is there more than once: the API carried out a request that had been given up."""
    text = (
        "The API carried out an earlier request after all, long after its connection broke. "
        f"The order holds the contact again as {', '.join(refs)}: delete what is too much."
    )
    return replace(outcome, error_code=CONTACT_DUPLICATED, error=text)


def created_without_ref(task: Task, found: Sequence[str]) -> Outcome:
    """The API has said that it is there, but not under which ref."""
    seen = f" (it is one of {', '.join(found)})" if found else ""
    return Outcome(
        row=task.contact.row,
        status=Status.CREATED,
        order_ref=task.order_ref,
        attempts=task.attempts,
        http_status=task.answer.http_status if task.answer else None,
        error_code="response.invalid",
        error=f"The contact was created, but the API did not say its ref{seen}.",
    )


def there(task: Task, found: Found, fields: Sequence[str]) -> Outcome:
    """The order has it already; ``fields`` are those in which it differs."""
    return Outcome(
        row=task.contact.row,
        status=Status.EXISTS,
        order_ref=task.order_ref,
        ref=found.ref,
        href=found.href,
        guest_ref=found.guest_ref,
        error_code="contact.differs" if fields else "",
        error=f"It differs in {', '.join(fields)}." if fields else "",
    )


def updated(task: Task, found: Found | None) -> Outcome:
    """It was there and differed; now it does not."""
    return Outcome(
        row=task.contact.row,
        status=Status.UPDATED,
        order_ref=task.order_ref,
        ref=found.ref if found else "",
        href=found.href if found else "",
        guest_ref=found.guest_ref if found else "",
        attempts=task.attempts,
        http_status=task.answer.http_status if task.answer else None,
    )


def refused_existing(task: Task, found: Found) -> Outcome:
    """The order has it already, which ``--if-exists error`` takes for a mistake."""
    return Outcome(
        row=task.contact.row,
        status=Status.REJECTED,
        order_ref=task.order_ref,
        ref=found.ref,
        href=found.href,
        guest_ref=found.guest_ref,
        retryable=False,
        error_code="contact.exists",
        error="The order has this person's contact already.",
    )


def ambiguous(task: Task, refs: Sequence[str]) -> Outcome:
    """Several contacts of the order are the same person: nobody can tell which to change."""
    return Outcome(
        row=task.contact.row,
        status=Status.REJECTED,
        order_ref=task.order_ref,
        retryable=False,
        error_code="contact.ambiguous",
        error=f"Several contacts of the order are this person: {', '.join(refs)}.",
    )


def would_create(task: Task) -> Outcome:
    """Nothing was sent; without ``--dry-run`` it would be."""
    return Outcome(row=task.contact.row, status=Status.VALID, order_ref=task.order_ref)


def would_update(task: Task, found: Found, fields: Sequence[str]) -> Outcome:
    """Nothing was sent; without ``--dry-run`` these fields of the contact would be changed."""
    return Outcome(
        row=task.contact.row,
        status=Status.VALID,
        order_ref=task.order_ref,
        ref=found.ref,
        href=found.href,
        guest_ref=found.guest_ref,
        error_code="contact.differs",
        error=f"It is there and would be updated in {', '.join(fields)}.",
    )


def exists(row: int, entry: Entry) -> Outcome:
    """An earlier run has created it, says the journal."""
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


def known(task: Task, entry: Entry) -> Outcome:
    """The journal holds it, so nobody needs to be asked."""
    row, first = task.contact.row, task.duplicate_of
    return exists(row, entry) if first is None else duplicate(row, entry.order_ref, first, entry)


def duplicate(row: int, order_ref: str, first: int, entry: Entry | None) -> Outcome:
    """The same contact of the same order stands earlier in the file."""
    is_there = entry is not None and entry.is_there
    is_unknown = entry is not None and entry.state in {State.INTENT, State.UNKNOWN}
    fate = "may have been created" if is_unknown else "was not created"
    return Outcome(
        row=row,
        status=Status.DUPLICATE,
        order_ref=order_ref,
        ref=entry.ref if entry else "",
        href=entry.href if entry else "",
        guest_ref=entry.guest_ref if entry else "",
        error_code="" if is_there else "duplicate.not_created",
        error="" if is_there else f"The same contact as row {first}, which {fate}.",
    )


def undone(task: Task, status: Status, answer: Answer | None, note: str = "") -> Outcome:
    """The contact is not there, or nobody knows.

    Args:
        task: The task that ends.
        status: ``rejected``, ``failed`` or ``unknown``.
        answer: The answer that tells why.
        note: Text to put before the answer's own message.
    """
    message = answer.message if answer else ""
    return Outcome(
        row=task.contact.row,
        status=status,
        order_ref=task.order_ref,
        attempts=task.attempts,
        http_status=answer.http_status if answer else None,
        retryable=status is not Status.REJECTED,
        error_code=answer.error_code if answer else "unknown",
        error=f"{note} {message}".strip(),
    )


def rejected_order(task: Task, answer: Answer) -> Outcome:
    """The API has said of an earlier row that there is no such order."""
    return undone(task, Status.REJECTED, answer)


def refused(task: Task, refusal: Refusal) -> Outcome:
    """Its order cannot be told from its number."""
    return Outcome(
        row=task.contact.row,
        status=Status.REJECTED if refusal.is_final else Status.FAILED,
        http_status=refusal.http_status,
        retryable=not refusal.is_final,
        error_code=refusal.code,
        error=refusal.message,
    )


def not_sent(
    row: int, order_ref: str, stop: Stop, answer: Answer | None = None, attempts: int = 0
) -> Outcome:
    """The run stopped before this row."""
    return Outcome(
        row=row,
        status=Status.NOT_SENT,
        order_ref=order_ref,
        attempts=attempts,
        http_status=answer.http_status if answer else None,
        retryable=True,
        error_code=f"stopped.{stop.why}",
        error=stop.message,
    )

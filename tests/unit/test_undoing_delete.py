"""The deletion of one contact: what is read, deleted, read again and left alone."""

from dataclasses import replace
from random import Random

import pytest
from procedures import ADA, ORDER, REF, Driven, answer, drive, success, unreadable

from importer.api import Answer, NextStep
from importer.api import rules as answer_rules
from importer.api.calls import DeleteContact, ReadContact
from importer.engine import Retry, Stop, Stopped
from importer.journal import Entry, State
from importer.records import CONTACT_OLDER, Status
from importer.undoing.candidates import Candidate
from importer.undoing.delete import CandidateState, UndoState, delete

CREATED = "2026-01-01T00:00:00.000Z"
CANDIDATE = Candidate(1, ORDER, REF, "", "")
GONE = answer(404)
DELETED = Answer(rule=answer_rules.APPLIED, seconds=0.1, http_status=204)
NOT_204 = replace(unreadable(200), rule=answer_rules.NOT_THE_API)


def there(modified_at: object = CREATED, created_at: object = CREATED) -> Answer:
    """Return the answer to a reading that shows the contact."""
    return success({**ADA, "createdAt": created_at, "modifiedAt": modified_at}, status=200)


def deleted(
    *replies: object,
    candidate: Candidate = CANDIDATE,
    force: bool = False,
    dry_run: bool = False,
    kept: State = State.CREATED,
) -> Driven:
    """Delete one contact that the journal knows."""
    entries = (Entry(b"key", ORDER, kept, REF),)
    run = UndoState(Retry(5, Random(1)), force, dry_run)  # noqa: S311 - jitter
    return drive(delete(CandidateState(candidate, entries, entries), run), *replies)  # type: ignore[arg-type]


def test_contact_is_read_and_then_deleted() -> None:
    """The intent is on disk before the request is sent."""
    driven = deleted(there(), DELETED)
    assert driven.calls == [ReadContact(REF), DeleteContact(REF)]
    assert driven.recorded == ["->", "intent", "->", "absent"]
    assert (driven.outcome.status, driven.outcome.attempts) == (Status.DELETED, 1)


@pytest.mark.parametrize("status", [404, 410])
def test_missing_contact_is_absent(status: int) -> None:
    """The API itself says so, before or after the deletion was sent."""
    assert deleted(answer(status)).outcome.status is Status.ABSENT
    assert deleted(there(), answer(status)).outcome.status is Status.ABSENT


@pytest.mark.parametrize(
    "unclear",
    [answer(500), answer(503, api=False), answer(code="network.timeout"), NOT_204],
    ids=["500", "gateway", "time-out", "200"],
)
class TestUnclearDeletion:
    """An answer that leaves open whether the contact was deleted."""

    def test_contact_that_is_gone_was_deleted(self, unclear: Answer) -> None:
        """The next reading shows it."""
        driven = deleted(there(), unclear, GONE)
        assert (driven.outcome.status, driven.outcome.attempts) == (Status.DELETED, 1)

    def test_contact_that_is_there_is_deleted_again(self, unclear: Answer) -> None:
        """After a pause."""
        driven = deleted(there(), unclear, there(), DELETED)
        assert (driven.outcome.status, driven.outcome.attempts) == (Status.DELETED, 2)
        assert driven.waited[0] > 0.0

    def test_contact_that_remains_has_failed(self, unclear: Answer) -> None:
        """The journal records again that it exists."""
        driven = deleted(*[there(), unclear] * 5, there())
        assert driven.outcome.status is Status.FAILED
        assert driven.recorded[-1] == "created"

    def test_stop_leaves_it_open(self, unclear: Answer) -> None:
        """The message states it."""
        driven = deleted(there(), unclear, None)
        assert driven.outcome.status is Status.FAILED
        assert driven.outcome.error.startswith("It may be deleted all the same.")
        assert driven.recorded[-1] == "->"


@pytest.mark.parametrize("busy", [answer(429), answer(503), answer(code="network.connect")])
def test_temporary_refusal_is_sent_again(busy: Answer) -> None:
    """Nothing was deleted, so nothing needs to be read."""
    driven = deleted(there(), busy, DELETED)
    assert driven.calls == [ReadContact(REF), DeleteContact(REF), DeleteContact(REF)]
    assert deleted(there(), *[busy] * 5).outcome.status is Status.FAILED


@pytest.mark.parametrize(
    "status",
    [
        status
        for status in range(400, 500)
        if answer(status).rule.next_step is NextStep.REJECT and status not in {404, 410}
    ],
)
def test_refusal_is_final(status: int) -> None:
    """Whether a reading or a deletion is refused."""
    for driven in (deleted(answer(status)), deleted(there(), answer(status))):
        assert (driven.outcome.status, driven.outcome.retryable) == (Status.FAILED, False)


def test_404_of_a_gateway_does_not_count_as_absent() -> None:
    """The request is tried again."""
    page = answer(404, api=False)
    assert deleted(page, there(), page, DELETED).outcome.status is Status.DELETED
    driven = deleted(*[page] * 5)
    assert (driven.outcome.status, driven.outcome.retryable) == (Status.FAILED, True)


@pytest.mark.parametrize("failure", [answer(500), answer(429), unreadable(200)])
def test_failed_reading_never_leads_to_deleting(failure: Answer) -> None:
    """A contact that cannot be read may not be what was created."""
    driven = deleted(*[failure] * 5)
    assert driven.outcome.status is Status.FAILED
    assert set(driven.calls) == {ReadContact(REF)}


@pytest.mark.parametrize("stage", [(), (there(),)], ids=["reading", "deleting"])
def test_answer_that_stops_the_run(stage: tuple[Answer, ...]) -> None:
    """The row has failed and can be tried again."""
    driven = deleted(*stage, Stopped(Stop("credentials", "Refused."), answer(401)))
    assert (driven.outcome.status, driven.outcome.retryable) == (Status.FAILED, True)
    assert (driven.outcome.error_code, driven.outcome.http_status) == ("stopped.credentials", 401)


@pytest.mark.parametrize(
    "modified_at",
    [
        pytest.param(CREATED, id="equal"),
        pytest.param("2026-01-01T00:00:01Z", id="a second later"),
        pytest.param("2025-12-31T23:59:59Z", id="before"),
        pytest.param("2026-01-01T01:00:00.500+01:00", id="another zone"),
        pytest.param("2026-01-01T00:00:00", id="no zone"),
        pytest.param("2026-01-01T00:00:00.123456789Z", id="nanoseconds"),
    ],
)
def test_unchanged_contact_is_deleted(modified_at: str) -> None:
    """The API sets both instants when it creates a contact, a moment apart."""
    assert deleted(there(modified_at), DELETED).outcome.status is Status.DELETED


def test_changed_contact_is_kept() -> None:
    """Unless it is forced; the message has the time of the change."""
    changed = there("2026-01-01T00:00:01.001Z")
    driven = deleted(changed)
    assert (driven.outcome.status, driven.outcome.error_code) == (Status.FAILED, "contact.changed")
    assert "2026-01-01T00:00:01.001+00:00" in driven.outcome.error
    assert deleted(changed, DELETED, force=True).outcome.status is Status.DELETED


@pytest.mark.parametrize("value", [None, "", "soon", 1767225600, ["2026"]])
def test_contact_without_usable_dates_is_kept(value: object) -> None:
    """Whether it was changed cannot be known."""
    for reading in (there(modified_at=value), there(created_at=value)):
        assert deleted(reading).outcome.error_code == "response.invalid"


def test_contact_older_than_the_import_is_kept() -> None:
    """It may belong to another client."""
    older = replace(CANDIDATE, error_code=CONTACT_OLDER)
    assert deleted(there(), candidate=older).outcome.error_code == CONTACT_OLDER


def test_answer_with_another_contact_is_not_trusted() -> None:
    """Nothing is deleted."""
    other = success(ref="f7aabbca-1c1b-4fc2-be72-3e16294a4f03", status=200)
    driven = deleted(other, force=True)
    assert driven.outcome.error_code == "response.invalid"
    assert driven.calls == [ReadContact(REF)]


def test_dry_run_only_reads() -> None:
    """And records nothing."""
    driven = deleted(there(), dry_run=True)
    assert (driven.outcome.status, driven.calls) == (Status.VALID, [ReadContact(REF)])
    assert driven.recorded == ["->"]


@pytest.mark.parametrize(("kept", "after"), [(State.FOUND, "found"), (State.INTENT, "created")])
def test_journal_keeps_contacts_that_still_exist(kept: State, after: str) -> None:
    """A killed undo left them marked as being deleted."""
    driven = deleted(there(), answer(400), kept=kept)
    assert driven.recorded[-1] == after

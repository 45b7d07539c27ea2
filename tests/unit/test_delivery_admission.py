"""Which contacts get a job, in which lane and in which order, and which need none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson
import pytest
from procedures import (
    ADA,
    ORDER,
    OTHER_REF,
    REF,
    STOP,
    answer,
    contact_state,
    drive,
    failed_listing,
    listing,
    run_state,
)

from importer.delivery.admission import Admission
from importer.delivery.outcomes import abandoned
from importer.engine import Done, Job, Priority
from importer.journal import Entry, State
from importer.records import Contact, Outcome, Planned, Status
from importer.settings import IfExists
from schemas.canonical import canonical

if TYPE_CHECKING:
    from importer.delivery.state import RunState

OTHER_ORDER = "00000000-0000-4000-8000-000000000002"
FOUND = listing({"ref": ORDER, "referenceId": "4711"})
GRACE = {"firstName": "Grace"}


@dataclass
class Runner:
    """An engine that runs nothing."""

    jobs: list[Job] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    commits: int = 0

    def submit(self, job: Job) -> None:
        """Note a job."""
        self.jobs.append(job)

    def conclude(self, done: Done) -> None:
        """Note an outcome."""
        assert done.outcome is not None
        self.outcomes.append(done.outcome)

    def commit(self) -> None:
        """Count."""
        self.commits += 1

    @property
    def lanes(self) -> list[tuple[str, int]]:
        """Lane and row of each job."""
        return [(job.lane, job.row) for job in self.jobs]


class Desk:
    """Admits rows one by one."""

    def __init__(self, mode: IfExists = IfExists.CREATE) -> None:
        self.runner = Runner()
        self.run: RunState = run_state(mode)
        self.admission = Admission(self.runner, self.run)
        self.row = 0

    def key(self, order: str, fields: Mapping[str, object] = ADA) -> bytes:
        """Return the journal's key of a contact."""
        return self.run.memory.key(order, canonical(order, fields))

    def admit(
        self,
        order_ref: str = ORDER,
        number: str = "",
        entry: Entry | None = None,
        fields: Mapping[str, object] = ADA,
        duplicate_of: int | None = None,
    ) -> None:
        """Admit the next row."""
        self.row += 1
        contact = Contact(self.row, order_ref, orjson.dumps(fields), number)
        key = self.key(order_ref or f"number {number}", fields)
        self.admission.admit(Planned(contact, key, duplicate_of), entry)

    def admit_number(self, number: str = "4711", **more: object) -> None:
        """Admit a row that names its order by its number."""
        self.admit("", number, **more)  # type: ignore[arg-type]

    def learn(self, reply: object = FOUND, number: str = "4711") -> None:
        """Have a look-up end."""
        (job,) = (one for one in self.runner.jobs if one.lane == f"number {number}")
        drive(job.procedure, *([reply] if reply is not None else []))  # type: ignore[arg-type]


def entry(state: State, ref: str = REF, order_ref: str = ORDER) -> Entry:
    """Return a journal entry."""
    return Entry(b"key", order_ref, state, ref)


@pytest.mark.parametrize(
    ("known", "priority"),
    [
        pytest.param(None, Priority.FRESH, id="new"),
        pytest.param(entry(State.ABSENT), Priority.FRESH, id="absent"),
        pytest.param(entry(State.INTENT, ""), Priority.UNSETTLED, id="intent"),
        pytest.param(entry(State.UNKNOWN, ""), Priority.UNSETTLED, id="unknown"),
        pytest.param(entry(State.CREATED, ""), Priority.UNSETTLED, id="created without ref"),
    ],
)
def test_contact_that_needs_a_request_gets_a_job(known: Entry | None, priority: Priority) -> None:
    """In the lane of its order; what an earlier run left open goes first."""
    desk = Desk()
    desk.admit(entry=known)
    (job,) = desk.runner.jobs
    assert (job.lane, job.row, job.priority) == (ORDER, 1, priority)
    assert desk.runner.outcomes == []


@pytest.mark.parametrize("known", [entry(State.CREATED), entry(State.FOUND)])
def test_contact_that_the_journal_has_needs_none(known: Entry) -> None:
    """Unless the order's contacts are compared."""
    desk = Desk()
    desk.admit(entry=known)
    (outcome,) = desk.runner.outcomes
    assert (outcome.status, outcome.ref, desk.runner.jobs) == (Status.EXISTS, REF, [])
    comparing = Desk(IfExists.SKIP)
    comparing.admit(entry=known)
    assert comparing.runner.lanes == [(ORDER, 1)]


def test_duplicate_waits_behind_its_first() -> None:
    """In the same lane, so that its first has an outcome by then."""
    desk = Desk()
    desk.admit()
    desk.admit(duplicate_of=1)
    assert desk.runner.lanes == [(ORDER, 1), (ORDER, 2)]


def test_duplicate_of_a_known_contact_needs_no_job() -> None:
    """It refers to the contact of its first."""
    desk = Desk()
    desk.admit(entry=entry(State.CREATED))
    desk.admit(entry=entry(State.CREATED), duplicate_of=1)
    assert [one.status for one in desk.runner.outcomes] == [Status.EXISTS, Status.DUPLICATE]
    assert {one.ref for one in desk.runner.outcomes} == {REF}


def test_rows_that_name_their_orders_by_ref_wait_for_nothing() -> None:
    """Each has its job immediately."""
    desk = Desk()
    for order_ref in (ORDER, OTHER_ORDER, ORDER):
        desk.admit(order_ref, fields={"firstName": f"Ada {desk.row}"})
    assert desk.runner.lanes == [(ORDER, 1), (OTHER_ORDER, 2), (ORDER, 3)]
    assert desk.runner.commits == 0


class TestNumber:
    """A row that names its order by the organisation's own number."""

    def test_number_is_looked_up_once(self) -> None:
        """In the background, while there is nothing else to send."""
        desk = Desk()
        desk.admit_number()
        desk.admit_number(fields=GRACE)
        desk.admit_number("4712")
        assert desk.runner.lanes == [("number 4711", 1), ("number 4712", 3)]
        assert {job.priority for job in desk.runner.jobs} == {Priority.BACKGROUND}

    def test_rows_get_their_jobs_in_file_order_when_it_is_known(self) -> None:
        """In the lane of the order; later rows need no look-up."""
        desk = Desk()
        desk.admit_number()
        desk.admit_number(fields=GRACE)
        desk.learn()
        desk.admit_number(fields={"firstName": "Joan"})
        assert desk.runner.lanes[1:] == [(ORDER, 1), (ORDER, 2), (ORDER, 3)]

    @pytest.mark.parametrize(
        ("reply", "status", "code"),
        [
            pytest.param(listing(), Status.REJECTED, "order.not_found", id="none"),
            pytest.param(
                listing({"ref": ORDER}, {"ref": OTHER_ORDER}),
                Status.REJECTED,
                "order.ambiguous",
                id="two",
            ),
            pytest.param(failed_listing(answer(400)), Status.FAILED, "http.400", id="fails"),
        ],
    )
    def test_rows_without_an_order_get_their_outcome(
        self, reply: object, status: Status, code: str
    ) -> None:
        """A duplicate refers to its first all the same."""
        desk = Desk()
        desk.admit_number()
        desk.admit_number(duplicate_of=1)
        desk.learn(reply)
        first, second = desk.runner.outcomes
        assert (first.status, first.error_code) == (status, code)
        assert (second.status, second.error_code) == (Status.DUPLICATE, "duplicate.not_created")

    def test_known_contact_needs_no_look_up(self) -> None:
        """The journal has it under its number as well."""
        desk = Desk()
        desk.admit_number(entry=entry(State.CREATED))
        assert desk.runner.jobs == []
        assert desk.runner.outcomes[0].order_ref == ORDER

    @pytest.mark.parametrize("left", [State.INTENT, State.UNKNOWN])
    def test_unclear_contact_is_settled_where_it_was_sent(self, left: State) -> None:
        """No look-up is needed, and another order could not settle it."""
        desk = Desk()
        known = entry(left, "", OTHER_ORDER)
        desk.run.memory.entries[desk.key(OTHER_ORDER)] = known  # type: ignore[attr-defined]
        desk.admit_number(entry=known)
        (job,) = desk.runner.jobs
        assert (job.lane, job.priority) == (OTHER_ORDER, Priority.UNSETTLED)

    def test_what_the_journal_has_by_then_counts(self) -> None:
        """The contact may have been sent to the order under its ref."""
        desk = Desk()
        desk.admit_number()
        kept = entry(State.CREATED, OTHER_REF)
        desk.run.memory.entries[desk.key(ORDER)] = kept  # type: ignore[attr-defined]
        desk.learn()
        assert (desk.runner.outcomes[0].status, desk.runner.outcomes[0].ref) == (
            Status.EXISTS,
            OTHER_REF,
        )
        assert desk.runner.commits > 0


class TestBothNames:
    """A file that names orders by their refs and by their numbers."""

    def test_row_by_ref_is_held_back_behind_one_by_number(self) -> None:
        """It may be the same order, and its rows go in file order."""
        desk = Desk()
        desk.admit_number()
        desk.admit(fields=GRACE)
        assert desk.runner.lanes == [("number 4711", 1)]
        desk.learn()
        assert desk.runner.lanes[1:] == [(ORDER, 1), (ORDER, 2)]

    def test_held_rows_stay_in_file_order(self) -> None:
        """Until no number of an earlier row is being looked up."""
        desk = Desk()
        desk.admit_number("4711")
        desk.admit(OTHER_ORDER)
        desk.admit_number("4712")
        desk.admit(OTHER_ORDER, fields=GRACE)
        desk.learn(number="4711")
        held = [row for lane, row in desk.runner.lanes if not lane.startswith("number")]
        assert held == [1, 2]
        desk.learn(listing({"ref": OTHER_ORDER}), "4712")
        rows = [row for lane, row in desk.runner.lanes if not lane.startswith("number")]
        assert rows == [1, 2, 3, 4]

    @pytest.mark.parametrize("number_first", [True, False], ids=["number first", "ref first"])
    def test_same_contact_under_both_names_is_a_duplicate(self, *, number_first: bool) -> None:
        """It is created once, and the second row refers to the first."""
        desk = Desk()
        for is_number in (number_first, not number_first):
            if is_number:
                desk.admit_number()
            else:
                desk.admit()
        desk.learn()
        jobs = [job for job in desk.runner.jobs if job.lane == ORDER]
        assert [job.row for job in jobs] == [1, 2]
        outcome = drive(jobs[1].procedure).outcome
        assert outcome.status is Status.DUPLICATE
        assert "row 1" in outcome.error

    def test_known_contact_under_the_other_name_is_a_duplicate(self) -> None:
        """Both refer to the contact of the journal."""
        desk = Desk()
        desk.admit(entry=entry(State.CREATED))
        desk.admit_number(entry=entry(State.CREATED))
        assert [one.status for one in desk.runner.outcomes] == [Status.EXISTS, Status.DUPLICATE]


class TestAbandon:
    """The run ends while rows wait for their orders."""

    def test_waiting_and_held_rows_are_returned_once(self) -> None:
        """Those that have a job or an outcome are not among them."""
        desk = Desk()
        desk.admit()
        desk.admit(entry=entry(State.CREATED), fields=GRACE)
        desk.admit_number()
        desk.admit(OTHER_ORDER)
        assert [state.contact.row for state in desk.admission.abandon()] == [3, 4]
        assert desk.admission.abandon() == []

    @pytest.mark.parametrize(
        ("left", "ref", "status", "recorded"),
        [
            pytest.param(None, "", Status.NOT_SENT, [], id="new"),
            pytest.param(State.ABSENT, "", Status.NOT_SENT, [], id="absent"),
            pytest.param(State.INTENT, "", Status.UNKNOWN, [State.UNKNOWN], id="intent"),
            pytest.param(State.UNKNOWN, "", Status.UNKNOWN, [State.UNKNOWN], id="unknown"),
            pytest.param(State.CREATED, "", Status.CREATED, [State.CREATED], id="without ref"),
        ],
    )
    def test_row_is_as_it_was(
        self, left: State | None, ref: str, status: Status, recorded: list[State]
    ) -> None:
        """What an earlier run left open is not called unsent."""
        done = abandoned(contact_state(left, ref), STOP, None)
        assert done.outcome is not None
        assert done.outcome.status is status
        assert [one.state for one in done.entries] == recorded

    @pytest.mark.parametrize(
        ("first", "status"),
        [
            (None, Status.NOT_SENT),
            (entry(State.ABSENT), Status.NOT_SENT),
            (entry(State.INTENT), Status.DUPLICATE),
            (entry(State.CREATED), Status.DUPLICATE),
        ],
    )
    def test_duplicate_is_unsent_only_if_its_first_is(
        self, first: Entry | None, status: Status
    ) -> None:
        """It has no entry of its own."""
        done = abandoned(contact_state(duplicate_of=7), STOP, first)
        assert done.outcome is not None
        assert (done.outcome.status, done.entries) == (status, ())

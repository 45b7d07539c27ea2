"""The life of a contact: what is sent, recorded and reported after every answer."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from procedures import (
    ADA,
    NOW,
    ORDER,
    OTHER_REF,
    REF,
    STOP,
    Driven,
    answer,
    contact_state,
    drive,
    failed_listing,
    listing,
    run_state,
    success,
    unreadable,
)

from importer.api import Answer, Listing, NextStep
from importer.api.calls import CreateContact, ListContacts
from importer.delivery.create import deliver
from importer.delivery.state import ContactState
from importer.engine import Stop, Stopped
from importer.journal import Entry, State
from importer.records import Status

MINE = {**ADA, "ref": REF}
GRACE = {"firstName": "Grace", "lastName": "Hopper", "emails": ["grace@example.com"]}
ANSWERED, UNANSWERED = [1.0, 2.0], [2.0, 5.0]
"""Seconds between readings, after an answer and after none."""
NOTHING = (listing(), listing(), listing())
"""Three readings that show an order without contacts."""


def delivered(*replies: object, state: ContactState | None = None, attempts: int = 5) -> Driven:
    """Deliver one contact."""
    return drive(
        deliver(state or contact_state(), run_state(attempts=attempts)),
        *replies,  # type: ignore[arg-type]
    )


def test_intent_is_recorded_before_the_request_and_the_outcome_after_it() -> None:
    """One request, and the ref of the answer."""
    driven = delivered(success())
    assert driven.recorded == ["intent", "->", "created"]
    assert (driven.outcome.status, driven.outcome.ref) == (Status.CREATED, REF)
    assert (driven.outcome.attempts, driven.outcome.http_status) == (1, 201)


@pytest.mark.parametrize(
    ("unclear", "delays"),
    [
        pytest.param(answer(500), ANSWERED, id="500"),
        pytest.param(answer(408), ANSWERED, id="408"),
        pytest.param(answer(504, api=False), ANSWERED, id="504"),
        pytest.param(answer(503, api=False), ANSWERED, id="503 of a gateway"),
        pytest.param(unreadable(200), ANSWERED, id="200 page"),
        pytest.param(unreadable(202), ANSWERED, id="202 page"),
        pytest.param(unreadable(204), ANSWERED, id="204"),
        pytest.param(answer(code="network.timeout"), UNANSWERED, id="time-out"),
        pytest.param(answer(code="network.reset"), UNANSWERED, id="reset"),
        pytest.param(answer(code="response.invalid"), UNANSWERED, id="not HTTP"),
    ],
)
class TestUnclearAnswer:
    """An answer that leaves open whether the contact was created."""

    def test_contact_that_is_found_is_created(self, unclear: Answer, delays: list[float]) -> None:
        """It is never sent a second time."""
        del delays
        driven = delivered(unclear, listing(MINE))
        assert [type(call) for call in driven.calls] == [CreateContact, ListContacts]
        assert (driven.outcome.status, driven.outcome.ref) == (Status.CREATED, REF)
        assert driven.recorded == ["intent", "->", "->", "created"]

    def test_contact_that_is_absent_is_sent_again(
        self, unclear: Answer, delays: list[float]
    ) -> None:
        """After three readings, and its order is checked once more afterwards."""
        driven = delivered(unclear, *NOTHING, success(), listing(MINE))
        assert [type(call) for call in driven.calls] == [
            CreateContact,
            *[ListContacts] * 3,
            CreateContact,
            ListContacts,
        ]
        assert driven.waited[:2] == delays
        assert driven.outcome.status is Status.CREATED
        assert driven.outcome.attempts == 2

    def test_contact_that_appears_late_is_found(self, unclear: Answer, delays: list[float]) -> None:
        """The API may still be storing it at the first reading."""
        del delays
        driven = delivered(unclear, listing(), listing(), listing(MINE))
        assert driven.outcome.status is Status.CREATED
        assert driven.outcome.attempts == 1

    def test_failed_readings_never_lead_to_sending(
        self, unclear: Answer, delays: list[float]
    ) -> None:
        """The row stays unknown, and the next run settles it."""
        del delays
        readings = [failed_listing(answer(500))] * 5
        driven = delivered(unclear, *readings)
        assert driven.outcome.status is Status.UNKNOWN
        assert driven.recorded[-1] == "unknown"
        assert driven.outcome.retryable

    def test_stop_while_settling_leaves_it_unknown(
        self, unclear: Answer, delays: list[float]
    ) -> None:
        """No other status would be correct."""
        del delays
        driven = delivered(unclear, None)
        assert driven.outcome.status is Status.UNKNOWN
        assert "stopped before it could be settled" in driven.outcome.error


def test_created_contact_without_a_ref_is_never_sent_again() -> None:
    """A 201 says that it is there, even if no reading shows it."""
    driven = delivered(unreadable(201), *NOTHING)
    assert (driven.outcome.status, driven.outcome.ref) == (Status.CREATED, "")
    assert driven.outcome.error_code == "response.invalid"
    assert [type(call) for call in driven.calls].count(CreateContact) == 1


def test_ref_that_another_row_was_given_is_not_trusted() -> None:
    """Reading back shows the true one."""
    run = run_state()
    drive(deliver(contact_state(), run), success(GRACE))
    driven = drive(deliver(contact_state(), run), success(), listing({**ADA, "ref": OTHER_REF}))
    assert (driven.outcome.status, driven.outcome.ref) == (Status.CREATED, OTHER_REF)


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(refusal, id=str(refusal.http_status))
        for refusal in map(answer, range(400, 500))
        if refusal.rule.next_step is NextStep.REJECT and refusal.http_status != HTTPStatus.NOT_FOUND
    ],
)
def test_refused_contact_is_rejected(refusal: Answer) -> None:
    """Sending it again would get the same answer, so it is not retryable."""
    driven = delivered(refusal)
    assert (driven.outcome.status, driven.outcome.retryable) == (Status.REJECTED, False)
    assert driven.recorded == ["intent", "->", "absent"]


@pytest.mark.parametrize(
    "busy",
    [
        answer(429),
        answer(425),
        answer(421),
        answer(413, retry_after=1.0),
        answer(503),
        answer(code="network.connect"),
    ],
    ids=lambda one: one.error_code,
)
class TestTemporaryRefusal:
    """An answer that says that nothing was done, and that it may work later."""

    def test_it_is_sent_again_without_reading(self, busy: Answer) -> None:
        """And the intent on disk serves for all attempts."""
        driven = delivered(busy, busy, success())
        assert [type(call) for call in driven.calls] == [CreateContact] * 3
        assert driven.recorded == ["intent", "->", "->", "->", "created"]

    def test_it_fails_after_the_last_attempt(self, busy: Answer) -> None:
        """It is known not to be there."""
        driven = delivered(*[busy] * 5)
        assert driven.outcome.status is Status.FAILED
        assert (driven.outcome.attempts, driven.outcome.retryable) == (5, True)
        assert driven.recorded[-1] == "absent"

    def test_stop_while_it_waits_makes_it_failed(self, busy: Answer) -> None:
        """The last answer says that it is not there."""
        driven = delivered(busy, None)
        assert (driven.outcome.status, driven.outcome.attempts) == (Status.FAILED, 1)


def test_503_of_the_api_is_sent_again_immediately_twice() -> None:
    """The vendor recommends this for its clustered servers; then the delays grow."""
    driven = delivered(*[answer(503)] * 3, success())
    assert len(driven.waited) == 1


def test_retry_after_is_respected() -> None:
    """No row is sent again before that time."""
    driven = delivered(answer(429, retry_after=7.0), success())
    assert driven.waited[0] >= 7.0


def test_attempts_count_unclear_answers_too() -> None:
    """It fails when it is absent after the last one."""
    driven = delivered(answer(500), *NOTHING, answer(500), *NOTHING, attempts=2)
    assert (driven.outcome.status, driven.outcome.attempts) == (Status.FAILED, 2)


def test_two_equal_contacts_leave_it_unknown() -> None:
    """Which of them is its own cannot be known; both refs are reported."""
    driven = delivered(answer(500), listing(MINE, {**ADA, "ref": OTHER_REF}))
    assert driven.outcome.status is Status.UNKNOWN
    assert REF in driven.outcome.error
    assert OTHER_REF in driven.outcome.error


def test_similar_contact_leaves_it_unknown() -> None:
    """The API may have changed what it stored."""
    changed = {**MINE, "firstName": "A."}
    driven = delivered(answer(500), *[listing(changed)] * 3)
    assert driven.outcome.status is Status.UNKNOWN


def test_contact_of_another_row_is_not_taken_for_its_own() -> None:
    """Refs that belong to other entries of the journal are left out."""
    run = run_state()
    run.memory.owned.add(REF)  # type: ignore[attr-defined]
    replies = answer(500), *[listing(MINE)] * 3, success(ref=OTHER_REF), listing()
    driven = drive(deliver(contact_state(), run), *replies)
    assert driven.outcome.ref == OTHER_REF


def test_equal_contact_that_was_found_for_another_row_is_its_own() -> None:
    """That row was looked up after this one was sent."""
    run = run_state()
    run.memory.found.add(REF)  # type: ignore[attr-defined]
    driven = drive(deliver(contact_state(), run), answer(500), listing(MINE))
    assert (driven.outcome.status, driven.outcome.ref) == (Status.CREATED, REF)


def test_similar_contact_that_was_found_for_another_row_is_not_its_own() -> None:
    """It is known whose it is, so this one is absent and sent again."""
    run = run_state()
    run.memory.found.add(REF)  # type: ignore[attr-defined]
    similar = listing({**MINE, "firstName": "A."})
    replies = answer(500), *[similar] * 3, success(ref=OTHER_REF), similar
    assert drive(deliver(contact_state(), run), *replies).outcome.ref == OTHER_REF


def test_contact_that_was_there_before_is_reported_as_older() -> None:
    """Its date shows it; a date never leads to sending again."""
    then = datetime.fromtimestamp(NOW, UTC) - timedelta(days=30)
    found = listing({**MINE, "createdAt": then.isoformat()}, clock_lead=timedelta())
    driven = delivered(answer(500), found, found, found)
    assert (driven.outcome.status, driven.outcome.error_code) == (Status.CREATED, "contact.older")
    assert driven.recorded[-1] == "found"


def test_request_carried_out_late_is_reported() -> None:
    """The contact was sent again, and the first request was carried out after all."""
    driven = delivered(answer(500), *NOTHING, success(), listing(MINE, {**ADA, "ref": OTHER_REF}))
    assert driven.outcome.status is Status.CREATED
    assert driven.outcome.error_code == "contact.duplicated"
    assert OTHER_REF in driven.outcome.error


@pytest.mark.parametrize("reading", [failed_listing(answer(500)), None], ids=["fails", "stopped"])
def test_created_contact_stays_created_if_its_order_cannot_be_checked(
    reading: Listing | None,
) -> None:
    """The answer to the second request is certain."""
    driven = delivered(answer(500), *NOTHING, success(), reading)
    assert (driven.outcome.status, driven.outcome.error_code) == (Status.CREATED, "")


def test_other_stored_values_are_reported() -> None:
    """With the names of the fields, and never their values."""
    driven = delivered(success({**ADA, "firstName": "A."}))
    assert driven.outcome.error_code == "response.differs"
    assert "firstName" in driven.outcome.error


class TestStopBeforeSending:
    """The run ends before the request leaves."""

    def test_contact_is_not_sent(self) -> None:
        """Its intent is on disk, but no request was sent."""
        driven = delivered(None)
        assert (driven.outcome.status, driven.outcome.attempts) == (Status.NOT_SENT, 0)
        assert driven.outcome.error_code == "stopped.interrupted"
        assert driven.recorded == ["intent", "absent"]


@pytest.mark.parametrize(
    ("last", "status"),
    [
        pytest.param(answer(401), Status.NOT_SENT, id="401"),
        pytest.param(answer(code="network.tls"), Status.NOT_SENT, id="certificate"),
        pytest.param(answer(302), Status.FAILED, id="302"),
        pytest.param(answer(415), Status.REJECTED, id="415"),
        pytest.param(answer(429, retry_after=3600.0), Status.FAILED, id="429 for an hour"),
        pytest.param(
            answer(503, api=False, retry_after=3600.0), Status.UNKNOWN, id="gateway for an hour"
        ),
    ],
)
def test_answer_that_stops_the_run(last: Answer, status: Status) -> None:
    """What is known about the row itself is reported."""
    driven = delivered(Stopped(Stop("why", "Because."), last))
    assert (driven.outcome.status, driven.outcome.attempts) == (status, 1)


def test_internal_error_while_sending_leaves_it_unknown() -> None:
    """The request may have been sent."""
    driven = delivered(Stopped(Stop("fault", "Internal error."), may_be_sent=True))
    assert driven.outcome.status is Status.UNKNOWN
    assert driven.recorded[-1] == "unknown"


class TestEarlierRun:
    """What an earlier run left behind is settled before anything is sent."""

    @pytest.mark.parametrize("left", [State.INTENT, State.UNKNOWN])
    def test_contact_that_is_found_is_created(self, left: State) -> None:
        """With one reading and no request to create it."""
        driven = delivered(listing(MINE), state=contact_state(left))
        assert (driven.outcome.status, driven.outcome.attempts) == (Status.CREATED, 0)

    @pytest.mark.parametrize("left", [State.INTENT, State.UNKNOWN])
    def test_contact_that_is_absent_is_sent(self, left: State) -> None:
        """Without a pause, and without a check afterwards."""
        driven = delivered(*NOTHING, success(), state=contact_state(left))
        assert driven.outcome.status is Status.CREATED
        assert driven.waited == [1.0, 2.0]

    @pytest.mark.parametrize("left", [State.INTENT, State.UNKNOWN])
    def test_stop_before_it_is_settled_leaves_it_unknown(self, left: State) -> None:
        """Nothing has been learned about it."""
        driven = delivered(None, state=contact_state(left))
        assert driven.outcome.status is Status.UNKNOWN

    def test_missing_ref_is_looked_for(self) -> None:
        """The contact exists, so it is never sent again."""
        driven = delivered(listing(MINE), state=contact_state(State.CREATED))
        assert (driven.outcome.status, driven.outcome.ref) == (Status.CREATED, REF)
        driven = delivered(*NOTHING, state=contact_state(State.CREATED))
        assert (driven.outcome.status, driven.outcome.ref) == (Status.CREATED, "")

    def test_contact_that_a_killed_undo_was_about_to_delete_is_found_by_its_ref(self) -> None:
        """Even if another entry, which the undo would have changed too, has the same ref."""
        run = run_state()
        run.memory.owned.add(REF)  # type: ignore[attr-defined]
        state = contact_state(State.INTENT, REF)
        driven = drive(deliver(state, run), listing({**GRACE, "ref": REF}))
        assert (driven.outcome.status, driven.outcome.ref) == (Status.CREATED, REF)
        assert driven.recorded == ["->", "created"]

    def test_absent_contact_is_sent_with_a_new_intent(self) -> None:
        """The entry says that it is not there."""
        driven = delivered(success(), state=contact_state(State.ABSENT))
        assert driven.recorded == ["intent", "->", "created"]


class TestDuplicate:
    """The same contact is earlier in the file."""

    @pytest.mark.parametrize(
        ("kept", "code"),
        [
            (State.CREATED, ""),
            (State.FOUND, ""),
            (State.UNKNOWN, "duplicate.not_created"),
            (State.ABSENT, "duplicate.not_created"),
            (None, "duplicate.not_created"),
        ],
    )
    def test_it_refers_to_its_first(self, kept: State | None, code: str) -> None:
        """Once that has its outcome; it sends nothing and records nothing."""
        run = run_state()
        if kept is not None:
            run.memory.entries[b"key"] = Entry(b"key", ORDER, kept, REF)  # type: ignore[attr-defined]
        driven = drive(deliver(contact_state(duplicate_of=7), run))
        assert (driven.outcome.status, driven.outcome.error_code) == (Status.DUPLICATE, code)
        assert driven.calls == driven.recorded == []

    @pytest.mark.parametrize(
        ("kept", "status"),
        [
            (State.CREATED, Status.DUPLICATE),
            (State.INTENT, Status.DUPLICATE),
            (State.UNKNOWN, Status.DUPLICATE),
            (State.ABSENT, Status.NOT_SENT),
            (None, Status.NOT_SENT),
        ],
    )
    def test_stop_leaves_it_unsent_only_if_its_first_is(
        self, kept: State | None, status: Status
    ) -> None:
        """Otherwise it would be called absent although its contact is, or may be, there."""
        run = run_state()
        if kept is not None:
            run.memory.entries[b"key"] = Entry(b"key", ORDER, kept, REF)  # type: ignore[attr-defined]
        procedure = deliver(contact_state(duplicate_of=7), run)
        next(procedure)
        with pytest.raises(StopIteration) as end:
            procedure.throw(Stopped(STOP))
        assert end.value.value.outcome.status is status


class TestMissingOrder:
    """The API has no such order."""

    def test_other_rows_of_the_order_are_not_sent(self) -> None:
        """They get the same answer without a request."""
        run = run_state()
        drive(deliver(contact_state(), run), answer(404))
        driven = drive(deliver(contact_state(fields=GRACE), run))
        assert (driven.outcome.status, driven.outcome.error_code) == (Status.REJECTED, "http.404")
        assert driven.calls == []

    def test_five_orders_without_any_success_stop_the_run(self) -> None:
        """Region or base URL must be wrong."""
        run = run_state()
        ends = []
        for number in range(5):
            state = contact_state()
            state.contact = type(state.contact)(1, f"{ORDER[:-1]}{number}", state.contact.body)
            ends.append(drive(deliver(state, run), answer(404)).done)
        assert [end.stop.why if end and end.stop else "" for end in ends] == [""] * 4 + [
            "orders_not_found"
        ]


class TestLookFirst:
    """The journal may have lost what earlier runs created, so the order is read first."""

    @staticmethod
    def look(*replies: object, fields: object = ADA) -> Driven:
        """Deliver one contact with such a journal."""
        run = run_state(looks_first=True)
        return drive(deliver(contact_state(fields=fields), run), *replies)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        "there", [MINE, {**MINE, "city": "London"}, {**MINE, "emails": ["ADA@example.com"]}]
    )
    def test_existing_contact_is_found(self, there: dict[str, object]) -> None:
        """It equals the row in every field that is sent; nothing is sent, and it is recorded."""
        driven = self.look(listing(there))
        assert (driven.outcome.status, driven.outcome.ref) == (Status.EXISTS, REF)
        assert driven.recorded == ["->", "found"]

    @pytest.mark.parametrize(
        "there", [[], [GRACE], [{**MINE, "lastName": "Byron"}], [{"ref": REF, "firstName": "Ada"}]]
    )
    def test_missing_contact_is_created(self, there: list[dict[str, object]]) -> None:
        """Another contact of the order makes no difference."""
        driven = self.look(listing(*there), success(ref=OTHER_REF))
        assert (driven.outcome.status, driven.outcome.ref) == (Status.CREATED, OTHER_REF)

    def test_order_is_read_once_for_all_its_rows(self) -> None:
        """Contacts of this run are not taken for older ones."""
        run = run_state(looks_first=True)
        fewer = {"firstName": "Ada"}
        drive(deliver(contact_state(), run), listing(), success())
        driven = drive(deliver(contact_state(fields=fewer), run), success(fewer, OTHER_REF))
        assert driven.outcome.status is Status.CREATED

    def test_equal_contact_belongs_to_one_row(self) -> None:
        """Otherwise rows that differ only in fields that the API does not return would share it."""
        run = run_state(looks_first=True)
        two = listing(MINE, {**ADA, "ref": OTHER_REF})
        refs = [
            drive(deliver(contact_state(), run), *replies).outcome.ref for replies in ([two], [])
        ]
        assert refs == [REF, OTHER_REF]

    def test_order_that_cannot_be_read_gets_no_contact(self) -> None:
        """The row has failed, and the next run reads it again."""
        driven = self.look(*[failed_listing(answer(500))] * 5)
        assert (driven.outcome.status, driven.outcome.retryable) == (Status.FAILED, True)
        assert {type(call) for call in driven.calls} == {ListContacts}

    def test_order_that_does_not_exist_is_rejected(self) -> None:
        """As it would be by the request to create the contact."""
        driven = self.look(failed_listing(answer(404)))
        assert (driven.outcome.status, driven.outcome.error_code) == (Status.REJECTED, "http.404")

    def test_stop_while_reading_leaves_it_unsent(self) -> None:
        """Nothing was sent, and nothing is recorded."""
        driven = self.look(None)
        assert (driven.outcome.status, driven.recorded) == (Status.NOT_SENT, [])

"""``--if-exists``: what is sent and reported, whatever the order holds already."""

from collections.abc import Mapping

import pytest
from procedures import (
    ADA,
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

from importer.api import Answer
from importer.api.calls import CreateContact, ListContacts, ReadContact, UpdateContact
from importer.delivery.create import deliver
from importer.delivery.state import ContactState
from importer.engine import Stop, Stopped
from importer.journal import State
from importer.records import Status
from importer.settings import IfExists

SENT = {**ADA, "city": "Cork"}
EQUAL = {**SENT, "ref": REF}
OLD = {**ADA, "city": "Cobh", "ref": REF}
OTHER_OLD = {**OLD, "ref": OTHER_REF}
GRACE = {"firstName": "Grace", "lastName": "Hopper", "emails": ["g@example.com"], "ref": OTHER_REF}
PATCH = UpdateContact(REF, b'{"city":"Cork"}')
GONE = answer(404)
SKIP, UPDATE, ERROR = IfExists.SKIP, IfExists.UPDATE, IfExists.ERROR
MODES = [SKIP, UPDATE, ERROR]
NOTHING = (listing(), listing(), listing())


def changed() -> Answer:
    """Return the answer to an update that was carried out."""
    return success(SENT, status=200)


def delivered(
    mode: IfExists, *replies: object, state: ContactState | None = None, preview: bool = False
) -> Driven:
    """Deliver one contact."""
    run = run_state(mode, preview=preview)
    return drive(deliver(state or contact_state(fields=SENT), run), *replies)  # type: ignore[arg-type]


def own(state: State = State.CREATED, ref: str = REF) -> ContactState:
    """Return a contact that the journal knows."""
    return contact_state(state, ref, SENT)


def summary(driven: Driven) -> tuple[str, str, str]:
    """Return status, error code and ref of an outcome."""
    return (driven.outcome.status.value, driven.outcome.error_code, driven.outcome.ref)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("there", [[], [GRACE]], ids=["nothing", "another person"])
def test_contact_that_the_order_does_not_have_is_created(
    mode: IfExists, there: list[Mapping[str, object]]
) -> None:
    """After one reading of its order."""
    driven = delivered(mode, listing(*there), success(SENT))
    assert [type(call) for call in driven.calls] == [ListContacts, CreateContact]
    assert summary(driven) == ("created", "", REF)
    assert driven.recorded == ["->", "intent", "->", "created"]


@pytest.mark.parametrize(
    ("mode", "there", "expected"),
    [
        pytest.param(SKIP, [EQUAL], ("exists", "", REF), id="skip equal"),
        pytest.param(UPDATE, [EQUAL], ("exists", "", REF), id="update equal"),
        pytest.param(ERROR, [EQUAL], ("rejected", "contact.exists", REF), id="error equal"),
        pytest.param(SKIP, [OLD], ("exists", "contact.differs", REF), id="skip other values"),
        pytest.param(ERROR, [OLD], ("rejected", "contact.exists", REF), id="error other values"),
        pytest.param(
            SKIP, [OLD, OTHER_OLD], ("exists", "contact.differs", REF), id="skip two other values"
        ),
        pytest.param(
            UPDATE, [OLD, OTHER_OLD], ("rejected", "contact.ambiguous", ""), id="update two"
        ),
        pytest.param(UPDATE, [OTHER_OLD, EQUAL], ("exists", "", REF), id="update two, one equal"),
        pytest.param(
            ERROR, [OTHER_OLD, EQUAL], ("rejected", "contact.exists", REF), id="error two"
        ),
    ],
)
def test_contact_that_is_there_costs_one_reading(
    mode: IfExists, there: list[Mapping[str, object]], expected: tuple[str, str, str]
) -> None:
    """Nothing is changed; only what exists is recorded."""
    driven = delivered(mode, listing(*there))
    assert summary(driven) == expected
    assert driven.recorded == (["->", "found"] if expected[0] == "exists" else ["->"])


def test_other_values_are_updated() -> None:
    """With the fields that differ, and no others."""
    driven = delivered(UPDATE, listing(OLD), changed())
    assert driven.calls[1:] == [PATCH]
    assert summary(driven) == ("updated", "", REF)
    assert driven.outcome.attempts == 1
    assert driven.recorded == ["->", "->", "found"]


class TestOwnContact:
    """The journal says that an earlier run created it."""

    @pytest.mark.parametrize(
        ("mode", "replies", "expected"),
        [
            (SKIP, [listing(OLD)], ("exists", "contact.differs", REF)),
            (UPDATE, [listing(OLD), changed()], ("updated", "", REF)),
            (ERROR, [listing(OLD)], ("exists", "contact.differs", REF)),
            (ERROR, [listing(EQUAL)], ("exists", "", REF)),
        ],
    )
    def test_it_is_not_an_error(
        self, mode: IfExists, replies: list[object], expected: tuple[str, str, str]
    ) -> None:
        """The row itself has created it."""
        assert summary(delivered(mode, *replies, state=own())) == expected

    def test_one_that_was_only_found_is_still_an_error(self) -> None:
        """Another program has created it."""
        driven = delivered(ERROR, listing(EQUAL), state=own(State.FOUND))
        assert summary(driven) == ("rejected", "contact.exists", REF)

    def test_its_ref_decides_among_several_of_the_person(self) -> None:
        """So nothing is ambiguous."""
        driven = delivered(UPDATE, listing(OTHER_OLD, OLD), changed(), state=own())
        assert driven.calls[1:] == [PATCH]

    def test_its_ref_counts_more_than_its_values(self) -> None:
        """Even if its values are now those of another person."""
        driven = delivered(SKIP, listing({**GRACE, "ref": REF}), state=own())
        assert summary(driven) == ("exists", "contact.differs", REF)

    @pytest.mark.parametrize("mode", MODES)
    def test_it_is_read_by_its_ref_if_the_list_does_not_show_it(self, mode: IfExists) -> None:
        """A list can lag behind."""
        driven = delivered(mode, listing(), success(SENT, status=200), state=own())
        assert driven.calls[1:] == [ReadContact(REF)]
        assert summary(driven) == ("exists", "", REF)

    @pytest.mark.parametrize("mode", MODES)
    def test_it_is_created_again_if_it_is_gone(self, mode: IfExists) -> None:
        """According to the API itself."""
        driven = delivered(mode, listing(), GONE, success(SENT, OTHER_REF), state=own())
        assert summary(driven) == ("created", "", OTHER_REF)
        assert driven.recorded == ["->", "->", "intent", "->", "created"]

    @pytest.mark.parametrize(
        "reading",
        [
            pytest.param(answer(404, api=False), id="404 of a gateway"),
            pytest.param(answer(500), id="500"),
            pytest.param(success(SENT, OTHER_REF, 200), id="another contact"),
            pytest.param(unreadable(200), id="page"),
        ],
    )
    def test_it_is_not_created_again_if_it_cannot_be_read(self, reading: Answer) -> None:
        """It may be there, and the journal still says so."""
        replies = [listing(), *[reading] * (1 if reading.http_status == 404 else 5)]
        driven = delivered(SKIP, *replies, state=own())
        assert driven.outcome.status is Status.FAILED
        assert not any(isinstance(call, CreateContact) for call in driven.calls)
        assert "absent" not in driven.recorded

    def test_one_whose_ref_is_unknown_is_never_created_again(self) -> None:
        """The API has said that it is there."""
        driven = delivered(SKIP, *NOTHING, state=own(ref=""))
        assert driven.outcome.status is Status.UNKNOWN
        assert driven.recorded == ["->"] * 3


@pytest.mark.parametrize("left", [State.INTENT, State.UNKNOWN])
def test_what_an_earlier_run_left_unclear_is_settled_first(left: State) -> None:
    """The readings that settle it serve the comparison, too."""
    driven = delivered(SKIP, *NOTHING, success(SENT), state=own(left, ""))
    assert [type(call) for call in driven.calls] == [ListContacts] * 3 + [CreateContact]
    driven = delivered(SKIP, *[listing(OLD)] * 3, state=own(left, ""))
    assert summary(driven) == ("exists", "contact.differs", REF)
    driven = delivered(ERROR, listing(EQUAL), state=own(left, ""))
    assert summary(driven) == ("created", "", REF)


@pytest.mark.parametrize(
    "unclear",
    [
        answer(408),
        answer(500),
        answer(503, api=False),
        answer(code="network.timeout"),
        answer(code="network.reset"),
        unreadable(200),
        unreadable(204),
    ],
    ids=lambda one: f"{one.http_status}",
)
class TestUnclearUpdate:
    """An answer that leaves open whether the contact was changed."""

    def test_new_values_show_that_it_was(self, unclear: Answer) -> None:
        """The order is read again."""
        driven = delivered(UPDATE, listing(OLD), unclear, listing(EQUAL))
        assert summary(driven) == ("updated", "", REF)
        assert driven.outcome.attempts == 1

    def test_old_values_have_it_sent_again(self, unclear: Answer) -> None:
        """An update does no harm twice."""
        driven = delivered(UPDATE, listing(OLD), unclear, listing(OLD), changed())
        assert driven.calls.count(PATCH) == 2
        assert (driven.outcome.status, driven.outcome.attempts) == (Status.UPDATED, 2)

    def test_failed_readings_leave_it_unknown(self, unclear: Answer) -> None:
        """The journal keeps that the contact is there."""
        driven = delivered(UPDATE, listing(OLD), unclear, *[failed_listing(answer(500))] * 5)
        assert driven.outcome.status is Status.UNKNOWN
        assert driven.recorded[-1] == "found"

    @pytest.mark.parametrize(
        "end", [None, Stopped(Stop("credentials", "Refused."), answer(401))], ids=["stop", "401"]
    )
    def test_stop_leaves_it_unknown(self, unclear: Answer, end: Stopped | None) -> None:
        """Nothing has shown what came of it."""
        driven = delivered(UPDATE, listing(OLD), unclear, end)
        assert driven.outcome.status is Status.UNKNOWN
        assert driven.recorded[-1] == "found"


class TestRefusedUpdate:
    """An answer that says that nothing was changed."""

    @pytest.mark.parametrize("busy", [answer(429), answer(503), answer(code="network.connect")])
    def test_temporary_one_is_sent_again(self, busy: Answer) -> None:
        """Without reading; after the last attempt it has failed, and is there."""
        driven = delivered(UPDATE, listing(OLD), busy, changed())
        assert driven.calls[1:] == [PATCH, PATCH]
        driven = delivered(UPDATE, listing(OLD), *[busy] * 5)
        assert (driven.outcome.status, driven.outcome.attempts) == (Status.FAILED, 5)
        assert driven.recorded[-1] == "found"

    @pytest.mark.parametrize("status", [400, 403, 405, 409, 422])
    def test_final_one_is_rejected(self, status: int) -> None:
        """The contact is there all the same."""
        driven = delivered(UPDATE, listing(OLD), answer(status))
        assert summary(driven)[:2] == ("rejected", f"http.{status}")
        assert driven.recorded[-1] == "found"

    def test_contact_that_is_gone_meanwhile_is_created(self) -> None:
        """Once its order shows that."""
        driven = delivered(UPDATE, listing(OLD), GONE, listing(), success(SENT, OTHER_REF))
        assert summary(driven) == ("created", "", OTHER_REF)

    @pytest.mark.parametrize(
        ("last", "status"),
        [(answer(401), Status.NOT_SENT), (answer(302), Status.FAILED)],
        ids=["401", "302"],
    )
    def test_one_that_stops_the_run(self, last: Answer, status: Status) -> None:
        """The contact is there all the same."""
        driven = delivered(UPDATE, listing(OLD), Stopped(STOP, last))
        assert (driven.outcome.status, driven.outcome.attempts) == (status, 1)
        assert driven.recorded[-1] == "found"


class TestReadingFails:
    """The order cannot be read."""

    @pytest.mark.parametrize("mode", MODES)
    def test_nothing_is_sent(self, mode: IfExists) -> None:
        """The row has failed, and the next run compares it."""
        driven = delivered(mode, *[failed_listing(answer(500))] * 5)
        assert (driven.outcome.status, driven.outcome.retryable) == (Status.FAILED, True)
        assert {type(call) for call in driven.calls} == {ListContacts}

    def test_refusal_is_not_repeated(self) -> None:
        """It would be the same."""
        assert len(delivered(SKIP, failed_listing(answer(400))).calls) == 1

    def test_order_that_does_not_exist_is_asked_for_once(self) -> None:
        """All its rows are rejected."""
        run = run_state(SKIP)
        drive(deliver(contact_state(fields=SENT), run), failed_listing(answer(404)))
        driven = drive(deliver(contact_state(fields=ADA), run))
        assert summary(driven) == ("rejected", "http.404", "")

    def test_stop_leaves_it_unsent(self) -> None:
        """Whatever the journal says of it stays."""
        for state in (contact_state(fields=SENT), own()):
            driven = delivered(SKIP, None, state=state)
            assert driven.outcome.status is Status.NOT_SENT
            assert driven.recorded == []

    def test_answer_that_stops_the_run_leaves_it_unsent(self) -> None:
        """It was a reading, so nothing can have been created."""
        driven = delivered(SKIP, Stopped(STOP, answer(401)))
        assert (driven.outcome.status, driven.outcome.attempts) == (Status.NOT_SENT, 0)


class TestRowsOfOneOrder:
    """The order is read once for all of them."""

    def test_contact_that_an_earlier_row_created_is_there(self) -> None:
        """The same person is created once."""
        run = run_state(SKIP)
        drive(deliver(contact_state(fields=SENT), run), listing(), success(SENT))
        driven = drive(deliver(contact_state(fields=ADA), run))
        assert summary(driven) == ("exists", "", REF)

    def test_contact_that_an_earlier_row_updated_has_its_values(self) -> None:
        """Or it would be updated a second time."""
        run = run_state(UPDATE)
        drive(deliver(contact_state(fields=SENT), run), listing(OLD), changed())
        assert summary(drive(deliver(contact_state(fields=SENT), run))) == ("exists", "", REF)

    def test_order_is_read_again_after_an_unclear_creation(self) -> None:
        """What it holds then is not known here."""
        run = run_state(SKIP)
        replies = listing(), answer(500), *[failed_listing(answer(500))] * 5
        assert drive(deliver(contact_state(fields=SENT), run), *replies).outcome.status is (
            Status.UNKNOWN
        )
        driven = drive(deliver(contact_state(fields=ADA), run), listing(EQUAL))
        assert summary(driven) == ("exists", "", REF)


@pytest.mark.parametrize(
    ("mode", "replies", "state", "expected"),
    [
        pytest.param(SKIP, [listing()], None, ("valid", "", ""), id="nothing"),
        pytest.param(SKIP, [listing(EQUAL)], None, ("exists", "", REF), id="equal"),
        pytest.param(SKIP, [listing(OLD)], None, ("exists", "contact.differs", REF), id="skip"),
        pytest.param(UPDATE, [listing(OLD)], None, ("valid", "contact.differs", REF), id="update"),
        pytest.param(ERROR, [listing(OLD)], None, ("rejected", "contact.exists", REF), id="error"),
        pytest.param(UPDATE, [listing(), GONE], own(), ("valid", "", ""), id="own one gone"),
        pytest.param(SKIP, [listing()], own(State.UNKNOWN, ""), ("valid", "", ""), id="unclear"),
        pytest.param(
            SKIP, [failed_listing(answer(404))], None, ("rejected", "http.404", ""), id="no order"
        ),
    ],
)
def test_preview_only_reads(
    mode: IfExists, replies: list[object], state: ContactState | None, expected: tuple[str, ...]
) -> None:
    """And says what would be done; no intent is recorded."""
    driven = delivered(mode, *replies, state=state, preview=True)
    assert summary(driven) == expected
    assert {type(call) for call in driven.calls} <= {ListContacts, ReadContact}
    assert "intent" not in driven.recorded


def test_preview_reads_every_order_that_does_not_exist() -> None:
    """It says of each whether it exists, and never stops because of it."""
    run = run_state(SKIP, preview=True)
    for number in range(6):
        state = contact_state(fields=SENT)
        order_ref = f"00000000-0000-4000-8000-00000000000{number}"
        state.contact = type(state.contact)(1, order_ref, state.contact.body)
        done = drive(deliver(state, run), failed_listing(answer(404))).done
        assert done is not None
        assert done.stop is None

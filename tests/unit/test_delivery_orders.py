"""Which order a number means: how it is looked up, and when it is not clear."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from procedures import answer, drive, failed_listing, listing, run_state

from importer.api import Answer, Listing
from importer.api.calls import FindOrders
from importer.delivery import orders
from importer.delivery.orders import Found, FoundOrder, Orders, Refusal, choose, look_up, orders_of
from importer.delivery.state import ContactState
from importer.engine import Stop, Stopped
from importer.records import Contact

ONE = "00000000-0000-4000-8000-000000000001"
TWO = "00000000-0000-4000-8000-000000000002"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def order(ref: str = ONE, **more: object) -> Mapping[str, object]:
    """Return an order as the API lists it."""
    return {"ref": ref, "referenceId": "4711", **more}


@pytest.mark.parametrize(
    ("listed", "refs"),
    [
        pytest.param([order()], [ONE], id="one"),
        pytest.param([order(), order(TWO)], [ONE, TWO], id="two"),
        pytest.param([order(), order()], [ONE], id="one twice"),
        pytest.param([order(ONE.upper())], [ONE], id="upper case"),
        pytest.param([{"ref": ONE}], [ONE], id="number not given back"),
        pytest.param([order(referenceId=" 4711 ")], [ONE], id="padded number"),
        pytest.param([order(referenceId=4711)], [ONE], id="number as a number"),
        pytest.param([order(referenceId="4711a"), order(TWO)], [TWO], id="another number"),
    ],
)
def test_orders_that_have_the_number(listed: list[Mapping[str, object]], refs: list[str]) -> None:
    """One that says that it has another number is none of them, however similar."""
    found = orders_of("4711", listed)
    assert not isinstance(found, Refusal)
    assert [one.ref for one in found] == refs


@pytest.mark.parametrize(
    ("listed", "code", "is_final"),
    [
        pytest.param([], "order.not_found", True, id="none"),
        pytest.param([order(referenceId="4712")], "order.not_found", True, id="another number"),
        pytest.param([order("no-uuid")], "response.invalid", False, id="no UUID"),
        pytest.param([order(), order("../x")], "response.invalid", False, id="one is no UUID"),
    ],
)
def test_answer_without_a_usable_order(
    listed: list[Mapping[str, object]], *, code: str, is_final: bool
) -> None:
    """The text names the number."""
    found = orders_of("4711", listed)
    assert isinstance(found, Refusal)
    assert (found.code, found.is_final) == (code, is_final)
    assert "4711" in found.message


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-03-01T12:00:00.000Z", NOON),
        ("2026-03-01T12:00:00", NOON),
        ("soon", None),
        (7, None),
        (None, None),
    ],
)
def test_orders_date_is_read(value: object, instant: datetime | None) -> None:
    """One that cannot be understood counts as none."""
    assert orders_of("4711", [order(orderedAt=value)]) == (FoundOrder(ONE, instant),)


def found(*dates: datetime | None) -> tuple[FoundOrder, ...]:
    """Return orders of those dates."""
    return tuple(FoundOrder(ref, date) for ref, date in zip((ONE, TWO), dates, strict=False))


@pytest.mark.parametrize(
    ("orders_found", "ordered_at", "chosen"),
    [
        pytest.param(found(None), None, ONE, id="one"),
        pytest.param(found(NOON), None, ONE, id="one with a date"),
        pytest.param(found(None), NOON, ONE, id="one without a date"),
        pytest.param(found(NOON), NOON + DAY, ONE, id="24 hours later"),
        pytest.param(found(NOON), NOON - DAY, ONE, id="24 hours earlier"),
        pytest.param(found(NOON - 3 * DAY, NOON), NOON, TWO, id="two, one matches"),
        pytest.param(found(None, NOON), NOON, TWO, id="two, one without a date"),
    ],
)
def test_order_that_is_meant(orders_found: Found, ordered_at: datetime | None, chosen: str) -> None:
    """The only one, or the only one that was placed within 24 hours of orderedAt."""
    assert choose("4711", orders_found, ordered_at) == chosen


@pytest.mark.parametrize(
    ("orders_found", "ordered_at", "code", "refs"),
    [
        pytest.param(found(NOON, NOON), None, "order.ambiguous", [ONE, TWO], id="two"),
        pytest.param(found(None, None), NOON, "order.ambiguous", [ONE, TWO], id="two undated"),
        pytest.param(found(NOON, NOON + DAY), NOON, "order.ambiguous", [ONE, TWO], id="both match"),
        pytest.param(
            found(NOON), NOON + DAY * 1.001, "order.not_found", [ONE], id="later than 24 hours"
        ),
        pytest.param(
            found(None, NOON), NOON - DAY * 2, "order.not_found", [ONE, TWO], id="none matches"
        ),
    ],
)
def test_order_that_is_not_clear(
    orders_found: Found, ordered_at: datetime | None, code: str, refs: list[str]
) -> None:
    """The text names the orders of the number."""
    chosen = choose("4711", orders_found, ordered_at)
    assert isinstance(chosen, Refusal)
    assert (chosen.code, chosen.is_final) == (code, True)
    assert all(ref in chosen.message for ref in refs)


def test_refusal_stays_one() -> None:
    """Whatever date the row has."""
    refusal = Refusal("http.500", "No.", 500, is_final=False)
    assert choose("4711", refusal, NOON) is refusal


class TestLookUp:
    """The procedure that asks the API."""

    @staticmethod
    def look(*replies: Listing | Stopped | None) -> tuple[list[Found], int]:
        """Look a number up; return what was learned, and the number of requests."""
        learned: list[Found] = []
        procedure = look_up("4711", run_state(), lambda _, found: learned.append(found))
        driven = drive(procedure, *replies)
        assert driven.done is not None
        assert driven.done.outcome is None
        assert set(driven.calls) <= {FindOrders("4711")}
        return learned, len(driven.calls)

    def test_orders_are_learned(self) -> None:
        """With one request."""
        assert self.look(listing(order())) == ([(FoundOrder(ONE, None),)], 1)

    @pytest.mark.parametrize("failure", [answer(500), answer(429), answer(code="network.timeout")])
    def test_failure_is_tried_again(self, failure: Answer) -> None:
        """After the last attempt, the rows have failed; another run may ask again."""
        learned, requests = self.look(failed_listing(failure), listing(order()))
        assert (learned, requests) == ([(FoundOrder(ONE, None),)], 2)
        (refusal,), requests = self.look(*[failed_listing(failure)] * 5)
        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.is_final, requests) == (failure.error_code, False, 5)

    def test_refusal_is_not_repeated(self) -> None:
        """It would be the same."""
        (refusal,), requests = self.look(failed_listing(answer(400)))
        assert isinstance(refusal, Refusal)
        assert (refusal.http_status, requests) == (400, 1)

    def test_404_means_no_order(self) -> None:
        """Although the API answers with an empty list."""
        (refusal,), _ = self.look(failed_listing(answer(404)))
        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.is_final) == ("order.not_found", True)

    @pytest.mark.parametrize(
        "end", [None, Stopped(Stop("credentials", "Refused."), answer(401))], ids=["stop", "401"]
    )
    def test_stop_teaches_nothing(self, end: Stopped | None) -> None:
        """The rows are given up by the run itself."""
        assert self.look(end)[0] == []

    def test_five_numbers_answered_by_404_stop_the_run(self) -> None:
        """The base URL must be that of another program."""
        run = run_state()
        stops = []
        for number in "12345":
            driven = drive(look_up(number, run, lambda *_: None), failed_listing(answer(404)))
            assert driven.done is not None
            stops.append(driven.done.stop)
        assert [stop.why if stop else "" for stop in stops] == [""] * 4 + ["orders_not_found"]


def waiting(row: int, number: str = "4711") -> ContactState:
    """Return a contact whose order is not known."""
    return ContactState(Contact(row, "", b"{}", number), b"key %d" % row)


class TestOrders:
    """What a run remembers of numbers."""

    def test_number_is_requested_once(self) -> None:
        """Until it is known, and not any more then."""
        known = Orders()
        assert [known.request("1"), known.request("1"), known.request("2")] == [True, False, True]
        known.learn("1", (FoundOrder(ONE, None),))
        assert not known.request("1")
        assert known.find(waiting(1, "1").contact) == ONE

    @pytest.mark.parametrize("is_final", [True, False])
    def test_failed_look_up_is_repeated_for_later_rows(self, *, is_final: bool) -> None:
        """But not a refusal that would be the same."""
        known = Orders()
        known.request("1")
        known.learn("1", Refusal("x", "x", is_final=is_final))
        assert known.request("1") is not is_final

    def test_waiting_contacts_are_returned_in_file_order(self) -> None:
        """Each with the order that it means."""
        known = Orders()
        for row in (1, 2, 3):
            known.wait(waiting(row, "9" if row == 2 else "4711"))
        assert known.are_awaited
        learned = known.learn("4711", (FoundOrder(ONE, None),))
        assert [(state.contact.row, ref) for state, ref in learned] == [(1, ONE), (3, ONE)]
        assert [state.contact.row for state in known.take_all()] == [2]
        assert not known.are_awaited

    def test_oldest_numbers_are_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """So that memory stays flat."""
        monkeypatch.setattr(orders, "_KEPT", 2)
        known = Orders()
        for number in "123":
            known.learn(number, (FoundOrder(ONE, None),))
        assert [known.find(waiting(1, number).contact) for number in "123"] == [None, ONE, ONE]

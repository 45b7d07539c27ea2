"""Orders that are named by the organisation's own number."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from command import Workplace, order, wait_until
from servers.reference import Fault, ReferenceServer, Reply, Request

NUMBERS = {order(1): "WEB-1", order(2): "WEB-2", order(3): "TWICE", order(4): "TWICE"}


@pytest.fixture
def numbered() -> Iterator[ReferenceServer]:
    """Return a server whose orders have numbers."""
    with ReferenceServer(orders=NUMBERS) as server:
        yield server


def look_ups(server: ReferenceServer) -> list[str]:
    """Return the numbers that were looked up, in order."""
    return [r.query["referenceId"] for r in server.requests if r.path == "/v2.1/orders"]


def test_each_number_is_looked_up_once(workplace: Workplace, numbered: ReferenceServer) -> None:
    """It has several rows; the results contain the ref of the order."""
    rows = [("WEB-1", "Ann"), ("WEB-2", "Bob"), ("WEB-1", "Eve"), ("WEB-1", "Joe")]
    ran = workplace.send(workplace.write([("referenceId", "firstName"), *rows]), numbered)
    assert ran.exit_status == 0, ran.stderr
    assert sorted(look_ups(numbered)) == ["WEB-1", "WEB-2"]
    assert [row["orderRef"] for row in ran.results] == [order(1), order(2), order(1), order(1)]
    assert numbered.contact_counts() == {order(1): 3, order(2): 1}
    names = [contact["firstName"] for contact in numbered.contacts[order(1)]]
    assert names == ["Ann", "Eve", "Joe"]


def test_second_run_looks_up_and_sends_nothing(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """The journal has entries under the number as well."""
    source = workplace.write([("referenceId", "firstName"), ("WEB-1", "Ann"), ("WEB-2", "Bob")])
    first = workplace.send(source, numbered)
    before = len(numbered.requests)
    second = workplace.send(source, numbered)
    assert second.statuses == ["exists", "exists"]
    assert [row["ref"] for row in second.results] == [row["ref"] for row in first.results]
    assert len(numbered.requests) == before


def test_same_contact_by_number_and_by_ref_is_created_once(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """In either order."""
    by_number = workplace.write([("referenceId", "firstName"), ("WEB-1", "Ann")], "a.csv")
    by_ref = workplace.write([("orderRef", "firstName"), (order(1), "Ann")], "b.csv")
    for source in (by_number, by_ref, by_number):
        assert workplace.send(source, numbered).exit_status == 0
    by_ref = workplace.write([("orderRef", "firstName"), (order(2), "Bob")], "b.csv")
    by_number = workplace.write([("referenceId", "firstName"), ("WEB-2", "Bob")], "a.csv")
    for source in (by_ref, by_number, by_ref):
        assert workplace.send(source, numbered).exit_status == 0
    assert numbered.contact_counts() == {order(1): 1, order(2): 1}


def test_numbers_without_or_with_several_orders_are_rejected(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """They have their own error codes and the number in the message; other rows are sent."""
    rows = [("WEB-1", "Ann"), ("NONE", "Bob"), ("TWICE", "Eve"), ("NONE", "Joe")]
    ran = workplace.send(workplace.write([("referenceId", "firstName"), *rows]), numbered)
    assert ran.exit_status == 1
    assert ran.statuses == ["created", "rejected", "rejected", "rejected"]
    codes = [row["errorCode"] for row in ran.results]
    assert codes == ["", "order.not_found", "order.ambiguous", "order.not_found"]
    assert "NONE" in ran.results[1]["error"]
    assert "TWICE" in ran.results[2]["error"]
    assert sorted(look_ups(numbered)) == ["NONE", "TWICE", "WEB-1"]


def test_row_with_both_uses_the_ref_without_a_look_up(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """Rows of one file may name their order either way."""
    rows = [(order(1), "WEB-2", "Ann"), ("", "WEB-2", "Bob"), (order(2), "", "Eve")]
    source = workplace.write([("orderRef", "referenceId", "firstName"), *rows])
    ran = workplace.send(source, numbered)
    assert ran.exit_status == 0
    assert look_ups(numbered) == ["WEB-2"]
    assert numbered.contact_counts() == {order(1): 1, order(2): 2}


def test_numbers_are_case_sensitive(workplace: Workplace) -> None:
    """They are defined by the organisation, so nothing is assumed about them."""
    with ReferenceServer(orders={order(1): "a-1", order(2): "A-1"}) as server:
        source = workplace.write([("referenceId", "firstName"), ("a-1", "Ann"), ("A-1", "Ann")])
        ran = workplace.send(source, server)
    assert ran.statuses == ["created", "created"]


def test_unclear_answer_is_settled_for_a_row_with_a_number(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """The order that was looked up is read."""
    faults = iter([Fault(status=500, store=True), Fault(drop=True, store=True)])
    numbered.fault_of = lambda _: next(faults, None)
    source = workplace.write([("referenceId", "firstName"), ("WEB-1", "Ann"), ("WEB-2", "Bob")])
    ran = workplace.send(source, numbered)
    assert ran.statuses == ["created", "created"]
    assert numbered.contact_counts() == {order(1): 1, order(2): 1}


def test_duplicate_of_a_row_with_a_number_waits_for_its_first(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """Both wait for their order, in the first run and in later ones."""
    numbered.latency = 0.02
    rows = [("WEB-1", "Ann"), ("WEB-1", "Ann"), ("NONE", "Bob"), ("NONE", "Bob")]
    source = workplace.write([("referenceId", "firstName"), *rows])
    for done in ("created", "exists"):
        ran = workplace.send(source, numbered)
        assert ran.statuses == [done, "duplicate", "rejected", "duplicate"]
        first, second, *_, last = ran.results
        assert (second["ref"], second["orderRef"]) == (first["ref"], order(1))
        assert (second["errorCode"], last["errorCode"]) == ("", "duplicate.not_created")


@pytest.mark.parametrize("latency", [0.0, 0.02])
def test_rows_of_one_order_by_number_and_by_ref_keep_their_sequence(
    workplace: Workplace, latency: float
) -> None:
    """The same contact by ref and by number is created once and reported as a duplicate.

    The next run reports the same rows as duplicates of existing contacts.
    """
    by_ref, by_number, another = (order(1), ""), ("", "WEB-1"), ("", "WEB-2")
    rows = [
        *((*by_ref, f"Ann {n}") for n in range(10)),
        *((*by_number, f"Ann {n}") for n in range(5, 15)),
        (*another, "Bob"),
        (*by_ref, "Ann 14"),
        (*by_ref, "Eve"),
        (*by_number, "Joe"),
        (*by_number, "Eve"),
    ]
    source = workplace.write([("orderRef", "referenceId", "firstName"), *rows])
    with ReferenceServer(orders=NUMBERS, latency=latency) as server:
        ran = workplace.send(source, server)
        names = [contact["firstName"] for contact in server.contacts[order(1)]]
        statuses, reported = ran.statuses, [row["ref"] for row in ran.results]
        again = workplace.send(source, server)
    assert ran.exit_status == 0, ran.stderr
    assert names == [*(f"Ann {n}" for n in range(15)), "Eve", "Joe"]
    created, twice = ["created"], ["duplicate"]
    assert statuses == created * 10 + twice * 5 + created * 6 + twice + created * 2 + twice
    assert len(set(reported)) == len(names) + 1
    assert again.statuses == [one.replace("created", "exists") for one in statuses]
    assert [row["ref"] for row in again.results] == reported


def test_recorded_contact_waits_for_no_look_up(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """It exists, whatever happens to the rows before it."""
    header = ("orderRef", "referenceId", "firstName")
    rows = [(order(1), "", "Ann"), ("", "WEB-2", "Bob")]
    workplace.send(workplace.write([header, *rows]), numbered)
    numbered.requests.clear()
    numbered.authorization = "Basic other"
    source = workplace.write([header, ("", "WEB-1", "Eve"), *rows, *rows])
    ran = workplace.send(source, numbered)
    assert ran.statuses == ["not_sent", "exists", "exists", "duplicate", "duplicate"]
    assert len(numbered.requests) == 1


def test_sending_does_not_wait_for_other_look_ups(workplace: Workplace) -> None:
    """Rows whose order is known are sent before the next look-up."""
    with ReferenceServer(orders={order(n): f"N{n}" for n in range(100)}) as server:
        rows = [(f"N{n}", "Ann") for n in range(100)]
        source = workplace.write([("referenceId", "firstName"), *rows])
        ran = workplace.send(source, server, "--concurrency", 4)
        methods = [request.method for request in server.requests]
    assert ran.statuses == ["created"] * 100
    assert methods.index("POST") < 60


def item(number: int, **fields: object) -> dict[str, object]:
    """Return an order as the API lists it."""
    return {"ref": order(number), **fields}


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        pytest.param([item(1, referenceId="WEB-1")], "created", "", id="its-number"),
        pytest.param([item(1, referenceId=" WEB-1 ")], "created", "", id="with-blanks"),
        pytest.param(
            [item(2, referenceId="WEB-10"), item(1, referenceId="WEB-1")], "created", "", id="alike"
        ),
        pytest.param([item(1), item(1)], "created", "", id="twice-the-same"),
        pytest.param([item(1, ref=order(1).upper()), item(1)], "created", "", id="upper-case"),
        pytest.param(
            [item(2, referenceId="web-1")], "rejected", "order.not_found", id="other-case"
        ),
        pytest.param([item(2, referenceId="WEB-10")], "rejected", "order.not_found", id="another"),
        pytest.param([], "rejected", "order.not_found", id="none"),
        pytest.param(404, "rejected", "order.not_found", id="404"),
        pytest.param([item(1), item(2)], "rejected", "order.ambiguous", id="several"),
        pytest.param([item(1, ref="../guests")], "failed", "response.invalid", id="no-uuid"),
        pytest.param([{"href": "x"}], "failed", "response.invalid", id="no-ref"),
        pytest.param("<html>", "failed", "response.invalid", id="no-object"),
        pytest.param(500, "failed", "http.500", id="500"),
        pytest.param(400, "failed", "http.400", id="400"),
    ],
)
def test_only_an_order_with_exactly_that_number_is_used(
    workplace: Workplace, answer: object, status: str, code: str
) -> None:
    """Nothing is sent to any other order, whatever the look-up returns."""

    class Looked(ReferenceServer):
        def reply_to(self, request: Request) -> Reply:
            if request.path != "/v2.1/orders":
                return super().reply_to(request)
            if isinstance(answer, int):
                return answer, {"status": answer, "code": answer, "message": "No."}
            elsewhere = {"href": "http://127.0.0.1:9/v2.1/orders"}
            return 200, {"items": answer, "next": elsewhere if answer == [] else None}

    with Looked() as server:
        source = workplace.write([("referenceId", "firstName"), ("WEB-1", "Ann")])
        ran = workplace.send(source, server, "--attempts", 1)
        assert server.contact_counts() == ({order(1): 1} if status == "created" else {})
    (row,) = ran.results
    assert (row["status"], row["errorCode"]) == (status, code)
    assert row["retryable"] == {"created": "", "rejected": "false", "failed": "true"}[status]
    assert ("WEB-1" in row["error"]) is (
        status == "rejected" or answer == [item(1, ref="../guests")]
    )
    assert "WEB-1" not in ran.stderr


@pytest.mark.parametrize(
    "number",
    [
        "a/b",
        "a?b#c",
        "100%",
        "%2e%2e",
        "a&referenceId=b",
        "a+b",
        "a b",
        "007",
        "Nº 5 ☃",
        "x" * 700,
        "..",
    ],
)
def test_number_may_be_any_text(workplace: Workplace, number: str) -> None:
    """It arrives as it is in the file."""
    with ReferenceServer(orders={order(1): number}) as server:
        source = workplace.write([("referenceId", "firstName"), (f" {number} ", "Ann")])
        ran = workplace.send(source, server)
        assert look_ups(server) == [number]
    assert ran.statuses == ["created"]


@pytest.mark.parametrize(("known", "status"), [(0, 5), (1, 1)])
def test_look_ups_that_are_all_answered_404_stop_a_run(
    workplace: Workplace, known: int, status: int
) -> None:
    """The destination is not the API, unless one look-up has found its order."""

    class Elsewhere(ReferenceServer):
        def _orders(self, request: Request) -> Reply:
            is_known = int(request.query["referenceId"]) < known
            return super()._orders(request) if is_known else (404, "There is no such page.")

    with Elsewhere(orders={order(0): "0"}) as server:
        source = workplace.write(
            [("referenceId", "firstName"), *((str(n), "Ann") for n in range(8))]
        )
        ran = workplace.send(source, server, "--concurrency", 1)
    assert ran.exit_status == status
    codes = ["order.not_found"] * (8 - known) if known else ["order.not_found"] * 5
    assert [row["errorCode"] for row in ran.results if row["status"] == "rejected"] == codes
    assert ("--base-url" in ran.stderr) is (known == 0)


def test_contact_of_a_killed_run_is_settled_without_a_look_up(workplace: Workplace) -> None:
    """Its order is recorded, so a failing look-up does not matter."""

    class Silent(ReferenceServer):
        is_blind = False

        def _orders(self, request: Request) -> Reply:
            return (500, None) if self.is_blind else super()._orders(request)

    with Silent(orders=NUMBERS) as server:
        source = workplace.write([("referenceId", "firstName"), ("WEB-1", "Ann"), ("WEB-2", "Bob")])
        server.fault_of = lambda _: Fault(silent=True, store=True)
        given = (source, "--base-url", server.url, "--out", workplace.out, "--concurrency", 1)
        process = workplace.start(*given)
        while server.contact_counts() != {order(1): 1}:
            time.sleep(0.001)
        process.kill()
        process.communicate()
        server.fault_of, server.is_blind = lambda _: None, True
        ran = workplace.send(source, server, "--attempts", 1)
        assert ran.statuses == ["created", "failed"]
        server.is_blind = False
        assert workplace.send(source, server).statuses == ["exists", "created"]
        assert server.contact_counts() == {order(1): 1, order(2): 1}


@pytest.mark.parametrize("cells", [(order(2), ""), ("", "WEB-2")], ids=["by-ref", "by-number"])
def test_contact_of_a_killed_run_stays_unclear_while_it_waits(
    workplace: Workplace, numbered: ReferenceServer, cells: tuple[str, str]
) -> None:
    """The run stops while the order of an earlier row is looked up; nothing is sent twice."""
    header, row = ("orderRef", "referenceId", "firstName"), (*cells, "Ann")
    source = workplace.write([header, row])
    numbered.fault_of = lambda _: Fault(silent=True, store=True)
    process = workplace.start(source, "--base-url", numbered.url, "--out", workplace.out)
    while not numbered.contact_counts():
        assert process.poll() is None
    process.kill()
    process.communicate()
    numbered.fault_of = lambda _: None
    source = workplace.write([header, ("", "WEB-1", "Bob"), row])
    right, numbered.authorization = numbered.authorization, "Basic other"
    assert workplace.send(source, numbered).statuses == ["not_sent", "unknown"]
    numbered.authorization = right
    assert workplace.send(source, numbered).statuses == ["created", "created"]
    assert numbered.contact_counts() == {order(1): 1, order(2): 1}


def entries(workplace: Workplace) -> list[tuple[object, ...]]:
    """Return the entries of the journal."""
    with closing(sqlite3.connect(workplace.journal)) as connection:
        return connection.execute("SELECT * FROM entry ORDER BY key").fetchall()


def test_failed_look_up_does_not_change_the_journal(workplace: Workplace) -> None:
    """Neither for a contact that was not created, nor for one that an undo has deleted."""

    class Moody(ReferenceServer):
        is_blind = False

        def _orders(self, request: Request) -> Reply:
            return (500, None) if self.is_blind else super()._orders(request)

    with Moody(faults=[Fault(status=503)], orders=NUMBERS) as server:
        source = workplace.write([("referenceId", "firstName"), ("WEB-1", "Ann"), ("WEB-2", "Bob")])
        once = ("--attempts", 1, "--concurrency", 1)
        assert workplace.send(source, server, *once).statuses == ["failed", "created"]
        assert workplace.undo(server).statuses == ["deleted"]
        server.is_blind, before = True, entries(workplace)
        assert workplace.send(source, server, *once).statuses == ["failed", "failed"]
        assert entries(workplace) == before
        server.is_blind = False
        assert workplace.send(source, server).statuses == ["created", "created"]
        assert server.contact_counts() == {order(1): 1, order(2): 1}


def test_number_may_move_to_another_order(workplace: Workplace) -> None:
    """A missing contact is created in the order that has the number now."""
    with ReferenceServer(orders={order(1): "WEB-1"}) as server:
        source = workplace.write([("referenceId", "firstName"), ("WEB-1", "Ann")])
        assert workplace.send(source, server).statuses == ["created"]
        assert workplace.undo(server).statuses == ["deleted"]
        server.orders = {order(2): "WEB-1"}
        assert workplace.send(source, server).statuses == ["created"]
        assert workplace.send(source, server).statuses == ["exists"]
        assert server.contact_counts() == {order(2): 1}


def test_duplicate_interrupted_by_a_signal_does_not_change_the_journal(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """Its first, which names the order by number, is in flight at the signal."""
    header, again = ("orderRef", "referenceId", "firstName"), (order(1), "", "Ann")
    rows = [("", "WEB-1", "Ann"), ("", "WEB-2", "Bob"), (order(1), "", "Cat"), again]
    numbered.fault_of = lambda _: Fault(store=True, delay=2.0)
    given = (workplace.write([header, *rows]), "--base-url", numbered.url, "--out", workplace.out)
    process = workplace.start(*given)
    wait_until(lambda: numbered.contact_counts() and len(look_ups(numbered)) == 2, process)
    time.sleep(0.5)  # so that the last row is queued behind another one
    process.terminate()
    process.communicate()
    numbered.fault_of = lambda _: None
    alone = workplace.write([header, again], "alone.csv")
    assert workplace.send(alone, numbered).statuses == ["exists"]
    assert len(numbered.contacts[order(1)]) == 1

"""Orders by the organisation's own number."""

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
    """A server whose orders have numbers."""
    with ReferenceServer(orders=NUMBERS) as server:
        yield server


def look_ups(server: ReferenceServer) -> list[str]:
    """The numbers that were looked up, in order."""
    return [r.query["referenceId"] for r in server.requests if r.path == "/v2.1/orders"]


def test_each_number_is_looked_up_once(workplace: Workplace, numbered: ReferenceServer) -> None:
    """However many rows it has; the results hold the ref of the order."""
    rows = [("WEB-1", "Ann"), ("WEB-2", "Bob"), ("WEB-1", "Eve"), ("WEB-1", "Joe")]
    ran = workplace.send(workplace.write([("referenceId", "firstName"), *rows]), numbered)
    assert ran.exit_status == 0, ran.stderr
    assert sorted(look_ups(numbered)) == ["WEB-1", "WEB-2"]
    assert [row["orderRef"] for row in ran.results] == [order(1), order(2), order(1), order(1)]
    assert numbered.contact_counts() == {order(1): 3, order(2): 1}
    names = [contact["firstName"] for contact in numbered.contacts[order(1)]]
    assert names == ["Ann", "Eve", "Joe"]


def test_a_second_run_looks_up_and_sends_nothing(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """The journal knows the contacts by the number, too."""
    source = workplace.write([("referenceId", "firstName"), ("WEB-1", "Ann"), ("WEB-2", "Bob")])
    first = workplace.send(source, numbered)
    before = len(numbered.requests)
    second = workplace.send(source, numbered)
    assert second.statuses == ["exists", "exists"]
    assert [row["ref"] for row in second.results] == [row["ref"] for row in first.results]
    assert len(numbered.requests) == before


def test_the_same_contact_by_number_and_by_ref_is_created_once(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """Whichever way its order is named, and whichever comes first."""
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
    """With a code of their own and the number in the text; the others go on."""
    rows = [("WEB-1", "Ann"), ("NONE", "Bob"), ("TWICE", "Eve"), ("NONE", "Joe")]
    ran = workplace.send(workplace.write([("referenceId", "firstName"), *rows]), numbered)
    assert ran.exit_status == 1
    assert ran.statuses == ["created", "rejected", "rejected", "rejected"]
    codes = [row["errorCode"] for row in ran.results]
    assert codes == ["", "order.not_found", "order.ambiguous", "order.not_found"]
    assert "NONE" in ran.results[1]["error"]
    assert "TWICE" in ran.results[2]["error"]
    assert sorted(look_ups(numbered)) == ["NONE", "TWICE", "WEB-1"]


def test_a_row_with_both_uses_the_ref_and_asks_nothing(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """Rows of one file may name their order either way."""
    rows = [(order(1), "WEB-2", "Ann"), ("", "WEB-2", "Bob"), (order(2), "", "Eve")]
    source = workplace.write([("orderRef", "referenceId", "firstName"), *rows])
    ran = workplace.send(source, numbered)
    assert ran.exit_status == 0
    assert look_ups(numbered) == ["WEB-2"]
    assert numbered.contact_counts() == {order(1): 1, order(2): 2}


def test_numbers_are_told_apart_by_case(workplace: Workplace) -> None:
    """They are the organisation's own, and nobody knows what they mean."""
    with ReferenceServer(orders={order(1): "a-1", order(2): "A-1"}) as server:
        source = workplace.write([("referenceId", "firstName"), ("a-1", "Ann"), ("A-1", "Ann")])
        ran = workplace.send(source, server)
    assert ran.statuses == ["created", "created"]


def test_an_unclear_answer_is_settled_for_such_rows_too(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """By the order that was looked up."""
    faults = iter([Fault(status=500, store=True), Fault(drop=True, store=True)])
    numbered.fault_of = lambda _: next(faults, None)
    source = workplace.write([("referenceId", "firstName"), ("WEB-1", "Ann"), ("WEB-2", "Bob")])
    ran = workplace.send(source, numbered)
    assert ran.statuses == ["created", "created"]
    assert numbered.contact_counts() == {order(1): 1, order(2): 1}


def test_a_duplicate_is_the_row_that_was_created(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """It waits for its order as its first does, in the first run and in any other."""
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
def test_rows_of_an_order_keep_their_order_whichever_way_they_name_it(
    workplace: Workplace, latency: float
) -> None:
    """The same contact by ref and by number is created once, and told as a duplicate.

    The next run tells the same rows as duplicates, of contacts that exist.
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
        statuses, told = ran.statuses, [row["ref"] for row in ran.results]
        again = workplace.send(source, server)
    assert ran.exit_status == 0, ran.stderr
    assert names == [*(f"Ann {n}" for n in range(15)), "Eve", "Joe"]
    created, twice = ["created"], ["duplicate"]
    assert statuses == created * 10 + twice * 5 + created * 6 + twice + created * 2 + twice
    assert len(set(told)) == len(names) + 1
    assert again.statuses == [one.replace("created", "exists") for one in statuses]
    assert [row["ref"] for row in again.results] == told


def test_what_the_journal_knows_waits_for_no_look_up(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """It is there whatever comes of the rows before it."""
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
    """What can be sent is sent before anything else is looked up."""
    with ReferenceServer(orders={order(n): f"N{n}" for n in range(100)}) as server:
        rows = [(f"N{n}", "Ann") for n in range(100)]
        source = workplace.write([("referenceId", "firstName"), *rows])
        ran = workplace.send(source, server, "--concurrency", 4)
        methods = [request.method for request in server.requests]
    assert ran.statuses == ["created"] * 100
    assert methods.index("POST") < 60


def item(number: int, **fields: object) -> dict[str, object]:
    """An order as the API lists it."""
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
def test_only_an_order_of_that_very_number_is_taken(
    workplace: Workplace, answer: object, status: str, code: str
) -> None:
    """Nothing is sent to any other, whatever the look-up answers."""

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
def test_any_text_is_a_number(workplace: Workplace, number: str) -> None:
    """It arrives as it stands in the file."""
    with ReferenceServer(orders={order(1): number}) as server:
        source = workplace.write([("referenceId", "firstName"), (f" {number} ", "Ann")])
        ran = workplace.send(source, server)
        assert look_ups(server) == [number]
    assert ran.statuses == ["created"]


@pytest.mark.parametrize(("known", "status"), [(0, 5), (1, 1)])
def test_look_ups_that_find_nothing_but_404_stop_a_run(
    workplace: Workplace, known: int, status: int
) -> None:
    """It is not the API then, unless one of them has found its order."""

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


def test_what_a_killed_run_left_is_settled_without_another_look_up(workplace: Workplace) -> None:
    """It is known to which order it went; so a look-up that fails makes no lie of it."""

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
def test_what_a_killed_run_left_stays_unclear_while_it_is_held_back(
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
    """What the journal holds."""
    with closing(sqlite3.connect(workplace.directory / "results.csv.journal")) as connection:
        return connection.execute("SELECT * FROM entry ORDER BY key").fetchall()


def test_a_look_up_that_fails_takes_nothing_from_the_journal(workplace: Workplace) -> None:
    """Of a contact that was not created, and of one that an undo has deleted."""

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


def test_a_number_can_become_that_of_another_order(workplace: Workplace) -> None:
    """What is not there is created in the order that has the number now."""
    with ReferenceServer(orders={order(1): "WEB-1"}) as server:
        source = workplace.write([("referenceId", "firstName"), ("WEB-1", "Ann")])
        assert workplace.send(source, server).statuses == ["created"]
        assert workplace.undo(server).statuses == ["deleted"]
        server.orders = {order(2): "WEB-1"}
        assert workplace.send(source, server).statuses == ["created"]
        assert workplace.send(source, server).statuses == ["exists"]
        assert server.contact_counts() == {order(2): 1}


def test_a_duplicate_that_a_signal_overtakes_takes_nothing_from_the_journal(
    workplace: Workplace, numbered: ReferenceServer
) -> None:
    """Its first, which names the order by number, is in flight when the run is told to end."""
    header, again = ("orderRef", "referenceId", "firstName"), (order(1), "", "Ann")
    rows = [("", "WEB-1", "Ann"), ("", "WEB-2", "Bob"), (order(1), "", "Cat"), again]
    numbered.fault_of = lambda _: Fault(store=True, delay=2.0)
    given = (workplace.write([header, *rows]), "--base-url", numbered.url, "--out", workplace.out)
    process = workplace.start(*given)
    wait_until(lambda: numbered.contact_counts() and len(look_ups(numbered)) == 2, process)
    time.sleep(0.5)  # so that the last row is in its lane, behind another one
    process.terminate()
    process.communicate()
    numbered.fault_of = lambda _: None
    alone = workplace.write([header, again], "alone.csv")
    assert workplace.send(alone, numbered).statuses == ["exists"]
    assert len(numbered.contacts[order(1)]) == 1

"""Exactly one contact for each row, whatever happens to the requests."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from command import Workplace, order
from servers.reference import Fault, ReferenceServer, Request

Contacts = Callable[[int], Path]

HTML = b"<html><body>Bad gateway</body></html>"
CHUNKED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
SURPLUS = (
    b"HTTP/1.1 201 Created\r\nContent-Length: 46\r\n\r\n"
    b'{"ref":"99999999-0000-4000-8000-000000000099"}'
)
UNCLEAR = {
    "500-not-stored": Fault(status=500),
    "500-stored": Fault(status=500, store=True),
    "502-page-stored": Fault(status=502, store=True, body=HTML),
    "503-page-stored": Fault(status=503, store=True, body=HTML),
    "504-not-stored": Fault(status=504, body=HTML),
    "408-stored": Fault(status=408, store=True),
    "dropped-stored": Fault(drop=True, store=True),
    "dropped-not-stored": Fault(drop=True),
    "silent-stored": Fault(silent=True, store=True),
    "silent-not-stored": Fault(silent=True),
    "dripped-stored": Fault(store=True, drip=0.2),
    "cut-in-the-head": Fault(store=True, cut=8),
    "cut-in-the-body": Fault(store=True, cut=120),
    "201-without-ref": Fault(store=True, body=b"{}"),
    "201-of-null": Fault(store=True, body=b"null"),
    "201-of-garbage": Fault(store=True, body=b"\xff\xfe{"),
    "201-nested": Fault(store=True, body=b"[" * 100_000),
    "200-of-a-log-in-page": Fault(store=True, status=200, body=HTML),
    "204": Fault(store=True, status=204, body=b""),
    "reset-stored": Fault(store=True, reset=True),
    "reset-not-stored": Fault(reset=True),
    "chunks-cut": Fault(store=True, raw=CHUNKED + b'40\r\n{"ref":'),
    "chunk-of-no-length": Fault(store=True, raw=CHUNKED + b"zz\r\n{}\r\n"),
    "201-ends-with-the-connection": Fault(
        store=True, raw=b'HTTP/1.1 201 Created\r\n\r\n{"ref": "0'
    ),
    "201-of-broken-gzip": Fault(store=True, body=b"{}", headers={"Content-Encoding": "gzip"}),
    "201-of-unknown-encoding": Fault(store=True, body=b"{}", headers={"Content-Encoding": "x"}),
    "garbage-stored": Fault(store=True, raw=b"\x16\x03\x01\x00 what is this\r\n\r\n"),
    "garbage-not-stored": Fault(raw=b"\x16\x03\x01\x00 what is this\r\n\r\n"),
    "201-of-50-megabytes": Fault(store=True, body=b" " * 50_000_000),
    "flood-of-headers": Fault(store=True, headers={f"X-{n}": "x" for n in range(300)}),
    "header-of-70-kilobytes": Fault(store=True, headers={"X": "x" * 70_000}),
    "201-ref-null": Fault(store=True, body=b'{"ref": null}'),
    "201-ref-blank": Fault(store=True, body=b'{"ref": ""}'),
    "201-ref-number": Fault(store=True, body=b'{"ref": 7}'),
    "201-ref-list": Fault(store=True, body=b'{"ref": ["a"]}'),
    "201-ref-no-uuid": Fault(store=True, body=b'{"ref": "../x"}'),
    "201-of-a-list": Fault(store=True, body=b"[]"),
    "201-of-a-text": Fault(store=True, body=b'"x"'),
    "201-of-nan": Fault(store=True, body=b'{"ref": NaN}'),
    "202-without-ref": Fault(store=True, status=202, body=b"{}"),
}
LATE = {"stored-late": Fault(silent=True, store_after=2.0)}
CLEAR = {
    "503-of-the-api": Fault(status=503),
    "429": Fault(status=429),
    "429-retry-after": Fault(status=429, headers={"Retry-After": "1"}),
    "429-retry-after-junk": Fault(status=429, headers={"Retry-After": "soon"}),
    "429-retry-after-past": Fault(
        status=429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    ),
    "429-retry-after-negative": Fault(status=429, headers={"Retry-After": "-1"}),
    "429-retry-after-half": Fault(status=429, headers={"Retry-After": "1.5"}),
    "closed-after-the-answer": Fault(store=True, cut=1_000_000),
    "100-and-103-first": Fault(
        store=True,
        before=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
    ),
    "two-answers": Fault(store=True, after=SURPLUS),
}


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(UNCLEAR, id="unclear"),
        pytest.param(CLEAR, id="clear"),
        pytest.param(LATE, id="late", marks=pytest.mark.real_delays),
    ],
)
def test_each_fault_leaves_exactly_one_contact_per_row(
    workplace: Workplace, contacts: Contacts, faults: dict[str, Fault]
) -> None:
    """Every second row meets another fault of the table at its first attempt."""
    names = {order(2 * number): name for number, name in enumerate(faults, 1)}
    left = {of: faults[name] for of, name in names.items()}
    rows = 2 * len(faults) + 1
    with ReferenceServer(faults=lambda request: left.pop(request.order_ref, None)) as server:
        ran = workplace.send(contacts(rows), server, "--timeout", 1)
    assert ran.exit_status == 0, ran.stderr
    assert left == {}
    undone = {names.get(row["orderRef"]): row for row in ran.results if row["status"] != "created"}
    assert undone == {}
    counts = server.contact_counts()
    assert {names.get(of, of): count for of, count in counts.items() if count != 1} == {}
    assert len(counts) == rows
    refs = {of: found[0]["ref"] for of, found in server.contacts.items()}
    assert {
        names.get(row["orderRef"]) for row in ran.results if row["ref"] != refs[row["orderRef"]]
    } == set()


@pytest.mark.slow
def test_bad_day_leaves_exactly_one_contact_per_row(
    workplace: Workplace, contacts: Contacts
) -> None:
    """Every fourth request of 400 rows fails in one of two dozen ways."""
    random = Random(4)  # noqa: S311 - repeatable faults
    faults = list((UNCLEAR | LATE | CLEAR).values())

    def fault_of(_request: Request) -> Fault | None:
        return random.choice(faults) if random.random() < 0.25 else None

    with ReferenceServer(faults=fault_of) as server:
        ran = workplace.send(contacts(400), server, "--timeout", 1, "--attempts", 12)
        if ran.exit_status != 0:
            server.fault_of = lambda _: None
            ran = workplace.send(workplace.directory / "contacts.csv", server)
    assert ran.exit_status == 0, ran.stderr
    assert server.contact_counts() == {order(n): 1 for n in range(1, 401)}


REFUSALS = {
    "ansi": b'{"status":400,"code":400,"message":"firstName: \\u001b[31mno"}',
    "formula": b'{"status":400,"code":400,"message":"=cmd|x"}',
    "list": b'["no"]',
    "page": b"<html>no</html>",
    "empty": b"",
    "no-utf-8": b"\xff\xfe",
    "10-megabytes": b'{"message":"' + b"x" * 10_000_000 + b'"}',
}


def test_refusal_affects_only_its_row(workplace: Workplace, contacts: Contacts) -> None:
    """It is sent once and reported in a short harmless message; all other rows are created."""
    bodies = [Fault(status=400, body=body) for body in REFUSALS.values()]
    statuses = [Fault(status=status) for status in (405, 410, 413, 422)]
    left = {order(n): fault for n, fault in enumerate([*bodies, *statuses], 2)}
    rejected = dict(left)
    with ReferenceServer(faults=lambda request: left.pop(request.order_ref, None)) as server:
        ran = workplace.send(contacts(len(rejected) + 2), server)
    assert ran.exit_status == 1, ran.stderr
    assert len(server.requests) == len(rejected) + 2
    assert len(server.contact_counts()) == 2
    for row in ran.results:
        fault = rejected.get(row["orderRef"])
        if fault is None:
            assert row["status"] == "created"
            continue
        assert (row["status"], row["retryable"]) == ("rejected", "false")
        assert row["errorCode"] == f"http.{fault.status}"
        assert len(row["error"]) < 1000
        assert "\x1b" not in row["error"]
        assert not row["error"].startswith("=")


@pytest.mark.parametrize(
    ("status", "where"),
    [
        (301, "other"),
        (302, "same"),
        (303, "file:///etc/passwd"),
        (307, "other"),
        (308, "other"),
        (302, None),
    ],
)
def test_redirect_is_not_followed_and_ends_the_run(
    workplace: Workplace, contacts: Contacts, status: int, where: str | None
) -> None:
    """No request reaches the second server."""
    with ReferenceServer() as other, ReferenceServer() as server:
        to = {"other": f"{other.url}/x", "same": "/x"}.get(where or "", where)
        headers = {} if to is None else {"Location": to}
        server.fault_of = lambda _: Fault(status=status, headers=headers)
        ran = workplace.send(contacts(3), server)
    assert ran.exit_status == 5
    assert "never followed" in ran.stderr
    assert ran.statuses == ["failed", "not_sent", "not_sent"]
    assert (len(server.requests), len(other.requests)) == (1, 0)


@pytest.mark.parametrize(("status", "exit_status"), [(401, 4), (415, 5)])
def test_answer_to_every_row_ends_the_run_and_the_next_continues(
    workplace: Workplace, contacts: Contacts, status: int, exit_status: int
) -> None:
    """From the third row on, all get this answer; the next run sends what is left."""
    source = contacts(6)
    with ReferenceServer(faults=_once(order(3), Fault(status=status))) as server:
        first = workplace.send(source, server, "--concurrency", 1)
        assert first.exit_status == exit_status
        assert first.statuses[:2] == ["created", "created"]
        assert set(first.statuses[3:]) == {"not_sent"}
        assert len(server.requests) == 3
        second = workplace.send(source, server)
    assert second.exit_status == 0, second.stderr
    assert second.statuses == ["exists"] * 2 + ["created"] * 4
    assert server.contact_counts() == {order(n): 1 for n in range(1, 7)}


def test_403_after_a_success_rejects_that_row_only(
    workplace: Workplace, contacts: Contacts
) -> None:
    """A firewall may refuse a single record; its message is in the results."""
    page = Fault(status=403, body=b"<html>Request blocked</html>")
    with ReferenceServer(faults=_once(order(6), page)) as server:
        ran = workplace.send(contacts(12), server)
    assert ran.exit_status == 1
    assert ran.statuses == ["created"] * 5 + ["rejected"] + ["created"] * 6
    refused = ran.results[5]
    assert (refused["errorCode"], refused["retryable"]) == ("http.403", "false")
    assert refused["error"].startswith("HTTP 403 Forbidden")


def test_five_403_in_a_row_end_the_run(workplace: Workplace, contacts: Contacts) -> None:
    """The credentials were revoked."""
    with ReferenceServer() as server:
        server.fault_of = lambda sent: None if sent.order_ref == order(1) else Fault(status=403)
        ran = workplace.send(contacts(12), server, "--concurrency", 1)
    assert ran.exit_status == 4
    assert ran.statuses == ["created"] + ["rejected"] * 4 + ["not_sent"] * 7


def test_403_before_any_success_ends_the_run(workplace: Workplace, contacts: Contacts) -> None:
    """The credentials are wrong."""
    with ReferenceServer(faults=_once(order(1), Fault(status=403))) as server:
        ran = workplace.send(contacts(3), server)
    assert (ran.exit_status, ran.statuses) == (4, ["not_sent"] * 3)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>Maintenance</html>", "text/html"),
        (b"<html>Maintenance</html>", ""),
        (b"OK", "text/plain"),
        (b'{"status": "error"}', "application/json"),
        (b"", ""),
    ],
    ids=["page", "page without a type", "text", "error in JSON", "nothing"],
)
@pytest.mark.parametrize("status", [200, 202, 204])
def test_success_that_is_not_the_apis_is_settled_and_sent_again(
    workplace: Workplace, contacts: Contacts, status: int, body: bytes, content_type: str
) -> None:
    """A maintenance page with status 200 creates nothing."""
    fault = Fault(status=status, body=body, headers={"Content-Type": content_type})
    with ReferenceServer(faults=_once(order(2), fault)) as server:
        ran = workplace.send(contacts(3), server)
    assert ran.statuses == ["created"] * 3
    assert server.contact_counts() == {order(n): 1 for n in range(1, 4)}


def test_other_client_key_neither_sends_again_nor_counts_as_sent(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """A wrong key that sent nothing does no harm; a renewed one has to be confirmed, once."""
    source = contacts(3)
    given = (source, "--base-url", server.url, "--out", workplace.out)
    assert workplace.run(*given, SITECORE_CDP_CLIENT_KEY="mistyped").exit_status == 4
    assert workplace.run(*given).statuses == ["created"] * 3
    server.authorization = None
    refused = workplace.run(*given, SITECORE_CDP_CLIENT_KEY="renewed")
    assert refused.exit_status == 2
    assert "--new-client-key" in refused.stderr
    for more in (["--new-client-key"], []):
        ran = workplace.run(*given, *more, SITECORE_CDP_CLIENT_KEY="renewed")
        assert ran.statuses == ["exists"] * 3
    assert server.contact_counts() == {order(n): 1 for n in range(1, 4)}


def test_row_that_always_fails_does_not_affect_others(
    workplace: Workplace, contacts: Contacts
) -> None:
    """After its last attempt it is known not to be created; all others are."""

    def fault_of(request: Request) -> Fault | None:
        return Fault(status=503) if request.order_ref == order(2) else None

    with ReferenceServer(faults=fault_of) as server:
        ran = workplace.send(contacts(5), server, "--attempts", 3)
    assert ran.exit_status == 1
    assert ran.statuses == ["created", "failed", "created", "created", "created"]
    row = ran.results[1]
    assert (row["attempts"], row["retryable"], row["errorCode"]) == ("3", "true", "http.503")


def test_missing_order_is_requested_once(
    workplace: Workplace,
) -> None:
    """Its other rows are rejected without another request."""
    rows = [(order(1), "Ann"), (order(2), "Bob"), (order(2), "Eve"), (order(2), "Joe")]
    source = workplace.write([("orderRef", "firstName"), *rows])
    with ReferenceServer(orders={order(1): "A-1"}) as server:
        ran = workplace.send(source, server)
    assert ran.exit_status == 1
    assert ran.statuses == ["created", "rejected", "rejected", "rejected"]
    assert {row["errorCode"] for row in ran.results[1:]} == {"http.404"}
    assert len(server.requests) == 2


def test_wrong_region_is_noticed_early(workplace: Workplace, contacts: Contacts) -> None:
    """If none of the first orders exists, the run ends instead of trying them all."""
    with ReferenceServer(orders={}) as server:
        ran = workplace.send(contacts(200), server)
    assert ran.exit_status == 5
    assert len(server.requests) < 20
    assert ran.statuses[-1] == "not_sent"
    assert "--region" in ran.stderr


@pytest.mark.slow
def test_stop_with_nothing_in_flight_ends_a_large_run(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """The reader is waiting for outcomes by then, and must not wait for ever."""
    server.authorization = "Basic other"
    server.latency = 4.0  # long enough for the reader to get that far ahead
    ran = workplace.send(contacts(25_000), server)
    assert ran.exit_status == 4
    assert len(server.requests) == 1
    assert ran.statuses == ["not_sent"] * 25_000


def test_long_retry_after_ends_the_run(workplace: Workplace, contacts: Contacts) -> None:
    """The run does not wait for a day; the next one continues."""
    fault = Fault(status=429, headers={"Retry-After": "86400"})
    with ReferenceServer(faults=lambda _: fault) as server:
        ran = workplace.send(contacts(5), server)
    assert ran.exit_status == 5
    assert "86400" in ran.stderr
    assert server.contact_counts() == {}


@pytest.mark.slow
def test_dead_api_ends_the_run_and_the_next_one_continues(
    workplace: Workplace, contacts: Contacts, server: ReferenceServer
) -> None:
    """Few requests are sent, the exit status is 5, and every row is left for the next run."""
    server.fault_of = lambda _: Fault(status=503)
    source = contacts(100)
    first = workplace.send(source, server)
    assert first.exit_status == 5
    assert set(first.statuses) == {"failed", "not_sent"}
    assert len(server.requests) < 60
    server.fault_of = lambda _: None
    second = workplace.send(source, server)
    assert second.statuses == ["created"] * 100
    assert set(server.contact_counts().values()) == {1}


def _once(order_ref: str, fault: Fault) -> Callable[[Request], Fault | None]:
    """Return a function that gives the fault to the first create of one order."""
    left = [fault]

    def fault_of(request: Request) -> Fault | None:
        return left.pop() if left and request.order_ref == order_ref else None

    return fault_of


def test_silent_api_is_reported_as_down_even_for_one_row(
    workplace: Workplace, contacts: Contacts
) -> None:
    """Every row has used its attempts, and still the cause is the API."""
    ran = workplace.run(
        contacts(1), "--base-url", "http://127.0.0.1:9", "--out", workplace.out, "--attempts", 2
    )
    assert ran.exit_status == 5
    assert ran.statuses == ["failed"]
    assert ran.results[0]["errorCode"] == "network.connect"


def test_log_contains_no_personal_data(workplace: Workplace, contacts: Contacts) -> None:
    """It has no cells, no credentials, and nothing that the API quotes of them."""

    def fault_of(request: Request) -> Fault:
        name = json.loads(request.body)["firstName"]
        message = json.dumps({"status": 500, "code": 500, "message": f"{name} \x1b[31m"})
        return Fault(status=500, body=message.encode())

    with ReferenceServer(faults=fault_of) as server:
        ran = workplace.send(
            contacts(3), server, "-v", "--attempts", 2, "--log-format", "json",
            "--summary", "summary.json",
        )  # fmt: skip
    reported = ran.stderr + (workplace.directory / "summary.json").read_text()
    for secret in ("Name 1", "p1@example.com", "sandbox:", "c2FuZGJveDpzYW5kYm94", "\x1b"):
        assert secret not in reported
    for line in ran.stderr.splitlines():
        json.loads(line)


def test_stored_values_that_differ_are_reported(workplace: Workplace) -> None:
    """The contact is created; its result names the fields without their values."""
    source = workplace.write([("orderRef", "firstName", "email"), (order(1), "Annabel", "A@x.ie")])
    body = {"ref": order(7), "firstName": "Anna", "emails": ["a@x.ie"]}
    with ReferenceServer(faults=[Fault(store=True, body=json.dumps(body).encode())]) as server:
        ran = workplace.send(source, server)
    (row,) = ran.results
    assert (ran.exit_status, row["status"], row["errorCode"]) == (0, "created", "response.differs")
    assert "firstName" in row["error"]
    assert "emails" not in row["error"]
    assert "Anna" not in row["error"]


def test_page_of_a_captive_portal_creates_nothing(workplace: Workplace, contacts: Contacts) -> None:
    """The first create is answered by a portal, so the row is sent again."""
    page = Fault(status=200, body=HTML, headers={"Content-Type": "text/html"})
    with ReferenceServer(faults=_once(order(2), page)) as server:
        ran = workplace.send(contacts(4), server)
    assert ran.exit_status == 0, ran.stderr
    assert server.contact_counts() == {order(n): 1 for n in range(1, 5)}


def test_duplicate_does_not_change_the_entry_of_its_first(workplace: Workplace) -> None:
    """The run is stopped before it reaches the duplicate."""
    ann, bob = (order(1), "Ann"), (order(1), "Bob")
    header = ("orderRef", "firstName")
    with ReferenceServer() as server:
        workplace.send(workplace.write([header, ann]), server)
        server.fault_of = lambda _: Fault(status=401)
        workplace.send(workplace.write([header, ann, bob, ann]), server)
        server.fault_of = lambda _: None
        ran = workplace.send(workplace.write([header, ann, bob, ann]), server)
    assert ran.statuses == ["exists", "created", "duplicate"]
    assert server.contact_counts() == {order(1): 2}


def test_success_between_refusals_keeps_the_run_going(
    workplace: Workplace, server: ReferenceServer
) -> None:
    """Four of five rows get 403, and answers are counted in the order in which they arrive."""

    def refuse(request: Request) -> Fault | None:
        return Fault(status=403) if int(request.order_ref[-12:]) % 5 else None

    server.fault_of = refuse
    rows = [(order(n), f"Name {n}") for n in range(150)]
    source = workplace.write([("orderRef", "firstName"), *rows])
    ran = workplace.send(source, server, "--concurrency", "1", "--if-exists", "create")
    assert ran.exit_status == 1, ran.stderr
    assert ran.statuses == [status for _ in range(30) for status in ("created", *["rejected"] * 4)]

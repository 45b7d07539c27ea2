"""The classification of every status, body and failure: the table of answers."""

import json

import pytest

from importer.api import Answer, NextStep, Verdict, rules
from importer.api.classification import Expected, answer_to, answer_to_failure
from importer.api.replies import Failure, Reply, Secrets
from importer.records import ContactRefs

REF = "2d7de9df-45a2-45ea-872c-30e45139007d"
GUEST = "f7aabbca-1c1b-4fc2-be72-3e16294a4f03"
CONTACT = {
    "ref": REF,
    "href": f"https://api.example.com/v2.1/orderContacts/{REF}",
    "guest": {"href": f"https://api.example.com/v2.1/guests/{GUEST}"},
    "firstName": "Ada",
}
APPLIED, NOT_APPLIED, UNKNOWN = Verdict.APPLIED, Verdict.NOT_APPLIED, Verdict.UNKNOWN
DONE, SETTLE, RESEND = NextStep.DONE, NextStep.SETTLE, NextStep.RESEND
REJECT, STOP = NextStep.REJECT, NextStep.STOP


def error_body(status: int) -> bytes:
    """Return the documented error form."""
    return json.dumps({"status": status, "code": status, "message": "No."}).encode()


def classify(reply: Reply, expected: Expected = Expected.CONTACT) -> Answer:
    """Classify a reply to a create, or to another call."""
    return answer_to(expected, reply, 0.1, Secrets())


@pytest.mark.parametrize("status", [200, 201, 202, 203, 299])
def test_success_with_a_ref_is_applied(status: int) -> None:
    """Any 2xx with a usable ref shows that the contact exists and where."""
    answer = classify(Reply(status=status, body=json.dumps(CONTACT).encode()))
    assert (answer.rule, answer.http_status, answer.error_code) == (rules.APPLIED, status, "")
    assert answer.refs == ContactRefs(REF, str(CONTACT["href"]), GUEST)
    assert answer.contact == CONTACT


BODIES_WITHOUT_REF = [
    pytest.param(b"", id="no body"),
    pytest.param(b"OK", id="plain text"),
    pytest.param(b"{}", id="no ref"),
    pytest.param(b'{"status": "error"}', id="an error"),
    pytest.param(b'{"status": 200, "code": 200, "message": "Down."}', id="the API's error form"),
    pytest.param(b'{"ref": null}', id="null"),
    pytest.param(b'{"ref": ""}', id="blank"),
    pytest.param(b'{"ref": 7}', id="number"),
    pytest.param(f'{{"ref": ["{REF}"]}}'.encode(), id="list"),
    pytest.param(b'{"ref": "not-a-uuid"}', id="not a UUID"),
    pytest.param(f'{{"ref": "{REF}\\n"}}'.encode(), id="line break"),
    pytest.param(f'{{"ref": "{REF}", "ref": "{GUEST}"}}'.encode(), id="two refs"),
    pytest.param(f'{{"ref": "{REF}", "age": NaN}}'.encode(), id="NaN"),
    pytest.param(f'[{{"ref": "{REF}"}}]'.encode(), id="array"),
    pytest.param(b"null", id="null body"),
    pytest.param(b'"x"', id="text"),
    pytest.param(f'{{"ref": "{REF}", "city": "'.encode(), id="cut short"),
    pytest.param(b'{"ref": "\xff"}', id="not UTF-8"),
    pytest.param(b"[" * 100_000, id="nested too deep"),
    pytest.param(b"9" * 100_000, id="a number too long"),
    pytest.param(b"<html>maintenance</html>", id="a page"),
]


@pytest.mark.parametrize("body", BODIES_WITHOUT_REF)
def test_201_without_a_usable_ref_is_applied(body: bytes) -> None:
    """It says that the contact was created, so it must never be sent again."""
    answer = classify(Reply(status=201, body=body))
    assert (answer.rule, answer.refs.ref) == (rules.CREATED_UNREADABLE, "")
    assert (answer.verdict, answer.error_code) == (APPLIED, "response.invalid")


@pytest.mark.parametrize("body", BODIES_WITHOUT_REF)
@pytest.mark.parametrize("content_type", ["", "text/plain", "text/html", "application/json"])
@pytest.mark.parametrize("status", [200, 202, 204, 206, 226])
def test_any_other_2xx_without_a_usable_ref_is_unknown(
    status: int, content_type: str, body: bytes
) -> None:
    """It may come from a gateway or a proxy, whatever its media type."""
    answer = classify(Reply(status=status, body=body, content_type=content_type))
    assert (answer.rule, answer.refs.ref) == (rules.NOT_THE_API, "")
    assert (answer.verdict, answer.error_code) == (UNKNOWN, "response.invalid")


@pytest.mark.parametrize("flaw", ["network.timeout", "network.reset", "response.invalid"])
@pytest.mark.parametrize(("status", "verdict"), [(201, APPLIED), (200, UNKNOWN)])
def test_success_whose_body_broke_has_no_ref(status: int, verdict: Verdict, flaw: str) -> None:
    """The status arrives before the body breaks off; an incomplete body is not used."""
    answer = classify(Reply(status=status, body=json.dumps(CONTACT).encode(), flaw=flaw))
    assert (answer.verdict, answer.refs.ref, answer.error_code) == (verdict, "", flaw)


@pytest.mark.parametrize("expected", list(Expected))
@pytest.mark.parametrize(
    ("statuses", "verdict", "next_step", "slows"),
    [
        pytest.param(range(300, 309), NOT_APPLIED, STOP, False, id="3xx"),
        pytest.param([401], NOT_APPLIED, STOP, False, id="401"),
        pytest.param([403], NOT_APPLIED, REJECT, False, id="403"),
        pytest.param(
            [400, 402, 404, 405, 409, 410, 413, 422, 423, 424, 428, 431, 451, 499],
            NOT_APPLIED,
            REJECT,
            False,
            id="other 4xx",
        ),
        pytest.param([408], UNKNOWN, SETTLE, True, id="408"),
        pytest.param([415], NOT_APPLIED, STOP, False, id="415"),
        pytest.param([421, 425], NOT_APPLIED, RESEND, False, id="421 and 425"),
        pytest.param([429], NOT_APPLIED, RESEND, True, id="429"),
        pytest.param([503], NOT_APPLIED, RESEND, True, id="503 of the API"),
        pytest.param(
            [500, 501, 502, 504, 507, 511, 520, 599, 600, 999, 101],
            UNKNOWN,
            SETTLE,
            True,
            id="other 5xx",
        ),
    ],
)
def test_every_other_status_in_the_form_of_the_api(
    expected: Expected,
    statuses: list[int],
    verdict: Verdict,
    next_step: NextStep,
    slows: bool,  # noqa: FBT001
) -> None:
    """The table is the same for all calls."""
    for status in statuses:
        answer = classify(Reply(status=status, body=error_body(status)), expected)
        rule = answer.rule
        assert (rule.verdict, rule.next_step, rule.slows) == (verdict, next_step, slows), status
        assert (answer.error_code, answer.message) == (f"http.{status}", "No.")
        assert answer.is_api_error


def test_413_with_retry_after_is_temporary() -> None:
    """Source: RFC 9110, section 15.5.14."""
    assert classify(Reply(status=413, retry_after=["5"])).rule.next_step is RESEND
    assert classify(Reply(status=413, retry_after=["soon"])).rule.next_step is REJECT


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"<html>503</html>", "text/html", id="page"),
        pytest.param(b"", "", id="nothing"),
        pytest.param(b'{"message": "Service Unavailable"}', "application/json", id="gateway"),
        pytest.param(b'{"code": 500, "message": "No."}', "application/json", id="other code"),
        pytest.param(b'{"code": 503, "message": null}', "application/json", id="no message"),
        pytest.param(error_body(503)[:-1], "application/json", id="cut short"),
    ],
)
def test_503_of_a_gateway_is_unknown(body: bytes, content_type: str) -> None:
    """The contact may have been stored behind the gateway; its pause is respected."""
    reply = Reply(status=503, body=body, content_type=content_type, retry_after=["3600"])
    answer = classify(reply)
    assert (answer.verdict, answer.is_api_error) == (UNKNOWN, False)
    assert answer.retry_after == 3600.0


def test_503_whose_body_broke_is_unknown() -> None:
    """An incomplete body may look like a complete one."""
    answer = classify(Reply(status=503, body=error_body(503), flaw="network.reset"))
    assert answer.verdict is UNKNOWN


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"items": []', b"<html>"])
def test_reading_without_an_object_is_unknown(body: bytes) -> None:
    """A 200 that cannot be understood proves nothing."""
    answer = classify(Reply(status=200, body=body), Expected.OBJECT)
    assert (answer.verdict, answer.error_code) == (UNKNOWN, "response.invalid")


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(status=204), APPLIED),
        (Reply(status=200), UNKNOWN),
        (Reply(status=200, body=b"<html>", content_type="text/html"), UNKNOWN),
        (Reply(status=202), UNKNOWN),
    ],
)
def test_only_204_is_a_deletion(reply: Reply, verdict: Verdict) -> None:
    """Any other success may come from a page in between."""
    assert classify(reply, Expected.NOTHING).verdict is verdict


@pytest.mark.parametrize(
    ("code", "certain", "verdict", "next_step", "slows"),
    [
        ("network.connect", True, NOT_APPLIED, RESEND, False),
        ("network.tls", True, NOT_APPLIED, STOP, False),
        ("network.timeout", True, NOT_APPLIED, RESEND, True),
        ("network.reset", True, NOT_APPLIED, RESEND, True),
        ("network.timeout", False, UNKNOWN, SETTLE, True),
        ("network.reset", False, UNKNOWN, SETTLE, True),
        ("response.invalid", False, UNKNOWN, SETTLE, True),
    ],
)
def test_request_without_a_reply(
    code: str,
    certain: bool,  # noqa: FBT001
    verdict: Verdict,
    next_step: NextStep,
    slows: bool,  # noqa: FBT001
) -> None:
    """It is not applied only if it is proven that the API did not act."""
    failure = Failure(error_code=code, message="x", certain=certain, sent=True)
    answer = answer_to_failure(failure, 0.1)
    assert (answer.verdict, answer.rule.next_step, answer.rule.slows) == (verdict, next_step, slows)
    assert (answer.http_status, answer.sent, answer.error_code) == (None, True, code)


def test_only_unclear_answers_are_settled() -> None:
    """Only after a 201 is a contact that is not found never sent again."""
    for rule in rules.TABLE:
        assert (rule.next_step is SETTLE) == (rule.when_absent is not None)
        assert (rule.verdict is UNKNOWN) <= (rule.next_step is SETTLE)
        assert (rule.when_absent is rules.WhenAbsent.KEEP) == (rule is rules.CREATED_UNREADABLE)
        assert (rule.next_step is DONE) == (rule is rules.APPLIED)

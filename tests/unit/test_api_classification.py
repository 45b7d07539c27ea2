"""Every answer is applied, not applied or unknown."""

import json

import pytest

from importer.api.answers import Answer, Verdict
from importer.api.classification import Request, answer_to, answer_to_failure
from importer.api.replies import Failure, Reply, Secrets

REF = "2d7de9df-45a2-45ea-872c-30e45139007d"
GUEST = "f7aabbca-1c1b-4fc2-be72-3e16294a4f03"
APPLIED, NOT_APPLIED, UNKNOWN = Verdict.APPLIED, Verdict.NOT_APPLIED, Verdict.UNKNOWN


def error_body(status: int) -> bytes:
    """The documented error form."""
    return json.dumps({"status": status, "code": status, "message": "No."}).encode()


def classify(reply: Reply, request: Request = Request.CREATE) -> Answer:
    """Classifies a reply to a create, if nothing else is said."""
    return answer_to(request, reply, 0.1, Secrets())


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_with_a_ref_is_applied(status: int) -> None:
    """Any 2xx with a ref says that the contact is there, and where."""
    contact = {
        "ref": REF,
        "href": f"https://api.example.com/v2.1/orderContacts/{REF}",
        "guest": {"href": f"https://api.example.com/v2.1/guests/{GUEST}"},
        "firstName": "Ada",
    }
    answer = classify(Reply(status=status, body=json.dumps(contact).encode()))
    assert (answer.verdict, answer.http_status, answer.error_code) == (APPLIED, status, "")
    assert (answer.ref, answer.href, answer.guest_ref) == (REF, contact["href"], GUEST)
    assert answer.contact == contact


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="no body"),
        pytest.param(b"{}", id="no ref"),
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
        pytest.param(b"<html>log in</html>", id="a page"),
    ],
)
def test_a_success_without_a_usable_ref_is_applied_all_the_same(body: bytes) -> None:
    """A 2xx that does not say the ref must never be sent again."""
    answer = classify(Reply(status=201, body=body))
    assert (answer.verdict, answer.ref) == (APPLIED, "")
    assert answer.error_code == "response.invalid"


@pytest.mark.parametrize("flaw", ["network.timeout", "network.reset", "response.invalid"])
def test_a_success_whose_body_broke_is_applied(flaw: str) -> None:
    """The status is known before the body breaks, so the contact is there."""
    body = json.dumps({"ref": REF}).encode()
    answer = classify(Reply(status=201, body=body, flaw=flaw))
    assert (answer.verdict, answer.ref, answer.error_code) == (APPLIED, "", flaw)


@pytest.mark.parametrize("request_kind", list(Request))
@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, NOT_APPLIED) for status in (300, 301, 302, 303, 304, 307, 308)),
        *((status, NOT_APPLIED) for status in (400, 401, 403, 404, 405, 409, 413, 415, 422, 429)),
        (503, NOT_APPLIED),
        *((status, UNKNOWN) for status in (408, 500, 501, 502, 504, 507, 599, 600, 999, 101)),
    ],
)
def test_every_other_status_in_the_api_form(
    request_kind: Request, status: int, verdict: Verdict
) -> None:
    """What the API refuses is not applied; what leaves a doubt is unknown."""
    answer = classify(Reply(status=status, body=error_body(status)), request_kind)
    assert (answer.verdict, answer.error_code) == (verdict, f"http.{status}")
    assert (answer.message, answer.is_api_error) == ("No.", True)


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
def test_a_503_that_the_api_did_not_write_is_unknown(body: bytes, content_type: str) -> None:
    """Behind a gateway that says 503 the contact may have been stored."""
    answer = classify(Reply(status=503, body=body, content_type=content_type))
    assert (answer.verdict, answer.is_api_error) == (UNKNOWN, False)


def test_a_503_whose_body_broke_is_unknown() -> None:
    """What came of the body may look whole and not be."""
    answer = classify(Reply(status=503, body=error_body(503), flaw="network.reset"))
    assert answer.verdict is UNKNOWN


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"items": []'])
def test_a_read_without_an_object_taught_nothing(body: bytes) -> None:
    """A 200 to a read that cannot be understood is no proof of anything."""
    answer = classify(Reply(status=200, body=body), Request.READ)
    assert (answer.verdict, answer.error_code) == (UNKNOWN, "response.invalid")


@pytest.mark.parametrize("reply", [Reply(status=204), Reply(status=200, body=b"ok")])
def test_a_change_needs_no_body(reply: Reply) -> None:
    """A 2xx says that the contact was changed or deleted."""
    answer = classify(reply, Request.CHANGE)
    assert (answer.verdict, answer.error_code, answer.message) == (APPLIED, "", "")


@pytest.mark.parametrize(("certain", "verdict"), [(True, NOT_APPLIED), (False, UNKNOWN)])
def test_a_request_without_a_reply(*, certain: bool, verdict: Verdict) -> None:
    """Only what is proven not to have acted is not applied."""
    failure = Failure(error_code="network.reset", message="x", certain=certain, sent=True)
    answer = answer_to_failure(failure, 0.1)
    assert (answer.verdict, answer.http_status, answer.sent) == (verdict, None, True)

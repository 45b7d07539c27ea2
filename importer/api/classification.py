"""Turns what came back, or did not, into applied, not applied or unknown.

Nothing here does anything: the same reply always gives the same answer. A create can be sent
again without doing harm only after *not applied*, so whatever leaves a doubt is *unknown*.
"""

import re
from enum import Enum, auto, unique
from http import HTTPStatus
from typing import Final

from importer.api.answers import Answer, Verdict
from importer.api.replies import (
    Failure,
    Reply,
    Secrets,
    date_of,
    is_api_error,
    message_of,
    parse,
    pause_of,
)

RESPONSE_INVALID: Final = "response.invalid"

REF_FORM: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_HREF = re.compile(r"[!-~]{1,2000}")


@unique
class Request(Enum):
    """What a request asks for, and so what a success must look like."""

    CREATE = auto()  # the new contact, with its ref
    READ = auto()  # a JSON object
    CHANGE = auto()  # the status is enough


def verdict_of(status: int, *, api_error: bool) -> Verdict:
    """Returns what a status alone says about the request.

    Args:
        status: HTTP status of the final reply.
        api_error: Whether the body is the API's documented error form. It tells a 503 of
            the API, which asks to try again at once, from one of a gateway, behind which the
            request may have been carried out.
    """
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Verdict.APPLIED
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return Verdict.UNKNOWN
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Verdict.NOT_APPLIED
    if status == HTTPStatus.SERVICE_UNAVAILABLE and api_error:
        return Verdict.NOT_APPLIED
    return Verdict.UNKNOWN


def answer_to(request: Request, reply: Reply, seconds: float, secrets: Secrets) -> Answer:
    """Classifies a reply."""
    value = parse(reply.body) if not reply.flaw else None
    api_error = is_api_error(value, reply.status)
    verdict = verdict_of(reply.status, api_error=api_error)
    if verdict is Verdict.APPLIED:
        return _success(request, reply, value, seconds)
    return Answer(
        verdict=verdict,
        seconds=seconds,
        http_status=reply.status,
        error_code=f"http.{reply.status}",
        message=message_of(reply, value, secrets),
        retry_after=pause_of(reply) if reply.retry_after else None,
        is_api_error=api_error,
    )


def answer_to_failure(failure: Failure, seconds: float) -> Answer:
    """Classifies a request that no reply came to."""
    return Answer(
        verdict=Verdict.NOT_APPLIED if failure.certain else Verdict.UNKNOWN,
        seconds=seconds,
        sent=failure.sent,
        error_code=failure.error_code,
        message=failure.message,
    )


def unusable(message: str) -> Answer:
    """Returns the answer to a read whose reply was well formed and taught nothing."""
    return Answer(
        verdict=Verdict.UNKNOWN, seconds=0.0, error_code=RESPONSE_INVALID, message=message
    )


def _success(request: Request, reply: Reply, value: object, seconds: float) -> Answer:
    contact: dict[str, object] | None = value if isinstance(value, dict) else None
    ref, href, guest_ref = ("", "", "") if contact is None else _references(contact)
    verdict, error_code, message = Verdict.APPLIED, "", ""
    if request is Request.READ and contact is None:
        verdict, error_code = Verdict.UNKNOWN, reply.flaw or RESPONSE_INVALID
        message = f"HTTP {reply.status}, but the body is not a whole JSON object"
    if request is Request.CREATE and not ref:
        error_code = reply.flaw or RESPONSE_INVALID
        message = f"HTTP {reply.status}, but the body does not say the contact's ref"
    if reply.status == HTTPStatus.OK and "html" in reply.content_type.lower():
        # The log-in page of a network in between, which has never asked the API.
        verdict, error_code = Verdict.UNKNOWN, RESPONSE_INVALID
        message = "HTTP 200, but the body is a page, which the API never answers with"
    return Answer(
        verdict=verdict,
        seconds=seconds,
        http_status=reply.status,
        error_code=error_code,
        message=message,
        ref=ref,
        href=href,
        guest_ref=guest_ref,
        contact=contact,
        date=date_of(reply) if request is Request.READ else None,
    )


def _references(contact: dict[str, object]) -> tuple[str, str, str]:
    ref, href, guest = contact.get("ref"), contact.get("href"), contact.get("guest")
    guest_href = guest.get("href") if isinstance(guest, dict) else None
    guest_ref = guest_href.rpartition("/")[2] if isinstance(guest_href, str) else ""
    return (
        ref if isinstance(ref, str) and REF_FORM.fullmatch(ref) else "",
        href if isinstance(href, str) and _HREF.fullmatch(href) else "",
        guest_ref if REF_FORM.fullmatch(guest_ref) else "",
    )

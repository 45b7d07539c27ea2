"""The HTTP application: routes, access control, refusals, faults and the page."""

import asyncio
import base64
import hmac
import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Final

import click
from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError
from aiohttp.typedefs import Handler

from importer._version import __version__
from importer.sandbox.api import Api
from importer.sandbox.faults import (
    FaultAction,
    FaultPicker,
    FaultRule,
    RateLimit,
    break_answer,
)
from importer.sandbox.messages import JSON, Answer, ApiRequest, Call, error_answer
from importer.sandbox.page import LoggedRequest, RequestLog, page_answer, state_answer
from importer.sandbox.settings import Credentials
from importer.sandbox.store import Store

MAX_BODY_BYTES: Final = 1024 * 1024
_OTHER: Final = "other"
_SERVER: Final = {"Server": f"contacts-sandbox/{__version__}"}
_ROUTES: Final = (
    ("POST", "/v2.1/orders/{ref}/contacts", Call.CREATE),
    ("GET", "/v2.1/orders/{ref}/contacts", Call.LIST),
    ("GET", "/v2.1/orderContacts/{ref}", Call.GET),
    ("PATCH", "/v2.1/orderContacts/{ref}", Call.UPDATE),
    ("DELETE", "/v2.1/orderContacts/{ref}", Call.DELETE),
    ("GET", "/v2.1/orders", Call.FIND_ORDERS),
    ("GET", "/v2.1/orders/{ref}", Call.GET_ORDER),
)
_COUNT: Final = re.compile(r"[0-9]{1,6}\Z", re.ASCII)
_WITH_BODY: Final = frozenset({Call.CREATE, Call.UPDATE})
_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="sandbox", charset="UTF-8"'}
_UNAUTHORIZED: Final = error_answer(
    HTTPStatus.UNAUTHORIZED,
    "Authentication credentials are required to access the resource. "
    "All requests must be authenticated.",
    headers=_CHALLENGE,
)
_NOT_JSON: Final = error_answer(
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The Content-Type must be {JSON}."
)
_MISDIRECTED: Final = error_answer(
    HTTPStatus.MISDIRECTED_REQUEST, "The host of the request must be a loopback address."
)


class AccessControl:
    """Checks requests against the credentials of the sandbox."""

    def __init__(self, credentials: Credentials) -> None:
        pair = f"{credentials.client_key}:{credentials.api_token}"
        self._secret = base64.b64encode(pair.encode())
        self._is_open = credentials.are_public

    def may_call(self, authorization: str) -> bool:
        """Return whether a request with this Authorization header may call the API."""
        scheme, _, pair = authorization.partition(" ")
        given = pair.strip().encode("utf-8", "surrogateescape")
        return scheme.lower() == "basic" and hmac.compare_digest(given, self._secret)

    def may_view(self, authorization: str) -> bool:
        """Return whether a request may view the page and the state.

        With the published credentials the page does not ask for any, as they protect nothing;
        other credentials also keep the contacts from the other users of the machine.
        """
        return self._is_open or self.may_call(authorization)


@lru_cache(maxsize=64)  # called for every request, nearly always with the same few names
def is_loopback(host: str) -> bool:
    """Return whether a Host header, or a host alone, names this machine; nothing is resolved.

    Otherwise a page of another site could point a name of its own at the loopback address and
    read the contacts (DNS rebinding); its requests carry that name as their host.
    """
    if host.startswith("["):
        name = host[1:].partition("]")[0]
    else:
        name = host.partition(":")[0] if host.count(":") == 1 else host
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The components of the application; ``document`` is served at /openapi.json."""

    api: Api
    store: Store
    access: AccessControl
    faults: FaultPicker
    rate_limit: RateLimit | None
    log: RequestLog
    document: bytes
    access_log: bool


class App:
    """The HTTP side of one sandbox."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def web_app(self) -> web.Application:
        """Return the application to run."""
        web_app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guard])
        for method, path, call in _ROUTES:
            web_app.router.add_route(method, path, partial(self._call, call))
        web_app.router.add_get("/openapi.json", self._document, allow_head=False)
        web_app.router.add_get("/_sandbox/state", self._state, allow_head=False)
        web_app.router.add_get("/", self._page, allow_head=False)
        return web_app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer refusals in the API's form of errors."""
        if not is_loopback(request.headers.get("Host", "")):
            return self._refuse(request, _OTHER, _MISDIRECTED)
        try:
            return await handler(request)
        except ConnectionResetError:
            return web.Response()  # the client disconnected during its request
        except (web.RequestPayloadError, ContentEncodingError):
            answer = error_answer(HTTPStatus.BAD_REQUEST, "The body cannot be decoded.")
            return self._refuse(request, _OTHER, answer)
        except web.HTTPException as refusal:
            allow = refusal.headers.get("Allow")
            headers = {"Allow": allow} if allow else None
            answer = error_answer(refusal.status, f"{refusal.reason}.", headers=headers)
            return self._refuse(request, _OTHER, answer)

    async def _call(self, call: Call, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        refusal = self._refusal(call, request)
        if refusal is not None:
            return self._refuse(request, call, refusal)
        parts = self._parts
        api_request = ApiRequest(call, request.match_info.get("ref", ""), request.query, body)
        subject = parts.api.subject(api_request) if parts.faults.needs_order else ""
        rule = parts.faults.pick(call, subject)
        # Carried out on arrival: a slow answer is not a late commit, which is a separate fault.
        is_prompt = rule is None or (rule.applied and rule.action is not FaultAction.LATE)
        answer = parts.api.answer(api_request) if is_prompt else None
        self._count(request, call, answer, rule)
        latency = parts.faults.latency(subject)
        if latency:
            await asyncio.sleep(latency)
        if rule is None:
            return _response(answer)
        if request.transport:
            broken = await break_answer(rule, answer, request.transport)
        else:
            broken = None
        if rule.action is FaultAction.LATE:
            parts.api.answer(api_request)
        return _response(broken)

    def _refusal(self, call: Call, request: web.Request) -> Answer | None:
        parts = self._parts
        if not parts.access.may_call(request.headers.get("Authorization", "")):
            return _UNAUTHORIZED
        wait = parts.rate_limit.wait() if parts.rate_limit else 0
        if wait:
            headers = {"Retry-After": str(wait)}
            return error_answer(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests.", headers=headers)
        if call in _WITH_BODY and request.content_type != JSON:
            return _NOT_JSON
        return None

    async def _document(self, _request: web.Request) -> web.StreamResponse:
        return _response(Answer(HTTPStatus.OK, self._parts.document))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        may_view = self._parts.access.may_view(request.headers.get("Authorization", ""))
        return _response(page_answer() if may_view else _UNAUTHORIZED)

    async def _state(self, request: web.Request) -> web.StreamResponse:
        parts = self._parts
        if not parts.access.may_view(request.headers.get("Authorization", "")):
            return _response(_UNAUTHORIZED)
        latest = request.query.get("latest", "")
        count = int(latest) if _COUNT.match(latest) else -1
        return _response(state_answer(parts.store, parts.log, count))

    def _refuse(self, request: web.Request, call: str, answer: Answer) -> web.StreamResponse:
        self._count(request, call, answer, None)
        return _response(answer)

    def _count(
        self, request: web.Request, call: str, answer: Answer | None, rule: FaultRule | None
    ) -> None:
        result = str(int(answer.status)) if answer else ""
        if rule is not None:
            has_status = rule.action in {FaultAction.STATUS, FaultAction.PAGE}
            result = str(rule.status) if has_status else str(rule.action)
        name = rule.name if rule else ""
        logged = LoggedRequest(str(call), request.method, request.path_qs, result, name)
        self._parts.log.add(logged)
        if self._parts.access_log:
            click.echo(f"{request.method} {request.path_qs} {result}", err=True)


def _response(answer: Answer | None) -> web.Response:
    """Return an answer to send; None stands for a closed connection, and sends nothing."""
    if answer is None:
        return web.Response()
    return web.Response(
        status=answer.status,
        body=answer.body or None,
        content_type=answer.content_type or None,
        charset="utf-8" if answer.content_type.startswith("text/") else None,
        headers={**_SERVER, **answer.headers},
    )

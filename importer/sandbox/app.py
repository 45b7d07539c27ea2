"""HTTP around the API: routes, refusals, faults and the page."""

import asyncio
import re
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Final

import click
from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError
from aiohttp.typedefs import Handler

from importer._version import __version__
from importer.sandbox import page
from importer.sandbox.answers import JSON, Answer, error
from importer.sandbox.api import Api, Asked, Call
from importer.sandbox.faults import Action, Dice, RateLimit, Rule
from importer.sandbox.gate import CHALLENGE, Gate, is_loopback
from importer.sandbox.store import Store
from importer.sandbox.stunts import play
from importer.sandbox.traffic import Request, Traffic

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
_FEW: Final = re.compile(r"[0-9]{1,6}\Z", re.ASCII)
_WITH_BODY: Final = frozenset({Call.CREATE, Call.UPDATE})
_UNAUTHORIZED: Final = error(
    HTTPStatus.UNAUTHORIZED,
    "Authentication credentials are required to access the resource. "
    "All requests must be authenticated.",
    headers=CHALLENGE,
)
_NOT_JSON: Final = error(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"The Content-Type must be {JSON}.")
_MISDIRECTED: Final = error(
    HTTPStatus.MISDIRECTED_REQUEST, "The host of the request must be a loopback address."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the app is put together from; ``document`` is what /openapi.json serves."""

    api: Api
    store: Store
    gate: Gate
    dice: Dice
    rate_limit: RateLimit | None
    traffic: Traffic
    document: bytes
    access_log: bool


class App:
    """The HTTP side of one sandbox."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def web_app(self) -> web.Application:
        """Return the application to be run."""
        web_app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guard])
        for method, path, call in _ROUTES:
            web_app.router.add_route(method, path, partial(self._call, call))
        web_app.router.add_get("/openapi.json", self._document, allow_head=False)
        web_app.router.add_get("/_sandbox/state", self._state, allow_head=False)
        web_app.router.add_get("/", self._page, allow_head=False)
        return web_app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Put refusals into the form that the API gives to errors."""
        if not is_loopback(request.headers.get("Host", "")):
            return self._refuse(request, _OTHER, _MISDIRECTED)
        try:
            return await handler(request)
        except ConnectionResetError:
            return web.Response()  # the client left in the middle of its request
        except (web.RequestPayloadError, ContentEncodingError):
            answer = error(HTTPStatus.BAD_REQUEST, "The body cannot be decoded.")
            return self._refuse(request, _OTHER, answer)
        except web.HTTPException as fault:
            allow = fault.headers.get("Allow")
            headers = {"Allow": allow} if allow else None
            answer = error(fault.status, f"{fault.reason}.", headers=headers)
            return self._refuse(request, _OTHER, answer)

    async def _call(self, call: Call, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        refusal = self._refusal(call, request)
        if refusal is not None:
            return self._refuse(request, call, refusal)
        parts = self._parts
        asked = Asked(call, request.match_info.get("ref", ""), request.query, body)
        subject = parts.api.subject(asked) if parts.dice.is_loaded else ""
        rule = parts.dice.fault(call, subject)
        # Carried out on arrival: a slow answer is no late commit, which is a fault of its own.
        is_prompt = rule is None or (rule.applied and rule.action is not Action.LATE)
        answer = parts.api.answer(asked) if is_prompt else None
        self._count(request, call, answer, rule)
        latency = parts.dice.latency(subject)
        if latency:
            await asyncio.sleep(latency)
        if rule is None:
            return _response(answer)
        spoilt = await play(rule, answer, request.transport) if request.transport else None
        if rule.action is Action.LATE:
            parts.api.answer(asked)
        return _response(spoilt)

    def _refusal(self, call: Call, request: web.Request) -> Answer | None:
        parts = self._parts
        if not parts.gate.may_call(request.headers.get("Authorization", "")):
            return _UNAUTHORIZED
        wait = parts.rate_limit.wait() if parts.rate_limit else 0
        if wait:
            headers = {"Retry-After": str(wait)}
            return error(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests.", headers=headers)
        if call in _WITH_BODY and request.content_type != JSON:
            return _NOT_JSON
        return None

    async def _document(self, _request: web.Request) -> web.StreamResponse:
        return _response(Answer(HTTPStatus.OK, self._parts.document))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        may_look = self._parts.gate.may_look(request.headers.get("Authorization", ""))
        return _response(page.answer() if may_look else _UNAUTHORIZED)

    async def _state(self, request: web.Request) -> web.StreamResponse:
        parts = self._parts
        if not parts.gate.may_look(request.headers.get("Authorization", "")):
            return _response(_UNAUTHORIZED)
        latest = request.query.get("latest", "")
        count = int(latest) if _FEW.match(latest) else -1
        return _response(page.state(parts.store, parts.traffic, count))

    def _refuse(self, request: web.Request, call: str, answer: Answer) -> web.StreamResponse:
        self._count(request, call, answer, None)
        return _response(answer)

    def _count(
        self, request: web.Request, call: str, answer: Answer | None, rule: Rule | None
    ) -> None:
        result = str(int(answer.status)) if answer else ""
        if rule is not None:
            has_status = rule.action in {Action.STATUS, Action.PAGE}
            result = str(rule.status) if has_status else str(rule.action)
        name = rule.name if rule else ""
        self._parts.traffic.add(Request(str(call), request.method, request.path_qs, result, name))
        if self._parts.access_log:
            click.echo(f"{request.method} {request.path_qs} {result}", err=True)


def _response(answer: Answer | None) -> web.Response:
    """Return an answer for the wire; None is for a connection that is over, and sends nothing."""
    if answer is None:
        return web.Response()
    return web.Response(
        status=answer.status,
        body=answer.body or None,
        content_type=answer.content_type or None,
        charset="utf-8" if answer.content_type.startswith("text/") else None,
        headers={**_SERVER, **answer.headers},
    )

"""Runs one sandbox until it is asked to end."""

import asyncio
import json
import logging
import os
import shlex
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Final

import click
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage

from importer.sandbox.api import Api
from importer.sandbox.app import AccessControl, App, Parts
from importer.sandbox.document import served_document
from importer.sandbox.faults import FaultPicker, RateLimit
from importer.sandbox.page import RequestLog
from importer.sandbox.settings import SandboxError, Settings
from importer.sandbox.store import Orders, Store, read_orders

_BACKLOG: Final = 1024
# Requests that a fault keeps waiting must not delay the end of the sandbox.
_SHUTDOWN_SECONDS: Final = 0.1
_CLIENT_ERRORS: Final = (BadHttpMessage, web.RequestPayloadError)
_EXAMPLE_ORDER: Final = "2d7de9df-45a2-45ea-872c-30e45139007d"


def run_until_signal(settings: Settings) -> None:
    """Serve until SIGINT, SIGTERM, SIGHUP or, if requested, the end of standard input.

    Raises:
        SandboxError: It cannot start as asked.
    """
    run(settings, partial(_ending, settings), partial(_announce, settings))


def run(
    settings: Settings,
    ending: Callable[[], asyncio.Event],
    announce: Callable[[str, Orders], None],
) -> None:
    """Serve until an event is set.

    Args:
        settings: What the sandbox is asked to do.
        ending: Returns the event; called in the event loop.
        announce: Called with the URL and the orders when the sandbox accepts requests.

    Raises:
        SandboxError: It cannot start as asked.
    """
    orders = read_orders(settings.orders) if settings.orders else Orders()
    store = Store.in_file(settings.data) if settings.data else Store.in_memory()
    try:
        with _listening(settings.host, settings.port) as listener:
            url = _url(listener)
            app = _app(settings, orders, store, url).web_app()
            asyncio.run(_serve(app, listener, ending, partial(announce, url, orders)))
    finally:
        store.close()


async def _serve(
    app: web.Application,
    listener: socket.socket,
    ending: Callable[[], asyncio.Event],
    announce: Callable[[], None],
) -> None:
    ended = ending()
    runner = web.AppRunner(
        app, access_log=None, logger=_logger(), shutdown_timeout=_SHUTDOWN_SECONDS
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listener, backlog=_BACKLOG).start()
        announce()
        await ended.wait()
    finally:
        await runner.cleanup()


def _app(settings: Settings, orders: Orders, store: Store, url: str) -> App:
    limit = settings.faults.rate_limit
    return App(
        Parts(
            api=Api(store, orders, url, _now),
            store=store,
            access=AccessControl(settings.credentials),
            faults=FaultPicker(settings.faults),
            rate_limit=RateLimit(limit, time.monotonic) if limit else None,
            log=RequestLog(_now),
            document=served_document(url, _now().date()),
            access_log=settings.access_log,
        )
    )


def _logger() -> logging.Logger:
    """Return the logger of the server, without the errors that clients cause."""
    logger = logging.getLogger("aiohttp.server")
    logger.addFilter(
        lambda record: not (record.exc_info and isinstance(record.exc_info[1], _CLIENT_ERRORS))
    )
    return logger


def _now() -> datetime:
    return datetime.now(UTC)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SandboxError(
            f"Cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}. "
            "Choose another port with --port; 0 takes any free one."
        ) from None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _ending(settings: Settings) -> asyncio.Event:
    """Return an event that is set when the sandbox should end."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    if settings.until_stdin_closes:
        # Ctrl-C reaches the parent and its child. The parent first finishes the requests in
        # flight, and needs the sandbox for them.
        loop.add_signal_handler(signal.SIGINT, lambda: None)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        threading.Thread(target=_watch_stdin, args=(loop, ended), daemon=True).start()
    else:
        loop.add_signal_handler(signal.SIGINT, ended.set)
        loop.add_signal_handler(signal.SIGHUP, ended.set)
    return ended


def _watch_stdin(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Set the event at the end of standard input, whatever kind of file that is."""
    with suppress(OSError):
        # Not sys.stdin: the interpreter crashes at its exit if a thread holds the lock of it.
        while os.read(0, 4096):
            pass
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(ended.set)


def _announce(settings: Settings, url: str, orders: Orders) -> None:
    credentials = settings.credentials
    if settings.ready_json:
        ready = {
            "url": url,
            "clientKey": credentials.client_key,
            "apiToken": credentials.api_token,
        }
        text = json.dumps(ready)
    else:
        example, *_ = orders.listed or [_EXAMPLE_ORDER]
        text = _greeting(settings, url, example)
    with suppress(BrokenPipeError):
        click.echo(text)


def _greeting(settings: Settings, url: str, order_ref: str) -> str:
    key, token = settings.credentials.client_key, settings.credentials.api_token
    user = shlex.quote(f"{key}:{token}")
    return f"""\
The sandbox serves the Order REST API at {url}

  client key   {key}
  API token    {token}
  orders       {settings.orders or "any UUID, and any order number"}
  contacts     {f"kept in {settings.data}" if settings.data else "kept until the sandbox ends"}
  page         {url}/
  document     {url}/openapi.json

Try it:

  curl -u {user} -H 'Content-Type: application/json' -d '{{"firstName": "Ada"}}' \\
    {url}/v2.1/orders/{order_ref}/contacts

  SITECORE_CDP_CLIENT_KEY={shlex.quote(key)} SITECORE_CDP_API_TOKEN={shlex.quote(token)} \\
    import-contacts contacts.csv --base-url {url}

Ctrl-C ends it."""

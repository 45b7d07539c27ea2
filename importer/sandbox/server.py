"""Runs one sandbox until it is told to end."""

import asyncio
import json
import logging
import os
import shlex
import signal
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import click
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage

from importer.sandbox.api import Api
from importer.sandbox.app import App, Parts
from importer.sandbox.faults import Dice, RateLimit
from importer.sandbox.gate import Gate
from importer.sandbox.options import Options, SandboxError
from importer.sandbox.orders import Orders, read_orders
from importer.sandbox.served import served_document
from importer.sandbox.store import Store
from importer.sandbox.traffic import Traffic

_BACKLOG: Final = 1024
# Requests that are being kept waiting on purpose must not keep the sandbox from ending.
_SHUTDOWN_SECONDS: Final = 0.1
_CLIENT_MISTAKES: Final = (BadHttpMessage, web.RequestPayloadError)
_EXAMPLE_ORDER: Final = "2d7de9df-45a2-45ea-872c-30e45139007d"


def run(options: Options) -> None:
    """Serve until SIGINT, SIGTERM or, where asked for, the end of standard input.

    Raises:
        SandboxError: It cannot start as asked.
    """
    orders = read_orders(options.orders) if options.orders else Orders()
    store = Store.in_file(options.data) if options.data else Store.in_memory()
    try:
        with _listening(options.host, options.port) as listener:
            asyncio.run(_serve(options, orders, store, listener))
    finally:
        store.close()


async def _serve(options: Options, orders: Orders, store: Store, listener: socket.socket) -> None:
    url = _url(listener)
    ended = _ending(options)
    runner = web.AppRunner(
        _app(options, orders, store, url).web_app(),
        access_log=None,
        logger=_logger(),
        shutdown_timeout=_SHUTDOWN_SECONDS,
    )
    await runner.setup()
    try:
        await web.SockSite(runner, listener, backlog=_BACKLOG).start()
        _announce(options, url, orders)
        await ended.wait()
    finally:
        await runner.cleanup()


def _app(options: Options, orders: Orders, store: Store, url: str) -> App:
    misbehaviour = options.misbehaviour
    limit = misbehaviour.rate_limit
    return App(
        Parts(
            api=Api(store, orders, url, _now),
            store=store,
            gate=Gate(options.credentials),
            dice=Dice(misbehaviour),
            rate_limit=RateLimit(limit, time.monotonic) if limit else None,
            traffic=Traffic(_now),
            document=served_document(url, _now().date()),
            access_log=options.access_log,
        )
    )


def _logger() -> logging.Logger:
    """Return the logger of the server, on which a client's mistakes are not worth a line."""
    logger = logging.getLogger("aiohttp.server")
    logger.addFilter(
        lambda record: not (record.exc_info and isinstance(record.exc_info[1], _CLIENT_MISTAKES))
    )
    return logger


def _now() -> datetime:
    return datetime.now(UTC)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as fault:
        raise SandboxError(
            f"Cannot listen on {host} port {port}: {os.strerror(fault.errno or 0)}. "
            "Take another port with --port; 0 takes any free one."
        ) from None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _ending(options: Options) -> asyncio.Event:
    """Return the event that is set when the sandbox is to end."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    if options.until_stdin_closes:
        # Ctrl-C reaches the parent and its child alike; the parent first finishes what is in
        # flight, and needs the sandbox for it.
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
        # Not sys.stdin: a thread that holds its lock would crash the interpreter's exit.
        while os.read(0, 4096):
            pass
    with suppress(RuntimeError):  # the loop is over
        loop.call_soon_threadsafe(ended.set)


def _announce(options: Options, url: str, orders: Orders) -> None:
    credentials = options.credentials
    if options.ready_json:
        ready = {
            "url": url,
            "clientKey": credentials.client_key,
            "apiToken": credentials.api_token,
        }
        text = json.dumps(ready)
    else:
        example, *_ = orders.listed or [_EXAMPLE_ORDER]
        text = _greeting(options, url, example)
    with suppress(BrokenPipeError):
        click.echo(text)


def _greeting(options: Options, url: str, order_ref: str) -> str:
    key, token = options.credentials.client_key, options.credentials.api_token
    user = shlex.quote(f"{key}:{token}")
    return f"""\
The sandbox serves the Order REST API at {url}

  client key   {key}
  API token    {token}
  orders       {options.orders or "any UUID, and any order number"}
  contacts     {f"kept in {options.data}" if options.data else "kept until the sandbox ends"}
  page         {url}/
  document     {url}/openapi.json

Try it:

  curl -u {user} -H 'Content-Type: application/json' -d '{{"firstName": "Ada"}}' \\
    {url}/v2.1/orders/{order_ref}/contacts

  SITECORE_CDP_CLIENT_KEY={shlex.quote(key)} SITECORE_CDP_API_TOKEN={shlex.quote(token)} \\
    import-contacts contacts.csv --base-url {url}

Ctrl-C ends it."""

"""Derive from an exception why there is no reply, or why its body is incomplete.

The exceptions of ``requests`` describe what was being done, not what is certain: a TLS handshake
that hangs is a ``ReadTimeout``, a timeout in the body a ``ConnectionError``. So the whole chain
of causes is examined, and unless the failure provably happened before the request was sent, its
result is unknown. The texts of the exceptions contain URLs and are never shown.
"""

import http.client
import os
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from importer.api.classification import RESPONSE_INVALID
from importer.api.replies import Failure, clean
from importer.api.wire import Wire

# What the layers below may raise when a server misbehaves.
EXCHANGE_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)
_TIMEOUTS = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)
_NO_CONNECTION = (
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.ProxyError,
    requests.ConnectTimeout,
    requests.exceptions.ProxyError,
)
_GARBLED = (
    http.client.HTTPException,
    urllib3.exceptions.DecodeError,
    urllib3.exceptions.InvalidHeader,
    ValueError,
)
_BY_REQUESTS = (requests.Timeout, requests.exceptions.ProxyError)
# The peer closed the connection during the handshake, which may succeed the next time.
_TLS_BROKEN_OFF = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


def failure_of(error: BaseException, wire: Wire, host: str) -> Failure:
    """Return why there is no reply.

    Args:
        error: The exception of the exchange.
        wire: The connection, with its state in this exchange.
        host: Host name of the API, for the message.
    """
    causes = tuple(_causes(error))
    tls = _tls_failure(causes, wire)
    if tls is not None:
        return Failure(
            error_code="network.tls",
            message=f"No secure connection to {host}: {_tls_reason(tls)}",
            certain=True,
            sent=False,
        )
    if _first(causes, *_NO_CONNECTION) is not None:
        return Failure(
            error_code="network.connect",
            message=f"No connection to {host}: {_connect_reason(causes, wire)}",
            certain=True,
            sent=False,
        )
    code = flaw_of(error, wire)
    return Failure(
        error_code=code,
        message=f"No complete answer from {host}: {_REASONS[code]}",
        # In a TLS handshake that hangs or breaks off, nothing of the request has been sent.
        certain=wire.connecting,
        sent=not wire.connecting,
    )


_REASONS = {
    "network.timeout": "it took too long",
    "network.reset": "the connection broke",
    RESPONSE_INVALID: "the bytes received are not HTTP",
}


def flaw_of(error: BaseException, wire: Wire) -> str:
    """Return the error code of an exchange that failed after the connection was made."""
    causes = tuple(_causes(error))
    if wire.overdue or _first(causes, *_TIMEOUTS) is not None:
        return "network.timeout"
    if _first(causes, http.client.IncompleteRead, OSError) is None and _first(causes, *_GARBLED):
        return RESPONSE_INVALID
    return "network.reset"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all its causes, outermost first."""
    waiting, seen = [error], set[int]()
    while waiting:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        # Exceptions of requests are also OSErrors or ValueErrors, whatever they mean.
        if not isinstance(cause, requests.RequestException) or isinstance(cause, _BY_REQUESTS):
            yield cause
        inner = (
            getattr(cause, "reason", None),
            getattr(cause, "original_error", None),
            *cause.args,
            cause.__cause__,
            cause.__context__,
        )
        waiting += [item for item in inner if isinstance(item, BaseException)]


def _first(causes: tuple[BaseException, ...], *kinds: type[BaseException]) -> BaseException | None:
    return next((cause for cause in causes if isinstance(cause, kinds)), None)


def _tls_failure(causes: tuple[BaseException, ...], wire: Wire) -> BaseException | None:
    """Return the error of the certificate or of the TLS setup, if that is the cause."""
    refused = _first(causes, ssl.SSLCertVerificationError)
    if refused is not None or not wire.connecting or wire.overdue:
        return refused
    failed = _first(causes, ssl.SSLError)
    return None if isinstance(failed, _TLS_BROKEN_OFF) else failed


def _tls_reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return clean(f"its certificate was refused: {error.verify_message}")
    reason = getattr(error, "reason", None)
    words = reason.replace("_", " ").lower() if isinstance(reason, str) else "TLS failed"
    return clean(f"{words} (is it an https server?)")


def _connect_reason(causes: tuple[BaseException, ...], wire: Wire) -> str:
    if _first(causes, urllib3.exceptions.NameResolutionError) is not None:
        return "its name cannot be resolved"
    by_proxy = _first(causes, urllib3.exceptions.ProxyError, requests.exceptions.ProxyError)
    whose = "it" if by_proxy is None else "the proxy of the environment"
    errors = (cause for cause in causes if isinstance(cause, OSError))
    system = next((e for e in errors if not isinstance(e, requests.RequestException)), None)
    if wire.overdue or isinstance(system, TimeoutError):
        return f"{whose} did not answer before the deadline"
    if system is not None and system.errno:
        reason = os.strerror(system.errno)
        return reason if by_proxy is None else f"{whose} failed: {reason}"
    refusal = str(system) if str(system).startswith("Tunnel connection failed") else ""
    return f"{whose} refused: {clean(refusal)}" if refusal else f"{whose} could not be reached"

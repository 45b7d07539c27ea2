"""Who may ask: credentials, and hosts that are this machine."""

import base64
import hmac
import ipaddress
from functools import lru_cache
from typing import Final

from importer.sandbox.options import Credentials

CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="sandbox", charset="UTF-8"'}


class Gate:
    """Checks requests against the credentials of the sandbox."""

    def __init__(self, credentials: Credentials) -> None:
        pair = f"{credentials.client_key}:{credentials.api_token}"
        self._secret = base64.b64encode(pair.encode())
        self._is_open = credentials.are_known_to_all

    def may_call(self, authorization: str) -> bool:
        """Tell whether an Authorization header lets its request call the API."""
        scheme, _, pair = authorization.partition(" ")
        given = pair.strip().encode("utf-8", "surrogateescape")
        return scheme.lower() == "basic" and hmac.compare_digest(given, self._secret)

    def may_look(self, authorization: str) -> bool:
        """Tell whether a request may see the page and the state.

        The credentials of the documentation keep nobody out, so the page asks for none; but
        whoever chose others does not mean to show the contacts to every user of the machine.
        """
        return self._is_open or self.may_call(authorization)


@lru_cache(maxsize=64)  # every request asks, and nearly always for the same few names
def is_loopback(host: str) -> bool:
    """Tell whether a Host header, or a host alone, names this machine.

    A page of another site can point a name of its own at the loopback address and read what
    is stored there; its requests carry that name as their host.
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

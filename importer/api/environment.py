"""Proxy and certificate settings from the environment, read once for a run.

``requests`` would read proxies, CA bundles and ``.netrc`` for each request, which is slow, and
``.netrc`` could replace the credentials. Here ``.netrc`` is never read.
"""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests.utils
from urllib3.util.ssl_ import create_urllib3_context

from importer.api.destination import is_loopback
from importer.errors import UsageError

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class Environment:
    """The proxy and the certificate authorities of a run.

    Attributes:
        proxy: URL of the proxy, as set in the environment; None for a direct connection.
        ca_bundle: File or directory of trusted certificates; None for those of certifi.
        ca_variable: The variable that names the bundle, or ``""``.
    """

    proxy: str | None = None
    ca_bundle: str | None = None
    ca_variable: str = ""

    @classmethod
    def of(cls, base_url: str) -> "Environment":
        """Read HTTPS_PROXY, ALL_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE.

        A loopback host is always reached directly.

        Raises:
            UsageError: The proxy cannot be used, or the bundle does not exist.
        """
        host = urlsplit(base_url).hostname or ""
        proxy = None
        if not is_loopback(host):
            found = requests.utils.get_environ_proxies(base_url)
            proxy = _usable(requests.utils.select_proxy(base_url, found))
        for variable in _CA_VARIABLES:
            bundle = os.environ.get(variable)
            if bundle:
                if not Path(bundle).exists():
                    raise UsageError(f"{variable} names {bundle}, which does not exist.")
                return cls(proxy, bundle, variable)
        return cls(proxy)

    def describe(self) -> str:
        """Return one line about proxy and certificates, without the password of a proxy."""
        route = "no proxy"
        if self.proxy:
            parts = urlsplit(self.proxy)
            route = (
                f"proxy {parts.scheme}://{parts.netloc.rpartition('@')[2]} (from the environment)"
            )
        trust = "certificates trusted by certifi"
        if self.ca_bundle:
            trust = f"certificates trusted by {self.ca_bundle} (from {self.ca_variable})"
        return f"{route}; {trust}"

    def tls_context(self) -> ssl.SSLContext:
        """Build the TLS settings that all connections of a run share.

        Raises:
            UsageError: The bundle contains no certificates.
        """
        context = create_urllib3_context()
        bundle = self.ca_bundle or requests.utils.DEFAULT_CA_BUNDLE_PATH
        try:
            if Path(bundle).is_dir():
                context.load_verify_locations(capath=bundle)
            else:
                context.load_verify_locations(cafile=bundle)
        except OSError:
            raise UsageError(
                f"{self.ca_variable or 'certifi'} names {bundle}, which contains no certificates "
                "in PEM form or cannot be read."
            ) from None
        return context


def _usable(proxy: str | None) -> str | None:
    if not proxy:
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(
            "The proxy of the environment (HTTPS_PROXY or ALL_PROXY) must be an http:// or "
            "https:// URL with a host; SOCKS is not supported. NO_PROXY exempts a host."
        )
    return proxy

"""The base URL and the credentials of requests."""

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from importer.errors import UsageError

# Source: docs/api.md.
REGIONS: Final = {
    "eu": "https://api-engage-eu.sitecorecloud.io",
    "us": "https://api-engage-us.sitecorecloud.io",
    "ap": "https://api-engage-ap.sitecorecloud.io",
    "jp": "https://api-engage-jpe.sitecorecloud.io",
}
_TOKEN = re.compile(r"[!-~]+")
_PLACEHOLDER = re.compile(r"<.*>|\$\{?\w+\}?|your[-_ ].*|change-?me|x{3,}", re.IGNORECASE)
_FORBIDDEN_IN_URL = re.compile(r"[^!-~]|[\\?#]")


def base_url_of(region: str) -> str:
    """Return the base URL of a region.

    Raises:
        UsageError: The region is unknown.
    """
    try:
        return REGIONS[region]
    except KeyError:
        raise UsageError(f"Unknown region; choose {', '.join(REGIONS)}.") from None


def is_loopback(host: str) -> bool:
    """Whether ``host``, as written in a URL, is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_base_url(url: str) -> str:
    """Return a base URL in the form that paths are appended to, without a trailing slash.

    Raises:
        UsageError: It is not a base URL, or it would send personal data in the clear. The
            message never quotes the URL, which may contain a password.
    """
    if _FORBIDDEN_IN_URL.search(url):
        raise UsageError("The base URL must be ASCII text without blanks, query or fragment.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError("The base URL is malformed: check its host and port.") from None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise UsageError("The base URL must look like https://host or https://host:port/path.")
    if "@" in parts.netloc:
        raise UsageError(
            "The base URL must not contain a user name or password; set the credentials in the "
            "environment or with --credentials-file."
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise UsageError(
            f"Plain http to {host} would send personal data and credentials in the clear; "
            "use https (http is for loopback addresses only)."
        )
    authority = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{authority}{'' if port is None else f':{port}'}{parts.path}".rstrip(
        "/"
    )


def one_name_of(base_url: str) -> str:
    """Return a canonical name of a destination, equal for all base URLs that lead to it.

    Args:
        base_url: As returned by ``check_base_url``.
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    name = "loopback" if is_loopback(host) else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{name}:{port}{parts.path.rstrip('/')}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The HTTP Basic credentials: the client key is the user name, the API token the password.

    Raises:
        UsageError: One of them cannot be correct. The message names it and the reason, never
            the value.
    """

    client_key: str = field(repr=False)
    api_token: str = field(repr=False)

    def __post_init__(self) -> None:
        _check("client key (SITECORE_CDP_CLIENT_KEY or client_key)", self.client_key)
        _check("API token (SITECORE_CDP_API_TOKEN or api_token)", self.api_token)
        if ":" in self.client_key:
            raise UsageError(
                "The client key (SITECORE_CDP_CLIENT_KEY or client_key) contains a colon, which "
                "HTTP Basic authentication does not allow; copy it again."
            )

    def __str__(self) -> str:
        return repr(self)

    @property
    def authorization(self) -> str:
        """The value of the Authorization header."""
        pair = f"{self.client_key}:{self.api_token}".encode("ascii")
        return f"Basic {base64.b64encode(pair).decode('ascii')}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must never be shown, longest first."""
        texts = (self.authorization.removeprefix("Basic "), self.api_token, self.client_key)
        return tuple(sorted(texts, key=len, reverse=True))


def _check(name: str, value: str) -> None:
    if not value.strip():
        raise UsageError(f"The {name} is missing or blank.")
    if value[0] == value[-1] and value[0] in "\"'`":
        raise UsageError(f"The {name} is in quotes; remove them.")
    if not _TOKEN.fullmatch(value):
        raise UsageError(
            f"The {name} contains a blank, a line break or a character that is not ASCII; "
            "copy it again."
        )
    if _PLACEHOLDER.fullmatch(value):
        raise UsageError(f"The {name} is a placeholder; replace it with the real one.")

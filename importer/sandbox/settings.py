"""What a sandbox is asked to do, and the error for what it cannot do."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from importer.sandbox.faults import Faults

DEFAULT_CLIENT_KEY: Final = "sandbox"
DEFAULT_API_TOKEN: Final = "sandbox"  # noqa: S105 - published in the documentation


class SandboxError(Exception):
    """The sandbox cannot start as asked. The text gives the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request must carry as HTTP Basic authentication."""

    client_key: str = DEFAULT_CLIENT_KEY
    api_token: str = DEFAULT_API_TOKEN

    @property
    def are_public(self) -> bool:
        """Whether these are the credentials in the documentation."""
        return self == Credentials()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a sandbox is asked to do.

    Attributes:
        host: A loopback address.
        port: 0 for any free one.
        credentials: What requests must carry.
        data: SQLite file; None keeps the contacts in memory.
        orders: CSV file of the orders; None accepts any UUID.
        faults: What goes wrong, and when.
        access_log: Whether each request is logged as a line on standard error.
        ready_json: Whether to announce the address as one line of JSON instead of as text.
        until_stdin_closes: Whether the sandbox ends when its standard input does.
    """

    host: str
    port: int
    credentials: Credentials
    data: Path | None
    orders: Path | None
    faults: Faults
    access_log: bool = False
    ready_json: bool = False
    until_stdin_closes: bool = False

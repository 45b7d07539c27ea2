"""What a sandbox is asked to be, and the error for what it cannot be."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from importer.sandbox.faults import Misbehaviour

DEFAULT_CLIENT_KEY: Final = "sandbox"
DEFAULT_API_TOKEN: Final = "sandbox"  # noqa: S105 - fixed by the contract, protects nothing


class SandboxError(Exception):
    """The sandbox cannot start as asked. The text says why and what to do next."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request must carry as HTTP Basic authentication."""

    client_key: str = DEFAULT_CLIENT_KEY
    api_token: str = DEFAULT_API_TOKEN

    @property
    def are_known_to_all(self) -> bool:
        """Whether these are the credentials that stand in the documentation."""
        return self == Credentials()


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a sandbox is asked to be.

    Attributes:
        host: A loopback address.
        port: 0 is any free one.
        credentials: What requests must carry.
        data: SQLite file; None keeps the contacts in memory.
        orders: CSV file of the orders; None knows any UUID.
        misbehaviour: What goes wrong, and when.
        access_log: Whether each request is a line on standard error.
        ready_json: Whether one line of JSON says where the sandbox is, in place of a text
            for people.
        until_stdin_closes: Whether the sandbox ends with its standard input.
    """

    host: str
    port: int
    credentials: Credentials
    data: Path | None
    orders: Path | None
    misbehaviour: "Misbehaviour"
    access_log: bool = False
    ready_json: bool = False
    until_stdin_closes: bool = False

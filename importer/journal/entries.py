"""The values that the journal stores and returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique


@unique
class State(StrEnum):
    """What is known about one contact."""

    INTENT = "intent"
    """A request may have been sent; its outcome is not recorded yet."""
    CREATED = "created"
    """The contact is there, and a run of this journal created it."""
    FOUND = "found"
    """The contact was there before any run of this journal had to create it."""
    ABSENT = "absent"
    """The contact is not there."""
    UNKNOWN = "unknown"
    """A request was sent, and neither its answer nor reading back settled the outcome."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal knows about one contact.

    Attributes:
        key: From :meth:`Journal.key`.
        order_ref: The order, a UUID in lower case.
        ref: Reference of the contact, ``""`` unless it is known; for an absent contact, the
            one it had until it was deleted.
        sent_at: When the first request that may have created it was sent, in seconds since
            1970 by this machine's clock; 0 if none was.
        run: Number of the run that created or found it. 0 stands for the run in progress when
            an entry is written, and for a time before runs were numbered when it is read.
        digests: From :meth:`Journal.digests`: who the contact is within its order, and the
            values last sent; ``b""`` if they were not recorded.
        is_forgotten: Whether :meth:`Journal.forget` has left only its references.
    """

    key: bytes
    order_ref: str
    state: State
    ref: str = ""
    href: str = ""
    guest_ref: str = ""
    sent_at: int = 0
    run: int = 0
    digests: bytes = b""
    is_forgotten: bool = False

    @property
    def is_there(self) -> bool:
        """Whether the contact is there."""
        return self.state in {State.CREATED, State.FOUND}

    @property
    def is_unclear(self) -> bool:
        """Whether a request left and nothing has settled what came of it."""
        return self.state in {State.INTENT, State.UNKNOWN}

    @property
    def lacks_ref(self) -> bool:
        """Whether it was created and the run ended before it could read its ref back."""
        return self.state is State.CREATED and not self.ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One numbered run.

    Attributes:
        command: Name of the command, such as ``import-contacts``.
        source: Name of the source file.
        source_digest: SHA-256 of the source file, hexadecimal; ``""`` if it was not read to
            its end.
        options: Options by name. They must not contain credentials or personal data.
        is_whole: Whether the run imports a whole file: an import without ``--limit``.
        started_at: Seconds since 1970.
        ended_at: Seconds since 1970; None for a run that was killed or is still in progress.
        counts: Rows by status; empty until the run has ended.
        exit_status: None for a run that was killed or is still in progress.
    """

    number: int
    command: str
    source: str
    source_digest: str
    options: Mapping[str, str] = field(default_factory=dict)
    is_whole: bool = False
    started_at: int = 0
    ended_at: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    exit_status: int | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Where contacts are sent, and with which credentials.

    Attributes:
        destination: Name of the destination; one place always has the same name.
        client_key: Whose contacts they are; the journal stores a salted digest of it. ``""``
            when no request is sent.
        is_key_new: Whether the client key was renewed while the tenant stayed the same.
    """

    destination: str
    client_key: str = ""
    is_key_new: bool = False

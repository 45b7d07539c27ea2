"""What the journal holds, and on whose behalf."""

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class State(StrEnum):
    """What is known of one contact."""

    INTENT = "intent"
    """A request may have left; until its outcome is here, nobody knows."""
    CREATED = "created"
    """It is there, and a run of this journal has created it."""
    FOUND = "found"
    """It was there before any run of this journal had to create it."""
    ABSENT = "absent"
    """It is not there."""
    UNKNOWN = "unknown"
    """A request left, and neither the answer nor reading back could tell."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal holds on one contact.

    Attributes:
        key: From :meth:`Journal.key`.
        order_ref: The order, a UUID in lower case.
        ref: Reference of the contact, ``""`` unless it is known; of an absent one, that
            under which it was there until it was deleted.
        sent_at: When the first request that may have created it left, seconds since 1970 by
            the clock of this machine; 0 when none did.
    """

    key: bytes
    order_ref: str
    state: State
    ref: str = ""
    href: str = ""
    guest_ref: str = ""
    sent_at: int = 0

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


@dataclass(frozen=True, slots=True)
class Sender:
    """Where contacts are sent, and as whom.

    Attributes:
        destination: Name of the destination; the same place has always the same one.
        client_key: Whose contacts they are; the journal holds a salted digest of it. ``""``
            when nobody asks the API.
        is_key_new: Whether the client key has been renewed, and the tenant is the same as ever.
    """

    destination: str
    client_key: str = ""
    is_key_new: bool = False

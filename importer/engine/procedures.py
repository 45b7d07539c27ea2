"""The vocabulary between procedures and the engine that drives them.

A procedure is a generator without I/O: it yields what it needs next (a :class:`Record`, a
:class:`Send` or a :class:`Wait`), is resumed with what came of it, and returns a
:class:`Done`. The engine carries the commands out, for thousands of procedures at once. When
the run ends early, it raises :class:`Stopped` where the procedure waits.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from enum import IntEnum, unique
from typing import TypeAlias, TypeVar

from importer.api import Answer, Listing
from importer.api.calls import Call
from importer.journal import Entry
from importer.records import Outcome

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the whole run ends early.

    Attributes:
        why: Stable word, the second half of ``stopped.<why>``.
        message: What happened and what to do, for a person.
    """

    why: str
    message: str


class Stopped(Exception):  # noqa: N818 - not an error of the procedure that it is raised in
    """The run ends before the procedure has finished.

    Attributes:
        stop: Why.
        answer: The answer to the procedure's own request, if that answer stopped the run.
        may_be_sent: Whether the procedure's request may have left without any answer.
    """

    def __init__(
        self, stop: Stop, answer: Answer | None = None, *, may_be_sent: bool = False
    ) -> None:
        super().__init__(stop.why)
        self.stop = stop
        self.answer = answer
        self.may_be_sent = may_be_sent


@dataclass(frozen=True, slots=True)
class Record:
    """Put entries on disk; resumed when they, and all that was recorded before, are there."""

    entries: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; resumed with its answer."""

    call: Call


@dataclass(frozen=True, slots=True)
class Wait:
    """Let some seconds pass."""

    seconds: float


Command: TypeAlias = Record | Send | Wait
Reply: TypeAlias = Answer | Listing | None


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a procedure.

    Attributes:
        outcome: The outcome of its row; None for a procedure that serves other rows.
        entries: What must be on disk before the outcome is reported.
        stop: Why the run must end, if so.
    """

    outcome: Outcome | None
    entries: Sequence[Entry] = ()
    stop: Stop | None = None


Procedure: TypeAlias = Generator[Command, Reply, T]


def send(call: Call) -> Procedure[Answer]:
    """Send a request that is answered by an :class:`Answer`."""
    reply = yield Send(call)
    if not isinstance(reply, Answer):
        raise TypeError(reply)
    return reply


def read_list(call: Call) -> Procedure[Listing]:
    """Send a request that is answered by a :class:`Listing`."""
    reply = yield Send(call)
    if not isinstance(reply, Listing):
        raise TypeError(reply)
    return reply


def wait(seconds: float) -> Procedure[None]:
    """Let some seconds pass, if any."""
    if seconds > 0:
        yield Wait(seconds)


@unique
class Priority(IntEnum):
    """Which of the jobs that are ready goes first. One that has begun precedes them all."""

    UNSETTLED = 0
    """An earlier run left it unclear."""
    FRESH = 1
    BACKGROUND = 2
    """Only while there is nothing else to send."""


@dataclass(slots=True, eq=False)
class Job:
    """A procedure on its way.

    Attributes:
        lane: Jobs of one lane run one after the other, in the order in which they came.
        row: The row it is about.
        command: What it waits for; None before it has begun.
    """

    lane: str
    row: int
    procedure: Procedure[Done]
    priority: Priority = Priority.FRESH
    command: Command | None = None

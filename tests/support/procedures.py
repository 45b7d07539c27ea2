"""Runs procedures without an engine: feeds them answers and notes what they ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random

import orjson

from importer.api import Answer, Listing
from importer.api import rules as answer_rules
from importer.api.calls import Call
from importer.api.rules import Rule, rule_for_failure, rule_for_status
from importer.delivery.state import ContactState, RunState
from importer.engine import Done, Procedure, Record, Retry, Stop, Stopped
from importer.engine.procedures import Send, Wait
from importer.journal import Entry, State
from importer.records import Contact, ContactRefs, Outcome
from importer.settings import IfExists

ORDER = "00000000-0000-4000-8000-000000000001"
REF = "2d7de9df-45a2-45ea-872c-30e45139007d"
OTHER_REF = "f7aabbca-1c1b-4fc2-be72-3e16294a4f03"
ADA = {"firstName": "Ada", "lastName": "Lovelace", "emails": ["ada@example.com"]}
NOW = 1_700_000_000.0


@dataclass
class Driven:
    """What a procedure did.

    Attributes:
        calls: The calls it made.
        states: The states of the entries that it recorded, in order, with a call as ``->``.
        waited: The seconds that it waited, each time.
    """

    done: Done | None = None
    calls: list[Call] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """The outcome that it returned."""
        assert self.done is not None
        assert self.done.outcome is not None
        return self.done.outcome

    @property
    def recorded(self) -> list[str]:
        """The states that the journal is left with, the conclusion last."""
        assert self.done is not None
        return [*self.states, *(entry.state.value for entry in self.done.entries)]


def drive(procedure: Procedure[Done], *replies: Answer | Listing | Stopped | None) -> Driven:
    """Run a procedure to its end; each request gets the next reply.

    None instead of a reply stops the run while the request waits to be sent.
    """
    driven, left = Driven(), list(replies)
    try:
        command = next(procedure)
        while True:
            match command:
                case Record(entries):
                    driven.states += [entry.state.value for entry in entries]
                    command = procedure.send(None)
                case Wait(seconds):
                    driven.waited.append(seconds)
                    command = procedure.send(None)
                case Send(call):
                    reply = left.pop(0)
                    if reply is None:
                        command = procedure.throw(Stopped(STOP))
                        continue
                    driven.calls.append(call)
                    driven.states.append("->")
                    command = (
                        procedure.throw(reply)
                        if isinstance(reply, Stopped)
                        else procedure.send(reply)
                    )
    except StopIteration as end:
        driven.done = end.value
    assert not left, f"{len(left)} replies were not asked for"
    return driven


STOP = Stop("interrupted", "Received SIGTERM.")


def answer(
    status: int | None = None, code: str = "", *, api: bool = True, **more: object
) -> Answer:
    """Return an answer that is no success, with the rule of its status or error code."""
    rule = (
        rule_for_failure(code, is_certain=False)
        if status is None
        else rule_for_status(status, is_api_error=api, asks_to_wait="retry_after" in more)
    )
    made = Answer(
        rule=rule,
        seconds=0.1,
        http_status=status,
        error_code=code or f"http.{status}",
        message="No.",
        is_api_error=api and status is not None,
    )
    return replace(made, **more)


def success(
    contact: Mapping[str, object] | None = None,
    ref: str = REF,
    status: int = 201,
    rule: Rule = answer_rules.APPLIED,
) -> Answer:
    """Return the answer of an API that did what was asked for."""
    stored = {**(ADA if contact is None else contact), "ref": ref}
    return Answer(
        rule=rule,
        seconds=0.1,
        http_status=status,
        refs=ContactRefs.from_json(stored),
        contact=stored,
    )


def unreadable(status: int) -> Answer:
    """Return a 2xx whose body is not the contact."""
    rule = answer_rules.CREATED_UNREADABLE if status == 201 else answer_rules.NOT_THE_API
    return Answer(rule=rule, seconds=0.1, http_status=status, error_code="response.invalid")


def listing(*contacts: Mapping[str, object], **more: object) -> Listing:
    """Return the contacts of an order, numbered refs for those without one."""
    items = tuple({"ref": _numbered(number), **one} for number, one in enumerate(contacts, 1))
    return replace(Listing(items, None, 1), **more)


def failed_listing(why: Answer) -> Listing:
    """Return a list that could not be read."""
    return Listing((), why, 1)


@dataclass
class Memory:
    """A journal in memory."""

    entries: dict[bytes, Entry] = field(default_factory=dict)
    owned: set[str] = field(default_factory=set)
    found: set[str] = field(default_factory=set)

    def find(self, keys: Sequence[bytes]) -> Mapping[bytes, Entry]:
        """Return the entries of those keys that have one."""
        return {key: self.entries[key] for key in keys if key in self.entries}

    def owned_refs(self, order_ref: str, besides: object) -> set[str]:
        """Return the refs of the order's other entries."""
        del order_ref, besides
        return self.owned | self.found

    def found_refs(self, order_ref: str, besides: object) -> set[str]:
        """Return those of the owned refs that no run created."""
        del order_ref, besides
        return self.found

    def key(self, order: str, canonical: bytes) -> bytes:
        """Return the key of a contact."""
        return order.encode() + canonical


def run_state(
    if_exists: IfExists = IfExists.CREATE,
    *,
    preview: bool = False,
    attempts: int = 5,
    looks_first: bool = False,
) -> RunState:
    """Return what the procedures of a run share."""
    retry = Retry(attempts, Random(1))  # noqa: S311 - jitter
    return RunState(Memory(), if_exists, preview, retry, looks_first, now=lambda: NOW)


def contact_state(
    state: State | None = None, ref: str = "", fields: Mapping[str, object] = ADA, **more: object
) -> ContactState:
    """Return a contact with the journal entry that an earlier run left, if any."""
    contact = Contact(1, ORDER, orjson.dumps(fields))
    entry = Entry(b"key", ORDER, state, ref, sent_at=int(NOW) - 86_400) if state else None
    return ContactState(contact, b"key", entry, **more)  # type: ignore[arg-type]


def _numbered(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"

"""How a contact comes to its procedure: by its journal entry, its order and its lane.

Rows of one order run in file order, whichever way they name it: a row that names its order by
ref is held back while the order of an earlier row is looked up, for it may be the same order.
A file that names all orders in one way holds nothing back.
"""

from collections import OrderedDict, deque
from typing import Final, Protocol

from importer.delivery import outcomes
from importer.delivery.create import deliver
from importer.delivery.orders import Found, Orders, Refusal, look_up, with_order
from importer.delivery.state import ContactState, RunState
from importer.engine import Done, Job, Priority
from importer.journal import Entry
from importer.records import Outcome, Planned
from schemas.canonical import canonical

_ROWS_KEPT: Final = 25_000
"""Contacts of this run that are recognised under another name of their order; some 5 MB, and
more than can be on their way at a time."""


class Runner(Protocol):
    """Runs jobs; the engine."""

    def submit(self, job: Job, /) -> None:
        """Put a job at the end of its lane."""

    def conclude(self, done: Done, /) -> None:
        """Report an outcome."""

    def commit(self) -> None:
        """Put everything that is held on disk."""


class Admission:
    """Submits one job for each contact that needs a request, and concludes the others.

    Args:
        runner: Runs the jobs.
        run: What they share.
    """

    def __init__(self, runner: Runner, run: RunState) -> None:
        self._runner = runner
        self._run = run
        self._orders = Orders()
        # The first row of each key. A plain dict would be slow to find its oldest.
        self._rows = OrderedDict[bytes, int]()
        self._held: deque[ContactState] = deque()  # all from the first one held back on

    def admit(self, planned: Planned, entry: Entry | None) -> None:
        """Take in a contact with its journal entry; in file order."""
        # The entry of a duplicate belongs to its first.
        own = entry if planned.duplicate_of is None else None
        state = ContactState(planned.contact, planned.key, own, planned.duplicate_of)
        if entry is not None and self._is_done(entry):
            if state.duplicate_of is None:
                key = state.key if state.order_ref else self._key(state, entry.order_ref)
                state.duplicate_of = self._first_of(state, key)
            self._conclude(outcomes.known(state, entry))
            return
        if not state.order_ref:
            if entry is not None and (entry.is_unclear or self._lacks_ref(entry)):
                # It was sent to that order, so nothing else can settle it.
                state = with_order(state, entry.order_ref, self._key(state, entry.order_ref))
            else:
                self._request(state)
        if self._held or (state.order_ref and self._orders.are_awaited):
            self._held.append(state)
        elif not state.order_ref:
            self._seek(state)
        elif state.alias is None:
            self._enter(state)
        else:
            self._enter_late(state)

    def abandon(self) -> list[ContactState]:
        """Return the contacts that were admitted and have neither a job nor an outcome."""
        held = list(self._held)
        self._held.clear()
        return [*self._orders.take_all(), *held]

    def _learn(self, number: str, found: Found) -> None:
        for state, order in self._orders.learn(number, found):
            self._enter_found(state, order)
        while self._held:
            if not self._held[0].order_ref:
                self._seek(self._held.popleft())
            elif self._orders.are_awaited:
                return
            else:
                self._enter_late(self._held.popleft())

    def _request(self, state: ContactState) -> None:
        number = state.contact.reference_id
        if self._orders.request(number):
            procedure = look_up(number, self._run, self._learn)
            job = Job(f"number {number}", state.contact.row, procedure, Priority.BACKGROUND)
            self._runner.submit(job)

    def _seek(self, state: ContactState) -> None:
        order = self._orders.find(state.contact)
        if order is not None:
            self._enter_found(state, order)
        else:
            self._orders.wait(state)
            self._request(state)

    def _enter_found(self, state: ContactState, order: str | Refusal) -> None:
        if isinstance(order, str):
            self._enter_late(with_order(state, order, self._key(state, order)))
        elif state.duplicate_of is not None:
            self._conclude(outcomes.duplicate(state, None))
        else:
            self._conclude(outcomes.refused(state, order))

    def _key(self, state: ContactState, order_ref: str) -> bytes:
        return self._run.memory.key(order_ref, canonical(order_ref, state.contact.fields))

    def _enter_late(self, state: ContactState) -> None:
        """Enter a contact with what the journal has on it by now."""
        if state.duplicate_of is None:
            self._runner.commit()
            state.entry = self._run.memory.find([state.key]).get(state.key)
        self._enter(state)

    def _enter(self, state: ContactState) -> None:
        if state.duplicate_of is None:
            state.duplicate_of = self._first_of(state, state.key)
        if state.duplicate_of is None and state.entry is not None and self._is_done(state.entry):
            self._conclude(outcomes.known(state, state.entry))
            return
        # What an earlier run left unclear is settled before anything else.
        priority = Priority.UNSETTLED if state.is_unsettled else Priority.FRESH
        procedure = deliver(state, self._run)
        self._runner.submit(Job(state.order_ref, state.contact.row, procedure, priority))

    def _is_done(self, entry: Entry) -> bool:
        return entry.is_there and not self._run.compares and not self._lacks_ref(entry)

    def _lacks_ref(self, entry: Entry) -> bool:
        return entry.lacks_ref and not self._run.is_preview

    def _first_of(self, state: ContactState, key: bytes) -> int | None:
        """Return the row of the same contact that names the order in the other way, if any.

        Args:
            state: The contact.
            key: Its key by the ref of its order.
        """
        first = self._rows.setdefault(key, state.contact.row)
        if len(self._rows) > _ROWS_KEPT:
            self._rows.popitem(last=False)
        return first if first < state.contact.row else None

    def _conclude(self, outcome: Outcome) -> None:
        self._runner.conclude(Done(outcome))

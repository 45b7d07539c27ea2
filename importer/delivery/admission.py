"""How a contact comes to its first request: by its order, its journal entry and its lane."""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from importer.api import Answer, Verdict
from importer.delivery import outcomes
from importer.delivery.orders import Orders, Refusal, with_order
from importer.delivery.policy import Action
from importer.delivery.tasks import Lanes, Task
from importer.journal import Entry, Journal, State
from importer.records import Outcome, Planned
from importer.settings import DeliveryOptions, IfExists
from schemas.canonical import canonical

_ROWS_KEPT: Final = 25_000
"""Contacts of this run that are known again by another name of their order; some 5 MB, and more
than can be on their way at once."""
_UNCLEAR: Final = frozenset({State.INTENT, State.UNKNOWN})

_CREATED: Final = Answer(
    verdict=Verdict.APPLIED, seconds=0.0, http_status=201, error_code="response.invalid"
)
"""What an earlier run has heard of a contact whose ref it did not learn."""


class Admission:
    """Puts tasks in their lanes, and says which of them are ready for a request.

    Rows of one order stand in its lane in file order, whichever way they name it: one that
    names an order by its ref is held back while the order of an earlier one is looked up, for
    it may be the same. A file that names all orders in one way holds nothing back.

    Args:
        journal: What earlier runs have done.
        commit: Puts what is held on record, so that the journal can be asked.
        conclude: Called with the outcome of a task that needs no request.
        refused_order: The answer that said that there is no such order, if any did.
        options: Whether to look at the order's contacts before anything is created.
    """

    def __init__(
        self,
        journal: Journal,
        commit: Callable[[], None],
        conclude: Callable[[Task, Outcome], None],
        refused_order: Callable[[str], Answer | None],
        options: DeliveryOptions,
    ) -> None:
        self._compares = options.if_exists is not IfExists.CREATE
        self._preview = options.preview
        self._journal = journal
        self._commit = commit
        self._conclude = conclude
        self._refused_order = refused_order
        self._lanes = Lanes[Task]()
        # The first of each key. A plain dict takes 66 µs to find its oldest.
        self._rows = OrderedDict[bytes, int]()
        self._orders = Orders()
        self._held: deque[Task] = deque()  # from the first that is held back on, in file order
        self.again: deque[Task] = deque()
        """Ready, and begun already, in this run or an earlier one: they go first."""
        self.fresh: deque[Task] = deque()
        """Ready, and never sent."""
        self.look_ups: deque[Task] = deque()
        """Those whose order is to be looked up, when there is nothing to send meanwhile."""

    def admit(self, planned: Planned, entry: Entry | None) -> None:
        """Take in a contact with what the journal holds on it; in file order."""
        # A duplicate has no say in what the journal holds of its first.
        own = entry if planned.duplicate_of is None else None
        task = Task(planned.contact, planned.key, own, planned.duplicate_of)
        if entry is not None and self._is_done(entry):
            if task.duplicate_of is None:
                key = task.key if task.order_ref else self._key(task, entry.order_ref)
                task.duplicate_of = self._first_of(task, key)
            self._conclude(task, outcomes.known(task, entry))
            return
        if not task.order_ref:
            if entry is not None and (entry.state in _UNCLEAR or self._lacks_ref(entry)):
                # It went to that order, so nothing else can settle it.
                task = with_order(task, entry.order_ref, self._key(task, entry.order_ref))
            else:
                self._ask(task)
        if self._held or (task.order_ref and self._orders.are_awaited):
            self._begin(task)  # should the run end before its turn, it is as unclear as it was
            self._held.append(task)
        elif not task.order_ref:
            self._seek(task)
        elif task.alias is None:
            self._enter(task)
        else:
            self._enter_late(task)

    def learn(self, reference_id: str, found: str | Refusal) -> None:
        """Take in what became of the look-up of an order's number."""
        for task in self._orders.learn(reference_id, found):
            self._enter_found(task, found)
        while self._held:
            if not self._held[0].order_ref:
                self._seek(self._held.popleft())
            elif self._orders.are_awaited:
                return
            else:
                self._enter_late(self._held.popleft())

    def leave(self, task: Task) -> None:
        """Let the next contact of the same order follow one that has its outcome."""
        self._make_ready(self._lanes.leave(task))

    def take_all(self) -> list[Task]:
        """Those that have no outcome; none of them will have one by itself any more."""
        held = list(self._held)
        for ready in (self.again, self.fresh, self.look_ups, self._held):
            ready.clear()
        return [*self._lanes.take_all(), *self._orders.take_all(), *held]

    def _ask(self, task: Task) -> None:
        if self._orders.ask(task.contact.reference_id):
            self.look_ups.append(replace(task, action=Action.LOOK_UP))

    def _seek(self, task: Task) -> None:
        found = self._orders.find(task.contact.reference_id)
        if found is not None:
            self._enter_found(task, found)
        else:
            self._orders.wait(task)
            self._ask(task)

    def _enter_found(self, task: Task, found: str | Refusal) -> None:
        if isinstance(found, str):
            self._enter_late(with_order(task, found, self._key(task, found)))
        elif task.duplicate_of is not None:
            self._conclude(task, outcomes.duplicate(task.contact.row, "", task.duplicate_of, None))
        else:
            self._conclude(task, outcomes.refused(task, found))

    def _key(self, task: Task, order_ref: str) -> bytes:
        return self._journal.key(order_ref, canonical(order_ref, task.contact.fields))

    def _enter_late(self, task: Task) -> None:
        """Put a task in its lane with what the journal holds on it by now."""
        if task.duplicate_of is None:
            self._commit()
            task.entry = self._journal.find([task.key]).get(task.key)
        self._enter(task)

    def _enter(self, task: Task) -> None:
        if task.duplicate_of is None:
            task.duplicate_of = self._first_of(task, task.key)
        entry = task.entry
        if task.duplicate_of is None and entry is not None and self._is_done(entry):
            self._conclude(task, outcomes.known(task, entry))
            return
        self._begin(task)
        if self._lanes.join(task):
            self._make_ready(task)

    def _begin(self, task: Task) -> None:
        """Say what comes first: what an earlier run has left unclear is settled."""
        entry = task.entry if task.duplicate_of is None else None
        if entry is not None and self._lacks_ref(entry):
            task.action, task.unclear = Action.SETTLE, _CREATED
        elif entry is not None and entry.state in _UNCLEAR and not self._preview:
            task.action = Action.SETTLE
        else:
            task.action = Action.COMPARE if self._compares else Action.SEND

    def _is_done(self, entry: Entry) -> bool:
        return entry.is_there and not self._compares and not self._lacks_ref(entry)

    def _lacks_ref(self, entry: Entry) -> bool:
        """Whether an earlier run has created it and ended before it could read its ref back."""
        return entry.state is State.CREATED and not entry.ref and not self._preview

    def _first_of(self, task: Task, key: bytes) -> int | None:
        """The row of the same contact that names the order in the other way, if one came before.

        Args:
            task: The task of the row.
            key: Its key by the ref of its order.
        """
        first = self._rows.setdefault(key, task.contact.row)
        if len(self._rows) > _ROWS_KEPT:
            self._rows.popitem(last=False)
        return first if first < task.contact.row else None

    def _make_ready(self, task: Task | None) -> None:
        while task is not None and (outcome := self._foregone(task)) is not None:
            self._conclude(task, outcome)
            task = self._lanes.leave(task)
        if task is not None:
            # What an earlier run left unclear is settled before anything else.
            (self.again if task.action is Action.SETTLE else self.fresh).append(task)

    def _foregone(self, task: Task) -> Outcome | None:
        """The outcome of a task that needs no request."""
        if task.duplicate_of is not None:
            self._commit()
            entry = self._journal.find([task.key]).get(task.key)
            told = outcomes.duplicate(task.contact.row, task.order_ref, task.duplicate_of, entry)
            # A preview knows no more of its first than that it would be sent.
            return replace(told, error_code="", error="") if self._preview else told
        answer = self._refused_order(task.order_ref)
        if answer is not None and task.action in {Action.SEND, Action.COMPARE}:
            return outcomes.rejected_order(task, answer)
        return None

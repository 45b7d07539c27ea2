"""How a contact comes to its first request: by its order, its journal entry and its lane."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from importer.api import Answer
from importer.delivery import outcomes
from importer.delivery.orders import Orders, Refusal, with_order
from importer.delivery.policy import Action
from importer.delivery.tasks import Lanes, Task
from importer.journal import Entry, Journal, State
from importer.records import Outcome, Planned
from importer.settings import DeliveryOptions, IfExists
from schemas.canonical import canonical


class Admission:
    """Puts tasks in their lanes, and says which of them are ready for a request.

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
        self._orders = Orders()
        self.again: deque[Task] = deque()
        """Ready, and begun already, in this run or an earlier one: they go first."""
        self.fresh: deque[Task] = deque()
        """Ready, and never sent."""

    def admit(self, planned: Planned, entry: Entry | None) -> None:
        """Take in a contact with what the journal holds on it; in file order."""
        # A duplicate has no say in what the journal holds of its first.
        own = entry if planned.duplicate_of is None else None
        task = Task(planned.contact, planned.key, own, planned.duplicate_of)
        is_there = entry is not None and entry.state is State.CREATED
        is_known = (is_there and not self._compares) or task.duplicate_of is not None
        if task.order_ref or is_known:
            self._enter(task)
        else:
            self._find_order(task)

    def learn(self, reference_id: str, found: str | Refusal) -> None:
        """Take in what became of the look-up of an order's number."""
        for task in self._orders.learn(reference_id, found):
            self._enter_found(task, found)

    def leave(self, task: Task) -> None:
        """Let the next contact of the same order follow one that has its outcome."""
        self._make_ready(self._lanes.leave(task))

    def take_all(self) -> list[Task]:
        """Those that have no outcome; none of them will have one by itself any more."""
        self.again.clear()
        self.fresh.clear()
        return [*self._lanes.take_all(), *self._orders.take_all()]

    def _find_order(self, task: Task) -> None:
        found = self._orders.find(task.contact.reference_id)
        if found is not None:
            self._enter_found(task, found)
        elif self._orders.wait(task):
            self.again.append(replace(task, action=Action.LOOK_UP))

    def _enter_found(self, task: Task, found: str | Refusal) -> None:
        if isinstance(found, Refusal):
            self._conclude(task, outcomes.refused(task, found))
            return
        key = self._journal.key(found, canonical(found, task.contact.body))
        self._commit()
        known = with_order(task, found, key)
        known.entry = self._journal.find([key]).get(key)
        self._enter(known)

    def _enter(self, task: Task) -> None:
        entry = task.entry
        if task.duplicate_of is None and entry is not None:
            if entry.state is State.CREATED and not self._compares:
                self._conclude(task, outcomes.exists(task.contact.row, entry))
                return
            if entry.state in {State.INTENT, State.UNKNOWN} and not self._preview:
                task.action = Action.SETTLE
        if self._compares and task.action is Action.SEND:
            task.action = Action.COMPARE
        if self._lanes.join(task):
            self._make_ready(task)

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
            return outcomes.duplicate(task.contact.row, task.order_ref, task.duplicate_of, entry)
        answer = self._refused_order(task.order_ref)
        if answer is not None and task.action in {Action.SEND, Action.COMPARE}:
            return outcomes.rejected_order(task, answer)
        return None

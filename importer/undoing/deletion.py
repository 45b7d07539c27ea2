"""The deletion of contacts: one of an order after the other, different orders side by side."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence

from importer.api import Api
from importer.delivery import Stop
from importer.delivery.gate import Gate
from importer.delivery.loop import Loop
from importer.delivery.outbox import Outbox
from importer.delivery.policy import Action
from importer.delivery.tasks import Advance, Lanes
from importer.delivery.workers import Exchanged
from importer.journal import Entry, Journal
from importer.records import Outcome
from importer.settings import MaxErrors
from importer.undoing.candidates import Candidate
from importer.undoing.steps import Steps
from importer.undoing.tasks import Task, carry_out, concluded, given_up, intended


class Deletion(Loop[Task]):
    """One run's deletion; lists of :class:`Candidate` come in by ``events``.

    The journal knows of a deletion before its request leaves, and what came of it before that
    is told.

    Args:
        api: The destination.
        journal: Its journal.
        max_errors: How much may go wrong.
        steps: What to do after each answer.
        tell: Called with outcomes, once they are on record.
    """

    def __init__(
        self,
        api: Api,
        journal: Journal,
        max_errors: MaxErrors | None,
        steps: Steps,
        tell: Callable[[list[Outcome]], None],
    ) -> None:
        super().__init__(api, carry_out, Outbox(journal, tell), steps.observer, Gate(max_errors))
        self._journal = journal
        self._steps = steps
        self._lanes = Lanes[Task]()
        self._again: deque[Task] = deque()  # what has begun is ended before anything else begins
        self._fresh: deque[Task] = deque()

    @property
    def settled(self) -> int:
        """Unclear answers that reading has settled."""
        return self._steps.settled

    def _admit(self, batch: list[Candidate]) -> None:
        entries = defaultdict[str, list[Entry]](list)
        for entry in self._journal.find_refs([candidate.ref for candidate in batch]):
            entries[entry.ref].append(entry)
        for candidate in batch:
            known = tuple(entries[candidate.ref])
            task = Task(candidate, known, known)
            if self._lanes.join(task):
                self._fresh.append(task)

    def _resume(self, due: Iterable[Task]) -> None:
        self._again.extend(due)

    def _next(self) -> Task | None:
        ready = self._again or self._fresh
        return ready.popleft() if ready else None

    def _intent(self, task: Task) -> Sequence[Entry]:
        return intended(task) if task.action is Action.SEND else ()

    def _after(self, exchanged: Exchanged[Task]) -> Advance:
        return self._steps.after(exchanged)

    def _entries(self, task: Task, outcome: Outcome) -> Sequence[Entry]:
        return concluded(task, outcome)

    def _left(self, task: Task, outcome: Outcome) -> None:
        del outcome
        if (successor := self._lanes.leave(task)) is not None:
            self._fresh.append(successor)

    def _given_up(self, stop: Stop) -> Iterable[tuple[Task, Outcome]]:
        return [(task, given_up(task, stop)) for task in self._lanes.take_all()]

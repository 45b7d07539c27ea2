"""The delivery of contacts: each exactly once, rows of one order one after the other."""

from collections.abc import Callable, Iterable, Sequence
from random import Random

from importer.api import Api
from importer.delivery.admission import Admission
from importer.delivery.gate import Gate
from importer.delivery.loop import Loop
from importer.delivery.outbox import Outbox
from importer.delivery.pace import Pace
from importer.delivery.policy import Action, Stop
from importer.delivery.recording import concluded, intended
from importer.delivery.steps import Steps
from importer.delivery.tasks import Advance, Task
from importer.delivery.workers import Exchanged, carry_out
from importer.journal import Entry, Journal
from importer.records import Outcome, Planned, Status
from importer.settings import DeliveryOptions


class Delivery(Loop[Task]):
    """One run's delivery; batches of :class:`Planned` come in by ``events``.

    Args:
        api: The destination.
        journal: Its journal.
        options: How fast and how patiently.
        tell: Called with outcomes, once they are on record.
    """

    def __init__(
        self,
        api: Api,
        journal: Journal,
        options: DeliveryOptions,
        tell: Callable[[list[Outcome]], None],
    ) -> None:
        pace = Pace(options.concurrency, options.rate)
        self._steps = Steps(journal, pace, options, Random())  # noqa: S311 - jitter
        observer = self._steps.observer
        super().__init__(api, carry_out, Outbox(journal, tell), observer, Gate(options.max_errors))
        self._journal = journal
        self._preview = options.preview
        self._admission = Admission(
            journal, self._commit, self._conclude, observer.missing_order, options
        )

    @property
    def settled(self) -> int:
        """Unclear answers that reading back has settled."""
        return self._steps.creating.settled

    def _admit(self, batch: list[Planned]) -> None:
        self._commit()  # a contact of the batch may be one that has just been created
        known = self._journal.find([planned.key for planned in batch])
        for planned in batch:
            self._admission.admit(planned, known.get(planned.key))

    def _resume(self, due: Iterable[Task]) -> None:
        self._admission.again.extend(due)

    def _next(self) -> Task | None:
        admission = self._admission
        while ready := admission.again or admission.fresh or admission.look_ups:
            task = ready.popleft()
            if task.action is not Action.COMPARE:
                return task
            known = self._steps.comparing.decide(task)
            if known is None:
                return task
            self._apply(task, known)
        return None

    def _intent(self, task: Task) -> Sequence[Entry]:
        if self._preview and task.action in {Action.SEND, Action.UPDATE}:
            raise AssertionError("A preview writes nothing.")
        return intended(task)

    def _after(self, exchanged: Exchanged[Task]) -> Advance:
        if exchanged.task.action is not Action.LOOK_UP:
            return self._steps.after(exchanged)
        looked_up = self._steps.after_look_up(exchanged)
        if looked_up.found is not None:
            self._admission.learn(exchanged.task.contact.reference_id, looked_up.found)
        return looked_up.advance

    def _entries(self, task: Task, outcome: Outcome) -> Sequence[Entry]:
        if outcome.status is Status.EXISTS:
            self._observer.health.created()  # the destination is the right one
        return concluded(task, outcome)

    def _left(self, task: Task, outcome: Outcome) -> None:
        self._steps.comparing.learn(task, outcome)
        self._admission.leave(task)

    def _given_up(self, stop: Stop) -> Iterable[tuple[Task, Outcome]]:
        return [(task, self._steps.given_up(task, stop)) for task in self._admission.take_all()]

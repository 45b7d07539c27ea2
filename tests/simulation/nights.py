"""Single runs in the simulated world: imports and undos, with what may happen to each."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

import importer.delivery.delivery as delivery_module
import importer.undoing.deletion as deletion_module
from importer.delivery import Delivery
from importer.delivery.state import RunState
from importer.engine import Job, Pace, Retry, Stop
from importer.errors import InputError, StoppedError
from importer.journal import Entry, Journal, Sender
from importer.records import Outcome, Status
from importer.settings import DeliveryOptions
from importer.undoing.candidates import Candidate
from importer.undoing.delete import UndoState
from importer.undoing.deletion import Deletion
from tests.simulation.api import CALM, SimulatedApi, Weather
from tests.simulation.rows import DENIED, ORDERS, Row, planned_contacts
from tests.simulation.watch import Watch
from tests.simulation.world import Killed, SimulatedWorkers, World

if TYPE_CHECKING:
    from importer.api import Api

_SENDER = Sender("simulation", "client key")
_STOP = Stop("interrupted", "Received SIGTERM.")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls the importer itself during a night.

    Attributes:
        steps: Steps until it is killed.
        stop_after: Seconds until a signal arrives.
        writes: Commits until the disk is full.
        is_input_broken: Whether the file cannot be read to its end.
    """

    steps: int | None = None
    stop_after: float | None = None
    writes: int | None = None
    is_input_broken: bool = False


UNTROUBLED = Trouble()


class SimulatedJournal(Journal):
    """A journal on a disk that may become full."""

    world: World
    watch: Watch
    writes_left: int | None = None

    def write(self, entries: Sequence[Entry]) -> None:  # type: ignore[override]
        """Write, unless the disk is full; the process may be killed before and after."""
        self.world.step()
        if self.writes_left is not None:
            self.writes_left -= 1
            if self.writes_left < 0:
                self.watch.can_write = False
                raise StoppedError("The disk is full.")
        super().write(entries)
        self.world.step()


@dataclass
class Nights:
    """One file, one API and one journal, night after night.

    Attributes:
        rows: The file.
        created: What has been created since the last undo.
        log: What happens.
        is_trusted: Whether the journal has seen a complete run since it was made or restored.
    """

    random: Random
    directory: Path
    rows: list[Row]
    created: list[Outcome] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    is_trusted: bool = False

    def __post_init__(self) -> None:
        self.world = World()
        skew = self.random.choice((0.0, 0.0, 3600.0, -3600.0))
        self.api = SimulatedApi(self.world, self.random, dict(ORDERS), skew, DENIED)
        self.watch = Watch(self.world, self.api)
        self.journal = self.directory / "journal.db"

    def import_file(
        self,
        weather: Weather = CALM,
        options: DeliveryOptions | None = None,
        trouble: Trouble = UNTROUBLED,
        *,
        fresh: bool = False,
    ) -> bool:
        """Import the file once; return whether the run was complete."""
        options = options or DeliveryOptions()
        self._log(
            f"import {len(self.rows)} rows, {options.if_exists}, {weather}, {trouble} {fresh=}"
        )
        with self._run(weather, trouble, is_preview=options.preview) as journal:
            if fresh:
                self.watch.start_afresh(journal)
                journal.forget()
                self.is_trusted = True
            planned = planned_contacts(self.rows, journal)
            self.watch.begin(journal, options, planned)
            with self._simulated(delivery_module):
                delivery = Delivery(
                    cast("Api", self.api),
                    journal,
                    options,
                    self._report,
                    looks_first=not self.is_trusted,
                )
            engine, now = delivery.engine, self.world.now
            size = self.random.randint(1, len(planned))
            for start in range(0, len(planned), size):
                batch = planned[start : start + size]
                now += self.random.choice((0.0, 0.0, 0.3))
                self.world.at(now, partial(engine.inbox.put, batch))
            last = InputError("The file changed.") if trouble.is_input_broken else None
            self.world.at(now, partial(engine.inbox.put, last))
            if trouble.stop_after is not None:
                at = self.world.now + trouble.stop_after
                self.world.at(at, partial(engine.inbox.put, _STOP))
            with contextlib.suppress(InputError):
                engine.run()
            self.watch.end()
            found = list(self.watch.reported.values())
            self.created += [one for one in found if one.status is Status.CREATED and one.ref]
            is_complete = engine.stop is None and not options.preview
            if is_complete and not any(_is_untried(one) for one in found):
                self.is_trusted = True
                self.watch.forget_others()
            return is_complete
        return False

    def undo(self, weather: Weather, trouble: Trouble) -> None:
        """Delete what the nights since the last undo have created."""
        unique = {one.ref: one for one in self.created}
        self._log(f"undo {len(unique)}, {weather}, {trouble}")
        self.created = []
        with self._run(weather, trouble) as journal:
            options = DeliveryOptions(concurrency=4)
            self.watch.begin_undo(journal, options, list(unique))
            with self._simulated(deletion_module):
                deletion = Deletion(
                    cast("Api", self.api),
                    journal,
                    options,
                    UndoState(Retry(5, self.random)),
                    self._report,
                )
            deletion.engine.inbox.put(
                [
                    Candidate(row, one.order_ref, one.ref, one.href, "", one.error_code)
                    for row, one in enumerate(unique.values(), 1)
                ]
            )
            deletion.engine.inbox.put(None)
            deletion.engine.run()
            self.watch.end()

    @contextlib.contextmanager
    def _run(
        self, weather: Weather, trouble: Trouble, *, is_preview: bool = False
    ) -> Iterator[SimulatedJournal]:
        self.api.begin_night(weather)
        opener = SimulatedJournal.open_for_reading if is_preview else SimulatedJournal.open
        journal = opener(self.journal, _SENDER)
        assert isinstance(journal, SimulatedJournal)
        journal.world, journal.watch = self.world, self.watch
        journal.writes_left = trouble.writes
        self._workers: SimulatedWorkers | None = None
        self.world.steps, self.world.steps_left = 0, trouble.steps
        try:
            yield journal
        except Killed:
            self._log("killed")
        finally:
            journal.close()
            self.world.steps_left = None
            if self._workers is not None:
                self._workers.is_dead = True

    def _report(self, outcomes: list[Outcome]) -> None:
        self.world.step()
        for one in outcomes:
            self._log(f"  row {one.row} {one.status} {one.ref} {one.error_code} {one.order_ref}")
        self.watch.report(outcomes)

    @contextlib.contextmanager
    def _simulated(self, module: object) -> Iterator[None]:
        """Have a delivery or deletion use this world's workers, clock and randomness."""

        def workers(_connect: object, pace: Pace) -> SimulatedWorkers:
            made = self._workers = SimulatedWorkers(self.world, self.api, pace, self._observe)
            return made

        with contextlib.ExitStack() as stack:
            stack.enter_context(patch.object(module, "Workers", workers))
            if module is delivery_module:
                run_state = partial(RunState, now=self.world.time)
                stack.enter_context(patch.object(module, "RunState", run_state))
                stack.enter_context(patch.object(module, "Random", lambda: self.random))
            yield

    def _observe(self, job: Job, call: object, result: object) -> None:
        self._log(f"  {'<-' if result is not None else '->'} {job.row} {call} {result or ''}")
        self.watch.observe(job, call, result)  # type: ignore[arg-type]

    def _log(self, line: str) -> None:
        self.log.append(f"{self.world.now - 1_700_000_000.0:12.3f} {line}")


def _is_untried(outcome: Outcome) -> bool:
    """Return whether the journal learns nothing of a row, which a complete run may not have."""
    if outcome.status in {Status.FAILED, Status.UNKNOWN, Status.NOT_SENT}:
        return True
    return outcome.error_code in {"contact.exists", "contact.ambiguous"}

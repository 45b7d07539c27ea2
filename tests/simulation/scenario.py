"""Sequences of nights over one file that changes, each sequence drawn from a seed."""

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

import orjson

import importer.delivery.delivery as delivery_module
import importer.undoing.deletion as deletion_module
from importer.delivery import Delivery
from importer.delivery.state import RunState
from importer.engine import Job, Pace, Retry, Stop
from importer.errors import InputError, StoppedError
from importer.journal import Entry, Journal, Sender
from importer.records import Contact, Outcome, Planned, Status
from importer.settings import DeliveryOptions, IfExists, MaxErrors
from importer.undoing.candidates import Candidate
from importer.undoing.delete import UndoState
from importer.undoing.deletion import Deletion
from tests.simulation.api import CALM, NO_ORDER, SimulatedApi, Weather
from tests.simulation.watch import Broken, Watch, content_of
from tests.simulation.world import Killed, SimulatedWorkers, World

if TYPE_CHECKING:
    from importer.api import Api

_SENDER = Sender("simulation", "client key")
_ORDERS = {f"00000000-0000-4000-8000-{n:012x}": f"N{n % 5}" for n in range(1, 7)}
"""Six orders; two of them share a number."""
_NOBODY = "N9"
_DENIED = {b"Poison400": 400, b"Poison403": 403, b"Poison422": 422}
_STOP = Stop("interrupted", "Received SIGTERM.")
_DAY = 72_000.0
_QUIET_NIGHTS = 5
_STORY = 120  # lines of the log that a failure shows


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file: which order, how it is named, and what is sent."""

    order_ref: str
    number: str
    fields: tuple[tuple[str, object], ...]


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
class Scenario:
    """One file, one API and one journal, night after night.

    Attributes:
        is_trusted: Whether the journal has seen a complete run since it was made or restored.
    """

    random: Random
    directory: Path
    log: list[str] = field(default_factory=list)
    is_trusted: bool = False

    def __post_init__(self) -> None:
        self.world = World()
        skew = self.random.choice((0.0, 0.0, 3600.0, -3600.0))
        self.api = SimulatedApi(self.world, self.random, dict(_ORDERS), skew, _DENIED)
        self.watch = Watch(self.world, self.api)
        self.journal_path = self.directory / "journal.db"
        self.rows = [self._row() for _ in range(self.random.randint(3, 12))]
        self.created: list[Outcome] = []

    # The file.

    def _row(self) -> Row:
        random = self.random
        order_ref = random.choice([*_ORDERS] * 4 + [NO_ORDER])
        number = ""
        if random.random() < 0.3:
            number, order_ref = random.choice([*_ORDERS.values(), _NOBODY]), ""
        name = random.choice(["Ada", "Ben", "Cid", "Dan", "Eve", "Fay", "Gil", "Hal"])
        fields: dict[str, object] = {"firstName": name}
        if random.random() < 0.9:
            fields |= {"lastName": "Lee", "emails": [f"{name.lower()}@example.com"]}
        if random.random() < 0.5:
            fields["city"] = random.choice(["Cork", "Cobh", "Bray"])
        if random.random() < 0.05:
            fields["city"] = random.choice(list(_DENIED)).decode()
        return Row(order_ref, number, tuple(fields.items()))

    def edit(self) -> None:
        """Change the file as its owner may between two nights."""
        random, rows = self.random, self.rows
        match random.randrange(7):
            case 0:
                random.shuffle(rows)
            case 1:
                del rows[random.randint(1, len(rows)) :]
            case 2:
                rows += [self._row() for _ in range(random.randint(1, 5))]
            case 3:
                rows.insert(random.randint(0, len(rows)), random.choice(rows))
            case 4:
                at = random.randrange(len(rows))
                changed = dict(rows[at].fields) | {"city": random.choice(["Cork", "Cobh", "Naas"])}
                rows[at] = replace(rows[at], fields=tuple(changed.items()))
            case 5:
                at = random.randrange(len(rows))
                if rows[at].order_ref in _ORDERS:  # named in the other way
                    rows[at] = Row("", _ORDERS[rows[at].order_ref], rows[at].fields)
            case _:
                pass

    def _planned(self, journal: Journal) -> list[Planned]:
        """Return the contacts of the file, as planning and claiming make them."""
        planned, first = [], dict[bytes, int]()
        for number, row in enumerate(self.rows, 1):
            fields = dict(row.fields)
            order = row.order_ref or f"number {row.number.encode().hex()}"
            key = journal.key(order, content_of(order, fields))
            contact = Contact(number, row.order_ref, orjson.dumps(fields), row.number)
            earlier = first.setdefault(key, number)
            planned.append(Planned(contact, key, earlier if earlier < number else None))
        return planned

    # The nights.

    def night(self, weather: Weather, options: DeliveryOptions, trouble: "Trouble") -> bool:
        """Import the file once; return whether the run was complete."""
        self._log(f"import {len(self.rows)} rows, {options.if_exists}, {weather}, {trouble}")
        with self._run(weather, trouble, is_preview=options.preview) as journal:
            planned = self._planned(journal)
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

    def undo(self, weather: Weather, trouble: "Trouble") -> None:
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
        self, weather: Weather, trouble: "Trouble", *, is_preview: bool = False
    ) -> Iterator[SimulatedJournal]:
        self.api.begin_night(weather)
        opener = SimulatedJournal.open_for_reading if is_preview else SimulatedJournal.open
        journal = opener(self.journal_path, _SENDER)
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


def play(seed: int, story: list[str] | None = None) -> int:
    """Play the scenario of a seed; return the number of its nights.

    Args:
        seed: The same one always gives the same scenario.
        story: Filled with what happens.

    Raises:
        Broken: The promise does not hold; the notes of the error tell the story.
    """
    shared_memory = Path("/dev/shm")  # noqa: S108 - a new folder in it
    base = shared_memory if shared_memory.is_dir() else None
    directory = Path(tempfile.mkdtemp(prefix="nights-", dir=base))
    log = [] if story is None else story
    scenario = Scenario(Random(seed), directory, log)  # noqa: S311 - a simulation
    logging.disable(logging.CRITICAL)
    try:
        return _play(scenario)
    except Exception as error:
        error.add_note("\n".join(scenario.log[-_STORY:]))
        error.add_note(f"Reproduce it: python -m tests.simulation --seed {seed} --nights 1")
        raise
    finally:
        logging.disable(logging.NOTSET)
        shutil.rmtree(directory)


def _play(scenario: Scenario) -> int:
    random, copy = scenario.random, scenario.directory / "copy.db"
    nights = random.randint(2, 6)
    for _ in range(nights):
        weather, options = _weather(random, scenario.world.now), _options(random)
        scenario.night(weather, options, _trouble(random, len(scenario.rows)))
        scenario.watch.check_contacts()
        scenario.world.pass_time(random.choice((1.0, 90.0, _DAY)))
        match random.randrange(12):
            case 0 if scenario.created:
                scenario.undo(weather, _trouble(random, len(scenario.created)))
                scenario.world.pass_time(90.0)
            case 1 if scenario.journal_path.exists():
                scenario.log.append("the journal is lost")
                scenario.journal_path.unlink()
                scenario.is_trusted = False
                copy.unlink(missing_ok=True)
            case 2 if copy.exists():
                scenario.log.append("an older copy of the journal is restored")
                shutil.copyfile(copy, scenario.journal_path)
                scenario.is_trusted = False
            case 3 if scenario.journal_path.exists():
                shutil.copyfile(scenario.journal_path, copy)
            case _:
                scenario.edit()
    return nights + _finish(scenario)


def _finish(scenario: Scenario) -> int:
    """Let quiet nights follow, after which nothing is left to do."""
    scenario.world.pass_time(_DAY)
    for night in range(1, _QUIET_NIGHTS + 1):
        if not scenario.night(CALM, DeliveryOptions(), UNTROUBLED):
            return night  # none of the orders of the file exists
        scenario.watch.check_contacts()
        outcomes = scenario.watch.reported.values()
        if any(one.status in {Status.FAILED, Status.NOT_SENT} for one in outcomes):
            raise Broken("a row has failed in a quiet night")
        if not any(one.status is Status.CREATED and one.attempts for one in outcomes):
            break  # a row may wait until another one, which it resembles, is settled
    else:
        raise Broken("every quiet night creates something")
    for one in outcomes:
        if one.status is Status.UNKNOWN and not scenario.watch.is_open(one):
            raise Broken(f"row {one.row} is never settled")
    return night


def _is_untried(outcome: Outcome) -> bool:
    """Return whether the journal learns nothing of a row, which a complete run may not have."""
    if outcome.status in {Status.FAILED, Status.UNKNOWN, Status.NOT_SENT}:
        return True
    return outcome.error_code in {"contact.exists", "contact.ambiguous"}


def _weather(random: Random, now: float) -> Weather:
    if random.random() < 0.2:
        return CALM
    return Weather(
        trouble=random.choice((0.02, 0.1, 0.3, 0.6)),
        stops=random.choice((0.0, 0.0, 0.0, 0.02)),
        late=random.choice((0.0, 0.0, 0.3)),
        lag=random.choice((0.0, 0.0, 0.0, 2.0, 10.0)),
        slowest=random.choice((0.1, 0.5, 8.0)),
        outage=(now + 1.0, now + random.choice((5.0, 200.0)))
        if random.random() < 0.1
        else (0.0,) * 2,
        others=random.choice((0.0, 0.0, 0.05)),
    )


def _options(random: Random) -> DeliveryOptions:
    modes = [IfExists.CREATE] * 5 + [IfExists.SKIP, IfExists.UPDATE, IfExists.ERROR]
    mode = random.choice(modes)
    return DeliveryOptions(
        concurrency=random.choice((1, 2, 4, 8)),
        rate=random.choice((None, None, 5.0)),
        attempts=random.choice((1, 2, 5)),
        if_exists=mode,
        preview=mode is not IfExists.CREATE and random.random() < 0.2,
        max_errors=MaxErrors(2) if random.random() < 0.1 else None,
    )


def _trouble(random: Random, rows: int) -> Trouble:
    match random.randrange(8):
        case 0 | 1 | 2:
            return Trouble(steps=random.randint(0, 10 * rows + 5))
        case 3:
            return Trouble(stop_after=random.choice((0.0, 0.5, 2.0, 10.0, 35.0)))
        case 4:
            return Trouble(writes=random.randint(0, 2 * rows))
        case 5 if random.random() < 0.3:
            return Trouble(is_input_broken=True)
        case _:
            return UNTROUBLED

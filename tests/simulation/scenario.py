"""Sequences of nights over one file that changes, each sequence drawn from a seed."""

import logging
import shutil
import tempfile
from pathlib import Path
from random import Random

from importer.records import Status
from importer.settings import DeliveryOptions, IfExists, MaxErrors
from tests.simulation.api import CALM, Weather
from tests.simulation.nights import UNTROUBLED, Nights, Trouble
from tests.simulation.rows import ORDERS, edit, new_row
from tests.simulation.watch import Broken

_DAY = 72_000.0
_QUIET_NIGHTS = 5
_STORY = 120  # lines of the log that a failure shows


def play(seed: int, story: list[str] | None = None) -> int:
    """Play the scenario of a seed; return the number of its nights.

    Args:
        seed: The same one always gives the same nights.
        story: Filled with what happens.

    Raises:
        Broken: The promise does not hold; the notes of the error tell the story.
    """
    shared_memory = Path("/dev/shm")  # noqa: S108 - a new folder in it
    base = shared_memory if shared_memory.is_dir() else None
    directory = Path(tempfile.mkdtemp(prefix="nights-", dir=base))
    log = [] if story is None else story
    random = Random(seed)  # noqa: S311 - a simulation
    rows = [new_row(random) for _ in range(random.randint(3, 12))]
    nights = Nights(random, directory, rows, log=log)
    logging.disable(logging.CRITICAL)
    try:
        return _play(nights)
    except Exception as error:
        error.add_note("\n".join(nights.log[-_STORY:]))
        error.add_note(f"Reproduce it: python -m tests.simulation --seed {seed} --nights 1")
        raise
    finally:
        logging.disable(logging.NOTSET)
        shutil.rmtree(directory)


def _play(nights: Nights) -> int:
    random, copy = nights.random, nights.directory / "copy.db"
    if random.random() < 0.3:
        _add_strangers(nights)
    count = random.randint(2, 6)
    for _ in range(count):
        weather, options = _weather(random, nights.world.now), _options(random)
        fresh = not options.preview and random.random() < 0.03
        nights.import_file(weather, options, _trouble(random, len(nights.rows)), fresh=fresh)
        nights.watch.check_contacts()
        nights.world.pass_time(random.choice((1.0, 90.0, _DAY)))
        match random.randrange(12):
            case 0 if nights.created:
                nights.undo(weather, _trouble(random, len(nights.created)))
                nights.world.pass_time(90.0)
            case 1 if nights.journal.exists():
                nights.log.append("the journal is lost")
                nights.journal.unlink()
                nights.is_trusted = False
                copy.unlink(missing_ok=True)
            case 2 if copy.exists():
                nights.log.append("an older copy of the journal is restored")
                shutil.copyfile(copy, nights.journal)
                nights.is_trusted = False
            case 3 if nights.journal.exists():
                shutil.copyfile(nights.journal, copy)
            case _:
                edit(nights.rows, random)
    return count + _finish(nights)


def _add_strangers(nights: Nights) -> None:
    """Have an order hold more contacts than fit on a page."""
    for number in range(nights.random.randint(1, 25)):
        nights.api.add(next(iter(ORDERS)), {"firstName": f"Stranger {number}"})


def _finish(nights: Nights) -> int:
    """Let quiet nights follow, after which nothing is left to do."""
    nights.world.pass_time(_DAY)
    for night in range(1, _QUIET_NIGHTS + 1):
        if not nights.import_file():
            return night  # none of the orders of the file exists
        nights.watch.check_contacts()
        outcomes = nights.watch.reported.values()
        if any(one.status in {Status.FAILED, Status.NOT_SENT} for one in outcomes):
            raise Broken("a row has failed in a quiet night")
        if not any(one.status is Status.CREATED and one.attempts for one in outcomes):
            break  # a row may wait until another one, which it resembles, is settled
    else:
        raise Broken("every quiet night creates something")
    for one in outcomes:
        if one.status is Status.UNKNOWN and not nights.watch.is_open(one):
            raise Broken(f"row {one.row} is never settled")
    return night


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

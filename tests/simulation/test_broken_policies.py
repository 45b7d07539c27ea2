"""A policy that would break the promise is caught, so the simulation is able to fail."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

import pytest

from importer.api import Answer, Listing, rules
from importer.delivery import admission, create
from importer.delivery.settle import Absent
from importer.delivery.state import Timing
from importer.engine import Engine, Job, Pace
from importer.engine.outbox import Outbox
from importer.engine.procedures import Procedure, Record
from importer.journal import Journal
from tests.simulation.nights import Nights
from tests.simulation.scenario import play
from tests.simulation.watch import Broken

_SEEDS = 150
Policy = contextlib.AbstractContextManager[object]


def _blind_resend() -> Policy:
    """Send an unclear contact again without looking."""

    def settle(*_: object) -> Procedure[Absent]:
        return Absent(Listing((), None, 1))
        yield  # a generator

    return patch.object(create, "settle", settle)


def _impatient() -> Policy:
    """Read back once, when the API may still be at work."""
    return patch.object(Timing, "delays", lambda *_: (0.0,))


def _no_intent() -> Policy:
    """Send contacts of which the journal has no intent."""
    return patch.object(create, "intended", lambda *_: ())


def _journal_after_the_request() -> Policy:
    """Do not wait until an intent is on disk."""
    resume = Engine._resume  # noqa: SLF001 - a policy is inside

    def hasty(self: Any, job: Job, reply: Answer | Listing | None) -> bool:  # noqa: ANN401
        wants = resume(self, job, reply)
        while wants and isinstance(job.command, Record):
            self._outbox.hold(job.command.entries)
            wants = resume(self, job, None)
        return wants

    return patch.object(Engine, "_resume", hasty)


def _outcome_before_the_journal() -> Policy:
    """Report outcomes before they are on disk."""
    commit = Outbox.commit

    def hasty(self: Any) -> None:  # noqa: ANN401
        outcomes, self._outcomes = self._outcomes, []
        self._report(outcomes)
        commit(self)

    return patch.object(Outbox, "commit", hasty)


def _lanes_out_of_order() -> Policy:
    """Send the rows of an order side by side."""

    def job(lane: str, row: int, *others: Any) -> Job:  # noqa: ANN401
        return Job(f"{lane} {row}", row, *others)

    return patch.object(admission, "Job", job)


def _trust_time_outs() -> Policy:
    """Take a request without an answer for one that was not carried out."""
    failures = {"network.timeout": rules.NO_CONNECTION, "network.reset": rules.NO_CONNECTION}
    return patch.dict("importer.api.rules._BY_FAILURE", failures)


def _trust_gateways() -> Policy:
    """Take a gateway's 5xx for a refusal by the API."""
    return patch.object(rules, "FAILED", rules.UNAVAILABLE)


def _never_look_first() -> Policy:
    """Trust a journal that is new."""
    trusted = property(lambda _: True, lambda *_: None)
    return patch.object(Nights, "is_trusted", trusted)


def _forget_outcomes() -> Policy:
    """Lose every outcome that shares a commit with another one."""
    write = Journal.write

    def lossy(self: Journal, entries: Sequence[object]) -> None:
        write(self, list(entries)[:1])  # type: ignore[arg-type]

    return patch.object(Journal, "write", lossy)


def _ignore_retry_after() -> Policy:
    """Send on although the API asks to wait."""
    return patch.object(Pace, "pause", lambda *_: None)


@contextlib.contextmanager
def _calm_rules() -> Iterator[None]:
    """Forget rules that were looked up before a policy replaced them, and after."""
    rules.rule_for_status.cache_clear()
    yield
    rules.rule_for_status.cache_clear()


@pytest.mark.parametrize(
    ("policy", "broken"),
    [
        (_blind_resend, "and there|sent again"),
        (_impatient, "sent again that may be there"),
        (_no_intent, "before its intent is on disk"),
        (_journal_after_the_request, "before its intent is on disk"),
        (_outcome_before_the_journal, "reported and not on disk"),
        (_lanes_out_of_order, "in flight"),
        (_trust_time_outs, "and there|sent again"),
        (_trust_gateways, "and there|sent again"),
        (_never_look_first, "sent again that may be there"),
        (_forget_outcomes, "on disk"),
        (_ignore_retry_after, "asked to wait"),
    ],
    ids=lambda one: one.__name__.strip("_") if callable(one) else "",
)
def test_broken_policy_is_caught(policy: Callable[[], Policy], broken: str) -> None:
    """Within seconds."""
    with _calm_rules(), policy(), pytest.raises(Broken, match=broken):
        _play_all()


def _play_all() -> None:
    for seed in range(_SEEDS):
        play(seed)

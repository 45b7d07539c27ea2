"""Shortens the delays of retries and settling for commands that run in this process.

This is the only place in the tests that knows where the delays are defined. What is left of
them keeps its order and proportions, as some tests rely on the existence of a delay.
"""

from functools import partial
from typing import Final

import pytest

from importer.delivery import delivery
from importer.delivery.state import RunState, Timing
from importer.engine import retry

_SHARE: Final = 0.1


def shorten_delays(patch: pytest.MonkeyPatch) -> None:
    """Shorten the delays before retries and before reading back to a tenth."""
    usual = Timing()
    timing = Timing(
        answered=tuple(delay * _SHARE for delay in usual.answered),
        unanswered=tuple(delay * _SHARE for delay in usual.unanswered),
        earlier=tuple(delay * _SHARE for delay in usual.earlier),
        audit=usual.audit * _SHARE,
    )
    patch.setattr(delivery, "RunState", partial(RunState, timing=timing))
    patch.setattr(retry, "_BASE", retry._BASE * _SHARE)  # noqa: SLF001

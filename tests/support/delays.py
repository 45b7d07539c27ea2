"""Shortens the delays of retries and settling for commands that run in this process.

This is the only place in the tests that knows where the delays are defined. What is left of
them keeps its order and proportions, as some tests count on it that a delay exists.
"""

from typing import Final

import pytest

from importer.delivery import policy

_SHARE: Final = 0.1


def shorten_delays(patch: pytest.MonkeyPatch) -> None:
    """Shorten the delays before retries and before reading back to a tenth."""
    for name in ("SETTLE_ANSWERED", "SETTLE_UNANSWERED", "SETTLE_EARLIER"):
        delays = getattr(policy, name)
        patch.setattr(policy, name, tuple(delay * _SHARE for delay in delays))
    for name in ("AUDIT_DELAY", "BACKOFF_BASE"):
        patch.setattr(policy, name, getattr(policy, name) * _SHARE)

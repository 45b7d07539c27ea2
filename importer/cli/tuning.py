"""Settings of the process that make a run faster. Source: docs/performance.md."""

import contextlib
import gc
import os
from pathlib import Path
from typing import Final

_PROCESSOR: Final = 36  # index in /proc/self/stat, counted after the name


def spare_collections() -> None:
    """Run the garbage collector less often, as a batch creates many objects and no cycles."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    gc.enable()


def stay_on_one_core() -> None:
    """Keep this thread, and those that it starts, on its current core.

    Only one of them runs at a time, and on several cores each switch waits until another core
    wakes up. The library does not call this: the threads of its caller are not affected.

    The current core is used because the scheduler has avoided busy ones so far. A fixed core
    would be the same one for all runs on this machine.
    """
    if hasattr(os, "sched_setaffinity"):
        # A restricted environment may forbid it, or have no /proc.
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = Path("/proc/self/stat").read_text(encoding="utf-8")
            os.sched_setaffinity(0, {int(stat.rpartition(")")[2].split()[_PROCESSOR])})

"""Sends requests for procedures: event loop, workers, pace, health, outbox and retry.

It knows nothing of contacts: :mod:`importer.delivery` and :mod:`importer.undoing` say what is
sent and what an answer means for a row.
"""

from importer.engine.engine import Engine
from importer.engine.health import ErrorGate, Health
from importer.engine.outbox import Outbox
from importer.engine.pace import Pace
from importer.engine.procedures import (
    Done,
    Job,
    Priority,
    Procedure,
    Record,
    Stop,
    Stopped,
    read_list,
    send,
    wait,
)
from importer.engine.retry import Retry, backoff
from importer.engine.workers import Inbox, Workers

__all__ = [
    "Done",
    "Engine",
    "ErrorGate",
    "Health",
    "Inbox",
    "Job",
    "Outbox",
    "Pace",
    "Priority",
    "Procedure",
    "Record",
    "Retry",
    "Stop",
    "Stopped",
    "Workers",
    "backoff",
    "read_list",
    "send",
    "wait",
]

"""The log: one event a line on standard error, as text or as JSON.

An event has a stable name, a sentence for a person, and fields. No cell value, no credential
and no text of the API ever goes in; control characters are cleaned, and a bare ``LANG=C``
or a closed pipe harms nothing. Who imports this package as a library gets the events by
``logging.getLogger("importer")`` and decides on their own where they go.
"""

import contextlib
import json
import logging
import sys
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Mapping

EVENTS: Final = {
    "settings.used": "With -v: every setting, and where it comes from; never a credential.",
    "api.environment": "With -v: the proxy and the certificates that the environment names.",
    "column.ignored": "A column of the source file matches no field.",
    "run.started": "The source file can be read; sending begins.",
    "run.progress": "How far the run is, every 30 seconds when no bar is drawn.",
    "run.interrupted": "A signal came; what is in flight is finished first.",
    "journal.empty": "The results say that contacts are there of which the journal knows none.",
    "api.trouble": "Several rows in a row failed; one request at a time probes the API.",
    "api.recovered": "The API answers again.",
    "journal.lost": "The disk did not take the journal; names refs that are only here.",
    "rows.without_identifiers": "So many rows have nothing to match their guest by.",
    "rows.title_unlisted": "So many rows have a title that the API page does not list.",
    "undo.planned": "How many contacts an undo will delete, and where.",
    "destination.differs": "The results of an undo name another host than the destination.",
    "journal.unknown": "The journal does not know contacts that an undo is to delete.",
    "contact.duplicated": "A contact is there more than once; names the refs.",
    "run.finished": "The run has ended; holds the figures of --summary.",
    "run.failed": "The run could not go on; says why, and the exit status.",
    "program.fault": "A thread of the program has ended by a fault; says its kind and place.",
    "program.warning": "Python warns of something; says its kind and place.",
}
"""All events by their stable names, which a program may rely on."""

_LOGGER: Final = logging.getLogger("importer")
_LOGGER.addHandler(logging.NullHandler())


def event(level: int, name: str, message: str, **fields: object) -> None:
    """Log an event.

    Args:
        level: A level of the standard library's logging.
        name: One of ``EVENTS``.
        message: The sentence for a person.
        fields: What a program may want to read; values of JSON types.
    """
    _LOGGER.log(level, message, extra={"event": name, "fields": fields})


def configure(log_format: str, level: int) -> None:
    """Send events of ``level`` and above to standard error.

    Args:
        log_format: ``text`` or ``json``.
        level: A level of the standard library's logging.
    """
    handler = _Handler()
    handler.setFormatter(_JsonFormatter() if log_format == "json" else _TextFormatter())
    _LOGGER.handlers = [handler]
    _LOGGER.setLevel(level)
    _LOGGER.propagate = False


def is_configured() -> bool:
    """Whether events go to standard error."""
    return any(isinstance(handler, _Handler) for handler in _LOGGER.handlers)


def cleaned(text: str) -> str:
    """The text on one line, without control characters or bidirectional overrides."""
    return "".join(
        " " if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} else character
        for character in text
    )


def write_line(line: str, stream: TextIO | None = None) -> None:
    """Write a line to standard error, around a progress bar if there is one.

    It is cleaned, what the stream cannot encode is escaped, and a stream that nobody reads is
    left alone.
    """
    stream = stream or sys.stderr
    if stream is None:
        return
    encoding = getattr(stream, "encoding", None) or "ascii"
    safe = cleaned(line).encode(encoding, "backslashreplace").decode(encoding)
    # A run whose log is cut off (``2>&1 | head``) is still a run that must end well.
    with contextlib.suppress(OSError, ValueError):
        if bar := sys.modules.get("tqdm"):
            with bar.tqdm.external_write_mode(file=stream):
                stream.write(f"{safe}\n")
        else:
            stream.write(f"{safe}\n")
        stream.flush()


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        write_line(self.format(record))


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        name = getattr(record, "event", "log")
        return f"{moment:%Y-%m-%dT%H:%M:%SZ} {record.levelname} {name}: {record.getMessage()}"


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        fields: Mapping[str, object] = getattr(record, "fields", {})
        return json.dumps(
            {
                "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "level": record.levelname.lower(),
                "event": getattr(record, "event", "log"),
                "message": cleaned(record.getMessage()),
                **fields,
            }
        )

"""The log: one event a line on standard error, as text or as JSON.

An event has a stable name, a sentence for people, and fields for programs. It never holds a cell
value, a credential or a text of the API. Control characters are replaced, and neither ``LANG=C``
nor a closed pipe is an error. A program that uses this package as a library gets the events from
``logging.getLogger("importer")`` and decides where they go.

Source: docs/events.md.
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
    "settings.used": "With -v: every setting and its origin; never a credential.",
    "api.environment": "With -v: the proxy and the certificates that the environment sets.",
    "columns.mapped": "With -v: the columns of the source file that each field is read from.",
    "column.ignored": "Columns of the source file match no field; names them.",
    "run.started": "The source file was read to its end; sending begins.",
    "run.progress": "How far the run is, every 30 seconds when no bar is drawn.",
    "run.interrupted": "A signal was received; requests in flight are finished first.",
    "api.trouble": "Several consecutive rows failed; one request at a time probes the API.",
    "api.recovered": "The API answers again.",
    "journal.lost": "The journal could not be written; lists refs that are recorded only here.",
    "rows.without_identifiers": "The number of rows without anything to match a guest by.",
    "text.entities": "The number of rows with an HTML entity, such as &amp;, in a text.",
    "phones.unassigned": "The number of rows with a phone number that is not assigned.",
    "dates.default": "The number of rows with a date of birth that often means no date.",
    "identifiers.shared": "The number of identifiers in rows of different people; names lines.",
    "guests.shared": "The number of guests with different identifiers; names some of them.",
    "rows.title_unlisted": "The number of rows with a title that the API does not list.",
    "undo.planned": "How many contacts an undo will delete, and at which destination.",
    "destination.differs": "The results to undo name another host than the destination.",
    "journal.unknown": "The journal has no entry for contacts that an undo will delete.",
    "contact.duplicated": "A contact exists more than once; names the refs.",
    "run.finished": "The run has ended; its fields are the figures of --summary.",
    "run.failed": "The run could not continue; gives the reason and the exit status.",
    "program.fault": "Internal error in a thread; gives its type and place.",
    "program.warning": "A warning of Python; gives its type and place.",
}
"""Every event by its stable name, on which programs may rely."""

_LOGGER: Final = logging.getLogger("importer")
_LOGGER.addHandler(logging.NullHandler())


def event(level: int, name: str, message: str, **fields: object) -> None:
    """Log an event.

    Args:
        level: A level of the standard library's logging.
        name: One of ``EVENTS``.
        message: A sentence for people.
        fields: Values of JSON types for programs.
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
    """Return whether events go to standard error."""
    return any(isinstance(handler, _Handler) for handler in _LOGGER.handlers)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless the number is 1."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def cleaned(text: str) -> str:
    """Return a text on one line, without control characters or bidirectional overrides."""
    return "".join(
        " " if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} else character
        for character in text
    )


def write_line(line: str, stream: TextIO | None = None) -> None:
    """Write a line to standard error, above the progress bar if there is one.

    The line is cleaned, what the stream cannot encode is escaped, and a closed stream is ignored.
    """
    stream = stream or sys.stderr
    if stream is None:
        return
    encoding = getattr(stream, "encoding", None) or "ascii"
    safe = cleaned(line).encode(encoding, "backslashreplace").decode(encoding)
    # A run must not fail because nothing reads its log any more (``2>&1 | head``).
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

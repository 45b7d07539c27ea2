"""The results file: its columns, statuses and error codes, and a schema that checks all of it.

Source: docs/results.md.
"""

import re
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum, unique
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    import pandas as pd
    import pandera.pandas as pa


@unique
class Status(StrEnum):
    """The result of one record.

    Attributes:
        meaning: What the status says, as a phrase for people.
    """

    _value_: str
    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Self:
        """Create a member; see the attributes of the class."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    CREATED = "created", "the API created it, or reading back found it after an unclear answer"
    EXISTS = "exists", "it was there already, according to the journal or to the order's contacts"
    UPDATED = "updated", "it was there and differed; it was changed"
    DELETED = "deleted", "an undo deleted it"
    ABSENT = "absent", "it was already gone when an undo reached it"
    DUPLICATE = "duplicate", "the same contact of the same order appears earlier in the file"
    VALID = "valid", "a dry run found it valid; nothing was sent"
    INVALID = "invalid", "it failed validation and was not sent"
    REJECTED = "rejected", "it was refused, by the API or because of an option"
    FAILED = "failed", "it is known not to be done, after the last attempt"
    UNKNOWN = "unknown", "it was sent, but the result is not known; the next run settles it first"
    NOT_SENT = "not_sent", "the run stopped before it was sent"

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do for the record."""
        return self not in _OPEN


_OPEN: Final = frozenset(
    {Status.INVALID, Status.REJECTED, Status.FAILED, Status.UNKNOWN, Status.NOT_SENT}
)

ERROR_CODES: Final = {
    "invalid.<field>": "the value of <field> breaks a rule",
    "invalid.contact": "the row has no field besides the order",
    "invalid.record": "the cells of the record cannot be told apart with certainty",
    "http.<status>": "the API answered with HTTP status <status>",
    "http.400": "the API found the data invalid",
    "http.401": "the API refused the credentials",
    "http.403": "the API refused access",
    "http.404": "the API has no such order or contact",
    "http.429": "the API received too many requests",
    "http.503": "the API was not available",
    "network.connect": "no connection to the API",
    "network.reset": "the connection broke",
    "network.timeout": "no complete answer before the deadline",
    "network.tls": "no secure connection to the API",
    "response.differs": "the API stored other values than were sent",
    "response.invalid": "the answer does not have its documented form",
    "order.ambiguous": "several orders have that number",
    "order.not_found": "no order has that number",
    "contact.ambiguous": "several contacts of the order may be this one",
    "contact.changed": "the contact was changed after the import",
    "contact.differs": "the contact on the order differs from the row",
    "contact.duplicated": "the API created the contact a second time",
    "contact.exists": "the order has this contact already",
    "contact.no_ref": "the import never received the contact's ref",
    "contact.older": "the contact was there before the row was sent",
    "duplicate.not_created": "the row that it repeats was not created",
    "unknown": "neither the answer nor reading back shows whether it was created",
    "stopped.api_down": "the API gave no usable answer for too long",
    "stopped.credentials": "the API refused the credentials",
    "stopped.fault": "internal error in import-contacts",
    "stopped.input": "the source file changed, or could not be read to its end",
    "stopped.interrupted": "the run received a signal",
    "stopped.journal": "the journal could not be written",
    "stopped.max_errors": "more rows failed than --max-errors allows",
    "stopped.media_type": "the API refused the media type of the requests",
    "stopped.orders_not_found": "the API had none of the first orders",
    "stopped.redirect": "the API answered with a redirect, which is never followed",
    "stopped.results": "the results could not be written",
    "stopped.retry_after": "the API asked for a longer pause than a run waits",
    "stopped.strict": "other rows are invalid, and --strict was given",
    "stopped.tls": "the API's certificate is not trusted",
}
"""Every error code with its meaning; a word in angle brackets stands for many."""


def error_meaning(code: str) -> str:
    """Return the meaning of an error code as a phrase for people, ``""`` if there is none."""
    if code in ERROR_CODES:
        return ERROR_CODES[code]
    family, _, word = code.partition(".")
    for general, meaning in ERROR_CODES.items():
        kind, _, placeholder = general.partition(".")
        if kind == family and placeholder.startswith("<"):
            return meaning.replace(placeholder, word)
    return ""


_NUMBER: Final = r"[1-9][0-9]*"
_TEXT: Final = r"(?s:.*)"
_REF: Final = r"(?:[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12})?"
_CODES: Final = (re.sub("<.*>", "[A-Za-z0-9_]+", re.escape(code)) for code in ERROR_CODES)
_FORMS: Final = {
    "row": _NUMBER,
    "line": _NUMBER,
    "orderRef": _TEXT,
    "status": "|".join(Status),
    "errorCode": f"|{'|'.join(_CODES)}",
    "error": _TEXT,
    "ref": _REF,
    "href": _TEXT,
    "guestRef": _REF,
    "attempts": r"[0-9]+",
    "httpStatus": r"(?:[1-5][0-9]{2})?",
    "retryable": "|true|false",
}
RESULT_COLUMNS: Final = tuple(_FORMS)
"""The columns of every results file, in their order; those of ``--carry`` come after them."""

IMPORT_ERROR: Final = "importError"
IMPORT_LINE: Final = "importLine"
REJECTS_COLUMNS: Final = (IMPORT_ERROR, IMPORT_LINE)
"""The columns that a rejects file has besides those of the source file."""


def column_positions(header: Sequence[str]) -> dict[str, int]:
    """Return where a results file has its own columns, by name.

    The first column of a name is the file's own. A later one was carried over from the source
    file, which may have a column ``status``, too.

    Args:
        header: Names of all columns of the file.
    """
    found: dict[str, int] = {}
    for position, name in enumerate(header):
        if name in _FORMS:
            found.setdefault(name, position)
    return found


def results_schema(carried: Sequence[str] = ()) -> "pa.DataFrameSchema":
    """Return the schema of a results file that pandas has read as text.

    It is made for frames with one object column for each column of the file, in the order of
    the file; every cell ``str``, blank is ``""``. Index: anything, as ``row`` is a column.

    Args:
        carried: Names of the columns that ``--carry`` has added. As in pandas, the second
            column of a name has ``.1`` appended to it.
    """
    import pandera.pandas as pa  # noqa: PLC0415 - slow to load, and only the schema needs it

    def column(form: str) -> "pa.Column":
        matches = pa.Check.str_matches(rf"(?:{form})\Z")
        return pa.Column(object, [pa.Check(_is_text, error="text"), matches])

    repeated = Counter(RESULT_COLUMNS)
    columns = {name: column(form) for name, form in _FORMS.items()}
    for name in carried:
        columns[f"{name}.{repeated[name]}" if repeated[name] else name] = column(_TEXT)
        repeated[name] += 1
    return pa.DataFrameSchema(
        columns,
        checks=[
            pa.Check(_rows_count_from_1, error="rows count from 1 without gaps"),
            pa.Check(
                _are_retryable_when_open, error="retryable is blank when, and only when, done"
            ),
            pa.Check(_have_error_code_when_open, error="what is not done has an errorCode"),
        ],
        strict=True,
        ordered=True,
    )


def _rows_count_from_1(results: "pd.DataFrame") -> bool:
    return results["row"].tolist() == [str(row) for row in range(1, len(results) + 1)]


def _are_retryable_when_open(results: "pd.DataFrame") -> "pd.Series":
    return (results["retryable"] != "") == results["status"].isin(_OPEN)


def _have_error_code_when_open(results: "pd.DataFrame") -> "pd.Series":
    return (results["errorCode"] != "") | ~results["status"].isin(_OPEN)


def _is_text(cells: "pd.Series") -> "pd.Series":
    return cells.map(lambda cell: isinstance(cell, str)).astype(bool)

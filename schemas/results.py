"""What the results file looks like. Source: contract, section 5."""

from typing import Final

RESULT_COLUMNS: Final = (
    "row",
    "line",
    "orderRef",
    "status",
    "ref",
    "href",
    "guestRef",
    "attempts",
    "httpStatus",
    "retryable",
    "errorCode",
    "error",
)
IMPORT_ERROR: Final = "importError"
"""The column that a rejects file has besides those of the source file."""

"""How the package is used, for the type checker alone: it is never run."""

from collections.abc import Mapping
from pathlib import Path
from typing import assert_type

import importer

assert_type(importer.import_contacts("contacts.csv", region="eu"), importer.Summary)

summary = importer.import_contacts(
    Path("contacts.csv"),
    base_url="https://example.com",
    out="results.csv",
    columns={"firstName": "Given Name", "street": ["Line 1", "Line 2"]},
    require=("firstName",),
    max_errors="2%",
    rate=None,
)
assert_type(summary.exit_status, importer.ExitStatus)
assert_type(summary.rows, int)
assert_type(summary.headline, str)
assert_type(summary.statuses, Mapping[importer.Status, int])
assert_type(importer.__version__, str)

try:
    importer.import_contacts("-", sandbox=True)
except importer.JournalLockedError as error:
    assert_type(error.exit_status, importer.ExitStatus)

importer.import_contacts("contacts.csv", concurrency="8")  # type: ignore[arg-type]
importer.import_contacts("contacts.csv", concurency=8)  # type: ignore[call-arg]

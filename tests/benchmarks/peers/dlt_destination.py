"""A tool for bulk loading: dlt with a custom destination that posts each row."""

import os
import sys
import tempfile
from pathlib import Path

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["LOAD__WORKERS"] = sys.argv[4]

import dlt
import requests

from tests.benchmarks.peers.bodies import Results, body_of, headers, path_of, rows_of

source, url, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])

with Results(out) as results, requests.Session() as session:
    session.headers.update(headers())

    @dlt.destination(batch_size=1, loader_file_format="typed-jsonl", naming_convention="direct")
    def api(items: list[dict[str, str]], table: dict[str, object]) -> None:
        """Post a row."""
        del table
        for row in items:
            response = session.post(url + path_of(row), json=body_of(row), timeout=30)
            results.write(0, row, response.status_code, response.json())

    @dlt.resource(name="contacts", max_table_nesting=0)
    def contacts() -> object:
        """The rows of the file."""
        yield from rows_of(source)

    with tempfile.TemporaryDirectory() as directory:
        dlt.pipeline("benchmark", destination=api, pipelines_dir=directory).run(contacts)

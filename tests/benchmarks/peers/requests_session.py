"""The same with one ``requests.Session``, which keeps its connection."""

import sys
from pathlib import Path

import requests

from tests.benchmarks.peers.bodies import Results, body_of, headers, path_of, rows_of

source, url, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])

with Results(out) as results, requests.Session() as session:
    session.headers.update(headers())
    for number, row in enumerate(rows_of(source), start=1):
        response = session.post(url + path_of(row), json=body_of(row), timeout=30)
        results.write(number, row, response.status_code, response.json())

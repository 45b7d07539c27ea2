"""A pool of threads, each with a ``requests.Session`` of its own."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from tests.benchmarks.peers.bodies import Results, body_of, headers, path_of, rows_of

source, url, out, threads = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
local = threading.local()


def post(row: dict[str, str]) -> tuple[dict[str, str], int, Any]:
    """Post a row."""
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.headers.update(headers())
    response = local.session.post(url + path_of(row), json=body_of(row), timeout=30)
    return row, response.status_code, response.json()


with Results(out) as results, ThreadPoolExecutor(threads) as pool:
    for number, done in enumerate(pool.map(post, rows_of(source)), start=1):
        results.write(number, *done)

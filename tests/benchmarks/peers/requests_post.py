"""What most people write: a ``requests.post`` for each row of an ``iterrows`` loop."""

import sys
from pathlib import Path

import pandas as pd
import requests

from tests.benchmarks.peers.bodies import Results, body_of, headers, path_of

source, url, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])

with Results(out) as results:
    for number, row in pd.read_csv(source, dtype=str, keep_default_na=False).iterrows():
        response = requests.post(
            url + path_of(row), json=body_of(row.to_dict()), headers=headers(), timeout=30
        )
        results.write(number, row, response.status_code, response.json())

"""A naive import: the negative control that the kill sweep must catch.

It writes an outcome line after each POST and skips those rows when it is started again, but it
writes no intent before the request is sent and never reads back.
"""

import base64
import csv
import http.client
import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit


def main() -> None:
    """Run ``naive.py CONTACTS_CSV BASE_URL DONE_FILE``."""
    source, base_url, done = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    pair = f"{os.environ['SITECORE_CDP_CLIENT_KEY']}:{os.environ['SITECORE_CDP_API_TOKEN']}"
    headers = {
        "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "Content-Type": "application/json",
    }
    already = set(done.read_text().splitlines()) if done.exists() else set()
    with source.open(newline="") as file, done.open("a") as outcomes:
        for row in csv.DictReader(file):
            order = row.pop("orderRef")
            if order in already:
                continue
            connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=30)
            path = f"/v2.1/orders/{order}/contacts"
            connection.request("POST", path, json.dumps(row), headers)
            if connection.getresponse().status == 201:
                outcomes.write(f"{order}\n")
                outcomes.flush()
                os.fsync(outcomes.fileno())
            connection.close()


if __name__ == "__main__":
    main()

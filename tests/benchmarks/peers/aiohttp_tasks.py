"""aiohttp: so many tasks that take row after row."""

import asyncio
import json
import sys
from pathlib import Path

import aiohttp

from tests.benchmarks.peers.bodies import Results, body_of, headers, path_of, rows_of

source, url, out, tasks = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])


async def main() -> None:
    """Post all rows."""
    rows = enumerate(rows_of(source), start=1)
    connector = aiohttp.TCPConnector(limit=tasks)
    with Results(out) as results:
        async with aiohttp.ClientSession(connector=connector, headers=headers()) as session:

            async def work() -> None:
                for number, row in rows:
                    body = json.dumps(body_of(row)).encode()
                    async with session.post(url + path_of(row), data=body) as response:
                        results.write(number, row, response.status, await response.json())

            await asyncio.gather(*(work() for _ in range(tasks)))


asyncio.run(main())

"""The benchmarks run; their speed is not tested."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_benchmarks_measure_this_program_and_its_peers() -> None:
    """With a few rows, once: the contacts of each client are all created."""
    measure = ["-m", "tests.benchmarks", "--only", "no-latency", "--rounds", "1", "--rows", "20"]
    done = subprocess.run(
        [sys.executable, *measure], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    for client in ("requests.post in a loop", "a Session per thread", "aiohttp", "import-contacts"):
        assert f"\n{client} " in done.stdout

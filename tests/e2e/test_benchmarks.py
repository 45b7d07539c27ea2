"""The benchmarks run; how fast anything is, no test says."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_benchmarks_measure_this_program_and_its_peers() -> None:
    """On a few rows, once: each client gets all its contacts created."""
    measure = ["-m", "tests.benchmarks", "--only", "no-latency", "--rounds", "1", "--rows", "20"]
    done = subprocess.run(
        [sys.executable, *measure], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    for client in ("requests.post in a loop", "a Session per thread", "aiohttp", "import-contacts"):
        assert f"\n{client} " in done.stdout

"""This program and its peers side by side, on the same work, in one run.

    python -m tests.benchmarks                       # all of it, about half an hour
    python -m tests.benchmarks --only start dry-run  # a part
    python -m tests.benchmarks --only no-latency --rounds 1 --rows 2000

Peers whose package is not installed are skipped; ``pip install --group benchmark`` installs all.
"""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.experiments import EXPERIMENTS
from tests.benchmarks.runs import Bench


def main() -> None:
    """Run the benchmarks that the command line selects."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--only", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS))
    parser.add_argument("--rounds", type=int, default=3, help="runs of each client, interleaved")
    parser.add_argument("--rows", type=int, help="records of a file; of the longest, for growth")
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    _tell(f"Python {platform.python_version()}, {cores} cores, {_processor()}")
    with tempfile.TemporaryDirectory() as directory:
        bench = Bench(Path(directory))
        for name in arguments.only:
            _tell("")
            for first, *others in EXPERIMENTS[name](bench, arguments.rounds, arguments.rows):
                _tell(f"{first:46}" + "".join(f"{other:>18}" for other in others))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Simulated nights, as many as wanted.

    python -m tests.simulation --nights 100000           # some fifteen minutes
    python -m tests.simulation --seed 4711 --nights 1    # one scenario again, and its story

Each seed is one scenario of several nights. The first one in which the promise does not hold
ends the run with its story.
"""

import argparse
import itertools
import sys
import time

from tests.simulation.scenario import play


def main() -> None:
    """Play scenarios from a seed on until there were enough nights."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--nights", type=int, default=10_000, help="nights to simulate")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first scenario")
    arguments = parser.parse_args()
    nights, began = 0, time.monotonic()
    for seed in itertools.count(arguments.seed):
        nights += play(seed)
        if nights >= arguments.nights:
            break
    seconds = time.monotonic() - began
    sys.stdout.write(f"{nights:,} nights, seeds {arguments.seed} to {seed}, {seconds:.0f} s\n")


if __name__ == "__main__":
    main()

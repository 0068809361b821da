#!/usr/bin/env python3
"""Events a second through the reader of `observe`; see reader.sh.

usage: reader.py READER_COST CONNECTIONS ROUNDS
"""

import subprocess
import sys

from storm import Storm
from watched import load


def main():
    reader, connections, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with Storm() as storm:
        # How long it has to wait: three times as long as this takes, for others are busy too.
        wall = storm.ask("reset", connections).wall / 1e9
        wait = 3 + int(3 * wall)
        for _ in range(rounds):
            process = subprocess.Popen([reader, str(wait)], stdout=subprocess.PIPE, text=True)
            ready = process.stdout.readline()
            if "tier full" not in ready:
                raise SystemExit(f"reader_cost: not in the full tier: {ready}")
            storm.ask("reset", connections)
            told = process.stdout.read().split()
            if process.wait():
                raise SystemExit(f"reader_cost ended with {process.returncode}")
            figures = dict(zip(told[::2], map(int, told[1::2])))
            each = figures["cpu_ms"] * 1e6 / figures["events"]
            print(
                f"    {figures['events']:,} events, {each:.0f} ns of CPU each: {1e9 / each:,.0f} a second and core; "
                f"lost {figures['lost']:,}; load {load()}"
            )


if __name__ == "__main__":
    main()

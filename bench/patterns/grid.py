#!/usr/bin/env python3
"""Beats of each kind for a day, and people who browse: how many are found, where the program is of no package, and
where nobody knows the program.

usage: grid.py REFERENCE [SEEDS]        REFERENCE: the folder of synth_beacons.py
"""

import collections
import sys
import tempfile

from findings import findings, place, says
from generate import Caller, beats, browsing, case, zeek

DAY = 86400.0
GRID = [dict(interval=float(s), jitter=j, missing=m) for s in (60, 300, 3600) for j in (0, 0.2, 0.5, 0.9) for m in (0, 0.1, 0.4)]
OTHERS = {
    "every 5 s": [dict(interval=5.0, jitter=j, missing=m, dist="cs", duration=7200.0) for j in (0, 0.2, 0.5, 0.9) for m in (0, 0.1, 0.4)],
    "a laptop that sleeps (15 min of 105)": [dict(interval=60.0, off=[900.0, 5400.0]), dict(interval=60.0, jitter=0.3, off=[900.0, 5400.0]), dict(interval=300.0, jitter=0.2, off=[3600.0, 7200.0])],
    "four connections a beat": [dict(interval=60.0, burst=4), dict(interval=300.0, jitter=0.3, burst=4), dict(interval=3600.0, jitter=0.2, burst=4)],
    "another sleep after a while": [dict(interval=30.0, sleep=[600.0, 1800.0]), dict(interval=60.0, jitter=0.2, sleep=[300.0, 28800.0]), dict(interval=5.0, jitter=0.2, sleep=[3600.0, 600.0])],
}
PEOPLE = 600


def ip(number):
    return f"203.{number // 250}.113.{1 + number % 250}"


def callers(reference, seeds):
    made = []
    for seed in range(seeds):
        for dist in ("uniform", "cs"):
            for cell in GRID:
                label = f"grid, {dist}"
                made.append((label, {**cell, "dist": dist}))
        for label, cells in OTHERS.items():
            made += [(label, cell) for cell in cells]
    out = []
    for number, (label, cell) in enumerate(made):
        calls = beats(reference, number, DAY, **cell)
        out.append((label, cell, Caller(label, calls, ip(number))))
    return out


def found(folder, made, package):
    if package == "unknown":
        it = findings(zeek(folder + "/conn.log", made, DAY))
    else:
        it = findings(case(folder + "/case-" + package, made, DAY, package))
    by = collections.defaultdict(list)
    for finding in it:
        by[place(finding)[1]].append(finding)
    return by


def main():
    sys.path.insert(0, sys.argv[1])
    import synth_beacons as reference
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    guilty = callers(reference, seeds)
    people = [Caller("people", browsing(seed, DAY), ip(20000 + seed)) for seed in range(PEOPLE)]
    for package, words in (("none", "of no package"), ("unknown", "nobody knows the program (Zeek)")):
        with tempfile.TemporaryDirectory(dir="/dev/shm") as room:
            hits = found(room, [it for _, _, it in guilty], package)
        print(f"\n{words}: found at medium or above, {seeds} runs of each")
        sums, missed = collections.defaultdict(lambda: [0, 0]), collections.Counter()
        for label, cell, caller in guilty:
            is_found = caller.destination in hits
            sums[label][0] += is_found
            sums[label][1] += 1
            if not is_found:
                missed[label, str({k: v for k, v in cell.items() if k != "dist"})] += 1
        for label, (number, of) in sums.items():
            print(f"  {label:38} {number / seeds:6.1f} of {of // seeds}")
            for (one, cell), times in missed.items():
                if one == label:
                    print(f"      missed {times} of {seeds}: {cell}")
        with tempfile.TemporaryDirectory(dir="/dev/shm") as room:
            hits = found(room, people, package)
        print(f"  people who browse: {len(hits)} of {PEOPLE}")
        for seen, all_of in hits.items():
            print(f"      {seen} {[(it['severity'], it['rule'], says(it)) for it in all_of]}")


if __name__ == "__main__":
    main()

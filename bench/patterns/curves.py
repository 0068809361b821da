#!/usr/bin/env python3
"""How many of those that call home are found after 5, 30 and 60 minutes: by rhythm alone, and where it is known that
the program is of no package. Generated, and on labelled captures cut to their beginning.

usage: curves.py REFERENCE CORPUS [NUMBER]
"""

import gzip
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

from corpus import CAPTURES, files, is_of, unpacked
from findings import FELT, RULES, findings, place
from generate import Caller, beats, case, zeek
from grid import ip

MINUTES = (5, 30, 60)
SHOWN = RULES


def mixed(reference, number):
    """Periods from 5 s to an hour, each octave as often; jitter up to a half."""
    dice = random.Random(11)
    out = []
    for turn in range(number):
        interval = math.exp(dice.uniform(math.log(5), math.log(3600)))
        jitter = dice.uniform(0, 0.5)
        calls = beats(reference, 1000 + turn, 3600.0, interval=interval, jitter=jitter, dist=dice.choice(("uniform", "cs")))
        out.append((interval, jitter, Caller("mixed", calls, ip(turn))))
    return out


def until(callers, seconds):
    return [Caller(it.label, [call for call in it.calls if call[0] <= seconds], it.destination) for it in callers]


def generated(reference, number):
    made = mixed(reference, number)
    callers = [it for _, _, it in made]
    print(f"\n{number} generated, periods 5 s to 1 h, jitter 0 to 50 %; found at medium or above")
    print(f"{'minutes':>8} {'rhythm alone':>14} {'of no package':>14} {'or shown at low':>16} {'6 beats had come':>18}")
    for minutes in MINUTES:
        watched = minutes * 60.0
        cut = until(callers, watched)
        enough = sum(len(it.calls) >= 6 for it in cut)
        with tempfile.TemporaryDirectory(dir="/dev/shm") as room:
            alone = {place(it)[1] for it in findings(zeek(room + "/conn.log", cut, watched))}
            every = findings(case(room + "/case", cut, watched), rules=SHOWN, least=("low", *FELT))
        known = {place(it)[1] for it in every if it["severity"] in FELT}
        shown = {place(it)[1] for it in every}
        print(f"{minutes:8} {len(alone) / number:14.0%} {len(known) / number:14.0%} {len(shown) / number:16.0%} {enough / number:18.0%}")
        late = [(interval, jitter) for (interval, jitter, it), one in zip(made, cut) if len(one.calls) >= (7 if jitter <= 0.2 else 13) and it.destination not in known]
        of = [1 for (_, jitter, _), one in zip(made, cut) if len(one.calls) >= (7 if jitter <= 0.2 else 13)]
        print(f"         of {len(of)} with 7 calls (jitter to 20 %) or 13 (to 50 %) not found: {len(late)}")


def first_time(path):
    for line in lines_of(path):
        at = time_of(line)
        if at is not None:
            return at
    return None


def lines_of(path):
    with (gzip.open(path, "rt", errors="replace") if path.suffix == ".gz" else open(path, errors="replace")) as lines:
        yield from lines


def time_of(line):
    try:
        if line.startswith("{"):
            return float(json.loads(line)["ts"])
        return float(line.split("\t")[0])
    except (ValueError, KeyError, TypeError):
        return None


def cut_log(path, into, until_at):
    into = into / path.name.removesuffix(".gz")
    rows = 0
    with open(into, "w") as out:
        for line in lines_of(path):
            at = time_of(line)
            if at is None or at <= until_at:
                out.write(line)
                rows += at is not None
    if not rows:
        into.unlink()


def real(corpus):
    print("\nlabelled captures cut to their beginning: C2 pairs found at medium or above")
    found = {minutes: [] for minutes in MINUTES}
    number = 0
    for name, (names, true) in CAPTURES.items():
        with tempfile.TemporaryDirectory() as room:
            paths = [unpacked(it, room) for it in files(corpus, names)]
            if not true or paths[0].is_dir():
                continue
            number += len(true)
            if paths[0].suffix == ".pcap":
                start = float(subprocess.run(["tshark", "-n", "-r", paths[0], "-c", "1", "-T", "fields", "-e", "frame.time_epoch"], capture_output=True, text=True, check=True).stdout)
            else:
                start = min(at for at in map(first_time, paths) if at is not None)
            for minutes in MINUTES:
                into = pathlib.Path(room) / str(minutes)
                into.mkdir()
                for path in paths:
                    if path.suffix == ".pcap":
                        subprocess.run(["editcap", "-B", f"{start + minutes * 60:.6f}", path, into / path.name], check=True, capture_output=True)
                    else:
                        cut_log(path, into, start + minutes * 60)
                all_of = findings(*sorted(into.iterdir()))
                found[minutes] += [(name, pair) for pair in true if any(is_of(it, pair) for it in all_of)]
    print(f"{'minutes':>8} {'found of ' + str(number):>12}")
    for minutes, pairs in found.items():
        print(f"{minutes:8} {len(pairs):12}  {', '.join(name + ' ' + pair[1] for name, pair in pairs)}")


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    import synth_beacons

    if number := int(sys.argv[3]) if len(sys.argv) > 3 else 200:
        generated(synth_beacons, number)
    real(pathlib.Path(sys.argv[2]))

#!/usr/bin/env python3
"""CPU that `whocalls watch` takes while others make connections; see fold.sh.

usage: fold.py [OPTION OF whocalls watch...]
"""

import os
import sys
import time

from storm import Storm
from watched import Watch, load

# Nothing calls from or to port 1 here.
WRITTEN = {"followed only": ["port:1"], "every line written": []}
# What happened last is told a moment later.
LATE = 0.5


def size(name, usual):
    return int(os.environ.get(name, usual))


def main():
    long, short = size("SECONDS_EACH", 20), size("OTHER_SECONDS", 10)
    shapes = {
        "exchange": ("connections from one process", size("RATE", 1000), long),
        "sockets": ("UDP datagrams, each from a socket of its own, to one socket", size("DATAGRAM_RATE", 1000), short),
        "processes": ("processes with one connection each", size("PROCESS_RATE", 200), short),
    }
    wanted = os.environ.get("ONLY", ",".join(shapes)).split(",")
    if not os.access(os.environ["SITUATIONS"], os.X_OK) and "processes" in wanted:
        print("processes: left out: build bench/situations with cargo build --release")
        wanted.remove("processes")
    with Storm() as storm:
        idle()
        for name in wanted:
            about, rate, seconds = shapes[name]
            print(f"\n### {rate:,} a second: {about}; {seconds} s")
            for written, options in WRITTEN.items():
                busy(storm, name, rate, seconds, written, options)


def idle(seconds=5):
    print(f"\n### Nothing of ours happens, {seconds} s: what others do on this computer is seen too")
    with Watch(*sys.argv[1:], "port:1") as watch:
        before, start = watch.use(), time.perf_counter_ns()
        time.sleep(seconds)
        show("followed only", watch.use(), before, time.perf_counter_ns() - start)


def busy(storm, name, rate, seconds, written, options):
    with Watch(*sys.argv[1:], *options) as watch:
        before = watch.use()
        spent = storm.ask(name, rate * seconds, rate)
        time.sleep(LATE)
        show(written, watch.use(), before, spent.wall)
    reached = rate * seconds / spent.wall * 1e9
    if reached < 0.98 * rate:
        print(f"        only {reached:.0f} a second came about")


def show(title, after, before, wall):
    """The first process is the one that was started, others help it."""

    def share(spent):
        return f"{100 * spent / wall:.2f} %"

    for number, pid in enumerate(after):
        user, system, threads = after[pid].since(before[pid])
        exact = sum(threads.values())
        who = title if number == 0 else "its helper"
        print(
            f"    {who:20}{share(exact):>9} of a core (user {share(user)}, system {share(system)}), "
            f"{after[pid].resident_kib // 1024} MiB; load {load()}"
        )
        for (name, thread), spent in sorted(threads.items(), key=lambda item: item[0][1]):
            print(f"        thread {name:16} {thread:8}{share(spent):>10}")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What `whocalls watch` costs other programs; see watch_cost.sh.

usage: watch_cost.py [OPTION OF whocalls watch...]
"""

import os
import statistics
import sys

from storm import Storm
from watched import Counter, Watch, clock_ns, counting, links, load, programs_of

OPTIONS = sys.argv[1:]
# They belong to no connection.
APART = ("process_", "sockets_", "introduce")
# A pair is made again when others had programs attached, up to so many times as many.
MOST_PAIRS = 2


def size(name, usual):
    return int(os.environ.get(name, usual))


def main():
    with Storm() as storm:
        connections, rounds = size("CONNECTIONS", 20_000), size("ROUNDS", 3)
        datagrams, mebibytes = size("DATAGRAMS", 50_000), size("MIB", 2000)
        parts = {
            "connections": lambda: of_connections(storm, connections, rounds),
            "packets": lambda: of_packets(storm, mebibytes),
            "datagrams": lambda: of_datagrams(storm, datagrams),
            "slow-down": lambda: slow_down(storm, connections, size("CALLS", 2_000_000), size("PAIRS", 9)),
        }
        wanted = os.environ.get("ONLY", ",".join(parts)).split(",")
        print(f"BPF programs of others that are attached now: {links()} (each makes the base dearer)")
        for name in wanted:
            parts[name]()


def counted(work):
    """Calls `work` with a Counter of what whocalls runs in the kernel."""
    with Watch(*OPTIONS) as watch:
        numbers = set().union(*map(programs_of, watch.pids))
        with counting(), Counter(numbers) as counter:
            work(counter)


def table(runs, times, clock, what, ends=None):
    """Prints runs and time of each program for each of so many of something."""
    print(f"    {'':16}{'runs each':>10}{'ns a run':>10}{'ns each':>10}")
    total, total_runs = 0, 0
    for name, (count, spent) in sorted(runs.items(), key=lambda item: -item[1][1]):
        apart = name.startswith(APART)
        if count / times < 0.005 or apart:
            continue
        total, total_runs = total + spent / times, total_runs + count / times
        print(f"    {name:16}{count / times:10.2f}{spent / count:10.0f}{spent / times:10.0f}")
    net = total - total_runs * clock
    print(f"    {'a ' + what:16}{total_runs:10.2f}{'':10}{total:10.0f}   without the clock {net:.0f}")
    if ends:
        print(f"    {'an end of it':16}{'':20}{total / ends:10.0f}   without the clock {net / ends:.0f}")


def of_connections(storm, count, rounds):
    clock = clock_ns()
    print(f"\n### The kernel's own work for a connection: {rounds} x {count:,} on loopback, where both ends are ours")
    print(f"The clock of the statistics takes {clock:.1f} ns of each run.")

    def measure(counter):
        for kind, about in (
            ("reset", "opened, accepted, reset, in one process"),
            ("exchange", "100 bytes there and back, closed; two processes"),
        ):
            storm.ask(kind, count // 10)
            taken = [counter.during(lambda: storm.ask(kind, count))[0] for _ in range(rounds)]
            middle = sorted(taken, key=lambda runs: sum(spent for _, spent in runs.values()))[rounds // 2]
            print(f"\n{about}; the middle round, load {load()}")
            table(middle, count, clock, "connection", ends=2)

    counted(measure)


def of_packets(storm, mebibytes):
    clock = clock_ns()
    print(f"\n### TCP packets: {mebibytes:,} MiB through one connection on loopback")

    def measure(counter):
        storm.ask("bulk", mebibytes // 10)
        runs, spent = counter.during(lambda: storm.ask("bulk", mebibytes))
        print(f"load {load()}; {mebibytes * 1024 / (spent.wall / 1e9) / 1024 / 1024:.2f} GiB/s while counting")
        print(f"    {'':16}{'runs':>10}{'ns a run':>10}{'of the time of those who moved it':>36}")
        for name, (count, taken) in sorted(runs.items(), key=lambda item: -item[1][1]):
            if count < 100 or name.startswith(APART):
                continue
            print(
                f"    {name:16}{count:10,}{taken / count:10.0f}   without the clock {taken / count - clock:4.0f}"
                f"{100 * taken / spent.cpu:9.2f} %"
            )

    counted(measure)


def of_datagrams(storm, count):
    clock = clock_ns()
    print(f"\n### UDP: {count:,} datagrams of 100 bytes on loopback, sent and received here")

    def measure(counter):
        for kind, about in (
            ("datagrams", "one socket without connect, one peer"),
            ("connected", "one socket with connect"),
            ("peers", "one socket, 1,000 peers in turn"),
            ("sockets", "a socket for each, closed after it"),
        ):
            storm.ask(kind, count // 10)
            runs, _ = counter.during(lambda: storm.ask(kind, count))
            print(f"\n{about}; load {load()}")
            table(runs, count, clock, "datagram")

    counted(measure)


def slow_down(storm, connections, calls, pairs):
    print(f"\n### How much slower others become: {pairs} pairs in turn, without and with whocalls; medians")

    def run():
        before = links()
        spent = storm.ask("reset", connections), storm.ask("calls", calls)
        return *spent, {before, links()}

    storm.ask("reset", connections)
    taken = []
    while len(undisturbed(taken)) < pairs and len(taken) < MOST_PAIRS * pairs:
        # Every other pair the other way round, so that what changes slowly falls on both.
        with_first = len(taken) % 2
        without = None if with_first else run()
        with Watch(*OPTIONS):
            watched = run()
        taken.append((without or run(), watched))
    chosen = undisturbed(taken)
    print(f"In {len(chosen)} of {len(taken)} pairs no other BPF programs came or went.")
    if len(chosen) < 3:
        chosen = taken
        print("That is too few: all are used. Programs of others make the base dearer: read the differences.")
    for index, count, about in ((0, connections, "a connection and its reset"), (1, calls, "getppid")):
        print(f"\n{about}, {count:,} each time; load {load()}")
        print(f"    {'':24}{'without':>10}{'with':>10}{'more':>10}{'ratio':>8}{'of the ratios: least, most':>32}")
        for word, of in (
            ("CPU ns", lambda spent: spent.cpu),
            ("  in the kernel", lambda spent: spent.cpu - spent.user),
            ("wall ns", lambda spent: spent.wall),
        ):
            both = [(of(without[index]) / count, of(watched[index]) / count) for without, watched in chosen]
            ratios = sorted(watched / without for without, watched in both)
            without, watched = (statistics.median(column) for column in zip(*both))
            more = statistics.median(watched - without for without, watched in both)
            print(
                f"    {word:24}{without:10.0f}{watched:10.0f}{more:10.1f}{statistics.median(ratios):8.3f}"
                f"{ratios[0]:24.3f}{ratios[-1]:8.3f}"
            )


def undisturbed(pairs):
    """Those in which as few programs were attached as at any time."""
    fewest = [min((min(attached) for _, _, attached in half), default=0) for half in zip(*pairs)]
    return [pair for pair in pairs if [each[2] for each in pair] == [{number} for number in fewest]]


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compares whocalls with ss and lsof on the sockets that are there, and judges the figures.

usage: oneshot.py RUNS SOCKETS
"""

import sys

import meter

LARGE, SMALL = 100_000, 1_000


def main():
    runs, sockets = int(sys.argv[1]), int(sys.argv[2])
    commands = [meter.FULL, meter.POLLING, meter.SS, meter.LSOF]
    for command in commands:
        if not meter.there(command):
            print(f"{command[0]}: not there, left out")
    results = meter.medians([command for command in commands if meter.there(command)], runs)
    print(f"{'':36}{'CPU s':>9}{'wall s':>9}{'peak MiB':>10}{'TCP sockets shown':>19}")
    floor = meter.own_peak()
    for command, result in results.items():
        peak = f"{result.peak_mib:.1f}" if result.peak > floor else f"< {floor / 1024:.0f}"
        print(f"{command:36}{result.cpu:9.3f}{result.wall:9.3f}{peak:>10}{result.shown:19}")
    judge(sockets, results)


def judge(sockets, results):
    full, polling = results[meter.name(meter.FULL)], results[meter.name(meter.POLLING)]
    ss, lsof = results.get(meter.name(meter.SS)), results.get(meter.name(meter.LSOF))
    if sockets == LARGE:
        less("full: CPU against ss -tunap", ss, full, 20)
        less("full: CPU against lsof -nPi", lsof, full, 8)
        less("polling: CPU against ss -tunap", ss, polling, 5)
        for tier, result in (("full", full), ("polling", polling)):
            say(f"{tier}: peak memory {result.peak_mib:.0f} MiB, asked: less than 200", result.peak_mib < 200)
    if sockets == SMALL:
        less("full: CPU against ss -tunap", ss, full, 1)
        # Not asked for, but told.
        less("polling: CPU against ss -tunap", ss, polling, 1, asked=False)


def less(what, other, ours, asked_times, asked=True):
    if other is None:
        return
    times = other.cpu / ours.cpu
    wish = f", asked: {asked_times} times" if asked else ", nothing asked"
    say(f"{what}: {times:.1f} times less{wish}", times >= asked_times if asked else None)


def say(text, reached):
    verdict = {True: "reached: ", False: "NOT REACHED: ", None: ""}[reached]
    print(f"  {verdict}{text}")


if __name__ == "__main__":
    main()

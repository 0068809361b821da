#!/usr/bin/env python3
"""Times and memory of `whocalls open CASE` and `whocalls list CASE`; see large_case.sh.

usage: large_case.py RUNS CASE [OPTION OF whocalls list...]
"""

import os
import re
import statistics
import subprocess
import sys
import time

from watched import NULL, WHOCALLS, Use, load, number_after, read

COLUMNS, LINES = 160, 45
PATIENCE = 120
STEP = 0.04
# What stands at the head while the case is read, and a name that only rows have.
READING = re.compile(r"\breading \d+ ?%")
ROW = "program-"
WANTED = {"first rows": (3, "s"), "all read": (10, "s"), "peak": (1024, "MiB")}


def main():
    runs, case, options = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
    opened, listed = [], []
    for _ in range(runs):
        opened.append(tell("open", open_it(case)))
        listed.append(tell("list", list_it(case, options)))
    print("\n| | first rows s | all read s | CPU s | peak MiB | wanted |\n|---|---|---|---|---|---|")
    for name, rows in (("open", opened), ("list " + " ".join(options), listed)):
        middle = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        verdicts = []
        for key, (most, unit) in WANTED.items():
            if key in middle:
                reached = "reached" if middle[key] <= most else "**not reached**"
                verdicts.append(f"{key} {most} {unit}: {reached}")
        first = f"{middle['first rows']:.2f}" if "first rows" in middle else ""
        print(
            f"| {name.strip()} | {first} | {middle['all read']:.2f} | {middle['CPU']:.2f} | {middle['peak']:.0f} "
            f"| {'; '.join(verdicts)} |"
        )


def tell(name, result):
    text = ", ".join(f"{key} {value:.2f}" for key, value in result.items())
    print(f"    {name}: {text}; load {load()}", flush=True)
    return result


def open_it(case):
    """On a terminal of its own, until all is read."""
    tmux = ["tmux", "-L", f"large-case-{os.getpid()}", "-f", "/dev/null"]
    # The shell gives way to the program, which so has the number that tmux tells.
    command = f"exec '{WHOCALLS}' open '{case}'"
    begun = time.perf_counter()
    subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), command], check=True)
    try:
        pid = output([*tmux, "list-panes", "-a", "-F", "#{pane_pid}"]).strip()
        first = None
        while (since := time.perf_counter() - begun) < PATIENCE:
            picture = output([*tmux, "capture-pane", "-p"])
            rows = ROW in picture
            if rows and first is None:
                first = since
            if rows and not READING.search(picture):
                break
            time.sleep(STEP)
        else:
            raise SystemExit(f"it was still reading after {PATIENCE} s:\n{picture}")
        use = Use(pid)
        peak = number_after(read(f"/proc/{pid}/status"), "VmHWM:") / 1024
        return {"first rows": first, "all read": since, "CPU": (use.user + use.system) / 1e9, "peak": peak}
    finally:
        subprocess.run([*tmux, "kill-server"], stderr=NULL)


def list_it(case, options):
    begun = time.perf_counter()
    process = subprocess.Popen([WHOCALLS, "--quiet", "list", case, *options], stdin=NULL, stdout=NULL)
    _, status, use = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"whocalls list ended with {os.waitstatus_to_exitcode(status)}")
    return {
        "all read": time.perf_counter() - begun,
        "CPU": use.ru_utime + use.ru_stime,
        # A process of its own: what it inherits from this one at its beginning is a few MiB.
        "peak": use.ru_maxrss / 1024,
    }


def output(command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()

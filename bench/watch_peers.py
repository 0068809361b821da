#!/usr/bin/env python3
"""Runs live tools beside short-lived traffic and tells how much of it they saw; see watch_peers.sh.

usage: watch_peers.py FOLDER WORKLOAD...
"""

import collections
import contextlib
import os
import pty
import shlex
import shutil
import signal
import subprocess
import sys
import time

import observed
from watched import NULL, WHOCALLS, load

SERVER = "10.77.0.2:7777"
INTERFACE = "near0"
# How each tool is started; what it writes goes to OUTPUT, unless it names it.
POLL = "while sleep {}; do ss -Hnaptuw0; done"
TOOLS = {
    "whocalls": [WHOCALLS, "watch", "--ndjson", "--quiet", *shlex.split(os.environ.get("WATCH_OPTIONS", ""))],
    "ss-1s": ["sh", "-c", POLL.format(1)],
    "ss-0.1s": ["sh", "-c", POLL.format(0.1)],
    "bandwhich": ["bandwhich", "--raw", "-n", "-i", INTERFACE],
    "nethogs": ["nethogs", "-t", "-C", "-a", "-v", "2", "-d", "1", INTERFACE],
    "rustnet": [
        "rustnet", "-i", INTERFACE, "--no-resolve-dns", "--no-geoip", "--no-uid-drop", "--json-log", "OUTPUT",
    ],
}
ON_A_SCREEN = ["rustnet"]
# It names a process when it has forgotten the connection, says notes/peers.md: it may take so long, in s.
LATE = {"rustnet": 60}
# Until all tools have begun, and until they have told the last.
BEGIN, END = 4, 3


def main():
    folder, workloads = sys.argv[1], sys.argv[2:]
    rate, seconds = (os.environ.get(name, usual) for name, usual in (("RATE", "50"), ("SECONDS_EACH", "6")))
    wanted = os.environ.get("TOOLS", ",".join(TOOLS)).split(",")
    here = [tool for tool in wanted if tool == "whocalls" or shutil.which(tool.split("-")[0])]
    for tool in wanted:
        if tool not in here:
            print(f"{tool}: not here")
    print(f"\n{rate} a second for {seconds} s: seen %, tied to the right process %")
    print(f"    {'':12}{'number':>8}" + "".join(f"{tool:>16}" for tool in here) + "   load")
    wrong = []
    for workload in workloads:
        with contextlib.ExitStack() as running:
            for tool in here:
                running.enter_context(started(tool, f"{folder}/{workload}.{tool}"))
            time.sleep(BEGIN)
            name = traffic(workload, rate, seconds, folder)
            time.sleep(END + max(LATE.get(tool, 0) for tool in here))
        acts = truth(f"{folder}/{workload}.truth")
        cells = []
        for tool in here:
            with open(f"{folder}/{workload}.{tool}", "rb" if tool == "whocalls" else "r") as output:
                seen, right, other = judge(tool, output, acts, name)
            cells.append(f"{seen:>8}{100 * right:8.1f}")
            if other:
                wrong.append(f"{tool}, {workload}: {other} tied to another process")
        print(f"    {workload:12}{len(acts):8}" + "".join(cells) + f"   {load()}")
    print("nethogs tells bytes by program, no connections: its share of the bytes it tells.")
    for line in wrong:
        print(line)


@contextlib.contextmanager
def started(tool, output):
    """Runs until the end of a `with`."""
    command = [output if word == "OUTPUT" else word for word in TOOLS[tool]]
    screen, end = pty.openpty() if tool in ON_A_SCREEN else (None, NULL)
    with open(output, "wb") as file:
        to = end if "OUTPUT" in TOOLS[tool] else file
        process = subprocess.Popen(command, stdin=end, stdout=to, stderr=NULL, start_new_session=True)
    try:
        yield
        if process.poll() is not None:
            raise SystemExit(f"{tool} ended with {process.returncode}")
    finally:
        # A shell that polls has children.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT if tool in ("whocalls", "rustnet") else signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if screen is not None:
            os.close(screen)
            os.close(end)


def traffic(workload, rate, seconds, folder):
    """Gives the name of the process that makes the connections."""
    truth_file = f"{folder}/{workload}.truth"
    starts = workload.endswith("exec")
    maker = f"{folder}/wl_spawn" if starts else f"{folder}/wl_long"
    command = [maker, workload, SERVER, rate, seconds, truth_file]
    if not workload.startswith("udp"):
        # Not held open; bytes sent.
        command += ["0", "1000"]
    child = f"{folder}/wl_oneshot"
    subprocess.run(command, check=True, stderr=NULL, env={**os.environ, "NETLOAD_CHILD": child})
    return "wl_oneshot" if starts else "wl_long"


def truth(path):
    """{(protocol, local port): pids}: kind, pid, begun, ended, local, remote, result. A port may come again."""
    acts = collections.defaultdict(set)
    with open(path) as file:
        for line in file:
            kind, pid, _, _, local, _, _ = line.rstrip("\n").split("\t")
            acts[kind, int(local.rpartition(":")[2])].add(int(pid))
    return acts


def judge(tool, output, acts, name):
    """(% seen or why not, share that is right, number tied to another process)."""
    if tool == "nethogs":
        told = observed.nethogs(output)
        right = sum(moved for program, moved in told.items() if program.startswith(name))
        other = sum(moved for program, moved in told.items() if program.startswith("unknown"))
        return "bytes", right / (right + other) if right + other else 0, 0
    if tool == "whocalls":
        connections = observed.Stream(output, [os.stat("/proc/self/ns/net").st_ino]).connections.values()
    else:
        connections = getattr(observed, tool.partition("-")[0])(output)
    seen, right, wrong = set(), set(), set()
    for connection in connections:
        key = connection.protocol, connection.local and connection.local[1]
        if key not in acts:
            continue
        seen.add(key)
        process = connection.process
        if process is None:
            continue
        is_right = process.name.startswith(name) if process.pid is None else process.pid in acts[key]
        (right if is_right else wrong).add(key)
    return f"{100 * len(seen) / len(acts):.1f}", len(right) / len(acts), len(wrong - right)


if __name__ == "__main__":
    main()

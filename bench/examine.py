#!/usr/bin/env python3
"""What looking into processes costs: CPU time of the examiner of `whocalls watch`, once for all that run, and
then each second while some of them talk over the loopback.

usage: examine.py [PROCESSES [TALKING [SECONDS]]]        without: 300 40 60
WHOCALLS is the program; ../target/release/whocalls if not set."""

import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WHOCALLS = os.environ.get("WHOCALLS", os.path.join(HERE, "../target/release/whocalls"))
TICK = os.sysconf("SC_CLK_TCK")

TALKS = """
import socket, time
listening = socket.create_server(("127.0.0.1", 0))
calling = socket.create_connection(listening.getsockname())
accepted = listening.accept()[0]
while True:
    calling.send(b"x"); accepted.recv(1); time.sleep(1)
"""


def main():
    numbers = [int(it) for it in sys.argv[1:]] + [300, 40, 60][len(sys.argv) - 1 :]
    count, talking, seconds = numbers
    there = len([it for it in os.listdir("/proc") if it.isdigit() and os.path.exists(f"/proc/{it}/exe")])
    started = [subprocess.Popen([sys.executable, "-c", TALKS]) for _ in range(talking)]
    started += [subprocess.Popen(["sleep", "100000"]) for _ in range(max(0, count - there - talking))]
    time.sleep(5)
    watch = subprocess.Popen([WHOCALLS, "watch", "--ndjson", "--quiet"], stdout=subprocess.DEVNULL)
    try:
        examiner = find(watch.pid)
        print(f"load average {os.getloadavg()[0]:.1f}, {count} processes, {talking} of them talk")
        cheap = dear = 0.0
        for _ in range(seconds):
            time.sleep(1)
            before, (cheap, dear) = (cheap, dear), cpu(examiner)
            if (cheap, dear) == before:
                break
        print(f"the first round: {cheap:.2f} s of CPU for the cheap checks, {dear:.2f} s for those that read files whole")
        time.sleep(10)
        begun = cpu(examiner)
        time.sleep(seconds)
        ended = cpu(examiner)
        print(f"after it: {(sum(ended) - sum(begun)) / seconds * 100:.2f} % of a core")
    finally:
        watch.send_signal(signal.SIGINT)
        watch.wait()
        for process in started:
            process.kill()


def find(parent):
    for _ in range(100):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as file:
                    name, rest = file.read().rsplit(")", 1)
            except OSError:
                continue
            if name.endswith("(whocalls-exam") and int(rest.split()[1]) == parent:
                return pid
        time.sleep(0.1)
    raise SystemExit("there is no examiner")


def cpu(pid):
    """Of the first thread, and of all others."""
    spent = []
    for thread in sorted(os.listdir(f"/proc/{pid}/task"), key=int):
        with open(f"/proc/{pid}/task/{thread}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        spent.append((int(fields[11]) + int(fields[12])) / TICK)
    return spent[0], sum(spent[1:])


main()

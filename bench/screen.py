#!/usr/bin/env python3
"""CPU and memory of live tools on a terminal, and how soon whocalls answers a key; see screen.sh.

usage: screen.py [OPTION OF whocalls watch...]
"""

import contextlib
import fcntl
import os
import pty
import random
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time

from watched import NULL, WHOCALLS, Use, descendants, load

COLUMNS, LINES = 160, 45
# A tool that begins reads everything once.
SETTLE = 10
# No answer comes that late.
PATIENCE = 30
PEERS = {
    "bandwhich": ["-n", "-i", "lo"],
    "rustnet": ["-i", "lo", "--no-resolve-dns", "--no-geoip", "--no-uid-drop", "--show-localhost", "-r", "1000"],
}
VIEWS = {"Connections": b"2", "Overview": b"1"}
DOWN = b"\x1b[B"
# A line of the screen that is painted anew is longer than what a terminal is told otherwise.
SOMETHING = 100


def main():
    rate, seconds, keys = (int(os.environ[name]) for name in ("RATE", "SECONDS_EACH", "KEYS"))
    with contextlib.ExitStack() as running:
        traffic = running.enter_context(Traffic(rate))
        screens = Screens()
        ours = running.enter_context(screens.tool("whocalls", WHOCALLS, ["watch", "--refresh", "1", *sys.argv[1:]]))
        with contextlib.ExitStack() as peers:
            for name, options in PEERS.items():
                path = shutil.which(name) if os.environ["PEERS"] != "none" else None
                if path:
                    print(f"    {version(path)}")
                    peers.enter_context(screens.tool(name, path, options))
                else:
                    print(f"    {name} not here")
            screens.read(SETTLE)
            heading = f"{'% of a core':>12}{'user':>8}{'system':>8}{'MiB before':>12}{'after':>8}{'threads':>9}"
            print(f"    {'':24}{heading}   load")
            for view, key in VIEWS.items():
                os.write(ours.screen, key)
                screens.read(SETTLE)
                measure(screens, view, seconds)
        screens.read(1)
        print(f"    {'ms until a key shows':24}{'median':>12}{'9 of 10':>8}{'worst':>8}   load")
        views = [(screens.answer(ours, key, b"Connections"), pause()) for key in [b"2", b"1"] * (keys // 2)]
        tell("another view", [taken for taken, _ in views])
        os.write(ours.screen, b"2")
        screens.read(2)
        # What is seen stands still, so that what comes is the answer; what is watched does not.
        os.write(ours.screen, b" ")
        screens.read(2)
        tell("Down, picture held", [screens.answer(ours, DOWN) for _ in range(keys) if screens.read(pause())])
        print(f"    {Use(ours.process.pid).resident_kib // 1024} MiB at the end, load {load()}")
        made = traffic.stop()
    print(f"    {made:.0f} new connections a second were made; wanted {rate}")


def measure(screens, view, seconds):
    before, start = screens.use(), time.perf_counter_ns()
    screens.read(seconds)
    after, wall = screens.use(), time.perf_counter_ns() - start
    for tool, uses in after.items():
        pairs = [(now, before[tool].get(pid)) for pid, now in uses.items()]
        changes = [now.since(then) for now, then in pairs if then]
        user, system = (sum(column) for column in list(zip(*changes))[:2])
        exact = sum(sum(threads.values()) for *_, threads in changes)
        mib = [sum(each.resident_kib for each in all_of.values()) // 1024 for all_of in (before[tool], uses)]
        threads = sum(len(each.threads) for each in uses.values())
        shares = "".join(f"{100 * spent / wall:{width}.2f}" for spent, width in ((exact, 12), (user, 8), (system, 8)))
        name = f"{tool}, {view}" if tool == "whocalls" else tool
        print(f"    {name:24}{shares}{mib[0]:12}{mib[1]:8}{threads:9}   {load()}")


def tell(what, taken):
    taken = sorted(1000 * each for each in taken)
    nine = taken[9 * len(taken) // 10]
    print(f"    {what:24}{statistics.median(taken):12.1f}{nine:8.1f}{taken[-1]:8.1f}   {load()}")


def pause():
    """A key comes at any moment between two refreshes."""
    return random.uniform(0.1, 0.6)


def version(path):
    return subprocess.run([path, "--version"], capture_output=True, text=True).stdout.strip()


class Screens:
    """Terminals, each with a tool on it. What is painted there is read, so that nobody waits, and forgotten."""

    def __init__(self):
        self.tools = {}

    @contextlib.contextmanager
    def tool(self, name, path, options):
        """Runs until the end of a `with`."""
        screen, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("4H", LINES, COLUMNS, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        process = subprocess.Popen(
            [path, *options], stdin=end, stdout=end, stderr=NULL, env=environment, start_new_session=True
        )
        os.close(end)
        tool = self.tools[name] = Tool(process, screen)
        try:
            yield tool
            if process.poll() is not None:
                raise SystemExit(f"{path} ended with {process.returncode}")
        finally:
            del self.tools[name]
            process.send_signal(signal.SIGINT if name == "whocalls" else signal.SIGKILL)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(screen)

    def use(self):
        found = {}
        for name, tool in self.tools.items():
            pid = tool.process.pid
            found[name] = {each: Use(each) for each in [pid, *descendants(pid)]}
        return found

    def read(self, seconds):
        """Reads all screens so long. True, for the sake of its callers."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.painted(left)
        return True

    def painted(self, seconds):
        """[(screen, bytes)] of those on which something is painted before the time is over."""
        screens = [tool.screen for tool in self.tools.values()]
        ready, _, _ = select.select(screens, [], [], seconds)
        return [(screen, os.read(screen, 1 << 16)) for screen in ready]

    def answer(self, tool, key, sign=None):
        """Seconds from the key until the sign is painted; without one, until more than a little is."""
        self.read(pause())
        painted = b""
        begun = time.perf_counter()
        os.write(tool.screen, key)
        while sign not in painted if sign else len(painted) < SOMETHING:
            for screen, what in self.painted(1):
                painted += what if screen == tool.screen else b""
            if time.perf_counter() - begun > PATIENCE:
                raise SystemExit(f"no answer to {key} within {PATIENCE} s")
        return time.perf_counter() - begun


class Tool:
    def __init__(self, process, screen):
        self.process, self.screen = process, screen


class Traffic:
    """New connections all the time, by storm.py in this very namespace."""

    def __init__(self, rate):
        self.rate = rate

    def __enter__(self):
        program = os.path.join(os.path.dirname(__file__), "storm.py")
        pipe = subprocess.PIPE
        # Its servers are processes of their own.
        self.process = subprocess.Popen([program, "inside"], stdin=pipe, stdout=pipe, text=True, process_group=0)
        self.process.stdout.readline()
        self.begun = time.perf_counter()
        # More seconds than any run lasts, and less than a pipe holds.
        self.process.stdin.write(f"exchange {self.rate} {self.rate}\n" * 1500 if self.rate else "")
        self.process.stdin.flush()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """Gives how many it made a second."""
        wall = time.perf_counter() - self.begun
        self.__exit__()
        return self.process.stdout.read().count("\n") * self.rate / wall


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""CPU and memory of live tools while nothing happens; see watch_idle.sh.

usage: watch_idle.py SECONDS [OPTION OF whocalls watch...]
"""

import contextlib
import os
import pty
import shutil
import subprocess
import sys
import time

from watched import NULL, Use, Watch, descendants, load

# A tool that begins reads everything once.
SETTLE = 5
INTERFACE = "idle0"
PEERS = {
    "bandwhich": ["--raw", "-n", "-i", INTERFACE],
    "nethogs": ["-t", "-C", "-a", "-v", "2", "-d", "1", INTERFACE],
    "rustnet": ["-i", INTERFACE, "--no-resolve-dns", "--no-geoip", "--no-uid-drop"],
}
ON_A_SCREEN = ["rustnet"]


def main():
    seconds = int(sys.argv[1])
    # Tools want an interface that can carry something; nothing does.
    for command in (f"link add {INTERFACE} type veth peer name idle1", f"link set {INTERFACE} up", "link set idle1 up"):
        subprocess.run(["ip", *command.split()], check=True)
    with contextlib.ExitStack() as running:
        watch = running.enter_context(Watch(*sys.argv[2:]))
        tools = {"whocalls watch": watch.pids}
        for name, options in PEERS.items():
            path = shutil.which(name) if os.environ["PEERS"] != "none" else None
            if path:
                pid = running.enter_context(peer(path, options, name in ON_A_SCREEN)).pid
                tools[name] = [pid, *descendants(pid)]
        time.sleep(SETTLE)
        before, start = use(tools), time.perf_counter_ns()
        time.sleep(seconds)
        after, wall = use(tools), time.perf_counter_ns() - start
    print(f"    {'':16}{'% of a core':>12}{'user':>8}{'system':>8}{'MiB':>6}{'threads':>9}   load {load()}")
    for name in tools:
        changes = [now.since(then) for now, then in zip(after[name], before[name])]
        user, system = (sum(column) for column in list(zip(*changes))[:2])
        exact = sum(sum(threads.values()) for *_, threads in changes)
        resident = sum(each.resident_kib for each in after[name]) // 1024
        threads = sum(len(each.threads) for each in after[name])
        shares = [100 * spent / wall for spent in (exact, user, system)]
        print(f"    {name:16}{shares[0]:12.2f}{shares[1]:8.2f}{shares[2]:8.2f}{resident:6}{threads:9}")
    for name in PEERS:
        if name not in tools:
            print(f"    {name:16} not here")


def use(tools):
    return {name: [Use(pid) for pid in pids] for name, pids in tools.items()}


@contextlib.contextmanager
def peer(path, options, on_a_screen):
    """Runs until the end of a `with`."""
    screen, end = pty.openpty() if on_a_screen else (None, NULL)
    process = subprocess.Popen([path, *options], stdin=end, stdout=end, stderr=NULL, start_new_session=True)
    try:
        yield process
        if process.poll() is not None:
            raise SystemExit(f"{path} ended with {process.returncode}")
    finally:
        process.kill()
        process.wait()
        if screen is not None:
            os.close(screen)
            os.close(end)


if __name__ == "__main__":
    main()

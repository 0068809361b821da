#!/usr/bin/env python3
"""What it takes to judge a log of Zeek: CPU of `check` less that of `export --csv`, which reads the same and judges nothing.

usage: speed.py REFERENCE ROOM [MILLIONS]
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from findings import WHOCALLS


def run(*command):
    """CPU in seconds and peak in MiB."""
    pid = os.posix_spawn(WHOCALLS, [WHOCALLS, *command], os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0), (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)])
    _, status, usage = os.wait4(pid, 0)
    if status:
        print(f"    exit {os.waitstatus_to_exitcode(status)}: {' '.join(command[:2])}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def times(log, runs):
    read = sorted(run("export", "--csv", "--quiet", str(log)) for _ in range(runs))[runs // 2]
    judged = sorted(run("check", "--json", "--quiet", str(log)) for _ in range(runs))[runs // 2]
    return read, judged


def tell(words, read, judged):
    print(f"{words:24} read {read[0]:6.2f} s, {read[1]:.0f} MiB; read and judged {judged[0]:6.2f} s, {judged[1]:.0f} MiB; judged alone {judged[0] - read[0]:.2f} s")


def main():
    reference, room = sys.argv[1:3]
    millions = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    with tempfile.TemporaryDirectory(dir=room) as folder:
        log = pathlib.Path(folder) / "conn.log"
        subprocess.run(["python3", f"{reference}/synth_beacons.py", "--flows", "721000", "--hours", "24", "--format", "zeek", "--preset", "grid", "--out", log], check=True, capture_output=True)
        rows = sum(not line.startswith("#") for line in open(log))
        tell(f"{rows:,} connections", *times(log, 3))
        long = pathlib.Path(folder) / "long.log"
        with open(long, "w") as out:
            for turn in range(millions):
                for line in open(log):
                    if line.startswith("#"):
                        if not turn:
                            out.write(line)
                        continue
                    at, uid, rest = line.split("\t", 2)
                    out.write(f"{float(at) + turn * 86400:.6f}\t{uid}{turn}\t{rest}")
        log.unlink()
        tell(f"{rows * millions:,} connections", *times(long, 1))


if __name__ == "__main__":
    main()

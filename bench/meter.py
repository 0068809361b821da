"""Measures commands: CPU (user and system), wall time and peak memory, interleaved."""

import os
import resource
import shutil
import statistics
import subprocess
import tempfile
import time

WHOCALLS = os.environ["WHOCALLS"]
FULL = [WHOCALLS, "list", "-a", "--json"]
POLLING = [*FULL, "--polling"]
SS = ["ss", "-tunap"]
LSOF = ["lsof", "-nPi"]
# What stands in the output of each once for a TCP socket.
TCP = {WHOCALLS: b'"protocol":"tcp"', "ss": b"\ntcp ", "lsof": b" TCP "}


class Median:
    """Of several runs; `shown` is the number of TCP sockets in the last output."""

    def __init__(self, runs, shown):
        self.cpu, self.wall, self.peak = (statistics.median(column) for column in zip(*runs))
        self.shown = shown

    @property
    def peak_mib(self):
        return self.peak / 1024


def own_peak():
    """The kernel carries this process's own peak into the programs it starts: a floor, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def there(command):
    return shutil.which(command[0]) is not None


def name(command):
    return " ".join([os.path.basename(command[0]), *command[1:]])


def medians(commands, runs):
    """Runs all commands in turn, `runs` times; by the name of the command."""
    # This run is not measured: it has the programs in memory afterwards.
    shown = {name(command): run(command, count=True) for command in commands}
    taken = {name(command): [] for command in commands}
    for _ in range(runs):
        for command in commands:
            taken[name(command)].append(run(command))
    return {command: Median(figures, shown[command]) for command, figures in taken.items()}


def run(command, count=False):
    """CPU and wall time in seconds, and peak memory in KiB; or the TCP sockets that are shown."""
    # In memory, so that no disk is measured.
    with tempfile.TemporaryFile(dir="/dev/shm") as output:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0 and command[0] != "lsof":  # lsof: 1 when it cannot read something
            raise SystemExit(f"{name(command)}: exit code {process.returncode}")
        if count:
            return occurrences(output, TCP[command[0]])
    return used.ru_utime + used.ru_stime, wall, used.ru_maxrss


def occurrences(file, wanted):
    """Piece by piece: what is held here would show in the peak of every program started."""
    file.seek(0)
    count, rest = 0, b"\n"
    while piece := file.read(1 << 16):
        rest += piece
        count += rest.count(wanted)
        rest = rest[1 - len(wanted) :]
    return count

"""`whocalls watch` while it runs, and what it takes: CPU of its processes and threads, and what the kernel counts of
its BPF programs."""

import collections
import contextlib
import ctypes
import os
import platform
import signal
import struct
import subprocess
import time

WHOCALLS = os.environ["WHOCALLS"]
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
NULL = subprocess.DEVNULL

# bpf(2): its number, and commands of enum bpf_cmd, include/uapi/linux/bpf.h.
SYSTEM_CALL = {"x86_64": 321, "aarch64": 280}.get(platform.machine(), 280)
PROG_LOAD, PROG_TEST_RUN, PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD, LINK_GET_NEXT_ID, ENABLE_STATS = 5, 10, 13, 15, 31, 32
SOCKET_FILTER = 1
C_LIBRARY = ctypes.CDLL(None, use_errno=True)


class Watch:
    """Runs until the end of a `with`; its lines go nowhere. `pids`: its processes, the one that was started first."""

    def __init__(self, *options):
        self.command = [WHOCALLS, "watch", "--ndjson", "--quiet", *options]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=NULL, stdout=NULL)
        try:
            self.wait_until_it_watches()
            self.pids = [self.process.pid, *descendants(self.process.pid)]
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise SystemExit("whocalls did not end within 10 s of SIGINT")
        if self.process.returncode:
            raise SystemExit(f"whocalls ended with {self.process.returncode}")

    def wait_until_it_watches(self):
        """It gives up its rights when all is attached and the first look is over. Where it keeps them, 5 s must do."""
        for _ in range(100):
            if self.process.poll() is not None:
                raise SystemExit(f"whocalls ended with {self.process.returncode} before its first look was over")
            status = read(f"/proc/{self.process.pid}/status")
            if programs_of(self.process.pid) and "CapEff:\t0000000000000000\n" in status:
                break
            time.sleep(0.05)
        # Its output has a little to do yet.
        time.sleep(0.5)

    def use(self):
        return {pid: Use(pid) for pid in self.pids}


class Use:
    """CPU time so far, in ns."""

    def __init__(self, pid):
        self.user, self.system = ticks(f"/proc/{pid}/stat")
        self.name = read(f"/proc/{pid}/comm").strip()
        self.threads = {int(thread): run_time(pid, thread) for thread in os.listdir(f"/proc/{pid}/task")}
        self.resident_kib = number_after(read(f"/proc/{pid}/status"), "VmRSS:")

    def since(self, before):
        """(user, system, {thread's name and number: CPU}), each in ns."""
        threads = {}
        for number, (name, spent) in self.threads.items():
            threads[name, number] = spent - before.threads.get(number, (name, 0))[1]
        return self.user - before.user, self.system - before.system, threads


def ticks(path):
    """User and system time of a process or thread, in ns (proc_pid_stat(5), fields 14 and 15)."""
    words = read(path).rpartition(")")[2].split()
    return int(words[11]) * TICK_NS, int(words[12]) * TICK_NS


def run_time(pid, thread):
    """(name, ns); exact where the kernel keeps schedstat."""
    folder = f"/proc/{pid}/task/{thread}"
    name = read(f"{folder}/comm").strip()
    try:
        return name, int(read(f"{folder}/schedstat").split()[0])
    except (OSError, IndexError):
        return name, sum(ticks(f"{folder}/stat"))


def descendants(pid):
    children = collections.defaultdict(list)
    for other in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            children[int(read(f"/proc/{other}/stat").rpartition(")")[2].split()[1])].append(int(other))
    found = list(children[pid])
    for child in found:
        found += children[child]
    return found


def read(path):
    # Names of processes are any bytes.
    with open(path, errors="replace") as file:
        return file.read()


def number_after(text, word):
    return int(text.partition(word)[2].split()[0])


def load():
    return " ".join(read("/proc/loadavg").split()[:3])


def bpf(command, attributes):
    """Gives what the call gives, and the attributes as the kernel left them."""
    room = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    result = C_LIBRARY.syscall(SYSTEM_CALL, command, room, 128)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"bpf command {command}: {os.strerror(error)}")
    return result, room.raw


@contextlib.contextmanager
def counting():
    """The kernel counts runs and time of all BPF programs until this ends, as with kernel.bpf_stats_enabled=1, and
    stops by itself if this process dies."""
    file, _ = bpf(ENABLE_STATS, struct.pack("I", 0))
    try:
        yield
    finally:
        os.close(file)


def programs_of(pid):
    """Numbers of the BPF programs that a process holds."""
    found = set()
    for descriptor in os.listdir(f"/proc/{pid}/fdinfo"):
        with contextlib.suppress(OSError):
            text = read(f"/proc/{pid}/fdinfo/{descriptor}")
            if "prog_id:" in text:
                found.add(number_after(text, "prog_id:"))
    return found


class Counter:
    """Runs and time of programs, by name."""

    def __init__(self, numbers):
        self.files = [bpf(PROG_GET_FD_BY_ID, struct.pack("I", number))[0] for number in sorted(numbers)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for file in self.files:
            os.close(file)

    def read(self):
        runs = collections.Counter()
        spent = collections.Counter()
        for file in self.files:
            name, program_spent, program_runs = information(file)
            runs[name] += program_runs
            spent[name] += program_spent
        return runs, spent

    def during(self, work):
        """{name: (runs, ns)} of what ran while `work` did, and what it gave."""
        runs, spent = self.read()
        result = work()
        runs_after, spent_after = self.read()
        return {name: (runs_after[name] - runs[name], spent_after[name] - spent[name]) for name in runs}, result


def information(file):
    """(name, ns, runs): struct bpf_prog_info, include/uapi/linux/bpf.h."""
    room = ctypes.create_string_buffer(256)
    bpf(OBJ_GET_INFO_BY_FD, struct.pack("IIQ", file, len(room), ctypes.addressof(room)))
    spent, runs = struct.unpack_from("QQ", room.raw, 192)
    return room.raw[64:80].rstrip(b"\0").decode(), spent, runs


def clock_ns(repeat=1_000_000):
    """What of the time of each run is the clock of the statistics itself: that of a program that does nothing."""
    nothing = struct.pack("<BBhiBBhi", 0xB7, 0, 0, 0, 0x95, 0, 0, 0)  # r0 = 0; exit
    code, licence = ctypes.create_string_buffer(nothing), ctypes.create_string_buffer(b"GPL")
    packet = ctypes.create_string_buffer(64)
    file, _ = bpf(PROG_LOAD, struct.pack("IIQQ", SOCKET_FILTER, 2, ctypes.addressof(code), ctypes.addressof(licence)))
    run = struct.pack("IIIIQQI", file, 0, len(packet), 0, ctypes.addressof(packet), 0, repeat)
    try:
        alone = struct.unpack_from("I", bpf(PROG_TEST_RUN, run)[1], 36)[0]
        with counting():
            bpf(PROG_TEST_RUN, run)
        _, spent, runs = information(file)
        return spent / runs - alone
    finally:
        os.close(file)


def links():
    """How many BPF programs are attached by links, by whomever."""
    count = number = 0
    while True:
        try:
            number = struct.unpack_from("I", bpf(LINK_GET_NEXT_ID, struct.pack("I", number))[1], 4)[0]
        except FileNotFoundError:
            return count
        count += 1

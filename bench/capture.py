#!/usr/bin/env python3
"""Compares `whocalls record` with dumpcap on the same paced load; see capture.sh.

usage: capture.py RUNS SECONDS        in a network namespace of its own: that of the sender
       capture.py record              what it starts in another one: that of the receiver
"""

import collections
import contextlib
import glob
import hashlib
import json
import mmap
import os
import re
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

from watched import NULL, WHOCALLS, Use, descendants, load, read

HERE = os.path.dirname(os.path.abspath(__file__))
LOAD = os.environ["LOAD"]
ROOM = int(os.environ.get("ROOM", "8"))
RING = int(os.environ.get("RING", "256"))
RATE = os.environ.get("RATE", "100000")
NEAR, FAR = "10.78.0.1", "10.78.0.2"
PORT = 7000
# name: what it is, kind, what the sender is told
GIGABIT = 125_000_000
LOADS = {
    "tcp-1g": ("TCP, 1 Gbit/s", "tcp", [str(GIGABIT)]),
    "udp-1400": (f"UDP, 1400 bytes, {int(RATE):,} a second", "udp", [RATE, "1400"]),
    # 64 bytes with the heads of Ethernet, IPv4 and UDP.
    "udp-small": (f"UDP, frames of 64 bytes, {int(RATE):,} a second", "udp", [RATE, "22"]),
    "tcp-4g": ("TCP, 4 Gbit/s", "tcp", [str(4 * GIGABIT)]),
}
TOOLS = ["whocalls", "dumpcap"]
PACKET, INTERFACE, PROCESS_INDEX = 6, 1, 0x8001


def main():
    if sys.argv[1] == "record":
        return receiver()
    runs, seconds = int(sys.argv[1]), int(sys.argv[2])
    wanted = os.environ.get("LOADS", " ".join(LOADS)).split()
    results = collections.defaultdict(list)
    with Receiver() as receiver_side:
        for name in wanted:
            title, kind, told = LOADS[name]
            print(f"\n### {title}, {seconds} s, {runs} runs of each; load {load()}", flush=True)
            for number in range(runs):
                for tool in TOOLS if number % 2 == 0 else reversed(TOOLS):
                    result = one(receiver_side, tool, kind, [told[0], str(seconds), *told[1:]])
                    results[name, tool].append(result)
                    print(line(tool, result), flush=True)
    table(wanted, results)


def one(receiver_side, tool, kind, told):
    receiver_side.ask(tool, kind)
    address = f"{FAR}:{PORT}"
    sender = subprocess.run([LOAD, "send", kind, address, *told], capture_output=True, text=True)
    if sender.returncode:
        raise SystemExit(f"the sender failed: {sender.stderr}")
    return {**receiver_side.tell(), "sent": int(sender.stdout.split()[0])}


class Receiver:
    """The other end, in namespaces of its own. whocalls cannot enter that of the sender from there: it
    records one network namespace, as dumpcap does."""

    def __enter__(self):
        pipe = subprocess.PIPE
        command = [f"{HERE}/private.sh", os.path.abspath(__file__), "record"]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.answer("there")
        inside = [pid for pid in descendants(self.process.pid) if b"capture.py" in command_line(pid)]
        ip("link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", str(inside[-1]))
        ip("address", "add", f"{NEAR}/24", "dev", "near0")
        ip("link", "set", "near0", "up")
        self.say("linked")
        self.answer("ready")
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def ask(self, tool, kind):
        self.say(f"{tool} {kind}")
        self.answer("go")

    def tell(self):
        self.say("sent")
        return json.loads(self.process.stdout.readline() or "{}")

    def say(self, what):
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()

    def answer(self, wanted):
        answer = self.process.stdout.readline().strip()
        if answer != wanted:
            raise SystemExit(f"the receiver's end said {answer!r} instead of {wanted!r}")


def receiver():
    # Names of namespaces that others keep are doors, and whocalls would go through them.
    subprocess.run(["umount", "--recursive", "--lazy", "/run/netns"], stderr=NULL)
    print("there", flush=True)
    sys.stdin.readline()
    ip("address", "add", f"{FAR}/24", "dev", "far0")
    ip("link", "set", "far0", "up")
    with tempfile.TemporaryDirectory() as folder, memory(folder):
        print("ready", flush=True)
        while words := sys.stdin.readline().split():
            tool, kind = words
            place = os.path.join(folder, "run")
            os.mkdir(place)
            print(json.dumps(record(tool, kind, place)), flush=True)
            subprocess.run(["rm", "-r", place], check=True)


def record(tool, kind, place):
    """Runs a tool over one load, and gives what it took and what is in its file."""
    with start(tool, place) as (process, said):
        before, idle = passed(), uses(process.pid)
        taking = subprocess.Popen(
            [LOAD, "take", kind, f"{FAR}:{PORT}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        taking.stderr.readline()
        started = time.perf_counter()
        print("go", flush=True)
        sys.stdin.readline()
        wait_until_written(place)
        after = uses(process.pid)
        seconds = time.perf_counter() - started
        taken = int(taking.communicate()[0].split()[0])
        counted = passed()
    packets = {"packets": 0, "owned": 0, "bytes": 0}
    hashing = 0
    for path in files(place):
        for key, value in count(path).items():
            packets[key] += value
        hashing += hash_time(path) if tool == "whocalls" else 0
    user, system, threads = spent(idle, after)
    return {
        "passed": counted - before,
        "taken": taken,
        **packets,
        "lost": lost(tool, place, read(said)),
        "cpu": user + system,
        "exact": sum(threads.values()),
        "threads": threads,
        "hashing": hashing,
        "resident": sum(use.resident_kib for use in after.values()) // 1024,
        "seconds": seconds,
        "load": load(),
    }


@contextlib.contextmanager
def start(tool, place):
    """The tool, from when it records; it is ended in the end, and has written everything then."""
    said = os.path.join(place, "said")
    if tool == "whocalls":
        # Half of its memory is for the namespace that it is started in.
        options = ["--depth", "full", "--copy-programs", "none", "--ring", f"{2 * RING}M"]
        options += os.environ.get("RECORD_OPTIONS", "").split()
        command = [WHOCALLS, "--quiet", "record", "--into", place, *options]
    else:
        command = ["dumpcap", "-q", "-i", "far0", "-B", str(RING), "-w", os.path.join(place, "dumpcap.pcapng")]
    with open(said, "w") as file:
        process = subprocess.Popen(command, stdin=NULL, stdout=file, stderr=file)
    try:
        wait_until_it_records(tool, process, said)
        yield process, said
        process.send_signal(signal.SIGINT)
        process.wait(60)
        # 3: something was lost.
        if process.returncode not in (0, 3):
            raise SystemExit(f"{tool} ended with {process.returncode}: {read(said)}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_until_it_records(tool, process, said):
    for _ in range(200):
        if process.poll() is not None:
            raise SystemExit(f"{tool} ended with {process.returncode}: {read(said)}")
        if tool == "dumpcap" and "File:" in read(said):
            break
        if tool == "whocalls" and is_without_rights(process.pid) and "packets" in threads_of(process.pid):
            break
        time.sleep(0.05)
    # What it begins with is not what is measured.
    time.sleep(1)


def is_without_rights(pid):
    return "CapEff:\t0000000000000000\n" in read(f"/proc/{pid}/status")


def threads_of(pid):
    return {read(path).strip() for path in glob.glob(f"/proc/{pid}/task/*/comm")}


def wait_until_written(place):
    """Until no file grows any more: what waited in a ring is written."""
    sizes, since = None, time.perf_counter()
    begun = since
    while time.perf_counter() - since < 0.5 and time.perf_counter() - begun < 30:
        now = [os.path.getsize(path) for path in files(place)]
        if now != sizes:
            sizes, since = now, time.perf_counter()
        time.sleep(0.05)


def files(place):
    found = glob.glob(f"{place}/**/*.pcapng", recursive=True) + glob.glob(f"{place}/**/*.pcapng.part", recursive=True)
    return sorted(found)


def uses(pid):
    found = {}
    for each in [pid, *descendants(pid)]:
        with contextlib.suppress(OSError):
            found[each] = Use(each)
    return found


def spent(before, after):
    """User and system time in all, and CPU by the name of a thread, in ns."""
    user = system = 0
    threads = collections.Counter()
    for number, (pid, now) in enumerate(after.items()):
        then = before.get(pid)
        more = now.since(then) if then else (now.user, now.system, {})
        user, system = user + more[0], system + more[1]
        for (name, _), cpu in more[2].items():
            threads[name if number == 0 else "helpers"] += cpu
    return user, system, dict(threads)


def passed():
    """Packets of the receiver's end, both ways."""
    for each in read("/proc/net/dev").splitlines():
        name, _, numbers = each.strip().partition(":")
        if name == "far0":
            numbers = numbers.split()
            return int(numbers[1]) + int(numbers[9])
    raise SystemExit("no interface far0")


def lost(tool, place, said):
    """As the tool says it."""
    if tool == "whocalls":
        (path,) = glob.glob(f"{place}/*/log.ndjson")
        said = read(path)
        found = re.findall(r'"packets_lost":\s*(\d+)', said)[-1:]
    else:
        found = re.findall(r"received/dropped on interface .*: \d+/(\d+)", said)
    if not found:
        raise SystemExit(f"{tool} does not say what was lost: {said}")
    return int(found[0])


def count(path):
    """Packets of the veth in a pcapng file (draft-ietf-opsawg-pcapng, 4), and how many of them have a process."""
    packets = owned = 0
    ours, interfaces = set(), 0
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        at, end = 0, len(held)
        while at + 12 <= end:
            kind, length = struct.unpack_from("<2I", held, at)
            if length < 12 or at + length > end:
                break
            if kind == INTERFACE:
                if b"far0" in held[at : at + length]:
                    ours.add(interfaces)
                interfaces += 1
            elif kind == PACKET:
                number, _, _, kept = struct.unpack_from("<4I", held, at + 8)
                if number in ours:
                    packets += 1
                    owned += has_process(held, at + 28 + (kept + 3 & ~3), at + length - 4)
            at += length
        return {"packets": packets, "owned": owned, "bytes": end}


def has_process(held, at, end):
    while at + 4 <= end:
        code, length = struct.unpack_from("<2H", held, at)
        if code == PROCESS_INDEX:
            return True
        at += 4 + (length + 3 & ~3)
    return False


def hash_time(path):
    """What SHA-256 of the same bytes takes with OpenSSL, in ns; both it and whocalls use what the processor has for it."""
    taken = 0
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            begun = time.thread_time_ns()
            digest.update(piece)
            taken += time.thread_time_ns() - begun
    return taken


@contextlib.contextmanager
def memory(folder):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}g", "capture", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def micros(result, what):
    return what / 1000 / max(result["packets"], 1)


def line(tool, result):
    missing = result["passed"] - result["packets"]
    text = (
        f"    {tool:10}{result['passed']:>9} passed {result['packets']:>9} in the file {missing:>8} missing "
        f"{result['lost']:>8} told lost{result['bytes'] / 1e6:>7.0f} MB{result['exact'] / 1e9:>7.3f} s of CPU "
        f"(ticks {result['cpu'] / 1e9:.2f}), {micros(result, result['exact']):.2f} us a packet, "
        f"{result['resident']} MiB, {result['seconds']:.1f} s; load {result['load']}"
    )
    if tool == "whocalls":
        parts = ", ".join(f"{name} {cpu / 1e6:.0f}" for name, cpu in sorted(result["threads"].items()) if cpu > 1e6)
        text += f"\n        ms: {parts}; hashing alone {result['hashing'] / 1e6:.0f}; with a process {result['owned']}"
    return text


def table(wanted, results):
    """Lines for the README. The kernel makes packets of TCP as large as it finds fit, and other ones in each run:
    what they take is compared by their bytes, that of datagrams by their number."""
    print("\n| load | | passed | missing | us a packet | ms a MB | without hashing | hashing | |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in wanted:
        title, kind, _ = LOADS[name]
        rows = {tool: middle(kind, results[name, tool]) for tool in TOOLS}
        for tool, row in rows.items():
            verdict = ""
            if tool == "whocalls":
                theirs = rows["dumpcap"]
                cheaper = row["without"] <= theirs["without"]
                fewer = row["share"] <= theirs["share"]
                verdict = "CPU: reached" if cheaper else "CPU: **not reached**"
                verdict += "; losses: reached" if fewer else "; losses: **not reached**"
            unit = "ms a MB" if kind == "tcp" else "us a packet"
            print(
                f"| {title} | {tool} | {row['passed']:,.0f} | {row['missing']:,.0f} ({row['share']:.1%}) "
                f"| {row['packet']:.2f} | {row['megabyte']:.2f} | {row['without']:.2f} {unit} "
                f"| {row['hashing']:.2f} {unit} | {verdict} |"
            )


def middle(kind, rows):
    """Of each figure the one in the middle of all runs."""
    found = []
    for row in rows:
        # ns through it: ms a MB, or us a packet.
        amount = row["bytes"] if kind == "tcp" else row["packets"] * 1e3
        missing = max(row["passed"] - row["packets"], 0)
        found.append(
            {
                "passed": row["passed"],
                "missing": missing,
                "share": missing / max(row["passed"], 1),
                "packet": row["exact"] / 1e3 / max(row["packets"], 1),
                "megabyte": row["exact"] / 1e6 / max(row["bytes"] / 1e6, 1),
                "without": (row["exact"] - row["hashing"]) / max(amount, 1),
                "hashing": row["hashing"] / max(amount, 1),
            }
        )
    return {key: statistics.median(row[key] for row in found) for key in found[0]}


if __name__ == "__main__":
    main()

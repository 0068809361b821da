#!/usr/bin/env python3
"""CPU, wall time and memory of reading files of other tools; see imports.sh.

usage: imports.py RUNS FOLDER
"""

import os
import statistics
import struct
import subprocess
import sys
import time

WHOCALLS = os.environ["WHOCALLS"]
LARGE_BYTES = 400_000_000
PAYLOAD = 1400


def main():
    runs, folder = int(sys.argv[1]), sys.argv[2]
    small, zeek, large = (os.path.join(folder, name) for name in ("small.pcap", "conn.log", "large.pcap"))
    write_large(large)
    print("\n| file | MB | | CPU s | MB a second of CPU | wall s | peak MiB | connections | |")
    print("|---|---|---|---|---|---|---|---|---|")
    for file in small, large:
        ours, tshark = [], []
        for _ in range(runs):
            ours.append(run([WHOCALLS, "export", file, "--csv"]))
            tshark.append(run(["tshark", "-n", "-r", file, "-q", "-z", "conv,tcp"]))
        speed = megabytes(file) / cpu(ours)
        ratio = cpu(tshark) / cpu(ours)
        verdict = f"{ratio:.0f} times as fast as tshark by CPU: {reached(ratio >= 5)}; 200 MB/s: {reached(speed >= 200)}"
        row(file, "whocalls", ours, verdict)
        row(file, "tshark", tshark, "")
    ours = [run([WHOCALLS, "export", zeek, "--csv"]) for _ in range(runs)]
    wall = statistics.median(each["wall"] for each in ours)
    row(zeek, "whocalls", ours, f"3 s: {reached(wall <= 3)}")


def reached(well):
    return "reached" if well else "**not reached**"


def megabytes(file):
    return os.path.getsize(file) / 1e6


def cpu(runs):
    return statistics.median(each["cpu"] for each in runs)


def row(file, tool, runs, verdict):
    middle = {key: statistics.median(each[key] for each in runs) for key in runs[0]}
    lines = f"{middle['lines'] - 1:.0f}" if tool == "whocalls" else ""
    print(
        f"| {os.path.basename(file)} | {megabytes(file):.0f} | {tool} | {middle['cpu']:.2f} "
        f"| {megabytes(file) / middle['cpu']:.0f} | {middle['wall']:.2f} | {middle['peak'] / 1024:.0f} | {lines} | {verdict} |",
        flush=True,
    )


def run(command):
    with open("/dev/shm/imports.out", "w+b") as out:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        if os.waitstatus_to_exitcode(status) not in (0, 3):
            raise SystemExit(f"{command}: {os.waitstatus_to_exitcode(status)}")
        out.seek(0)
        lines = sum(piece.count(b"\n") for piece in iter(lambda: out.read(1 << 20), b""))
    os.unlink("/dev/shm/imports.out")
    return {"cpu": used.ru_utime + used.ru_stime, "wall": wall, "peak": used.ru_maxrss, "lines": lines}


def write_large(file):
    """Few connections that carry much, each begun by a request of HTTP."""
    with open(file, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        written, number, time_us = 24, 0, 1_700_000_000_000_000
        body = bytes(PAYLOAD)
        while written < LARGE_BYTES:
            number += 1
            port, sequence = 20000 + number % 40000, 1
            host = f"GET / HTTP/1.1\r\nHost: host{number}.example\r\n\r\n".encode()
            ends = (port, 80)
            frames = [tcp(ends, 0, 2, b""), tcp(ends, 1, 24, host)]
            frames += [tcp((80, port), 1 + part * PAYLOAD, 16, body, back=True) for part in range(700)]
            for frame in frames:
                time_us += 100
                out.write(struct.pack("<IIII", time_us // 1_000_000, time_us % 1_000_000, len(frame), len(frame)))
                out.write(frame)
                written += 16 + len(frame)


def tcp(ports, sequence, flags, payload, back=False):
    here, there = bytes([10, 0, 0, 2]), bytes([203, 0, 113, 9])
    source, destination = (there, here) if back else (here, there)
    segment = struct.pack(">HHIIBBHHH", *ports, sequence, 1, 0x50, flags, 65535, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, 6, 0) + source + destination
    return bytes(12) + b"\x08\x00" + ip + segment


if __name__ == "__main__":
    main()

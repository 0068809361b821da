#!/usr/bin/env python3
"""CPU, wall time and memory of reading files of other tools; see imports.sh.

usage: imports.py RUNS FOLDER
       imports.py --large BYTES FOLDER
"""

import os
import pty
import re
import statistics
import struct
import subprocess
import sys
import time

WHOCALLS = os.environ["WHOCALLS"]
LARGE_BYTES = 400_000_000
PAYLOAD = 1400
# Of the capture that is larger than memory: so many connections, again and again from other addresses.
CONNECTIONS_AT_ONCE, PACKETS_EACH = 500, 40
# It holds the connections that it shows, and no more than this besides.
MOST_MIB = 1024


def main():
    if sys.argv[1] == "--large":
        return one_large(int(sys.argv[2]), sys.argv[3])
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


def one_large(wanted, folder):
    """Reads one capture of so many bytes, with a terminal for what it says."""
    file, out = os.path.join(folder, "huge.pcap"), os.path.join(folder, "out.csv")
    begun = time.perf_counter()
    write_huge(file, wanted)
    print(f"{megabytes(file):.0f} MB written in {time.perf_counter() - begun:.0f} s", flush=True)
    terminal, side = pty.openpty()
    begun = time.perf_counter()
    with open(out, "wb") as lines:
        process = subprocess.Popen([WHOCALLS, "export", file, "--csv"], stdin=subprocess.DEVNULL, stdout=lines, stderr=side)
    os.close(side)
    said = b""
    try:
        while piece := os.read(terminal, 1 << 16):
            said += piece
    except OSError:
        pass  # All of its ends are closed.
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status) not in (0, 3):
        raise SystemExit(f"whocalls ended with {os.waitstatus_to_exitcode(status)}: {said.decode()}")
    shown = [line for line in re.split(rb"\r(?:\x1b\[K)?", said) if b" % " in line]
    with open(out, "rb") as lines:
        connections = sum(piece.count(b"\n") for piece in iter(lambda: lines.read(1 << 20), b"")) - 1
    spent, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    print("\n| MB | CPU s | MB a second of CPU | wall s | peak MiB | connections | |\n|---|---|---|---|---|---|---|")
    print(
        f"| {megabytes(file):.0f} | {spent:.2f} | {megabytes(file) / spent:.0f} | {wall:.1f} | {peak:.0f} | {connections} "
        f"| below {MOST_MIB} MiB: {reached(peak < MOST_MIB)}; a progress bar: {reached(len(shown) > 1)} |"
    )
    for line in shown[:: max(1, len(shown) // 4)]:
        print(f"    {line.decode(errors='replace').strip()}")


def write_huge(file, wanted):
    """Connections with names that follow each other, until the file is so large."""
    body, block, places = bytes(PAYLOAD), bytearray(), []
    for number in range(CONNECTIONS_AT_ONCE):
        port = 20000 + number
        request = f"GET / HTTP/1.1\r\nHost: host{number}.example\r\n\r\n".encode()
        frames = [tcp((port, 80), 0, 2, b""), tcp((80, port), 0, 18, b"", back=True), tcp((port, 80), 1, 24, request)]
        frames += [tcp((80, port), 1 + part * PAYLOAD, 16, body, back=True) for part in range(PACKETS_EACH)]
        end = 1 + PACKETS_EACH * PAYLOAD
        frames += [tcp((80, port), end, 17, b"", back=True), tcp((port, 80), 1 + len(request), 17, b"")]
        for frame in frames:
            # The client's address: the source, or of what comes back the destination.
            client = len(block) + 16 + 14 + (16 if frame[26:30] != CLIENT else 12)
            places.append((len(block), client))
            block += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    second, rounds = 1_700_000_000, 0
    with open(file, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        while out.tell() < wanted:
            rounds += 1
            client = struct.pack(">BBH", 10, rounds >> 16, rounds & 0xFFFF)
            step = 1_000_000 // len(places)
            for number, (record, address) in enumerate(places):
                struct.pack_into("<II", block, record, second + rounds, number * step)
                block[address : address + 4] = client
            out.write(block)


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


CLIENT = bytes([10, 0, 0, 2])


def tcp(ports, sequence, flags, payload, back=False):
    here, there = CLIENT, bytes([203, 0, 113, 9])
    source, destination = (there, here) if back else (here, there)
    segment = struct.pack(">HHIIBBHHH", *ports, sequence, 1, 0x50, flags, 65535, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, 6, 0) + source + destination
    return bytes(12) + b"\x08\x00" + ip + segment


if __name__ == "__main__":
    main()

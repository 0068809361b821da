#!/usr/bin/env python3
"""What reading names live costs `whocalls watch`; see watch_names.sh.

usage: watch_names.py RUNS SECONDS [OPTION OF whocalls watch...]     in a network namespace of its own: the client's
       watch_names.py serve STREAMS                                  what it starts in another one: the server's
"""

import collections
import contextlib
import os
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import threading
import time

from watched import NULL, Counter, Watch, clock_ns, counting, load, programs_of

HERE = os.path.abspath(__file__)
LOAD = os.environ["LOAD"]
NEAR, FAR = "10.79.0.1", "10.79.0.2"
STREAM_PORT, TLS_PORT, DNS_PORT = 7000, 443, 53
# Nobody looks for names there.
SILENT_PORT, OTHER_PORT = 444, 54
# What a server sends first, and what a page brings.
SERVER_FLIGHT, PAGE = 4000, 20_000
SILENCE = 5.0


def size(name, usual):
    return int(os.environ.get(name, usual))


RATE, STREAMS = size("RATE", 125_000_000), size("STREAMS", 4)
CONNECTIONS, QUESTIONS = size("CONNECTIONS", 50), size("QUESTIONS", 100)


def main():
    if sys.argv[1] == "serve":
        return serve(int(sys.argv[2]))
    runs, seconds, options = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    taken = collections.defaultdict(list)
    clock = clock_ns()
    print(
        f"\n### {RATE * 8 / 1e9:.1f} Gbit/s in {STREAMS} streams, {CONNECTIONS} connections of TLS and {QUESTIONS} questions "
        f"of DNS a second; {runs} x {seconds} s\nThe clock of the statistics, {clock:.1f} ns of each run, is taken off. "
        "% of a core; both ends are here.\n"
    )
    with server():
        for number in range(runs):
            for names in (True, False) if number % 2 == 0 else (False, True):
                result = one(names, seconds, clock, options)
                taken[names].append(result)
                print(line("with names" if names else "silent", result) + f"; load {load()}", flush=True)
    table(taken)


def one(names, seconds, clock, options):
    with Watch(*options) as watch:
        numbers = set().union(*map(programs_of, watch.pids))
        with counting(), Counter(numbers) as counter, streams(seconds + 1) as moved:
            time.sleep(0.5)
            before, begun = watch.use(), time.perf_counter_ns()
            programs, made = counter.during(lambda: talk(names, seconds))
            after, wall = watch.use(), time.perf_counter_ns() - begun
    spent = [after[pid].since(before[pid]) for pid in after]
    return {
        "own": 100 * sum(sum(threads.values()) for *_, threads in spent) / wall,
        "programs": {
            name: 100 * max(0, ns - runs * clock) / wall for name, (runs, ns) in programs.items() if runs
        },
        "runs": {name: runs * 1e9 / wall for name, (runs, _) in programs.items()},
        "made": made,
        "gigabits": sum(moved) * 8 / 1e9 / (seconds + 1),
    }


def line(title, result):
    connections, questions = result["made"]
    return (
        f"    {title:12} own processes {result['own']:5.2f}, BPF {sum(result['programs'].values()):5.2f}; "
        f"{result['gigabits']:.2f} Gbit/s, {connections} connections, {questions} answers"
    )


def table(taken):
    def middle(names, value):
        return statistics.median(map(value, taken[names]))

    print("\n| % of a core, both ends | with names | silent | names |\n|---|---|---|---|")
    rows = {
        "own processes": lambda it: it["own"],
        "BPF programs": lambda it: sum(it["programs"].values()),
        "all": lambda it: it["own"] + sum(it["programs"].values()),
    }
    for title, value in rows.items():
        both, none = middle(True, value), middle(False, value)
        verdict = ""
        if title == "all":
            verdict = f" (wanted: below 1: {'reached' if both - none < 1 else '**not reached**'})"
        print(f"| {title} | {both:.2f} | {none:.2f} | {both - none:.2f}{verdict} |")
    print("\nBPF programs, % of a core with names and silent, and runs a second with names:")
    for name in sorted(taken[True][0]["programs"]):
        both, none = (middle(names, lambda it: it["programs"].get(name, 0)) for names in (True, False))
        if max(both, none) >= 0.005:
            print(f"    {name:16}{both:8.3f}{none:8.3f}{middle(True, lambda it: it['runs'].get(name, 0)):10.0f}")


@contextlib.contextmanager
def server():
    """The other end of a veth pair, in a namespace of its own."""
    pipe = subprocess.PIPE
    command = ["unshare", "--net", HERE, "serve", str(STREAMS)]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    try:
        answer(process, "there")
        ip("link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", str(process.pid))
        ip("address", "add", f"{NEAR}/24", "dev", "near0")
        ip("link", "set", "near0", "up")
        process.stdin.write("linked\n")
        process.stdin.flush()
        answer(process, "ready")
        yield
    finally:
        process.stdin.close()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def answer(process, wanted):
    said = process.stdout.readline().strip()
    if said != wanted:
        raise SystemExit(f"the server's end said {said!r} instead of {wanted!r}")


@contextlib.contextmanager
def streams(seconds):
    """So many bytes a second for so long. Gives a list that has what was sent when it is over."""
    sent = []
    senders = [
        subprocess.Popen(
            [LOAD, "send", "tcp", f"{FAR}:{STREAM_PORT + number}", str(RATE // STREAMS), str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(STREAMS)
    ]
    try:
        yield sent
        sent += [int(sender.communicate(timeout=seconds + 20)[0].split()[0]) for sender in senders]
    finally:
        for sender in senders:
            sender.kill()
            sender.wait()


def talk(names, seconds):
    """Connections and questions, evenly; how many there were. Without names, nothing is said on connections, and the
    datagrams go elsewhere."""
    made = [0, 0]
    questions = threading.Thread(target=ask, args=(DNS_PORT if names else OTHER_PORT, seconds, made))
    questions.start()
    for number in evenly(CONNECTIONS, seconds):
        with socket.create_connection((FAR, TLS_PORT if names else SILENT_PORT), SILENCE) as stream:
            if names:
                stream.sendall(client_hello(f"host{number}.example.com"))
                take(stream, SERVER_FLIGHT)
                # The end of the handshake, and a request.
                stream.sendall(b"\x17\x03\x03\x02\x00" + bytes(512))
                take(stream, PAGE)
            made[0] += 1
    questions.join()
    return made


def ask(port, seconds, made):
    for number in evenly(QUESTIONS, seconds):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(SILENCE)
            asker.connect((FAR, port))
            asker.send(question(number))
            if asker.recv(512):
                made[1] += 1


def evenly(a_second, seconds):
    begun = time.perf_counter()
    for number in range(a_second * seconds):
        time.sleep(max(0, begun + number / a_second - time.perf_counter()))
        yield number


def client_hello(name):
    """What OpenSSL says first."""
    out = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
    return out.read()


def question(number):
    """After the address of a name (RFC 1035, 4.1)."""
    labels = f"host{number}.example.com".encode().split(b".")
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack(">HHHHHH", number % 65536, 0x100, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1)


def take(stream, count):
    while count > 0:
        piece = stream.recv(count)
        if not piece:
            return
        count -= len(piece)


def serve(count):
    print("there", flush=True)
    sys.stdin.readline()
    ip("address", "add", f"{FAR}/24", "dev", "far0")
    ip("link", "set", "far0", "up")
    ip("link", "set", "lo", "up")
    for port in (TLS_PORT, SILENT_PORT):
        listener = socket.create_server((FAR, port), backlog=128)
        threading.Thread(target=answer_tls, args=(listener, port == TLS_PORT), daemon=True).start()
    for port in (DNS_PORT, OTHER_PORT):
        threading.Thread(target=answer_dns, args=(bound(port),), daemon=True).start()
    takers = {}
    for number in range(count):
        threading.Thread(target=take_streams, args=(STREAM_PORT + number, takers), daemon=True).start()
    time.sleep(0.5)
    print("ready", flush=True)
    # Until the client is done.
    sys.stdin.read()
    for taker in takers.values():
        taker.kill()


def bound(port):
    server_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server_socket.bind((FAR, port))
    return server_socket


def take_streams(port, takers):
    """One after the other: a run has one at each port."""
    while True:
        takers[port] = subprocess.Popen([LOAD, "take", "tcp", f"{FAR}:{port}"], stdout=NULL, stderr=NULL)
        if takers[port].wait() < 0:
            return


def answer_tls(listener, speaks):
    flight = b"\x16\x03\x03" + struct.pack(">H", SERVER_FLIGHT - 5) + bytes(SERVER_FLIGHT - 5)
    page = (b"\x17\x03\x03\x0f\xfb" + bytes(4091)) * (PAGE // 4096 + 1)
    while True:
        stream, _ = listener.accept()
        with stream, contextlib.suppress(OSError):
            stream.settimeout(SILENCE)
            if stream.recv(1 << 16) and speaks:
                stream.sendall(flight)
                stream.recv(1 << 16)
                stream.sendall(page[:PAGE])


def answer_dns(server_socket):
    while True:
        asked, peer = server_socket.recvfrom(512)
        head = struct.pack(">HHHHHH", struct.unpack_from(">H", asked)[0], 0x8180, 1, 1, 0, 0)
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton(FAR)
        server_socket.sendto(head + asked[12:] + record, peer)


def ip(*words):
    subprocess.run(["ip", *words], check=True)


if __name__ == "__main__":
    main()

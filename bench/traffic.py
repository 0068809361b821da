#!/usr/bin/env python3
"""Opens and closes sockets at a bounded rate on the loopback, and writes down the truth.

usage: traffic.py RATE SECONDS TRUTH

A line of the file TRUTH says that a process holds a socket or no longer does, by the kernel's
cookie of the socket and in seconds of CLOCK_MONOTONIC before and after the call:

    held COOKIE PID BEFORE AFTER
    gone COOKIE PID BEFORE AFTER

Prints a line when it has begun. TCP over IPv4, IPv6 and both at once, UDP; ended by the caller, by
the server or by a reset; in long-lived processes and in those that live for one connection; some
sockets are handed to a second process, which holds them too.
"""

import heapq
import os
import random
import selectors
import signal
import socket
import struct
import sys
import time

SO_COOKIE = 57
SERVER_ENDS, CALLER_ENDS = b"s", b"c"
MEAN_LIFE_S, LONGEST_LIFE_S = 0.3, 3.0
STANDING = 20
now = time.monotonic


class Truth:
    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def held(self, held, before):
        self.say("held", cookie(held), before, now())

    def close(self, held):
        number, before = cookie(held), now()
        held.close()
        self.say("gone", number, before, now())

    def say(self, word, number, before, after):
        os.write(self.file, f"{word} {number} {os.getpid()} {before:.6f} {after:.6f}\n".encode())


def cookie(held):
    return struct.unpack("Q", held.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]


def main():
    rate, seconds, truth = float(sys.argv[1]), float(sys.argv[2]), Truth(sys.argv[3])
    signal.alarm(int(seconds) + 10)  # Whatever happens.
    end = now() + seconds
    reader, writer = os.pipe()
    children = [start(server, truth, writer, end)]
    ports = [int(word) for word in os.read(reader, 100).split()]
    # Each gets the other end of a pair before there is any socket that it could inherit.
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
    for _, other in pairs:
        children.append(start(second_holder, truth, other, end))
    children.append(start(short_lived, truth, ports, rate * 0.2, end))
    for mine, other in pairs:
        other.close()
        children.append(start(caller, truth, ports, mine, rate * 0.4, end))
    print("begun", flush=True)
    for pid in children:
        os.waitpid(pid, 0)


def start(work, *arguments):
    pid = os.fork()
    if pid:
        return pid
    random.seed(os.getpid())
    try:
        work(*arguments)
    finally:
        os._exit(0)


def life():
    return min(random.expovariate(1 / MEAN_LIFE_S), LONGEST_LIFE_S)


def server(truth, ready, end):
    before = now()
    listeners = [
        socket.create_server(("127.0.0.1", 0), backlog=1024),
        socket.create_server(("::", 0), family=socket.AF_INET6, backlog=1024, dualstack_ipv6=True),
    ]
    wakes = selectors.DefaultSelector()
    for listener in listeners:
        truth.held(listener, before)
        listener.setblocking(False)
        wakes.register(listener, selectors.EVENT_READ)
    os.write(ready, " ".join(str(each.getsockname()[1]) for each in listeners).encode())
    to_end = []
    while now() < end:
        for key, _ in wakes.select(0.005):
            if key.fileobj in listeners:
                accept(truth, wakes, key.fileobj)
            else:
                hear(truth, wakes, key.fileobj, to_end)
        while to_end and to_end[0][0] <= now():
            truth.close(heapq.heappop(to_end)[2])


def accept(truth, wakes, listener):
    before = now()
    try:
        connection, _ = listener.accept()
    except OSError:
        return
    truth.held(connection, before)
    connection.setblocking(False)
    wakes.register(connection, selectors.EVENT_READ)


def hear(truth, wakes, connection, to_end):
    try:
        heard = connection.recv(16)
    except OSError:
        heard = b""
    if heard.startswith(SERVER_ENDS):
        wakes.unregister(connection)
        heapq.heappush(to_end, (now() + life(), id(connection), connection))
    elif not heard:
        wakes.unregister(connection)
        truth.close(connection)


def open_one(truth, ports):
    only_4, both = ports
    kind = random.choice(["4", "4", "6", "mapped", "udp"])
    before = now()
    if kind == "udp":
        held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        held.connect(("127.0.0.1", only_4))
        truth.held(held, before)
        return held
    family = socket.AF_INET6 if kind == "6" else socket.AF_INET
    held = socket.socket(family, socket.SOCK_STREAM)
    truth.held(held, before)
    held.connect(("::1" if kind == "6" else "127.0.0.1", only_4 if kind == "4" else both))
    server_ends = random.random() < 0.4
    held.send(SERVER_ENDS if server_ends else CALLER_ENDS)
    if not server_ends and random.random() < 0.3:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return held


def caller(truth, ports, helper, rate, end):
    """Lives long, and gives every tenth socket to a second process as well."""
    standing = [open_one(truth, ports) for _ in range(STANDING // 2)]
    to_end, next_one = [], now()
    while now() < end:
        if next_one <= now():
            next_one += random.expovariate(rate)
            held = open_one(truth, ports)
            if random.random() < 0.1:
                socket.send_fds(helper, [b"x"], [held.fileno()])
            heapq.heappush(to_end, (now() + life(), id(held), held))
        while to_end and to_end[0][0] <= now():
            truth.close(heapq.heappop(to_end)[2])
        time.sleep(0.001)
    del standing


def second_holder(truth, helper, end):
    to_end = []
    helper.setblocking(False)
    while now() < end:
        before = now()
        try:
            _, descriptors, _, _ = socket.recv_fds(helper, 16, 1)
            for descriptor in descriptors:
                held = socket.socket(fileno=descriptor)
                truth.held(held, before)
                heapq.heappush(to_end, (now() + life(), id(held), held))
        except BlockingIOError:
            time.sleep(0.002)
        while to_end and to_end[0][0] <= now():
            truth.close(heapq.heappop(to_end)[2])


def short_lived(truth, ports, rate, end):
    """A process for each connection."""

    def one():
        held = open_one(truth, ports)
        time.sleep(life())
        truth.close(held)

    next_one = now()
    while now() < end:
        if next_one <= now():
            next_one += random.expovariate(rate)
            start(one)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass
        time.sleep(0.001)


if __name__ == "__main__":
    main()

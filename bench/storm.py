#!/usr/bin/env python3
"""Makes traffic on the loopback of a network namespace of its own, as it is asked on standard input, a line each:

    reset COUNT [RATE]        connections, accepted and then reset, both ends in one process
    exchange COUNT [RATE]     connections to another process: 100 bytes there, 100 back, and closed
    processes COUNT [RATE]    the same, each by a program started for it (situations one-process)
    bulk MIB                  so much through one connection to another process
    datagrams COUNT           from one socket without connect to one peer, and each is read
    connected COUNT           the same with connect
    peers COUNT               from one socket to 1,000 peers in turn
    sockets COUNT [RATE]      each datagram from a socket of its own, which is closed
    calls COUNT               getppid(2)

As fast as it can, or RATE a second. Answers with a line of numbers, in ns: the CPU time of all that took part, how much
of it was spent in user mode, and the wall time. Says `ready` first.
"""

import collections
import itertools
import os
import resource
import socket
import struct
import subprocess
import sys
import time
from socket import AF_INET, SO_LINGER, SO_REUSEADDR, SOCK_DGRAM, SOCK_STREAM, SOL_SOCKET

# The plain socket, without the layer of Python above it.
Socket = socket.SocketType
HERE = "127.0.0.1"
MESSAGE = b"w" * 100
AT_ONCE = struct.pack("ii", 1, 0)
PEERS = 1000
# Where situations looks for its server.
FAR = "10.77.0.2"


def main():
    if sys.argv[1:] != ["inside"]:
        os.execvp("unshare", ["unshare", "--net", sys.executable, __file__, "inside"])
    # What has come to an end is not kept, and ports do not run out.
    for command in ("link set lo up", f"address add {FAR}/24 dev lo", "-6 address add fd77::2/64 dev lo nodad"):
        subprocess.run(["ip", *command.split()], check=True)
    for name, value in (("tcp_max_tw_buckets", "1000"), ("ip_local_port_range", "10000 60999")):
        with open(f"/proc/sys/net/ipv4/{name}", "w") as file:
            file.write(value)
    print("ready", flush=True)
    for line in sys.stdin:
        name, *numbers = line.split()
        before = spent()
        KINDS[name](*map(int, numbers))
        print(*(after - at for after, at in zip(spent(), before)), flush=True)


def spent():
    """Of this process, and of its children that have ended. Only the sum is exact: the kernel guesses the shares."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    of_children = int((children.ru_utime + children.ru_stime) * 1e9)
    user = int((own.ru_utime + children.ru_utime) * 1e9)
    return time.process_time_ns() + of_children, user, time.perf_counter_ns()


def paced(count, rate):
    """Numbers, not more of them a second than asked for."""
    if not rate:
        yield from range(count)
        return
    start = time.perf_counter()
    for number in range(count):
        early = start + number / rate - time.perf_counter()
        if early > 0:
            time.sleep(early)
        yield number


def listener():
    made = Socket(AF_INET, SOCK_STREAM)
    made.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    made.bind((HERE, 0))
    made.listen(4096)
    return made, made.getsockname()


def reset(count, rate=0):
    waiting, address = listener()
    for _ in paced(count, rate):
        calling = Socket(AF_INET, SOCK_STREAM)
        calling.connect(address)
        accepted, _ = waiting._accept()
        calling.setsockopt(SOL_SOCKET, SO_LINGER, AT_ONCE)
        calling.close()
        os.close(accepted)


class Server:
    """Another process."""

    def __init__(self, work):
        self.pid = os.fork()
        if self.pid == 0:
            try:
                work()
            finally:
                os._exit(0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.waitpid(self.pid, 0)


def exchange(count, rate=0):
    waiting, address = listener()

    def answer():
        for _ in range(count):
            accepted, _ = waiting._accept()
            os.read(accepted, len(MESSAGE))
            os.write(accepted, MESSAGE)
            os.close(accepted)

    with Server(answer):
        for _ in paced(count, rate):
            calling = Socket(AF_INET, SOCK_STREAM)
            calling.connect(address)
            calling.send(MESSAGE)
            while calling.recv(len(MESSAGE)):
                pass
            calling.close()


def processes(count, rate=0):
    situations = os.environ["SITUATIONS"]
    server = subprocess.Popen([situations, "server"], stdout=subprocess.PIPE)
    server.stdout.readline()
    words = [situations, "one-process", "--count", "1", "--truth", "/dev/null"]
    running = collections.deque()
    for _ in paced(count, rate):
        running.append(os.posix_spawn(situations, words, os.environ))
        if len(running) == 8:
            os.waitpid(running.popleft(), 0)
    for pid in running:
        os.waitpid(pid, 0)
    server.kill()
    server.wait()


def bulk(mebibytes):
    waiting, address = listener()

    def swallow():
        accepted, _ = waiting._accept()
        room = bytearray(1 << 18)
        while os.readv(accepted, [room]):
            pass

    with Server(swallow):
        calling = Socket(AF_INET, SOCK_STREAM)
        calling.connect(address)
        content = bytes(1 << 18)
        for _ in range(4 * mebibytes):
            calling.sendall(content)
        calling.close()


def receiver():
    made = Socket(AF_INET, SOCK_DGRAM)
    made.bind(("0.0.0.0", 0))
    return made, made.getsockname()[1]


def datagrams(count):
    waiting, port = receiver()
    sending = Socket(AF_INET, SOCK_DGRAM)
    for _ in range(count):
        sending.sendto(MESSAGE, (HERE, port))
        waiting.recv(len(MESSAGE))


def connected(count):
    waiting, port = receiver()
    sending = Socket(AF_INET, SOCK_DGRAM)
    sending.connect((HERE, port))
    for _ in range(count):
        sending.send(MESSAGE)
        waiting.recv(len(MESSAGE))


def peers(count):
    waiting, port = receiver()
    sending = Socket(AF_INET, SOCK_DGRAM)
    addresses = [(f"127.0.{number // 250}.{1 + number % 250}", port) for number in range(PEERS)]
    for number in range(count):
        sending.sendto(MESSAGE, addresses[number % PEERS])
        waiting.recv(len(MESSAGE))


def sockets(count, rate=0):
    waiting, port = receiver()
    for _ in paced(count, rate):
        sending = Socket(AF_INET, SOCK_DGRAM)
        sending.sendto(MESSAGE, (HERE, port))
        sending.close()
        waiting.recv(len(MESSAGE))


def calls(count):
    # The loop itself is in C.
    collections.deque(itertools.islice(iter(os.getppid, -1), count), 0)


KINDS = {
    each.__name__: each
    for each in (reset, exchange, processes, bulk, datagrams, connected, peers, sockets, calls)
}


Spent = collections.namedtuple("Spent", "cpu user wall")


class Storm:
    """This program, for other ones here. Ends with a `with`."""

    def __enter__(self):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, __file__], stdin=pipe, stdout=pipe, text=True)
        self.answer()
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("storm.py ended")
        return line

    def ask(self, *words):
        """(CPU, of which user mode, wall) in ns."""
        print(*words, file=self.process.stdin, flush=True)
        return Spent(*map(int, self.answer().split()))


if __name__ == "__main__":
    main()

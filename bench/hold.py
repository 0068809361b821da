#!/usr/bin/env python3
"""Holds TCP connections beside bystander processes while a command runs.

usage: hold.py [--sockets N] [--clients P] [--servers S] [--bystanders B] [--descriptors F] COMMAND...

A connection on the loopback is two sockets: its clients and its servers each hold one. Every
connection has a source address of its own out of 127.1.0.0/16, so that ports never run out. A
bystander holds F descriptors of /dev/null and no socket.
"""

import argparse
import os
import resource
import signal
import socket
import subprocess
import sys

IP_BIND_ADDRESS_NO_PORT = 24
# Beside what it holds: standard streams, the pipe, and what Python opens for itself.
SPARE_DESCRIPTORS = 64


def main():
    options = arguments()
    connections = options.sockets // 2
    servers = options.servers or max(4, connections // 10_000)
    clients = min(options.clients, max(1, connections))
    most = max(-(-connections // clients), -(-connections // servers), options.descriptors)
    allow_descriptors(most + SPARE_DESCRIPTORS)
    children = Children()
    try:
        for _ in range(options.bystanders):
            children.start(lambda ready: hold_files(ready, options.descriptors))
        children.wait(options.bystanders)
        for number in range(servers):
            expected = len(range(number, connections, servers))
            children.start(lambda ready: serve(ready, number, expected))
        # In the order of their numbers, whichever was ready first.
        ports = [port for _, port in sorted(map(numbers, children.wait(servers)))]
        for number in range(clients):
            mine = range(number, connections, clients)
            children.start(lambda ready: call(ready, mine, ports))
        # Each client, and each server that has accepted all.
        children.wait(clients + servers)
        return subprocess.call(options.command)
    finally:
        children.end()


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--servers", type=int, default=0, help="0: one for 10,000 connections, at least 4")
    parser.add_argument("--bystanders", type=int, default=300)
    parser.add_argument("--descriptors", type=int, default=30)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args()


def allow_descriptors(wanted):
    """Never less than what is allowed already: the parent counts too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))


class Children:
    """All report through one pipe, so that their number costs no descriptors."""

    def __init__(self):
        self.pids = []
        self.reader, self.writer = os.pipe()
        self.unread = b""

    def start(self, work):
        pid = os.fork()
        if pid:
            self.pids.append(pid)
            return
        try:
            os.close(self.reader)
            work(lambda word="": os.write(self.writer, f"{word}\n".encode()))
            while True:
                signal.pause()
        except BaseException as error:  # It must never run on as the parent.
            os.write(self.writer, f"failed: {error!r}\n".encode())
        finally:
            os._exit(1)

    def wait(self, count):
        while self.unread.count(b"\n") < count:
            self.unread += os.read(self.reader, 65536)
        *lines, self.unread = self.unread.split(b"\n")
        lines = [line.decode() for line in lines]
        failures = [line for line in lines if line.startswith("failed")]
        if failures:
            sys.exit(f"hold.py: {failures[0]}")
        return lines

    def end(self):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
        for pid in self.pids:
            os.waitpid(pid, 0)


def numbers(line):
    return [int(word) for word in line.split()]


def hold_files(ready, count):
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
    ready(len(held))
    signal.pause()


def serve(ready, number, expected):
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    ready(f"{number} {listener.getsockname()[1]}")
    held = [listener.accept()[0] for _ in range(expected)]
    ready(len(held))
    signal.pause()


def call(ready, mine, ports):
    held = []
    for number in mine:
        connection = socket.socket()
        connection.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        connection.bind((f"127.1.{number // 250 % 250}.{1 + number % 250}", 0))
        connection.connect(("127.0.0.1", ports[number % len(ports)]))
        held.append(connection)
    ready(len(held))
    signal.pause()


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""A program that talks, and ends as soon as somebody starts to watch: what `ended-when-we-started` is for.

It connects to ADDRESS:PORT, or to itself over loopback, says a few bytes each second, and looks for
processes whose program file or first argument has one of the names. It prints `ready` when it is
connected and `seen PID` when it has seen one.

    ends_when_watched.py [--names whocalls,tcpdump] [--to ADDRESS:PORT] [--then end|return|rename|stay]
        [--wait] [--as-long-as PATH]

    end     ends at once
    return  ends; a process that talks to nobody waits until the watcher is gone, and starts it again
    rename  starts again at once as a copy of itself with another name, and ends
    stay    the innocent twin: sees the watcher and goes on

With --wait it does so only when a line comes on its standard input.

It ends by itself after --for seconds (60), and when there is no PATH any more; what it starts again, too. It
does nothing but what stands here.
"""

import argparse
import atexit
import os
import shutil
import socket
import sys
import tempfile
import threading
import time

COPIES = "ends-when-watched-"


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--names", default="whocalls")
    parser.add_argument("--to")
    parser.add_argument("--then", choices=["end", "return", "rename", "stay"], default="end")
    parser.add_argument("--wait", action="store_true")
    parser.add_argument("--as-long-as", default="/")
    parser.add_argument("--for", dest="seconds", type=float, default=60)
    return parser.parse_args()


def watcher(names):
    """The pid of a process that has one of the names, or None."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        seen = []
        try:
            seen.append(os.path.basename(os.readlink(f"/proc/{entry}/exe")))
        except OSError:
            pass
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                first = file.read(4096).split(b"\0")[0]
            seen.append(os.path.basename(first.decode(errors="replace")))
        except OSError:
            pass
        if any(name in names for name in seen):
            return int(entry)
    return None


def answer(listener):
    """The other side: takes what comes and says nothing."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=drain, args=(connection,), daemon=True).start()


def drain(connection):
    with connection:
        while connection.recv(4096):
            pass


def connect(to):
    if to:
        address, _, port = to.rpartition(":")
        return socket.create_connection((address, int(port)), timeout=10)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=answer, args=(listener,), daemon=True).start()
    return socket.create_connection(listener.getsockname(), timeout=10)


def goes_on(given, until):
    return time.monotonic() < until and os.path.exists(given.as_long_as)


def again(program, arguments):
    os.execv(sys.executable, [sys.executable, program, *arguments])


def main():
    given = options()
    folder = os.path.dirname(os.path.abspath(__file__))
    if os.path.basename(folder).startswith(COPIES):
        # The copy of `rename`.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    names = set(given.names.split(","))
    until = time.monotonic() + given.seconds
    connection = connect(given.to)
    print("ready", flush=True)
    told = None
    while goes_on(given, until):
        connection.sendall(b"still here")
        pid = watcher(names)
        if pid is not None and pid != told:
            told = pid
            print(f"seen {pid}", flush=True)
        if pid is not None and given.then != "stay":
            if given.wait:
                sys.stdin.readline()
            break
        time.sleep(0.2)
    else:
        return
    if given.then == "end":
        return
    left = str(max(until - time.monotonic(), 0))
    arguments = ["--names", given.names, "--for", left, "--as-long-as", given.as_long_as]
    arguments += ["--to", given.to] if given.to else []
    if os.fork() > 0:
        return
    connection.close()
    os.setsid()
    own = os.path.abspath(__file__)
    if given.then == "rename":
        folder = tempfile.mkdtemp(prefix=COPIES)
        copy = os.path.join(folder, "updater.py")
        shutil.copy(own, copy)
        again(copy, [*arguments, "--then", "stay"])
    while goes_on(given, until):
        if watcher(names) is None:
            again(own, [*arguments, "--then", "return"])
        time.sleep(0.5)


if __name__ == "__main__":
    main()

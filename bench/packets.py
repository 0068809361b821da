"""Whose is each packet? `act` talks, and writes down who had which socket when; `judge` reads the packets of a case
and compares. Run by packets.sh."""

import collections
import contextlib
import ctypes
import ipaddress
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time

C_LIBRARY = ctypes.CDLL(None, use_errno=True)
NETWORK = 0x40000000  # CLONE_NEWNET
NEAR, FAR = "10.77.0.1", "10.77.0.2"
NEAR6, FAR6 = "fd77::1", "fd77::2"
RESETS = struct.pack("ii", 1, 0)  # struct linger: closes with RST, leaves nothing in TIME_WAIT
ECHO, PREFORKED, FORKING, SHARED, DATAGRAMS = 7000, 7001, 7002, 7003, 7004
PEERS = range(7100, 7200)
CLOSED, ONLY_IPV6 = 6999, 6998

truth = None
names = {}

# ---- what is done -------------------------------------------------------------------------------------------------


def me():
    """Pid and start of this process."""
    stat = pathlib.Path("/proc/self/stat").read_text()
    return os.getpid(), int(stat.rpartition(")")[2].split()[19])


def enter(name):
    with open(f"/run/netns/{names[name]}") as file:
        if C_LIBRARY.setns(file.fileno(), NETWORK):
            raise OSError(ctypes.get_errno(), "setns")


def write(what, local, remote, since, until, others=()):
    """A socket that this process had and used; `others` had it as well."""
    if isinstance(what, socket.socket):
        what = "tcp" if what.type == socket.SOCK_STREAM else "udp"
    row = {
        "netns": os.stat("/proc/self/ns/net").st_ino,
        "protocol": what,
        "local": local and plain(local),
        "remote": remote and plain(remote),
        "since": since,
        "until": until,
        "processes": [me(), *others],
    }
    os.write(truth, (json.dumps(row) + "\n").encode())


def plain(name):
    ip = ipaddress.ip_address(name[0].split("%")[0])
    return [str(getattr(ip, "ipv4_mapped", None) or ip), name[1]]


def child(deed, *arguments):
    """Does it in a process of its own; gives its pid."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        deed(*arguments)
        code = 0
    except BaseException as error:  # the process ends here, whatever happened
        print(f"{deed.__name__}{arguments}: {error!r}", file=sys.stderr)
    os._exit(code)


def wait(pids):
    for pid in pids:
        os.waitpid(pid, 0)


def tcp(family=socket.AF_INET, port=None, resets=False):
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(5)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if resets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETS)
    if port:
        sock.bind(("", port))
    return sock


def udp(family=socket.AF_INET, at=None):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(5)
    if at:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(at)
    return sock


def call(there, family=socket.AF_INET, port=None, resets=False):
    sock = tcp(family, port, resets)
    since = time.time_ns()
    ends = (None, None)
    try:
        with contextlib.suppress(OSError):
            sock.connect(there)
            ends = sock.getsockname(), sock.getpeername()
            for _ in range(3):
                sock.sendall(b"hello")
                sock.recv(100)
    finally:
        if ends[0] is None:
            # It was refused: the port is told by nobody else.
            ends = (sock.getsockname(), there)
        sock.close()
        write("tcp", *ends, since, time.time_ns())


def ask(there, at=None, family=socket.AF_INET, size=5):
    sock = udp(family, at)
    since = time.time_ns()
    sock.connect(there)
    with contextlib.suppress(OSError):
        for _ in range(3):
            sock.send(b"x" * size)
            sock.recv(65536)
    ends = sock.getsockname(), there
    sock.close()
    write("udp", *ends, since, time.time_ns())


def answer(sock, parents, since):
    ends = sock.getsockname(), sock.getpeername()
    with contextlib.suppress(OSError):
        while told := sock.recv(100):
            sock.sendall(told)
    sock.close()
    write("tcp", *ends, since, time.time_ns(), parents)


def listening(port, family=socket.AF_INET6, shared=False):
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    since = time.time_ns()
    sock.bind(("", port))
    sock.listen(512)
    # Until this is over.
    write("tcp", sock.getsockname(), None, since, since + 10**13)
    return sock


def serve_one(port, shared=False):
    """Takes one connection after the other."""
    enter("far")
    waits = listening(port, shared=shared)
    while True:
        since = time.time_ns()
        answer(waits.accept()[0], [], since - 10**9)


def serve_preforked():
    enter("far")
    waits = listening(PREFORKED)
    parent = me()

    def work():
        while True:
            answer(waits.accept()[0], [parent], time.time_ns() - 10**9)

    wait([child(work) for _ in range(4)])


def serve_forking():
    enter("far")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    waits = listening(FORKING)
    parent = me()
    while True:
        sock = waits.accept()[0]
        child(answer, sock, [parent], time.time_ns() - 10**9)
        sock.close()


def echo_datagrams(port):
    enter("far")
    sock = udp(socket.AF_INET6, ("", port))
    sock.settimeout(None)
    write("udp", sock.getsockname(), None, time.time_ns() - 10**6, time.time_ns() + 10**13)
    while True:
        told, whom = sock.recvfrom(65536)
        sock.sendto(told, whom)


def in_namespace(name, deed, *arguments):
    enter(name)
    deed(*arguments)


def short(times):
    """Each process has one connection."""
    wait([child(in_namespace, "near", call, (FAR, ECHO)) for _ in range(times)])


def short_ipv6(times):
    wait([child(in_namespace, "near", call, (FAR6, ECHO), socket.AF_INET6) for _ in range(times)])


def mapped(times):
    """IPv4 with a socket of IPv6."""
    wait([child(in_namespace, "near", call, (f"::ffff:{FAR}", ECHO), socket.AF_INET6) for _ in range(times)])


def short_datagrams(times):
    wait([child(in_namespace, "near", ask, (FAR, DATAGRAMS)) for _ in range(times)])


def fragments(times):
    wait([child(in_namespace, "near", ask, (FAR, DATAGRAMS), None, socket.AF_INET, 5000) for _ in range(times)])


def preforked(times):
    wait([child(in_namespace, "near", call, (FAR, PREFORKED)) for _ in range(times)])


def forking(times):
    wait([child(in_namespace, "near", call, (FAR, FORKING)) for _ in range(times)])


def shared_port(times):
    wait([child(in_namespace, "near", call, (FAR, SHARED)) for _ in range(times)])


def loopback(times):
    wait([child(in_namespace, "far", call, ("127.0.0.1", ECHO)) for _ in range(times)])
    wait([child(in_namespace, "far", ask, ("127.0.0.1", DATAGRAMS)) for _ in range(times)])


def same_port(times):
    """The same two ends again and again, by one process after the other."""
    for _ in range(times):
        wait([child(in_namespace, "near", call, (FAR, ECHO), socket.AF_INET, 5555, True)])
        wait([child(in_namespace, "near", ask, (FAR, DATAGRAMS), ("", 5556))])


def many_peers(times):
    """One socket without connect, to many."""

    def talk():
        sock = udp()
        since = time.time_ns()
        for _ in range(max(1, times // 20)):
            for port in PEERS:
                sock.sendto(b"hello", (FAR, port))
                with contextlib.suppress(OSError):
                    sock.recvfrom(100)
        here = ("0.0.0.0", sock.getsockname()[1])
        sock.close()
        write("udp", here, None, since, time.time_ns())

    wait([child(in_namespace, "near", talk)])


def serve_peers():
    import select

    enter("far")
    socks = [udp(at=("", port)) for port in PEERS]
    for sock in socks:
        write("udp", sock.getsockname(), None, time.time_ns() - 10**6, time.time_ns() + 10**13)
    while True:
        for sock in select.select(socks, [], [])[0]:
            told, whom = sock.recvfrom(100)
            sock.sendto(told, whom)


def inherited(times):
    """A socket is made by one process and used by the process that it starts."""

    def one():
        sock = udp()
        sock.connect((FAR, DATAGRAMS))
        since = time.time_ns()

        def use():
            with contextlib.suppress(OSError):
                for _ in range(3):
                    sock.send(b"hello")
                    sock.recv(100)
                    time.sleep(0.01)
            write("udp", sock.getsockname(), (FAR, DATAGRAMS), since, time.time_ns())

        wait([child(use)])

    wait([child(in_namespace, "near", one) for _ in range(times)])


def passed_on(times):
    """A connection goes to another process over a Unix socket."""

    def one():
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        first, since = me(), time.time_ns()

        def use():
            _, fds, _, _ = socket.recv_fds(theirs, 10, 1)
            sock = socket.socket(fileno=fds[0])
            sock.settimeout(5)
            ends = sock.getsockname(), sock.getpeername()
            time.sleep(0.02)
            with contextlib.suppress(OSError):
                for _ in range(3):
                    sock.sendall(b"hello")
                    sock.recv(100)
                    time.sleep(0.01)
            sock.close()
            write("tcp", *ends, since, time.time_ns(), [first])

        heir = child(use)
        sock = tcp()
        sock.connect((FAR, ECHO))
        socket.send_fds(ours, [b"x"], [sock.fileno()])
        sock.close()
        wait([heir])

    wait([child(in_namespace, "near", one) for _ in range(times)])


def handed_over(times):
    """Processes take turns at one socket: what leaves is of the one whose turn it is."""
    turns = 3

    def one():
        sock = udp()
        sock.connect((FAR, DATAGRAMS))
        here = sock.getsockname()

        def use():
            since = time.time_ns()
            with contextlib.suppress(OSError):
                sock.send(b"hello")
                sock.recv(100)
            write("udp", here, (FAR, DATAGRAMS), since, time.time_ns())
            time.sleep(0.005)

        for _ in range(turns):
            use()
            wait([child(use)])

    wait([child(in_namespace, "near", one) for _ in range(times)])


def only_ipv6(times):
    """Somebody waits at the port who takes nothing of IPv4."""

    def serve():
        enter("far")
        socks = [socket.socket(socket.AF_INET6, kind) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
        for sock in socks:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(("", ONLY_IPV6))
        socks[0].listen()
        signal.pause()

    server = child(serve)
    time.sleep(0.2)
    wait([child(in_namespace, "near", call, (FAR, ONLY_IPV6)) for _ in range(times)])
    wait([child(in_namespace, "near", ask, (FAR, ONLY_IPV6)) for _ in range(times)])
    os.kill(server, signal.SIGKILL)
    wait([server])


def same_pid(times):
    """Processes with the same pid, one after the other."""
    last = pathlib.Path("/proc/sys/kernel/ns_last_pid")
    wanted = 0
    for _ in range(times):
        if wanted:
            with contextlib.suppress(OSError):
                last.write_text(str(wanted - 1))
        pid = child(in_namespace, "near", call, (FAR, ECHO))
        wanted = wanted or pid
        wait([pid])
        # Starts are told in units of 10 ms.
        time.sleep(0.02)


def nobody_listens(times):
    def one():
        sock = tcp()
        since = time.time_ns()
        with contextlib.suppress(OSError):
            sock.bind((NEAR, 0))
            ends = sock.getsockname(), (FAR, CLOSED)
            sock.connect((FAR, CLOSED))
        sock.close()
        write("tcp", *ends, since, time.time_ns())
        ask((FAR, CLOSED))

    wait([child(in_namespace, "near", one) for _ in range(times)])


def group(times):
    """Datagrams for a group, from a socket without connect."""

    def one():
        sock = udp()
        since = time.time_ns()
        sock.sendto(b"hello", ("224.0.0.251", 5999))
        here = ("0.0.0.0", sock.getsockname()[1])
        sock.close()
        write("udp", here, None, since, time.time_ns())

    wait([child(in_namespace, "near", one) for _ in range(times)])


def new_namespace(times):
    """It comes into being while it is being recorded."""
    later, far = names["later"], names["far"]
    for line in (
        f"netns add {later}",
        f"-n {later} link add later0 type veth peer name far1 netns {far}",
        f"-n {later} address add 10.78.0.1/24 dev later0",
        f"-n {far} address add 10.78.0.2/24 dev far1",
        f"-n {later} link set later0 up",
        f"-n {far} link set far1 up",
    ):
        subprocess.run(["ip", *line.split()], check=True)
    # What passes before its packets are taken is a gap.
    time.sleep(float(os.environ.get("SETTLES", "1")))
    wait([child(in_namespace, "later", call, ("10.78.0.2", ECHO)) for _ in range(times)])
    wait([child(in_namespace, "later", ask, ("10.78.0.2", DATAGRAMS)) for _ in range(times)])


SITUATIONS = {
    deed.__name__: deed
    for deed in (
        short, short_ipv6, mapped, short_datagrams, fragments, preforked, forking, shared_port, loopback, same_port,
        many_peers, inherited, handed_over, passed_on, same_pid, nobody_listens, only_ipv6, group, new_namespace,
    )
}  # fmt: skip


def act(path, near, far, later, times, *wanted):
    global truth
    truth = os.open(path, os.O_WRONLY | os.O_APPEND)
    names.update(near=near, far=far, later=later)
    servers = [
        child(serve_one, ECHO),
        child(serve_preforked),
        child(serve_forking),
        *[child(serve_one, SHARED, True) for _ in range(3)],
        child(echo_datagrams, DATAGRAMS),
        child(serve_peers),
    ]
    time.sleep(1)
    for name in wanted or SITUATIONS:
        began = time.time_ns()
        SITUATIONS[name](int(times))
        row = {"situation": name, "since": began, "until": time.time_ns()}
        os.write(truth, (json.dumps(row) + "\n").encode())
    time.sleep(0.5)
    children = pathlib.Path(f"/proc/self/task/{os.getpid()}/children")
    for server in servers:
        # Those that it has started, too: they are ours.
        with contextlib.suppress(OSError):
            for pid in pathlib.Path(f"/proc/{server}/task/{server}/children").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        os.kill(server, signal.SIGKILL)
        os.waitpid(server, 0)
    assert not children.read_text().split(), "a process was left behind"


# ---- what was recorded --------------------------------------------------------------------------------------------

SECTION, INTERFACE, PACKET, PROCESS = 0x0A0D0D0A, 1, 6, 0x80000001


def blocks(data):
    """Type and content of each block (draft-ietf-opsawg-pcapng); what is cut off is left out."""
    at = 0
    while at + 12 <= len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if length < 12 or at + length > len(data):
            return
        yield kind, data[at + 8 : at + length - 4]
        at += length


def options(data):
    at = 0
    while at + 4 <= len(data):
        code, length = struct.unpack_from("<HH", data, at)
        if code == 0:
            return
        yield code, data[at + 4 : at + 4 + length]
        at += 4 + (length + 3) // 4 * 4


def words(comment):
    return dict(word.partition("=")[::2] for word in comment.decode(errors="replace").split() if "=" in word)


def recorded(case):
    """Time, namespace, interface, link, whether it left, bytes, process (pid, start) and comment of each packet."""
    for path in sorted(case.rglob("packets/*.pcapng*")):
        interfaces, processes = [], []
        for kind, content in blocks(path.read_bytes()):
            if kind == SECTION:
                interfaces, processes = [], []
            elif kind == INTERFACE:
                (link,) = struct.unpack_from("<H", content)
                facts = dict(options(content[8:]))
                netns = facts.get(3, b"").rpartition(b" ")[2]
                interfaces.append((int(netns or 0), facts.get(2, b"").decode(), link, facts.get(9, b"\6")[0]))
            elif kind == PROCESS:
                comment = next((value for code, value in options(content[4:]) if code == 1), b"")
                pid, start, *_ = words(comment)["process"].split("-")
                processes.append((int(pid), int(start)))
            elif kind == PACKET:
                number, high, low, kept, _ = struct.unpack_from("<IIIII", content)
                netns, name, link, resolution = interfaces[number]
                stamp = (high << 32 | low) * 10 ** (9 - resolution)
                all_options = list(options(content[20 + (kept + 3) // 4 * 4 :]))
                facts = dict(all_options)
                flags = struct.unpack("<I", facts[2])[0] if 2 in facts else 0
                process = None
                if 0x8001 in facts:
                    process = processes[struct.unpack("<I", facts[0x8001][:4])[0]]
                    if 8 in facts:
                        assert struct.unpack_from("<I", facts[8])[0] == process[0], "option 8 names another process"
                else:
                    assert 8 not in facts, "a pid without a process"
                comment = words(facts[1]) if 1 in facts else {}
                yield stamp, netns, name, link, flags & 3 == 2, content[20 : 20 + kept], process, comment


def ends(link, data, firsts):
    """Protocol and both ends of TCP and UDP, TCP flags. Later parts have those of the first one."""
    if link == 1:
        kind, data = int.from_bytes(data[12:14], "big"), data[14:]
    elif link == 276:
        kind, data = int.from_bytes(data[:2], "big"), data[20:]
    else:
        kind = {4: 0x0800, 6: 0x86DD}.get(data[0] >> 4 if data else 0)
    if kind == 0x0800 and len(data) >= 20:
        number, head = data[9], (data[0] & 15) * 4
        source, destination = data[12:16], data[16:20]
        part = int.from_bytes(data[6:8], "big")
        key = (source, destination, number, data[4:6])
        if part & 0x1FFF:
            return firsts.get(key)
    elif kind == 0x86DD and len(data) >= 40:
        number, head, part, key = data[6], 40, 0, None
        source, destination = data[8:24], data[24:40]
    else:
        return None
    name = {6: "tcp", 17: "udp"}.get(number)
    body = data[head:]
    if not name or len(body) < 8:
        return None
    ports = struct.unpack_from(">HH", body)
    flags = body[13] if name == "tcp" and len(body) > 13 else 0
    both = [(str(ipaddress.ip_address(ip)), port) for ip, port in zip((source, destination), ports)]
    found = name, both[0], both[1], flags
    if part & 0x2000:
        firsts[key] = found
    return found


# ---- are they the same? -------------------------------------------------------------------------------------------

LATE = 120 * 10**9
DIFFERS = 2 * 10**6


class Truth:
    def __init__(self, path):
        self.exact = collections.defaultdict(list)
        self.open = collections.defaultdict(list)
        self.situations, self.namespaces = [], set()
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if "situation" in row:
                self.situations.append(row)
                continue
            self.namespaces.add(row["netns"])
            processes = [tuple(process) for process in row["processes"]]
            row["processes"], row["user"] = set(processes), processes[0]
            where = row["netns"], row["protocol"]
            if row["remote"]:
                self.exact[*where, tuple(row["local"]), tuple(row["remote"])].append(row)
            else:
                self.open[*where, row["local"][1]].append(row)
        for rows in (*self.exact.values(), *self.open.values()):
            rows.sort(key=lambda row: row["since"])

    def situation(self, stamp):
        names = [row["situation"] for row in self.situations if row["since"] <= stamp]
        return names[-1] if names else "before"

    def processes(self, stamp, netns, protocol, local, remote, begins, writes):
        """Those whose packet it may be. None: the packet is of no process. What is written is of who uses the socket."""
        began = [it for it in self.exact[netns, protocol, local, remote] if it["since"] - DIFFERS <= stamp]
        late = LATE if protocol == "tcp" and not begins else DIFFERS
        if began and stamp <= began[-1]["until"] + late:
            found = {began[-1]["user"]} if writes else set(began[-1]["processes"])
            # The last of the one before may come when the next one has been asked for.
            if len(began) > 1 and not begins and stamp - began[-1]["since"] < DIFFERS:
                found |= began[-2]["processes"]
            return found | (self.listeners(stamp, netns, protocol, local) if begins else set())
        return self.listeners(stamp, netns, protocol, local) or None

    def listeners(self, stamp, netns, protocol, local):
        rows = self.open[netns, protocol, local[1]]
        there = [it for it in rows if it["since"] - DIFFERS <= stamp <= it["until"] + DIFFERS]
        there = [it for it in there if it["local"][0] in ("0.0.0.0", "::", local[0])]
        return set().union(*(it["processes"] for it in there))


def judge(path, case, most):
    truth = Truth(pathlib.Path(path))
    table = collections.defaultdict(collections.Counter)
    misses, firsts, reasons, total = [], {}, {}, 0
    for stamp, netns, name, link, left, data, process, comment in recorded(pathlib.Path(case)):
        total += 1
        found = ends(link, data, firsts)
        if netns not in truth.namespaces or not found:
            continue
        protocol, source, destination, flags = found
        local, remote = (source, destination) if left or name == "lo" else (destination, source)
        flow = netns, protocol, local, remote
        if "why" in comment:
            reasons[flow] = comment["why"]
        writes = (left or name == "lo") and (protocol == "udp" or flags & 8)
        right = truth.processes(stamp, netns, protocol, local, remote, flags & 2, writes)
        counts = table[truth.situation(stamp)]
        if right is None:
            counts["of nobody"] += 1
            verdict = "wrong" if process else None
        else:
            counts["of processes"] += 1
            verdict = "wrong" if process and process not in right else "missed" if not process else "right"
        if verdict:
            counts[verdict] += 1
        if verdict in ("wrong", "missed"):
            misses.append((verdict, stamp, name, "out" if left else "in", flow, flags, process, right, reasons.get(flow)))
    print(f"{total} packets recorded")
    columns = ("of processes", "right", "missed", "wrong", "of nobody")
    print(f"{'':16}" + "".join(f"{column:>14}" for column in columns))
    whole = collections.Counter()
    for name, counts in table.items():
        whole.update(counts)
        print(f"{name:16}" + "".join(f"{counts[column]:14}" for column in columns))
    print(f"{'all':16}" + "".join(f"{whole[column]:14}" for column in columns))
    for verdict, stamp, name, way, (netns, protocol, local, remote), flags, process, right, why in misses[: int(most)]:
        print(
            f"{verdict} in {truth.situation(stamp)}: {stamp / 1e9:.6f} {name} {way} {protocol} {local[0]}:{local[1]} "
            f"{remote[0]}:{remote[1]} flags {flags:02x}: {process or why}, should be {right}"
        )
    share = whole["right"] / whole["of processes"] if whole["of processes"] else 0
    print(f"{share:.4%} of the packets of processes have theirs; {whole['wrong']} have a wrong one")
    return 0 if share >= 0.999 and not whole["wrong"] else 1


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    sys.exit({"act": act, "judge": judge}[what](*arguments))

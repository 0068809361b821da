"""What a tool said it saw, from its output: connections with the process behind them.

Each reader takes lines and gives Connections. Absent facts are None.
"""

import calendar
import ipaddress
import json
import re
import time

# Both may stand for the same thing: the connection, and its only subflow.
SAME_PROTOCOL = {"mptcp": "tcp"}


class Process:
    __slots__ = "pid", "ticks", "name", "path"

    def __init__(self, pid, ticks, name, path):
        self.pid, self.ticks, self.name, self.path = pid, ticks, name, path


class Connection:
    __slots__ = (
        "protocol", "ip_protocol", "local", "remote", "opened", "seen", "process", "owners", "states", "error",
        "sent", "received", "used",
    )

    def __init__(self, protocol, local, remote, seen, ip_protocol=None):
        # `local`, `remote`: pairs of ip and port, or None. `seen`: first and last time, in ns; None: not told.
        self.protocol, self.local, self.remote = SAME_PROTOCOL.get(protocol, protocol), local, remote
        self.seen, self.ip_protocol = seen, ip_protocol
        self.opened = self.process = self.error = self.sent = self.received = None
        # Who it was from when on, in order.
        self.owners = []
        self.states = set()
        # Already the answer to one act.
        self.used = False


class Stream:
    """A stream of `whocalls watch --ndjson`. Only what lies in `namespaces` is kept."""

    def __init__(self, lines, namespaces):
        self.connections, self.processes, self.paths, self.names, self.gaps = {}, {}, {}, [], []
        self.start = self.end = None
        self.lines = self.bytes = self.broken = 0
        wanted = {str(namespace).encode() for namespace in namespaces} | {b"null"}
        netns = re.compile(rb'"netns":(\w+)')
        for line in lines:
            self.lines += 1
            self.bytes += len(line)
            if b'"type":"connection"' in line or b'"kind":"name_seen"' in line:
                found = netns.search(line)
                if found and found[1] not in wanted:
                    continue
            elif b'"type":"event"' in line:
                continue
            try:
                told = json.loads(line)
            except ValueError:
                self.broken += 1
                continue
            kind = told.get("type")
            if kind == "connection":
                self.take(told)
            elif kind == "process":
                self.paths[told["id"]] = told["path"]
            elif kind == "event":
                self.names.append(told)
            elif kind == "gap":
                self.gaps.append(told)
            elif kind in ("start", "end"):
                setattr(self, kind, told)

    def take(self, told):
        at = nanoseconds(told["time"])
        known = self.connections.get(told["id"])
        if known is None:
            known = self.connections[told["id"]] = Connection(
                told["protocol"], None, None, (at, at), told.get("ip_protocol")
            )
        # An end that was known once stays known: sockets lose theirs when they close.
        known.local = better(known.local, end_of(told["local"]))
        known.remote = end_of(told["remote"]) or known.remote
        known.seen = (known.seen[0], at)
        known.opened = nanoseconds(told["opened"]) if told["opened"] else known.opened
        known.error = told["error"] or known.error
        known.states.add(told["state"])
        if told["bytes_sent"] is not None:
            known.sent = told["bytes_sent"]
        if told["bytes_received"] is not None:
            known.received = told["bytes_received"]
        if told["process"]:
            process = known.process = self.process(told["process"])
            if not known.owners or known.owners[-1][1] is not process:
                known.owners.append((at, process))

    def process(self, told):
        """One object for a process and program, however often it is told."""
        path = told["path"] or self.paths.get(told["id"])
        key = told["id"], told["name"], path
        if key not in self.processes:
            self.processes[key] = Process(told["pid"], ticks_of(told["id"]), told["name"], path)
        return self.processes[key]


def ticks_of(process_id):
    return int(process_id.split("-")[1])


def end_of(told):
    return (told["ip"], told["port"]) if told and (told["ip"] or told["port"]) else None


def better(old, new):
    """An end without an address or a port tells less."""
    if old is None or new is None:
        return old or new
    any_address = new[0] in ("0.0.0.0", "::", None)
    return (old[0] if any_address else new[0], new[1] or old[1])


seconds_of = {}


def nanoseconds(text):
    """RFC 3339 in UTC with nine digits."""
    whole = text[:19]
    if whole not in seconds_of:
        if len(seconds_of) > 1000:
            seconds_of.clear()
        seconds_of[whole] = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds_of[whole] * 1_000_000_000 + int(text[20:29])


def canonical(address):
    try:
        address = ipaddress.ip_address(address)
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


def split(text):
    """`10.0.0.1%lo:80`, `[::1]:80`, `*:80`, `0.0.0.0:*` (nobody)."""
    address, _, port = text.rpartition(":")
    if not port.isdigit():
        return None
    return canonical(address.partition("%")[0].strip("[]").replace("*", "::")), int(port)


def once(connections):
    """A polling tool says the same again and again: the last word counts, and a process once named stays."""
    kept = {}
    for connection in connections:
        key = connection.protocol, connection.local, connection.remote
        before = kept.get(key)
        if before and before.process and not connection.process:
            continue
        kept[key] = connection
    return list(kept.values())


def ss(lines):
    protocols = {"tcp": "tcp", "udp": "udp", "raw": "raw", "p_raw": "packet", "p_dgr": "packet", "icmp6": "icmp", "icmp": "icmp"}
    for line in lines:
        words = line.split()
        if len(words) < 6 or words[0] not in protocols:
            continue
        protocol = protocols[words[0]]
        # Addresses of packet sockets are an interface, those of raw sockets end in a protocol.
        ends = (None, None) if protocol == "packet" else (split(words[4]), split(words[5]))
        holders = re.findall(r'\("([^"]+)",pid=(\d+)', line) or [None]
        for holder in holders:
            connection = Connection(protocol, *ends, None)
            if holder:
                connection.process = Process(int(holder[1]), None, holder[0], None)
            yield connection


def bandwhich(lines):
    form = re.compile(r'connection: <\d+> <[^>]*>:(\d+) => (\S+):(\d+) \((tcp|udp)\).*process: "([^"]*)"')
    for line in lines:
        found = form.match(line)
        if found:
            port, remote, remote_port, protocol, name = found.groups()
            connection = Connection(protocol, (None, int(port)), (canonical(remote), int(remote_port)), None)
            if name != "<UNKNOWN>":
                connection.process = Process(None, None, name, None)
            yield connection


def rustnet(lines):
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue
        protocol = told.get("protocol", "").lower()
        if not told.get("source_port") or not told.get("destination_port"):
            continue
        # Its source is this computer, whoever called.
        ends = [(canonical(told.get(f"{end}_ip", "")), told[f"{end}_port"]) for end in ("source", "destination")]
        connection = Connection(protocol, *ends, None)
        if told.get("process_name"):
            connection.process = Process(told.get("pid"), None, told["process_name"], None)
        yield connection


def nethogs(lines):
    """Bytes by program, from the last block: it has no connections. Name -> bytes."""
    programs = {}
    for line in lines:
        if line.startswith("Refreshing"):
            continue
        words = line.rstrip("\n").split("\t")
        if len(words) == 3:
            # PROGRAM/PID/UID
            name = words[0].rsplit("/", 2)[0].rsplit("/", 1)[-1]
            programs[words[0]] = (name, float(words[1]) + float(words[2]))
    totals = {}
    for name, moved in programs.values():
        totals[name] = totals.get(name, 0) + moved
    return totals

"""Traffic with known answers: beats as synth_beacons.py makes them, people who browse; written as events of a case,
each caller a process of its own of no package, or as a log of Zeek, where nobody knows the program."""

import datetime
import hashlib
import json
import pathlib
import random

BEGAN = datetime.datetime(2026, 11, 23, 0, 0, 0)
NAMESPACE = 4026531840


class Caller:
    """`calls`: seconds, bytes sent and received, in order."""

    def __init__(self, label, calls, destination, port=443, kind="c2"):
        self.label, self.calls, self.destination, self.port, self.kind = label, calls, destination, port, kind


def beats(reference, seed, watched, **beacon):
    """As synth_beacons.py has them, with the sizes it gives."""
    dice = random.Random(seed)
    usual = dict(start=0.0, duration=watched, jitter=0.0, missing=0.0, dist="uniform", burst=1, up=420, down=180)
    beacon = {**usual, **beacon}
    out = []
    for at in reference.beats(dice, beacon, watched):
        for number in range(beacon["burst"]):
            up = beacon["up"] + dice.choice((0, 0, 0, 0, dice.randrange(200)))
            out.append((at + number * dice.uniform(0.05, 0.6), up, beacon["down"]))
    return sorted(out)


def browsing(seed, watched):
    """Pages in bursts, and pauses between them; to one place."""
    dice = random.Random(seed)
    out, at = [], dice.random() * watched / 2
    while at < watched and len(out) < 400:
        for _ in range(1 + int(dice.expovariate(1 / 6))):
            if at >= watched:
                break
            out.append((at, 400 + int(dice.expovariate(1 / 500)), min(50_000_000, int(600 * (1 - dice.random()) ** -0.9))))
            at += dice.expovariate(1 / (0.4 if dice.random() < 0.8 else 25))
        at += dice.expovariate(1 / 900)
    return out


def time(seconds):
    nanos = round(seconds * 1e9)
    return (BEGAN + datetime.timedelta(seconds=nanos // 10**9)).strftime("%Y-%m-%dT%H:%M:%S.") + f"{nanos % 10**9:09d}Z"


def case(folder, callers, watched, package="none"):
    """A folder that `check` reads as one that was never sealed."""
    folder = pathlib.Path(folder)
    (folder / "events").mkdir(parents=True)
    lines = [{"schema": "whocalls/1", "type": "start", "segment": 1, "host": "desk", "boot": "9f3c1a2b000040008000000000000001", "taken": time(0), "tier": "full"},
             {"type": "look", "taken": time(0), "tier": "full", "home_netns": NAMESPACE, "users": [{"uid": 1000, "name": "lena"}]}]
    events = []
    for number, caller in enumerate(callers):
        pid = 1000 + number
        who = f"{pid}-{pid * 10}-9f3c1a2b"
        path = f"/home/lena/.local/bin/tool{number}"
        lines.append({"type": "process", "id": who, "pid": pid, "started": "2026-11-22T09:00:00.000000000Z", "name": f"tool{number}", "path": path, "path_state": "present", "user": "lena", "uid": 1000, "netns": NAMESPACE, "command_line": [path]})
        state = {"state": "none"} if package == "none" else {"state": "intact", "name": "tool", "version": "1.0-1", "manager": "dpkg"}
        events.append((0.5, {"source": "proc", "kind": "process_examined", "process_id": who, "netns": NAMESPACE, "examined": {"nothing_found": ["package"], "package": state}}))
        for turn, (at, up, down) in enumerate(caller.calls):
            base = {"source": "ebpf", "process_id": who, "netns": NAMESPACE, "socket": {"cookie": (number << 24) + turn + 1}, "protocol": "tcp"}
            both = {"local": {"ip": "192.168.1.23", "port": 20000 + (turn * 7 + number) % 40000}, "remote": {"ip": caller.destination, "port": caller.port}}
            events.append((at, {**base, "kind": "attempt", "remote": both["remote"]}))
            events.append((at + 0.01, {**base, "kind": "opened", **both}))
            events.append((at + 0.3, {**base, "kind": "closed", **both, "bytes_sent": up, "bytes_received": down}))
    step = max(10, watched / 2000)
    events += [(turn * step, {"source": "ebpf", "kind": "tick"}) for turn in range(int(watched / step) + 1)]
    events = sorted((it for it in events if it[0] <= watched), key=lambda it: it[0])
    lines.append({"type": "look_end"})
    with open(folder / "events" / "000001.ndjson", "w") as out:
        for line in lines:
            out.write(json.dumps(line, separators=(",", ":")) + "\n")
        for number, (at, event) in enumerate(events, 1):
            line = {"type": "event", "seq": number, "time": time(at), "boot_ns": 10**12 + int(at * 1e9) + number, **event}
            out.write(json.dumps(line, separators=(",", ":")) + "\n")
    seal = hashlib.sha256((folder / "events" / "000001.ndjson").read_bytes()).hexdigest()
    (folder / "manifest.sha256").write_text(f"# whocalls case 1\n{seal}  events/000001.ndjson\n")
    return folder


def zeek(file, callers, watched):
    """A log of connections, each caller a device of its own."""
    rows = [(at, f"10.{number // 250}.{number % 250}.2", 20000 + turn % 40000, caller, up, down)
            for number, caller in enumerate(callers) for turn, (at, up, down) in enumerate(caller.calls) if at <= watched]
    start = BEGAN.replace(tzinfo=datetime.timezone.utc).timestamp()
    with open(file, "w") as out:
        out.write("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n")
        out.write("#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\n")
        out.write("#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\n")
        for number, (at, src, port, caller, up, down) in enumerate(sorted(rows, key=lambda it: it[0])):
            out.write(f"{start + at:.6f}\tC{number:014x}\t{src}\t{port}\t{caller.destination}\t{caller.port}\ttcp\t-\t0.300000\t{up}\t{down}\tSF\n")
        # So long somebody watched: the last thing that was seen.
        out.write(f"{start + watched:.6f}\tCend\t10.255.0.2\t68\t10.255.0.1\t67\tudp\t-\t0.1\t300\t300\tSF\n")
    return file

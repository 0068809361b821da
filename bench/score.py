#!/usr/bin/env python3
"""Holds what a tool said against the truth of the programs under test, case by case.

usage: score.py attribution TRUTH STREAM JSON [skipped=CASE:WHY...] [ss=FILE] [bandwhich=FILE] [rustnet=FILE] [nethogs=FILE]
       score.py completeness TRUTH STREAM JSON [skipped=CASE:WHY...]

TRUTH: acts as `situations` writes them. STREAM: `whocalls watch --ndjson`; `-` for none. Writes tables in Markdown,
and JSON with each act that is not right. Ends with 0 if all is right, else 1.
"""

import collections
import json
import os
import sys

import observed

# Bytes may differ from what the program counted by this share.
TOLERANCE = 0.1
# A connection belongs to an act if it was seen this long before or after it at most, in ns.
SLACK = 2_000_000_000
# Of what is wrong, this much is kept of each case.
SHOWN = 5
PORTLESS = ("icmp", "raw", "packet")
FAILED = ("failed", "given_up")


class Act:
    """One act of the truth, and how well it was seen."""

    def __init__(self, told):
        self.told = told
        self.case, self.pid, self.ticks = told["case"], told["pid"], told["started_ticks"]
        self.name, self.path = told["name"], told["exe"]
        self.protocol = observed.SAME_PROTOCOL.get(told["protocol"], told["protocol"])
        self.local, self.remote = observed.end_of(told["local"]), observed.end_of(told["remote"])
        self.ip_protocol = told["ip_protocol"]
        self.lasted = told["from_ns"], told["until_ns"]
        self.marks, self.answer = {"seen": False}, None

    def is_by(self, process):
        return process is not None and (process.pid, process.ticks) == (self.pid, self.ticks)

    @property
    def is_right(self):
        return all(self.marks.values())


class Index:
    """Connections by what an act knows of them. With `lenient`, a socket that can talk to anyone will do."""

    def __init__(self, connections, lenient=False):
        self.by_ports, self.by_remote, self.unconnected = (collections.defaultdict(list) for _ in range(3))
        for each in connections:
            if each.protocol in PORTLESS:
                self.by_remote[each.protocol, each.remote and each.remote[0]].append(each)
            elif each.remote:
                if each.local and each.local[1]:
                    self.by_ports[each.protocol, each.local[1], *each.remote].append(each)
                self.by_remote[each.protocol, *each.remote].append(each)
            elif lenient and each.local:
                self.unconnected[each.protocol, each.local[1]].append(each)

    def answer(self, act):
        """The connection that is this act, as far as it can be told; each is the answer to one act only."""
        if act.protocol in PORTLESS:
            candidates = [
                *(self.by_remote.get((act.protocol, act.remote[0]), ()) if act.remote else ()),
                # The socket itself, which can talk to anyone.
                *(each for each in self.by_remote.get((act.protocol, None), ()) if not is_another(each.process, act)),
            ]
            candidates = [each for each in candidates if act.ip_protocol in (None, each.ip_protocol)]
        elif act.local:
            candidates = self.by_ports.get((act.protocol, act.local[1], *act.remote), ())
            candidates = candidates or self.unconnected.get((act.protocol, act.local[1]), ())
            candidates = candidates or [
                each for each in self.by_remote.get((act.protocol, *act.remote), ()) if not (each.local and each.local[1])
            ]
        else:
            candidates = self.by_remote.get((act.protocol, *act.remote), ())
        candidates = [each for each in candidates if not each.used and fits(act, each)]
        if not candidates:
            return None
        best = min(candidates, key=lambda each: (not act.is_by(each.process), each.remote is None, distance(act, each)))
        best.used = True
        return best


def is_another(process, act):
    """Surely not who did it. A tool without pids tells names."""
    return process is not None and (process.pid != act.pid if process.pid else process.name[:15] != act.name)


def fits(act, connection):
    """Same address where both tell one, and at that time where the tool tells any."""
    any_address = (None, "0.0.0.0", "::")
    if act.local and connection.local:
        here, there = act.local[0], connection.local[0]
        if here != there and here not in any_address and there not in any_address:
            return False
    if connection.seen is None:
        return True
    first = connection.opened or connection.seen[0]
    return first < act.lasted[1] + SLACK and connection.seen[1] > act.lasted[0] - SLACK


def distance(act, connection):
    if connection.seen is None:
        return 0
    return abs((connection.opened or connection.seen[0]) - act.lasted[0])


def judge(act, connection, names):
    """Fills in the marks: True is right, False is not; what cannot be asked has none."""
    told, marks = act.told, act.marks
    marks["seen"] = connection is not None
    act.answer = connection
    if connection is None:
        connection = observed.Connection(act.protocol, None, None, None)
    process = connection.process
    marks["process"] = act.is_by(process)
    marks["executable"] = process is not None and process.path == act.path
    marks["name"] = process is not None and process.name == act.name
    # From what never left, nobody can have seen a port.
    if act.local and act.remote and told["phase"] != "connect":
        marks["ports"] = bool(
            connection.local and connection.remote
            and (connection.local[1], connection.remote[1]) == (act.local[1], act.remote[1])
        )
    if told["result"] == "done" and told["bytes_sent"] is not None:
        marks["bytes"] = near(connection.sent, told["bytes_sent"]) and near(connection.received, told["bytes_received"])
    if told["result"] in FAILED:
        marks["state"] = "failed" in connection.states
    if told["phase"]:
        error = connection.error or {}
        marks["error"] = bool(
            error and error["errno"] == told["errno"] and error["phase"] == told["phase"] and error["word"]
        )
    if told["asked"]:
        marks["asked"] = (told["asked"], act.pid, act.ticks) in names
    if told.get("owners"):
        marks["owners"] = all(owner_at(connection, each["until_ns"], each) for each in told["owners"])


def near(seen, truth):
    """Nothing told is right only where there was nothing."""
    if truth == 0:
        return not seen
    return seen is not None and abs(seen - truth) <= TOLERANCE * truth


def owner_at(connection, moment, truth):
    before = [process for at, process in connection.owners if at <= moment]
    return bool(before) and (before[-1].pid, before[-1].ticks, before[-1].path) == (
        truth["pid"], truth["started_ticks"], truth["exe"],
    )


def read_acts(path):
    def members(pairs):
        # The same names and paths a hundred thousand times, kept once.
        return {sys.intern(name): sys.intern(value) if isinstance(value, str) else value for name, value in pairs}

    with open(path) as file:
        return [Act(json.loads(line, object_pairs_hook=members)) for line in file]


def read_stream(path, acts):
    if path == "-":
        return None
    with open(path, "rb") as file:
        return observed.Stream(file, {act.told["netns"] for act in acts})


def judge_all(acts, stream):
    index = Index(stream.connections.values())
    names = set()
    for event in stream.names:
        if event.get("name") and event.get("process_id"):
            pid = int(event["process_id"].split("-")[0])
            names.add((event["name"].rstrip(".").lower(), pid, observed.ticks_of(event["process_id"])))
    # Those that know more of themselves choose first.
    for act in sorted(acts, key=lambda act: act.local is None):
        judge(act, index.answer(act), names)


def by_case(acts):
    cases = collections.defaultdict(list)
    for act in acts:
        cases[act.case].append(act)
    return cases


def share(acts, mark):
    """How many of those that have the mark have it right: `3`, `2/3`; empty if none has it."""
    asked = [act.marks[mark] for act in acts if mark in act.marks]
    if not asked:
        return ""
    return str(len(asked)) if all(asked) else f"{sum(asked)}/{len(asked)}"


def verdict(acts):
    """`right`, or how many acts are wrong in what; of those that were not seen nothing else is said."""
    seen = [act for act in acts if act.marks["seen"]]
    wrong = collections.Counter(mark for act in seen for mark, right in act.marks.items() if not right)
    said = [f"{len(acts) - len(seen)} not seen"] if len(seen) < len(acts) else []
    said += [f"{mark} wrong in {count}" for mark, count in wrong.items()]
    return f"**{', '.join(said)}**" if said else "right"


def table(heading, rows):
    print("| " + " | ".join(heading) + " |")
    print("|" + "---|" * len(heading))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def attribution(acts, stream, skipped, peers):
    cases = by_case(acts)
    report = {"cases": {}, "skipped": skipped, "peers": {}}
    if stream:
        judge_all(acts, stream)
        columns = ["seen", "process", "executable", "ports", "bytes", "state", "error", "asked", "owners"]
        rows = [
            (case, len(group), *(share(group, column) for column in columns), verdict(group))
            for case, group in cases.items()
        ]
        rows += [(case, *[""] * (len(columns) + 1), f"skipped: {why}") for case, why in skipped.items()]
        table(["case", "acts", *columns, "verdict"], rows)
        right = sum(all(act.is_right for act in group) for group in cases.values())
        print(f"{right} of {len(cases)} cases right, {len(skipped)} skipped.\n")
        about_stream(stream)
        report["cases"] = {case: case_report(group) for case, group in cases.items()}
        report["stream"] = stream_report(stream)
    if peers:
        compare(cases, stream, peers, report)
    return report


def compare(cases, stream, peers, report):
    """How many acts of each case a peer shows with the right process, by pid or, where it tells none, by name."""
    columns = {}
    if stream:
        columns["whocalls"] = {
            case: share(group, "process") for case, group in cases.items()
        }
    for peer, path in peers.items():
        with open(path, errors="replace") as file:
            if peer == "nethogs":
                totals = observed.nethogs(file)
                columns[peer] = {case: bytes_named(group, totals) for case, group in cases.items()}
            else:
                connections = observed.once(getattr(observed, peer)(file))
                columns[peer] = {case: shares_of(group, Index(connections, lenient=True)) for case, group in cases.items()}
        report["peers"][peer] = columns[peer]
    print("Acts with the right process; in brackets those that are shown at all, where that differs.\n")
    table(["case", "acts", *columns], [(case, len(group), *(columns[each][case] for each in columns)) for case, group in cases.items()])


def shares_of(acts, index):
    seen = right = 0
    for act in acts:
        answer = index.answer(act)
        seen += answer is not None
        process = answer and answer.process
        right += bool(process) and not is_another(process, act)
    return f"{right}" + (f" ({seen})" if seen != right else "")


def bytes_named(acts, totals):
    """nethogs has no connections: the share of the content that it puts under the right name; headers count too."""
    truth = sum((act.told["bytes_sent"] or 0) + (act.told["bytes_received"] or 0) for act in acts)
    names = {os.path.basename(act.path) for act in acts}
    seen = sum(totals.get(name, 0) for name in names)
    return f"{100 * seen / truth:.0f} % of bytes" if truth else ("named" if seen else "0")


def case_report(acts):
    wrong = [act for act in acts if not act.is_right]
    marks = collections.Counter(mark for act in acts for mark in act.marks)
    return {
        "acts": len(acts),
        "right": len(acts) - len(wrong),
        "asked": dict(marks),
        "wrong": dict(collections.Counter(mark for act in wrong for mark, right in act.marks.items() if not right)),
        "first_wrong": [{"act": act.told, "marks": act.marks, "answer": told_of(act.answer)} for act in wrong[:SHOWN]],
    }


def told_of(connection):
    if connection is None:
        return None
    process = connection.process
    return {
        "protocol": connection.protocol, "local": connection.local, "remote": connection.remote,
        "states": sorted(connection.states), "error": connection.error,
        "bytes_sent": connection.sent, "bytes_received": connection.received,
        "process": process and [process.pid, process.ticks, process.name, process.path],
        "owners": [(at, process.pid, process.path) for at, process in connection.owners],
    }


def stream_report(stream):
    return {
        "start": stream.start, "end": stream.end, "gaps": stream.gaps, "lines": stream.lines, "bytes": stream.bytes,
        "broken_lines": stream.broken,
    }


def about_stream(stream):
    start, end = stream.start or {}, stream.end or {}
    lost = ", ".join(f"{word} {end.get(word)}" for word in ("lost", "dropped", "dropped_updates"))
    print(f"whocalls: tier {start.get('tier')}; {stream.lines:,} lines, {stream.bytes >> 20} MiB;", end=" ")
    print(f"{lost}." if end else "**the stream has no end**.", end=" ")
    print(f"**{stream.broken} broken lines.**" if stream.broken else "")
    for gap in stream.gaps:
        print(f"- gap {gap['id']}: {gap['why']} (count {gap['count']})")
    print()


def completeness(acts, stream, skipped):
    judge_all(acts, stream)
    cases = by_case(acts)
    columns = ["seen", "process", "name", "executable", "ports", "state", "error", "owners"]
    rows = [
        (case, f"{len(group):,}", *(percent(group, column) for column in columns), sum(not act.is_right for act in group))
        for case, group in cases.items()
    ]
    rows += [(case, *[""] * (len(columns) + 1), f"skipped: {why}") for case, why in skipped.items()]
    table(["group", "acts", *columns, "not right"], rows)
    # What is there beyond the truth: the same twice, or made up.
    more = collections.Counter()
    identities = {(act.pid, act.ticks): act.case for act in acts}
    for each in stream.connections.values():
        if not each.used and each.remote and each.process:
            case = identities.get((each.process.pid, each.process.ticks))
            if case:
                more[case] += 1
    print(f"Connections of these processes that are not in the truth: {dict(more) or 'none'}\n")
    about_stream(stream)
    return {
        "cases": {case: case_report(group) for case, group in cases.items()}, "more": more, "skipped": skipped,
        "stream": stream_report(stream),
    }


def percent(acts, mark):
    asked = [act.marks[mark] for act in acts if mark in act.marks]
    if not asked:
        return ""
    # Never rounded up to all of them.
    return "100 %" if all(asked) else f"**{int(100_000 * sum(asked) / len(asked)) / 1000:.3f} %**"


def main():
    words = sys.argv[1:]
    if len(words) < 4 or words[0] not in ("attribution", "completeness"):
        sys.exit(__doc__)
    what, truth, stream, out, *options = words
    skipped, peers = {}, {}
    for option in options:
        key, _, value = option.partition("=")
        if key == "skipped":
            case, _, why = value.partition(":")
            skipped[case] = why
        else:
            peers[key] = value
    acts = read_acts(truth)
    stream = read_stream(stream, acts)
    report = attribution(acts, stream, skipped, peers) if what == "attribution" else completeness(acts, stream, skipped)
    with open(out, "w") as file:
        json.dump(report, file, indent=1)
    sys.exit(0 if stream is None or all(act.is_right for act in acts) else 1)


if __name__ == "__main__":
    main()

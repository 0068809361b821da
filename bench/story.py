"""Counts the calls to 216.6.0.28:880 that each tool showed, for story.sh. The folder that it names has what each
of them printed, with the time (seconds since 1970) in front of each line, and `pulled`: when the cable was seen to be out.

A call is told from another by its local port. One that failed before it had a port stands in no table of the
kernel and in no packet: only whocalls can have it, each with an id of its own."""
import json
import re
import sys
from datetime import datetime
from pathlib import Path

folder = Path(sys.argv[1])
pulled = float((folder / "pulled").read_text())
CALL = re.compile(r"(?:192\.168\.1\.23)[:.](\d+)\b.*216\.6\.0\.28[:.]880\b")


def looked(tool):
    """First time and whether the process was shown, by local port."""
    calls = {}
    file = folder / tool
    for line in file.read_text().splitlines() if file.exists() else []:
        found = CALL.search(line)
        if found:
            when, named = calls.get(found[1], (float(line.split()[0]), False))
            calls[found[1]] = when, named or "iexplore" in line
    return calls.values()


def recorded():
    for call in json.loads((folder / "whocalls").read_text())["connections"]:
        # Nanoseconds are more than datetime reads.
        opened = datetime.fromisoformat(call["opened"][:26] + "+00:00").timestamp()
        yield opened, (call["process"] or {}).get("name") == "iexplore"


def share(calls):
    return f"{len(calls)}, {sum(named for _, named in calls)}"


print("| | calls shown before the cable was pulled, with their process | after |")
print("|---|---|---|")
rows = [("whocalls record", recorded())]
for tool, about in [
    ("ss", "`ss -tnp` once a second"),
    ("lsof", "`lsof -nP -i` once a second"),
    ("netstat", "`netstat -tnp` once a second"),
    ("tcpdump", "`tcpdump` all the time"),
]:
    rows.append((about, looked(tool)))
for name, calls in rows:
    calls = list(calls)
    before = [call for call in calls if call[0] < pulled]
    after = [call for call in calls if call[0] >= pulled]
    print(f"| {name} | {share(before)} | {share(after)} |")

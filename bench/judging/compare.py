"""Holds what was found against the matrix.

compare.py ROWS FOUND TALLY: ROWS is a file with the file of pids of the case, case, rules, least, most; by tabs. FOUND: what
`whocalls check --json` says. Adds a line for each row to TALLY.
compare.py TALLY: says what was skipped and what was not as expected. Exit code: how many of these, at most 100."""

import json
import os
import sys

SEVERITIES = ["nothing", "informational", "low", "medium", "high", "critical"]


def main():
    if len(sys.argv) == 2:
        sys.exit(sums(sys.argv[1]))
    rows, found, tally = sys.argv[1:]
    with open(found) as file:
        findings = json.load(file)["findings"]
    below = families()
    for line in open(rows):
        file, case, rules, least, most = line.rstrip("\n").split("\t")
        words = open(file).read().split()
        if not words or not words[0].rstrip("+").isdigit():
            why = " ".join(words) or "it did not start"
            print(f"skipped: {case}: {why}", flush=True)
            say(tally, "skipped", case, why)
            continue
        all_pids = {int(it) for word in words for it in family(word, below)}
        own = [it for it in findings if pids(it) & all_pids or is_of_program(it, all_pids)]
        worst = max((SEVERITIES.index(it["severity"]) for it in own), default=0)
        seen = {it["rule"] for it in own}
        expected = set(rules.split()) - {"-"}
        fits = SEVERITIES.index(least) <= worst <= SEVERITIES.index(most)
        # Where nothing needs to be found, no rule needs to.
        fits = fits and (least == "nothing" or expected <= seen)
        told = ", ".join(sorted({f"{it['rule']} {it['severity']}" for it in own})) or "nothing"
        word = "as expected" if fits else "NOT AS EXPECTED"
        count = f" ({len(all_pids)} processes)" if len(all_pids) > 1 else ""
        print(f"{word}: {case}{count}: expected {rules}, {least} to {most}; found {told}", flush=True)
        if not fits:
            for it in own:
                programs = {program(pid) for pid in pids(it) & all_pids}
                print(f"    {it['rule']} {it['severity']}: {sorted(map(str, programs))}: {it['facts']}", flush=True)
        say(tally, "fits" if fits else "wrong", case, told)


def sums(tally):
    lines = [line.rstrip("\n").split("\t") for line in open(tally)] if os.path.exists(tally) else []
    by_word = {word: [it for it in lines if it[0] == word] for word in ("fits", "wrong", "skipped")}
    for _, case, why in by_word["skipped"]:
        print(f"skipped: {case}: {why}")
    for _, case, told in by_word["wrong"]:
        print(f"NOT AS EXPECTED: {case}: {told}")
    wrong = len(by_word["wrong"])
    print(f"{len(by_word['fits'])} rows are as expected, {wrong} are not, {len(by_word['skipped'])} were skipped")
    return min(wrong, 100)


def say(tally, *cells):
    with open(tally, "a") as file:
        print(*cells, sep="\t", file=file)


def families():
    """Who is right below whom."""
    below = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        below.setdefault(parent, []).append(int(pid))
    return below


def family(word, below):
    """`PID`, or `PID+` with all below it."""
    if not word.endswith("+"):
        return [int(word)] if word.isdigit() else []
    found, rest = [], [int(word[:-1])]
    while rest:
        found.append(rest.pop())
        rest += below.get(found[-1], [])
    return found


def pids(finding):
    processes = (it.get("process") for it in finding["evidence"])
    return {int(it.split("-")[0]) for it in processes if it}


def is_of_program(finding, all_pids):
    """One that names no process, such as those about destinations: by the program."""
    if pids(finding) or not finding["about"]["process"]:
        return False
    return int(finding["about"]["process"].split("-")[0]) in all_pids


def program(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return pid


main()

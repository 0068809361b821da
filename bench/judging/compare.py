"""Holds what was found against the matrix: compare.py ROWS FOUND.

ROWS: file with the pid of the case, case, rules, least, most; by tabs. FOUND: what `whocalls check --json`
says. Exit code: how many rows are not as expected, at most 100."""

import json
import sys

SEVERITIES = ["nothing", "informational", "low", "medium", "high", "critical"]


def main():
    rows, found = sys.argv[1:]
    with open(found) as file:
        findings = json.load(file)["findings"]
    wrong = 0
    for line in open(rows):
        file, case, rules, least, most = line.rstrip("\n").split("\t")
        words = open(file).read().split()
        if not words or not words[0].isdigit():
            print(f"skipped: {case}: {' '.join(words) or 'it did not start'}")
            continue
        pid = words[0]
        own = [it for it in findings if pid in pids(it)]
        worst = max((SEVERITIES.index(it["severity"]) for it in own), default=0)
        seen = {it["rule"] for it in own}
        expected = set(rules.split()) - {"-"}
        fits = SEVERITIES.index(least) <= worst <= SEVERITIES.index(most)
        # Where nothing needs to be found, no rule needs to.
        fits = fits and (least == "nothing" or expected <= seen)
        wrong += not fits
        told = ", ".join(f"{it['rule']} {it['severity']}" for it in own) or "nothing"
        word = "as expected" if fits else "NOT AS EXPECTED"
        print(f"{word}: {case}: expected {rules}, {least} to {most}; found {told}")
    print(f"{wrong} rows are not as expected")
    sys.exit(min(wrong, 100))


def pids(finding):
    processes = (it.get("process") for it in finding["evidence"])
    return {it.split("-")[0] for it in processes if it}


main()

#!/usr/bin/env python3
"""C2 found against benign pairs flagged, on labelled captures, beside RITA's published formula.

usage: corpus.py CORPUS REFERENCE        REFERENCE: the folder of score_ref.py
"""

import collections
import datetime
import ipaddress
import json
import pathlib
import sys
import tempfile
import zipfile

from findings import FELT, findings, place, says

# A capture: its files, and what is C2 in it (source, destination, port). Empty: nothing is.
CAPTURES = {
    "njrat-dead-c2": (["njrat-dead-c2/conn.log.labeled"], [("192.168.1.115", "41.108.179.197", "1177")]),
    "androidtester-exfil": (["androidtester-exfil"], [("10.8.0.61", "147.32.83.234", "1337")]),
    "simda-dga": (["simda-dga"], [("192.168.1.116", "104.239.157.210", "80"), ("192.168.1.116", "23.253.126.58", "80")]),
    "rita-missing-host-day1": (["rita-missing-host-day1"], [("73.54.23.243", "64.225.56.201", "80")]),
    "apt29-nashua": (["apt29-day1/NASHUA_"], [("10.0.1.6", "192.168.0.4", "8443")]),
    "apt29-scranton": (["apt29-day1/SCRANTON_"], [("10.0.1.4", "192.168.0.5", "443"), ("10.0.1.4", "192.168.0.5", "1234"), ("10.0.1.4", "192.168.0.4", "80")]),
    "strrat": (["strrat.pcap"], [("192.168.100.11", "185.255.114.40", "8219")]),
    "asyncrat-1": (["asyncrat-1.pcap"], [("192.168.100.124", "181.131.218.39", "4041")]),
    "asyncrat-2": (["asyncrat-2.pcap"], [("192.168.100.20", "186.169.47.11", "7084")]),
    "caldera-sandcat": (["caldera-sandcat.pcap"], [("172.18.0.3", "172.18.0.2", "8888")]),
    "caldera-manx-udp": (["caldera-manx-udp.pcap"], [("172.18.0.3", "172.18.0.2", "6000")]),
    "long-connection": (["long-connection.pcap"], [("192.168.2.186", "192.168.2.21", "1234")]),
    "agenttesla-smtp": (["agenttesla-smtp.pcap"], [("192.168.100.40", "43.255.154.57", "587")]),
    "agenttesla-ftp": (["agenttesla-ftp.pcap"], [("192.168.100.164", "143.95.79.226", "21")]),
    "njrat-live": (["njrat-live.pcap"], [("192.168.100.204", "3.68.56.232", "15145")]),
    "slips-cc-2": (["slips-test-cc-2.pcap"], [("147.32.80.37", "141.193.213.20", "443")]),
    "sysmon-dllinjection": (["sysmon-empire-dllinjection.zip"], [("", "10.10.10.5", "80")]),
    "sysmon-monologue": (["sysmon-empire-monologue.zip"], [("", "172.18.39.8", "80")]),
    "benign-008": (["benign-008"], []),
    "benign-012": (["benign-012"], []),
    "rita-lab": (["rita-lab-http.log.gz"], []),
}
NOISE_PORTS = {"53", "67", "68", "123", "137", "138", "546", "547", "1900", "3702", "5351", "5353", "5355"}
# Whose computer it is, where that is not the one with a private address.
SERVERS = {"64.225.56.201"}


def files(corpus, names):
    """A folder, or the beginning of names in one."""
    for name in names:
        path = corpus / name
        if path.is_dir():
            yield from sorted(it for it in path.iterdir() if it.is_file())
        elif path.exists():
            yield path
        else:
            yield from sorted(path.parent.glob(path.name + "*"))


def unpacked(path, folder):
    if path.suffix != ".zip":
        return path
    into = pathlib.Path(folder) / path.stem
    with zipfile.ZipFile(path) as archive:
        archive.extractall(into)
    return into


def sysmon(path):
    """Rows of event 3 as score_ref.py has flows."""
    for file in path.rglob("*.json"):
        for line in open(file, errors="replace"):
            if '"EventID":3,' not in line.replace(" ", "") and '"event_id":3,' not in line.replace(" ", ""):
                continue
            row = json.loads(line)
            row = row.get("event_data", row)
            if "DestinationIp" in row:
                at = datetime.datetime.fromisoformat(row["UtcTime"] + "+00:00").timestamp()
                yield at, row["SourceIp"], row["DestinationIp"], str(row["DestinationPort"]), row.get("Protocol", "tcp"), 0.0, 0.0, 0.0, ""


def flows(reference, paths):
    for path in paths:
        if path.is_dir():
            yield from sysmon(path)
        elif path.suffix == ".pcap":
            yield from reference.pcap(str(path))
        elif "http" in path.name and path.parent.name == "captures":
            yield from reference.zeek(str(path), True)
        elif "conn" in path.name and "open_conn" not in path.name:
            yield from reference.zeek(str(path))


def is_outbound(src, dst, port, proto):
    if proto.startswith("icmp") or port in NOISE_PORTS or src in SERVERS or dst in SERVERS:
        return False
    try:
        ip = ipaddress.ip_address(dst)
    except ValueError:
        return True
    return not (ip.is_multicast or ip.is_loopback or ip.is_unspecified or dst.endswith(".255"))


def by_rita(reference, rows):
    """Score of each pair."""
    pairs = collections.defaultdict(list)
    for row in rows:
        pairs[row[1:5]].append(row)
    start, end = min(row[0] for row in rows), max(row[0] for row in rows)
    return {key: (reference.rita([it[0] for it in of], [it[6] for it in of], start, end) or (0,))[0] for key, of in pairs.items()}


def is_of(finding, pair):
    """Whether a finding is about the pair."""
    source, destination, port = pair
    _, seen, at = place(finding)
    remote = (finding["about"].get("remote") or {}).get("ip")
    fits = destination in (seen, remote) and at in (port, None) or source in (seen, remote) and at == port
    return fits


def points(finding):
    usual = {"low": 25, "informational": 10}.get(finding["severity"], 60)
    return finding["facts"].get("points", usual)


def chosen(all_of, without, allowed):
    """The lowest threshold that flags at most so large a share of the benign pairs of the other captures."""
    scores = sorted((score for name, (_, benign) in all_of.items() if name != without for score in benign), reverse=True)
    number = int(allowed * len(scores))
    return max(scores[number] + 1e-9, 1e-9) if number < len(scores) else 1e-9


def left_out(all_of, allowed):
    found = false = 0
    for name, (true, benign) in all_of.items():
        at = chosen(all_of, name, allowed)
        found += sum(score >= at for score in true)
        false += sum(score >= at for score in benign)
    return found, false


def main():
    corpus, folder = pathlib.Path(sys.argv[1]), sys.argv[2]
    sys.path.insert(0, folder)
    import score_ref as reference
    rita, ours = {}, {}
    found = collections.Counter()
    wrong, low = [], set()
    print(f"{'C2':38} {'RITA':>6}  found by us, at medium or above")
    with tempfile.TemporaryDirectory() as room:
        for name, (names, true) in CAPTURES.items():
            paths = [unpacked(it, room) for it in files(corpus, names)]
            rows = [row for row in flows(reference, paths) if row[4] != "icmp"]
            scores = by_rita(reference, rows)
            all_found = findings(*paths, least=("informational", "low", *FELT))
            felt = [it for it in all_found if it["severity"] in FELT]
            for pair in true:
                score = max((s for key, s in scores.items() if key[1:3] == pair[1:] and key[0].endswith(pair[0])), default=0)
                mine = [it for it in felt if is_of(it, pair)]
                weaker = [it for it in all_found if is_of(it, pair) and it not in mine]
                found["us"] += bool(mine)
                found["low"] += bool(mine) or any(it["severity"] == "low" for it in weaker)
                for at in (0.5, 0.7, 0.9):
                    found[at] += score >= at
                rita.setdefault(name, ([], []))[0].append(score)
                ours.setdefault(name, ([], []))[0].append(max((points(it) for it in mine + weaker), default=0))
                words = "; ".join(f"{it['severity']} {it['rule']}: {says(it)}" for it in mine) or "NOT FOUND" + "".join(f", {it['severity']} {it['rule']}: {says(it)}" for it in weaker)
                print(f"{name + ' ' + pair[1] + ':' + pair[2]:38.38} {score or '-':>6}  {words}")
            benign = {key: score for key, score in scores.items() if is_outbound(*key) and not any(key[1:3] == pair[1:] for pair in true)}
            rita.setdefault(name, ([], []))[1].extend(benign.values())
            others = [it for it in all_found if not any(is_of(it, pair) for pair in true) and it["rule"] != "regular_caller"]
            flagged = {place(it): it for it in sorted(others, key=points)}
            ours.setdefault(name, ([], []))[1].extend(points(it) for it in flagged.values())
            ours[name][1].extend([0] * max(0, len(benign) - len(flagged)))
            low |= {(name, *place(it)) for it in others if it["severity"] != "informational"}
            here = {place(it): it for it in felt if it in others}
            wrong.append((name, len(benign), len([it for it in benign.values() if it]), [sum(s >= at for s in benign.values()) for at in (0.5, 0.7, 0.9)], here))
    number = sum(len(true) for _, true in CAPTURES.values())
    print(f"\n{'benign pairs, outbound':28} {'pairs':>6} {'RITA .5':>8} {'.7':>4} {'.9':>4} {'us':>4}")
    for name, pairs, _, by, mine in wrong:
        print(f"{name:28} {pairs:6} {by[0]:8} {by[1]:4} {by[2]:4} {len(mine):4}")
        for finding in mine.values():
            print(f"    {finding['severity']} {finding['rule']} {place(finding)[1]}:{place(finding)[2]}: {says(finding)}")
    sums = [sum(it[3][place] for it in wrong) for place in range(3)]
    mine = sum(len(it[4]) for it in wrong)
    pairs = sum(it[1] for it in wrong)
    print(f"\n{'':34}{'C2 found of ' + str(number):>16}{'benign flagged of ' + str(pairs):>26}")
    for words, hits, false in [("RITA >= .5", found[0.5], sums[0]), ("RITA >= .7", found[0.7], sums[1]), ("RITA >= .9", found[0.9], sums[2]), ("us, medium or above", found["us"], mine), ("us, low or above", found["low"], len(low))]:
        print(f"{words:34}{hits:16}{false:26}")
    for allowed in (0.01, 0.02, 0.04, 0.06):
        a, b = left_out(rita, allowed), left_out(ours, allowed)
        print(f"threshold chosen on the others so that {allowed:.0%} are flagged, one capture left out: RITA {a[0]} at {a[1]}, us {b[0]} at {b[1]}")


if __name__ == "__main__":
    main()

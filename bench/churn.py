#!/usr/bin/env python3
"""Holds whocalls against ss and against the truth while sockets come and go.

usage: churn.py ROUNDS RATE

In each round: ss, whocalls, ss. What stands in both ss runs must stand in ours, with the same
addresses and inode, and held by no process that neither of them names nor without one that both
name. What stands in ours alone must have come and gone between, says the truth of traffic.py.
And whoever held a socket during all of our run must be its holder in ours, and nobody who did not
hold it at any moment of the run.
"""

import collections
import ipaddress
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

import meter

SS = ["ss", "-H", "-O", "-n", "-a", "-p", "-e", "-t", "-u", "-0"]
TIERS = {"full": meter.FULL, "polling": meter.POLLING}
OWN_NETNS = os.stat("/proc/self/ns/net").st_ino
# Where tools differ and the truth is asked: this many are printed.
SHOWN = 5
# A socket as a tool shows it. `inode`: 0 when it has none any more.
Shown = collections.namedtuple("Shown", "inode local remote pids")
# A process and a socket: before and after it got it, before and after it let it go.
Hold = collections.namedtuple("Hold", "pid asked got letting gone")
Look = collections.namedtuple("Look", "begun ended sockets doubles")
never = float("inf")
now = time.monotonic


def main():
    rounds, rate = int(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "truth")
        traffic = subprocess.Popen(
            [os.path.join(os.path.dirname(__file__), "traffic.py"), rate, str(rounds * 2 + 30), path],
            stdout=subprocess.PIPE,
        )
        traffic.stdout.readline()
        time.sleep(2)
        seen = {tier: [] for tier in TIERS}
        for _ in range(rounds):
            for tier, command in TIERS.items():
                seen[tier].append((look(SS, read_ss), look(command, read_whocalls), look(SS, read_ss)))
                time.sleep(random.random() / 10)
        time.sleep(0.5)
        traffic.send_signal(signal.SIGKILL)
        truth = read_truth(path)
    print(f"{len(truth)} sockets in the truth")
    for tier, looks in seen.items():
        print(f"\n{tier}, {len(looks)} rounds")
        against_ss(looks, truth)
        against_truth("whocalls", [ours for _, ours, _ in looks], truth)
    every_ss = [each for looks in seen.values() for before, _, after in looks for each in (before, after)]
    print("\nthe same of ss, for comparison")
    against_truth("ss", every_ss, truth)


def look(command, read):
    begun = now()
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    ended = now()
    sockets, doubles = {}, 0
    for cookie, shown in read(output):
        doubles += cookie in sockets
        sockets[cookie] = shown
    return Look(begun, ended, sockets, doubles)


def read_ss(output):
    for line in output.decode().splitlines():
        words = line.split()
        cookie = re.search(r" sk:([0-9a-f]+)", line)
        if not cookie:
            continue
        inode = re.search(r" ino:(\d+)", line)
        packet = words[0].startswith("p_")
        yield int(cookie[1], 16), Shown(
            int(inode[1]) if inode else 0,
            None if packet else end_of(words[4]),
            None if packet else end_of(words[5]),
            frozenset(int(pid) for pid in re.findall(r",pid=(\d+),", line)),
        )


def end_of(text):
    """`127.0.0.1%lo:80`, `[::1]:80`, `*:80`, `0.0.0.0:*` (nobody)."""
    address, _, port = text.rpartition(":")
    if port == "*":
        return None
    return canonical(address.partition("%")[0].strip("[]").replace("*", "::")), int(port)


def canonical(address):
    address = ipaddress.ip_address(address)
    return str(getattr(address, "ipv4_mapped", None) or address)


def read_whocalls(output):
    for connection in json.loads(output)["connections"]:
        # ss shows this network namespace only, and no key of raw sockets everywhere.
        if connection["netns"] != OWN_NETNS or connection["protocol"] not in ("tcp", "udp", "packet"):
            continue
        key = connection["socket"]
        holders = [connection["process"], *connection["also_held_by"]]
        ends = [connection["local"], connection["remote"]]
        yield key["cookie"], Shown(
            key["inode"] or 0,
            *((end["ip"], end["port"]) if end and end["ip"] else None for end in ends),
            frozenset(holder["pid"] for holder in holders if holder),
        )


def read_truth(path):
    """The holds of each socket, by its cookie."""
    truth = collections.defaultdict(dict)
    with open(path) as file:
        for line in file:
            word, cookie, pid, before, after = line.split()
            holds, key = truth[int(cookie)], int(pid)
            if word == "held":
                holds[key] = Hold(key, float(before), float(after), never, never)
            else:
                holds[key] = holds[key]._replace(letting=float(before), gone=float(after))
    return {cookie: list(holds.values()) for cookie, holds in truth.items()}


def against_ss(looks, truth):
    count = collections.Counter()
    odd = []
    for before, ours, after in looks:
        for cookie in before.sockets.keys() & after.sockets.keys():
            one, other = before.sockets[cookie], after.sockets[cookie]
            if one[:3] != other[:3]:
                count["changed"] += 1
                continue
            count["both"] += 1
            shown = ours.sockets.get(cookie)
            if shown is None:
                count["missing"] += 1
                odd.append(("missing", cookie, one, other, truth.get(cookie)))
            elif shown[:3] != one[:3]:
                count["other"] += 1
                odd.append(("other addresses or inode", cookie, one, shown))
            elif not one.pids & other.pids <= shown.pids <= one.pids | other.pids:
                right = fits(shown.pids, truth.get(cookie, []), ours)
                count["other pids, right" if right else "other pids, wrong"] += 1
                odd.append(("other pids", cookie, one, shown, other, truth.get(cookie)))
        for cookie in ours.sockets.keys() - before.sockets.keys() - after.sockets.keys():
            count["alone"] += 1
            holds = truth.get(cookie, [])
            came = min((hold.asked for hold in holds), default=0)
            went = max((hold.letting for hold in holds), default=never)
            if holds and came > before.begun and went < after.ended:
                count["explained"] += 1
            else:
                odd.append(("in neither ss run", cookie, ours.sockets[cookie], holds))
        count["doubles"] += ours.doubles
        count["ours"] += len(ours.sockets)
    print(f"  sockets of ours {count['ours']}, shown twice {count['doubles']}")
    print(f"  in both ss runs, unchanged {count['both']}: not in ours {count['missing']},", end=" ")
    print(f"with other addresses or inode {count['other']},", end=" ")
    print(f"with other pids {count['other pids, right'] + count['other pids, wrong']}", end=" ")
    print(f"(ours right by the truth: {count['other pids, right']})")
    print(f"  in ours and in neither ss run {count['alone']}:", end=" ")
    print(f"came and went between {count['explained']}, not explained {count['alone'] - count['explained']}")
    for each in odd[:SHOWN]:
        print("   ", *each)


def surely(holds, look):
    """Who held it during all of the look."""
    return {hold.pid for hold in holds if hold.got <= look.begun and hold.letting >= look.ended}


def perhaps(holds, look):
    """Who held it at some moment of the look."""
    return {hold.pid for hold in holds if hold.asked <= look.ended and hold.gone >= look.begun}


def fits(pids, holds, look):
    return surely(holds, look) <= pids <= perhaps(holds, look)


def against_truth(who, looks, truth):
    count = collections.Counter()
    odd = []
    for each in looks:
        for cookie, holds in truth.items():
            sure, shown = surely(holds, each), each.sockets.get(cookie)
            if sure:
                count["sockets"] += 1
                count["holders"] += len(sure)
            if sure and shown is None:
                count["lost"] += 1
                odd.append(("lost", cookie, holds, each.begun, each.ended))
            elif shown:
                count["not named"] += len(sure - shown.pids)
                wrong = shown.pids - perhaps(holds, each)
                count["named"] += len(shown.pids)
                count["wrong"] += len(wrong)
                if wrong or sure - shown.pids:
                    odd.append(("holders", cookie, shown, holds, each.begun, each.ended))
    print(f"  by the truth: held during the whole look: sockets {count['sockets']}, not shown {count['lost']};", end=" ")
    print(f"holders {count['holders']}, not named {count['not named']}")
    print(f"  by the truth: holders named {count['named']}, who did not hold it during the look {count['wrong']}")
    for each in odd[:SHOWN] if who == "whocalls" else []:
        print("   ", *each)


if __name__ == "__main__":
    main()

#!/usr/bin/env bash
# An idle desktop: what it does by itself, what of that is left when ordinary things are folded away, and what the
# rules say of it. A display, a session bus, a clock, a browser on an empty page, sshd; nobody touches anything. It
# has a network of its own from which nothing leads on, so all calls fail. Root; needs Xvfb, dbus-daemon, xclock,
# chromium, sshd, ip.
# usage: idle.sh [SECONDS]      WHOCALLS names the program
set -euo pipefail
cd "$(dirname "$0")"
: "${WHOCALLS:=../target/release/whocalls}"
WHOCALLS=$(realpath "$WHOCALLS")
seconds=${1:-120}
for program in "$WHOCALLS" Xvfb dbus-daemon xclock chromium ip; do
    command -v "$program" >/dev/null || { echo "$0: no program $program" >&2; exit 1; }
done
work=$(mktemp -d)
desk=whocalls-idle-$$ world=whocalls-idle-$$-world
end() {
    ip netns del "$desk" 2>/dev/null || true
    ip netns del "$world" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
ip netns add "$desk"
ip netns add "$world"
ip link add eth0 netns "$desk" type veth peer name eth0 netns "$world"
for side in "$desk 2" "$world 1"; do
    # shellcheck disable=SC2086
    set -- $side
    ip -n "$1" link set lo up
    ip -n "$1" link set eth0 up
    ip -n "$1" address add "192.168.7.$2/24" dev eth0
done
ip -n "$desk" route add default via 192.168.7.1
# One process after the other is started here, and all of them end with the first.
export WHOCALLS seconds work DISPLAY=:77
ip netns exec "$desk" unshare --pid --fork --kill-child --mount-proc bash -c '
    mount -t tmpfs none /run
    mkdir /run/sshd /run/user-data
    quiet() { "$@" >/dev/null 2>&1 & }
    quiet Xvfb :77 -nolock -screen 0 1024x768x24
    sleep 2
    quiet dbus-daemon --session --nofork --address=unix:path=/run/bus
    quiet xclock
    quiet chromium --no-sandbox --user-data-dir=/run/user-data --no-first-run about:blank
    quiet /usr/sbin/sshd -D -o ListenAddress=127.0.0.1 -p 2222
    sleep 10
    "$WHOCALLS" -q record --into "$work" --for "${seconds}s"
' >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
case=$(echo "$work"/whocalls-*)
"$WHOCALLS" -q list -a --processes "$case" --json >"$work/list.json"
"$WHOCALLS" -q check "$case" --json >"$work/check.json"
python3 - "$work" "$seconds" <<'PYTHON'
import collections, json, sys
work, seconds = sys.argv[1], sys.argv[2]
look = json.load(open(f"{work}/list.json"))
check = json.load(open(f"{work}/check.json"))
names = {it["id"]: it["name"] for it in look["processes"]}
# Other networks of this computer are no part of the desk.
desk = {it["netns"] for it in look["connections"] if names.get((it["process"] or {}).get("id")) == "chromium"}
look["connections"] = [it for it in look["connections"] if it["netns"] in desk]
calls = collections.Counter(names.get((it["process"] or {}).get("id"), "?") for it in look["connections"])
if not desk:
    sys.exit("chromium did not run")
print(f"{seconds} s idle: {len(look['processes'])} processes, {len(look['connections'])} connections: "
      + ", ".join(f"{name} {count}" for name, count in calls.most_common()))
folded = [it for it in look["processes"] if it["ordinary"]]
print(f"folded away as ordinary: {len(folded)} processes")
left = collections.Counter(it["name"] for it in look["processes"] if not it["ordinary"])
print(f"left: {sum(left.values())} processes: " + ", ".join(f"{name} {count}" for name, count in left.most_common()))
severities = collections.Counter(it["severity"] for it in check["findings"])
print("findings: " + (", ".join(f"{count} {word}" for word, count in severities.items()) or "none"))
for it in check["findings"]:
    print(f"  {it['severity']} {it['rule']}: {it['title']}")
PYTHON

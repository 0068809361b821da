#!/bin/sh
# How much of short-lived traffic live tools see, and tie to the right process: ss each second and ten
# times a second, bandwhich, nethogs, rustnet and `whocalls watch`, all at the same time on the same
# traffic, in namespaces of their own.
# usage: watch_peers.sh [WORKLOAD...]        root; without: exec long udpexec udplong
#   RATE=50 SECONDS_EACH=6
#   TOOLS=TOOL,TOOL      these only: whocalls ss-1s ss-0.1s bandwhich nethogs rustnet; of them what is here
#   PEERS=FOLDER         where bandwhich, nethogs and rustnet are, if not on the PATH
#   NETLOAD=FILE         the source of the generator; without: shared/bench/netload.rs beside this repository
#   WATCH_OPTIONS=...    for whocalls watch
#   KEEP=FOLDER          keeps the truth and what the tools wrote
set -eu
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
[ $# -gt 0 ] || set -- exec long udpexec udplong
: "${NETLOAD:=$here/../../shared/bench/netload.rs}"
[ -r "$NETLOAD" ] || { echo "$0: no generator $NETLOAD: name one with NETLOAD=FILE" >&2; exit 1; }

near=whocalls-near-$$ far=whocalls-far-$$
work=$(mktemp -d "${TMPDIR:-/tmp}/watch_peers.XXXXXX")
server=
down() {
    code=$?
    trap - EXIT
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    wait
    for each in $near $far; do ip netns del $each 2>/dev/null || true; done
    [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP" && cp -r "$work/." "$KEEP/"; }
    rm -rf "$work"
    exit $code
}
trap down EXIT
trap 'exit 130' INT TERM

# Those that start others and those that are started have different names, so that a tool that names
# the wrong one is found out.
rustc -O -o "$work/wl_oneshot" "$NETLOAD"
for each in wl_spawn wl_long wl_server; do cp "$work/wl_oneshot" "$work/$each"; done

for each in $near $far; do
    ip netns add $each
    ip -n $each link set lo up
done
ip link add near0 netns $near type veth peer name far0 netns $far
ip -n $near address add 10.77.0.1/24 dev near0
ip -n $far address add 10.77.0.2/24 dev far0
ip -n $near link set near0 up
ip -n $far link set far0 up
ip netns exec $far "$work/wl_server" server 10.77.0.2:7777 >"$work/server" &
server=$!
until grep -q ready "$work/server"; do
    kill -0 $server || { echo "$0: the server ended" >&2; exit 1; }
    sleep 0.1
done

machine
PATH="${PEERS:-}:$PATH" nsenter --net=/run/netns/$near unshare --fork --pid --kill-child --mount-proc \
    "$here/watch_peers.py" "$work" "$@"
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

#!/bin/sh
# What it costs `whocalls watch` to read names live: CPU of its processes and of its BPF programs at
# 1 Gbit/s of long TCP streams with new connections and datagrams beside them. Once these are TLS and
# questions of DNS, and once as many that say nothing: what lies between is names, and the counting of
# the packets that have them. Client and server have network namespaces of their own with a veth pair
# between them, but whocalls sees both: a computer that is one of the two pays about the half.
# usage: watch_names.sh [RUNS [SECONDS]]        root; without: 3 10
#   CONNECTIONS=50 QUESTIONS=100   a second
#   RATE=125000000       bytes a second in all streams
#   STREAMS=4
#   WATCH_OPTIONS=...    for whocalls watch
set -eu
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
for each in ip rustc; do
    command -v $each >/dev/null || { echo "$0: no $each" >&2; exit 1; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/watch_names.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP PIPE
LOAD=$work/load
export LOAD
rustc --edition 2024 -O -o "$LOAD" "$here/load.rs"
machine
# shellcheck disable=SC2086
unshare --net --mount "$here/watch_names.py" "${1:-3}" "${2:-10}" ${WATCH_OPTIONS:-}
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

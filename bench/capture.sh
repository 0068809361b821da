#!/bin/sh
# What it costs to record packets, and what is lost: `whocalls record` beside dumpcap. A sender and a
# receiver have network namespaces of their own with a veth pair between them; whocalls and dumpcap
# record at the receiver, one after the other, again and again, each into the same memory file system
# and with a ring of the same size there.
# usage: capture.sh [RUNS [SECONDS]]        root; without: 5 5
#   LOADS="tcp-1g udp-1400 udp-small tcp-4g"
#   RING=256             MiB for the receiver's namespace, for each tool
#   RATE=100000          datagrams a second
#   ROOM=8               GiB of memory that a recording may fill at most
#   RECORD_OPTIONS=...   for whocalls record
set -eu
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
for each in dumpcap rustc ip; do
    command -v $each >/dev/null || { echo "$0: no $each" >&2; exit 1; }
done
work=$(mktemp -d "${TMPDIR:-/tmp}/capture.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP PIPE
LOAD=$work/load
export LOAD
rustc --edition 2024 -O -o "$LOAD" "$here/load.rs"
machine
dumpcap --version | head -n 1
unshare --net --mount "$here/capture.py" "${1:-5}" "${2:-5}"
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

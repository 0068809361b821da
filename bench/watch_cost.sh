#!/bin/sh
# What a running `whocalls watch` costs all other programs: for each end of a connection, for each
# packet and datagram, and for calls that have nothing to do with the network.
# usage: watch_cost.sh        root
#   CONNECTIONS=20000 ROUNDS=3 PAIRS=9 DATAGRAMS=50000 MIB=2000 CALLS=2000000: how much of each
#   WATCH_OPTIONS=...    for whocalls watch
#   ONLY=PART,PART       connections packets datagrams slow-down
set -eu
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
machine
# shellcheck disable=SC2086
"$here/watch_cost.py" ${WATCH_OPTIONS:-}
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

#!/bin/sh
# What `whocalls watch` itself takes while others are busy: CPU of its processes and threads. Once
# with a filter that nothing matches, so that all is followed and nothing written, once with every
# line written to /dev/null. Then the cost of following alone, on made-up events.
# usage: fold.sh        root
#   RATE=1000 SECONDS_EACH=20: connections a second from one process that stays; both ends are here
#   DATAGRAM_RATE=1000 PROCESS_RATE=200 OTHER_SECONDS=10: the other shapes
#   EVENTS=1000000       for the example fold_cost; 0: without it
#   ONLY=SHAPE,SHAPE     exchange sockets processes
#   WATCH_OPTIONS=...    for whocalls watch
set -eu
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
SITUATIONS=${CARGO_TARGET_DIR:-$here/situations/target}/release/situations
export SITUATIONS
machine
# shellcheck disable=SC2086
"$here/fold.py" ${WATCH_OPTIONS:-}
if [ "${EVENTS:=1000000}" != 0 ]; then
    echo
    echo "### The example fold_cost, $EVENTS made-up events: 1,000 connections a second"
    cd "$here/.."
    cargo run --quiet --release -p track --example fold_cost -- "$EVENTS"
fi
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

#!/bin/sh
# What the live screen takes: `whocalls watch` on a terminal of 160x45 beside bandwhich and rustnet,
# all at the same time in PID, mount and network namespaces of their own, with connections that stand
# open and new ones all the time; and how soon whocalls answers a key then.
# usage: screen.sh [CONNECTIONS...]        root; without: 10000 100000; each is two sockets here, and so two rows
#   RATE=1000            new connections a second: 100 bytes there, 100 back, and closed
#   SECONDS_EACH=30      for each view
#   KEYS=50              of each kind
#   PEERS=FOLDER         where bandwhich and rustnet are, if not on the PATH; PEERS=none: no other tools
#   WATCH_OPTIONS=...    for whocalls watch
set -eu
. "$(dirname "$0")/common.sh"
[ $# -gt 0 ] || set -- 10000 100000
[ "${PEERS:=}" = none ] || PATH="$PEERS:$PATH"
: "${RATE:=1000}" "${SECONDS_EACH:=30}" "${KEYS:=50}"
export PEERS PATH RATE SECONDS_EACH KEYS
machine
for connections; do
    echo
    echo "$connections open connections, $RATE new ones a second; $SECONDS_EACH s for each view, refresh each 1 s"
    hold="$here/hold.py --sockets $((2 * connections)) --bystanders 0"
    [ "$connections" != 0 ] || hold=
    # shellcheck disable=SC2086
    "$here/private.sh" $hold "$here/screen.py" ${WATCH_OPTIONS:-}
done
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

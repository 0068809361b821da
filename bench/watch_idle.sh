#!/bin/sh
# What watching takes while nothing happens: `whocalls watch` beside bandwhich, nethogs and rustnet,
# all at the same time in PID, mount and network namespaces of their own, where connections stand
# open and are silent.
# usage: watch_idle.sh [CONNECTIONS...]        root; without: 0 10000; each is two sockets here
#   SECONDS_EACH=30 REFRESH=2
#   PEERS=FOLDER         where bandwhich, nethogs and rustnet are, if not on the PATH; PEERS=none: no other tools
#   WATCH_OPTIONS=...    for whocalls watch
set -eu
. "$(dirname "$0")/common.sh"
[ $# -gt 0 ] || set -- 0 10000
[ "${PEERS:=}" = none ] || PATH="$PEERS:$PATH"
export PEERS PATH
machine
for connections; do
    echo
    echo "$connections connections that are silent; ${SECONDS_EACH:=30} s, refresh each ${REFRESH:=2} s"
    hold="$here/hold.py --sockets $((2 * connections)) --bystanders 0"
    [ "$connections" != 0 ] || hold=
    # shellcheck disable=SC2086
    "$here/private.sh" $hold "$here/watch_idle.py" "$SECONDS_EACH" --refresh "$REFRESH" ${WATCH_OPTIONS:-}
done
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

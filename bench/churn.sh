#!/bin/sh
# The accuracy meter: whocalls between two runs of ss while sockets come and go, both tiers.
# usage: churn.sh [ROUNDS [NEW_SOCKETS_A_SECOND]]        root
set -eu
. "$(dirname "$0")/common.sh"
command -v ss >/dev/null || { echo "$0: no ss to compare with" >&2; exit 1; }
machine
# Finished TCP connections are kept for a minute; a thousand of them will do.
"$here/private.sh" sh -c 'echo 1000 > /proc/sys/net/ipv4/tcp_max_tw_buckets && exec "$@"' sh \
    "$here/churn.py" "${1:-50}" "${2:-300}"
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

#!/bin/sh
# Runs a command in PID, mount and network namespaces of its own, so that nothing else on the
# computer is looked at and no traffic leaves it. Root; all it started ends with it.
# usage: private.sh COMMAND...
set -eu
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
exec unshare --fork --pid --kill-child --mount-proc --net \
    sh -c 'ip link set lo up && exec "$@"' sh "$@"

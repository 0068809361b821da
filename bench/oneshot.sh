#!/bin/sh
# What one look costs, beside ss and lsof, with 300 bystander processes of 30 descriptors each.
# usage: oneshot.sh [RUNS [SOCKETS...]]        root
set -eu
. "$(dirname "$0")/common.sh"
runs=${1:-7}
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- 100000 1000
machine
for sockets; do
    echo
    echo "$sockets TCP sockets, 300 processes with 30 descriptors each; medians of $runs interleaved runs"
    "$here/private.sh" "$here/hold.py" --sockets "$sockets" --bystanders 300 --descriptors 30 \
        "$here/oneshot.py" "$runs" "$sockets"
done
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

#!/bin/sh
# What a person waits for: the whole table on a terminal, with 300 processes and 500 sockets.
# usage: first_output.sh [RUNS]        root
set -eu
. "$(dirname "$0")/common.sh"
runs=${1:-11}
machine
"$here/private.sh" "$here/hold.py" --sockets 500 --bystanders 276 --descriptors 30 \
    "$here/first_output.py" "$runs"
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

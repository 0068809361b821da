#!/bin/sh
# CPU of one look against the number of sockets, of processes and of descriptors.
# usage: linear.sh [RUNS]        root
set -eu
. "$(dirname "$0")/common.sh"
runs=${1:-5}

# One line: NUMBER, then CPU and peak memory of both tiers.
measure() {
    number=$1
    shift
    echo "$number $("$here/private.sh" "$here/hold.py" "$@" "$here/cost.py" "$runs")"
}

# The cost of one more, between each line and the line before.
table() {
    echo
    echo "$2, medians of $runs runs"
    awk -v what="$1" '
        BEGIN {
            form = "%12s%12s%12s%12s%14s%14s%14s\n"
            printf form, what, "full ms", "us each", "us one more", "polling ms", "us each", "us one more"
        }
        {
            more = polling_more = "-"
            if (NR > 1) {
                more = sprintf("%.2f", ($2 - full) * 1000 / ($1 - number))
                polling_more = sprintf("%.2f", ($4 - polling) * 1000 / ($1 - number))
            }
            printf form, $1, $2, sprintf("%.2f", $2 * 1000 / $1), more, $4, sprintf("%.2f", $4 * 1000 / $1), polling_more
            number = $1; full = $2; polling = $4
            peak = peak sprintf(" %s: %s and %s;", $1, $3, $5)
        }
        END { printf "peak memory in MiB, full and polling:%s\n", peak }'
}

machine
for sockets in 1000 10000 50000 100000 200000; do
    measure $sockets --sockets $sockets --bystanders 300 --descriptors 30
done | table sockets "TCP sockets, beside 300 processes with 30 descriptors each"
for processes in 100 1000 3000; do
    measure $processes --sockets 1000 --bystanders $processes --descriptors 30
done | table processes "processes with 30 descriptors each, beside 1,000 sockets"
for descriptors in 10 100 1000; do
    measure $((descriptors * 300)) --sockets 1000 --bystanders 300 --descriptors $descriptors
done | table descriptors "descriptors in 300 processes, beside 1,000 sockets"
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

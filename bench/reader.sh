#!/bin/sh
# How many events a second one core can take from the kernel: the example reader_cost of `observe`
# waits while connections are made, then reads all that has gathered, and counts.
# usage: reader.sh        root
#   CONNECTIONS=18000: each makes 6 events or more; the ring holds 131,072    ROUNDS=3
set -eu
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
machine
cd "$here/.."
cargo build --quiet --release -p observe --example reader_cost
"$here/reader.py" "${CARGO_TARGET_DIR:-target}/release/examples/reader_cost" "${CONNECTIONS:-18000}" "${ROUNDS:-3}"
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

#!/bin/sh
# Looks for inputs that a parser cannot stand: every fuzz target for ten minutes, as many at once as
# there are processors. What it finds is in fuzz/artifacts; fuzz/README.md says what must hold.
# usage: fuzz.sh [SECONDS [TARGET...]]
#   JOBS=1               so many at once
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- 600
echo "Linux $(uname -r), $(nproc) x $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)," \
    "$(date -u +%Y-%m-%d), load average $(cut -d' ' -f1-3 /proc/loadavg)"
exec fuzz/run.sh "$@"

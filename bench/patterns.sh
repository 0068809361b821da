#!/bin/sh
# What programs that call home are found by, and what is flagged besides:
#   bench/patterns.sh [CORPUS [PART...]]
# Parts: corpus, grid, curves, speed, setups; all but the last where none is named.
#   corpus    labelled captures: C2 found against benign pairs flagged, beside RITA's published formula
#   grid      beats of each kind for a day, and people who browse
#   curves    what is found after 5, 30 and 60 minutes
#   speed     CPU and memory of 1,000,000 connections of a log, and of 10,000,000
#   setups    some 57 set-ups in which nothing is wrong, with real programs, watched for SETUPS_FOR (30m); with GUILTY=1
#             also seven in which something is; root
# CORPUS is the folder of the captures, ../shared/corpus/captures if not given; REFERENCE the folder of score_ref.py and
# synth_beacons.py, ../shared/bench if not given. Needs tshark and editcap. ROOM: for large files, /dev/shm if not given.
set -eu
. "$(dirname "$0")/common.sh"
: "${REFERENCE:=$here/../../shared/bench}" "${ROOM:=/dev/shm}" "${SETUPS_FOR:=30m}" "${SEEDS:=3}" "${NUMBER:=200}"
corpus=${1:-$here/../../shared/corpus/captures}
[ $# = 0 ] || shift
[ $# != 0 ] || set -- corpus grid curves speed
machine
for part in "$@"; do
    echo
    echo "## $part"
    case $part in
    corpus) python3 "$here/patterns/corpus.py" "$corpus" "$REFERENCE" ;;
    grid) python3 "$here/patterns/grid.py" "$REFERENCE" "$SEEDS" ;;
    curves) python3 "$here/patterns/curves.py" "$REFERENCE" "$corpus" "$NUMBER" ;;
    speed) python3 "$here/patterns/speed.py" "$REFERENCE" "$ROOM" ;;
    setups)
        out=$(mktemp -d -p "$ROOM")
        trap 'rm -rf "$out"' EXIT
        "$here/private.sh" "$here/patterns/setups.sh" "$out" "$SETUPS_FOR"
        python3 "$here/patterns/flagged.py" "$out"
        ;;
    *) echo "$0: no part $part" >&2; exit 2 ;;
    esac
done
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

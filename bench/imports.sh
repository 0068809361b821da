#!/bin/sh
# What it costs to read captures and logs of other tools: CPU of `whocalls export FILE --csv` beside
# `tshark -q -z conv,tcp`, on a capture of many small connections and on one of large packets, and of a
# Zeek log.
# usage: imports.sh [RUNS [FLOWS [ROWS]]]        without: 3 200000 1000000
#        imports.sh --large SIZE                 such as 10G: one capture so large, whether its reading stays
#                                                in bounds and says how far it is
#   SYNTH=FILE           the generator synth_beacons.py; ../shared/bench/synth_beacons.py if not given
#   ROOM=FOLDER          for the files; /dev/shm if not given, and for --large /tmp
set -eu
. "$(dirname "$0")/common.sh"
if [ "${1:-}" = --large ]; then
    bytes=$(numfmt --from=si "${2:?a size such as 10G}")
    work=$(mktemp -d "${ROOM:-/tmp}/imports.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM HUP PIPE
    free=$(df --output=avail -B1 "$work" | tail -n 1)
    [ "$free" -ge $((bytes * 5 / 2)) ] || { echo "$0: less than 2.5 times as much is free in $work" >&2; exit 1; }
    machine
    "$here/imports.py" --large "$bytes" "$work"
    echo
    echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"
    exit
fi
: "${SYNTH:=$here/../../shared/bench/synth_beacons.py}" "${ROOM:=/dev/shm}"
for each in tshark python3; do
    command -v $each >/dev/null || { echo "$0: no $each" >&2; exit 1; }
done
[ -f "$SYNTH" ] || { echo "$0: no generator $SYNTH" >&2; exit 1; }
work=$(mktemp -d "$ROOM/imports.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP PIPE
machine
tshark --version 2>/dev/null | head -n 1
python3 "$SYNTH" --flows "${2:-200000}" --hours 24 --format pcap --out "$work/small.pcap" \
    --truth "$work/truth.json" > /dev/null
python3 "$SYNTH" --flows "${3:-1000000}" --hours 24 --format zeek --out "$work/conn.log" \
    --truth "$work/truth.json" > /dev/null
"$here/imports.py" "${1:-3}" "$work"
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

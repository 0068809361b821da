#!/bin/sh
# Whose is each packet? Programs talk in ways in which packets are easily tied to the wrong process,
# and write down which sockets they had and when; `whocalls record` runs meanwhile; then each packet
# of the recording is compared with what they wrote.
# usage: packets.sh [TIMES [SITUATION...]]        root; TIMES: how often each is done, 50
#   RECORD_OPTIONS=...   for whocalls record
#   MISSES=20            so many misses are listed
#   KEEP=FOLDER          keeps the truth and the case
set -eu
. "$(dirname "$0")/common.sh"
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
times=${1:-50}
[ $# -eq 0 ] || shift

near=whocalls-near-$$ far=whocalls-far-$$ later=whocalls-later-$$
work=$(mktemp -d "${TMPDIR:-/tmp}/packets.XXXXXX")
down() {
    code=$?
    trap - EXIT
    for each in $near $far $later; do ip netns del $each 2>/dev/null || true; done
    [ -z "${KEEP:-}" ] || { mkdir -p "$KEEP" && cp -r "$work/." "$KEEP/"; }
    rm -rf "$work"
    exit $code
}
trap down EXIT
trap 'exit 130' INT TERM

# near 10.77.0.1 fd77::1 --- 10.77.0.2 fd77::2 far; `later` is made while it is being recorded.
for each in $near $far; do ip netns add $each; done
ip -n $near link add near0 type veth peer name far0 netns $far
for each in $near $far; do ip -n $each link set lo up; done
ip -n $near address add 10.77.0.1/24 dev near0
ip -n $near address add fd77::1/64 dev near0 nodad
ip -n $far address add 10.77.0.2/24 dev far0
ip -n $far address add fd77::2/64 dev far0 nodad
ip -n $near link set near0 up
ip -n $far link set far0 up
ip -n $near route add 224.0.0.0/4 dev near0

machine
mkdir "$work/case"
: >"$work/truth"
# shellcheck disable=SC2086
"$WHOCALLS" record --into "$work/case" --depth full ${RECORD_OPTIONS:-} -- \
    /usr/bin/env python3 "$here/packets.py" act "$work/truth" "$near" "$far" "$later" "$times" "$@" ||
    echo "record ended with $?"
/usr/bin/env python3 "$here/packets.py" judge "$work/truth" "$work/case" "${MISSES:-20}"

#!/bin/sh
# How long a large case takes to be opened: the screen until its first rows and until all is read, and
# `whocalls list`. The case is written anew, by the code that records.
# usage: large_case.sh [RUNS [CONNECTIONS]]        without: 3 1000000; needs tmux and cargo
#   CASE=FOLDER          opens this one instead
#   LIST_OPTIONS=...     for whocalls list
set -eu
. "$(dirname "$0")/common.sh"
for each in tmux cargo; do
    command -v $each >/dev/null || { echo "$0: no $each" >&2; exit 1; }
done
runs=${1:-3} connections=${2:-1000000}
work=$(mktemp -d "${TMPDIR:-/tmp}/large_case.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP PIPE
machine
if [ -z "${CASE:-}" ]; then
    CASE=$work/case
    mkdir "$CASE"
    (cd "$here/.." && cargo run --quiet --release -p record --example large_case -- "$CASE" "$connections")
fi
du -sh "$CASE" | cut -f 1
"$here/large_case.py" "$runs" "$CASE" ${LIST_OPTIONS:-}
echo
echo "load average at the end $(cut -d' ' -f1-3 /proc/loadavg)"

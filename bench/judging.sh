#!/bin/sh
# What must be found in which process: bench/judging.sh WHOCALLS [CASE...]
#
# Starts the rows of bench/judging/matrix.tsv that are made by `inject NAME` (bench/injections/run.sh) or
# `case NAME` (bench/judging/cases.sh), looks once with `whocalls check --json`, and prints each row with what
# was expected and what was found. Ends what it started. The last line says how many were not as expected;
# that is the exit code, too.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
whocalls=${1:?"bench/judging.sh WHOCALLS [CASE...]"}
shift
# Not in a folder for temporary files: that alone would be found.
place=$(mktemp -d -p "${PLACE-/var/lib}")
INJECTIONS=$place/injections
export INJECTIONS
started=

ends() {
    for pid in $started; do
        kill "$pid" 2>/dev/null || true
    done
    rm -r "$place"
}
trap ends EXIT INT TERM

tab=$(printf '\t')
number=0
while IFS="$tab" read -r case how rules least most where; do
    name=${how#* }
    case $how in
    inject\ *) start=$here/injections/run.sh ;;
    case\ *) start=$here/judging/cases.sh ;;
    *) continue ;;
    esac
    [ $# = 0 ] || case " $* " in *" $name "*) ;; *) continue ;; esac
    number=$((number + 1))
    "$start" "$name" >"$place/$number.pid" 2>&1 &
    started="$started $!"
    printf '%s\t%s\t%s\t%s\t%s\n' "$place/$number.pid" "$case" "$rules" "$least" "$most" >>"$place/rows"
done <"$here/judging/matrix.tsv"

for _ in $(seq 60); do
    waits=no
    for file in "$place"/*.pid; do
        [ -s "$file" ] || waits=yes
    done
    [ $waits = yes ] || break
    sleep 1
done
"$whocalls" check --json --wait 60s >"$place/found" || true
python3 "$here/judging/compare.py" "$place/rows" "$place/found"

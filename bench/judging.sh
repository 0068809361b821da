#!/bin/sh
# What must be found in which process: bench/judging.sh WHOCALLS [CASE...]
#
# Starts the rows of bench/judging/matrix.tsv that are made by `inject NAME` (bench/injections/run.sh), `case NAME`
# (bench/judging/cases.sh) or `program NAME` (bench/judging/programs.sh: what is installed of it), looks once with
# `whocalls check --json`, and prints each row with what was expected and what was found. Ends what it started. The
# last lines name what was skipped and why, and say how many rows were not as expected; that is the exit code, too.
# Without CASE all rows; `ci` stands for those that are marked so. So many are started together: BATCH=60, of programs
# PROGRAMS=6. SHOW=/FILE keeps what was found.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
whocalls=${1:?"bench/judging.sh WHOCALLS [CASE...]"}
shift
# Not in a folder for temporary files: that alone would be found.
place=$(mktemp -d -p "${PLACE-/var/lib}")
INJECTIONS=$place/injections
export INJECTIONS
started=
number=0

stops() {
    for pid in $started; do
        kill "$pid" 2>/dev/null || true
    done
    wait
    started=
}
ends() {
    stops
    rm -r "$place"
}
trap ends EXIT
trap 'exit 1' INT TERM

# Looks at what was started, and ends it.
look() {
    [ -s "$place/rows" ] || return 0
    for _ in $(seq "${PATIENCE-240}"); do
        waits=no
        for pid in $started; do
            # One that has ended will say nothing more.
            [ -s "$place/$pid.pid" ] || ! kill -0 "$pid" 2>/dev/null || waits=yes
        done
        [ $waits = yes ] || break
        sleep 1
    done
    sleep 1
    "$whocalls" check --json --wait 60s </dev/null >"$place/found" || true
    [ -z "${SHOW-}" ] || cp "$place/found" "$SHOW"
    python3 "$here/judging/compare.py" "$place/rows" "$place/found" "$place/tally"
    stops
    rm -f "$place"/*.pid "$place/rows"
    number=0
}

tab=$(printf '\t')
for kind in small programs; do
    while IFS="$tab" read -r case how rules least most where; do
        name=${how#* }
        case $kind,$how in
        small,inject\ *) start=$here/injections/run.sh ;;
        small,case\ *) start=$here/judging/cases.sh ;;
        programs,program\ *) start=$here/judging/programs.sh ;;
        *) continue ;;
        esac
        [ $# = 0 ] || case " $* " in *" $name "* | *" $where "*) ;; *) continue ;; esac
        number=$((number + 1))
        sh -c 'exec "$1" "$2" >"$0/$$.pid" 2>&1' "$place" "$start" "$name" </dev/null &
        started="$started $!"
        printf '%s\t%s\t%s\t%s\t%s\n' "$place/$!.pid" "$case" "$rules" "$least" "$most" >>"$place/rows"
        case $kind in
        small) [ $number -lt "${BATCH-60}" ] || look ;;
        programs) [ $number -lt "${PROGRAMS-6}" ] || look ;;
        esac
    done <"$here/judging/matrix.tsv"
    look
done
python3 "$here/judging/compare.py" "$place/tally"

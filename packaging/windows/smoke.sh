#!/bin/sh
# Runs whocalls.exe under Wine, in a network of its own with nothing but its loopback.
# Usage: packaging/windows/smoke.sh [WHOCALLS.EXE [WHOCALLS]]
#
# What Wine lacks has to be said by the program, and must not end it. Two programs
# talk to each other meanwhile; a case made there is checked by the Linux program,
# and the one of examples/ is checked under Wine.
set -eu
cd "$(dirname "$0")/../.."
exe=$(realpath "${1:-target/windows/x86_64-win7-windows-gnu/release/whocalls.exe}")
linux=$(realpath "${2:-target/release/whocalls}")

if ! command -v wine >/dev/null; then
    echo "$0: skipped: Wine is missing: apt-get install --no-install-recommends wine wine64"
    exit 0
fi
if [ "${WHOCALLS_SMOKE:-}" != inside ]; then
    if ! unshare --net true 2>/dev/null; then
        echo "$0: skipped: no right to make a network namespace; root has it"
        exit 0
    fi
    # A minute is usual. What hangs may not hold up everything after it.
    WHOCALLS_SMOKE=inside exec timeout --kill-after=10 600 unshare --net -- "$0" "$exe" "$linux"
fi
ip link set lo up

work=$(mktemp -d)
export WINEPREFIX="$work/prefix" WINEDEBUG=-all WINEDLLOVERRIDES=mscoree,mshtml=
trap 'wineserver -k 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
mkdir "$WINEPREFIX" "$work/cases"
timeout 240 wine wineboot -i >/dev/null 2>&1 || true
x86_64-w64-mingw32-gcc -O1 -o "$work/talk.exe" packaging/windows/talk.c -lws2_32

failed=0
# What, and a word that its output has to have.
has() {
    if grep -q -- "$2" "$work/out"; then
        echo "as expected: $1"
    else
        echo "NOT AS EXPECTED: $1: no '$2' in:"
        head -c 2000 "$work/out"
        failed=1
    fi
}
# The exit code that is expected, and what to run.
run() {
    expected=$1
    shift
    code=0
    timeout 120 wine "$exe" "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
    if [ "$code" != "$expected" ]; then
        echo "NOT AS EXPECTED: whocalls $*: exit $code, not $expected:"
        head -c 2000 "$work/err"
        failed=1
    fi
    # A thread can end by itself, and the program goes on.
    if grep -q 'panicked at' "$work/err"; then
        echo "NOT AS EXPECTED: whocalls $* panicked:"
        head -c 2000 "$work/err"
        failed=1
    fi
}
# What the Linux program prints has to be printed under Wine, but for the ends of lines.
same() {
    run 0 "$@"
    tr -d '\r' <"$work/out" >"$work/under-wine"
    "$linux" "$@" >"$work/out" 2>/dev/null || true
    if [ -s "$work/out" ] && cmp -s "$work/out" "$work/under-wine"; then
        echo "as expected: the same as on Linux: $*"
    else
        echo "NOT AS EXPECTED: whocalls $*: otherwise than on Linux:"
        diff "$work/out" "$work/under-wine" | head -n 10 || true
        failed=1
    fi
}

run 0 doctor
has "doctor" "IP helper"

wine "$work/talk.exe" 60 >/dev/null 2>&1 &
for _ in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1
    run 0 list --all
    ! grep -q 'talk.exe.*tcp.*established' "$work/out" || break
done
has "list: a program that talks" 'talk.exe.*tcp.*established.*127.0.0.1:4711'
has "list: one that waits, of IPv6" '\[::1\]:4713'
run 0 list --json --all
has "list --json" '"path":"[^"]*talk.exe"'
run 0 watch --ndjson --for 4s
has "watch --ndjson" '"kind":"tick"'
run 0 check
has "check" 'found nothing in what was seen'
run 0 lookup 1.1.1.1
has "lookup" 'Cloudflare'

run 0 record --into "$work/cases" --depth events --for 5s
case=$(find "$work/cases" -mindepth 1 -maxdepth 1 -type d)
run 0 verify "$case"
has "verify, a case made here" 'Unchanged since it was sealed'
run 0 list --all "$case"
has "list of a case" 'talk.exe.*tcp'
run 0 pack "$case"
has "pack" 'zip'

mkdir "$work/stopped"
timeout 120 wine "$exe" record --into "$work/stopped" --depth events >/dev/null 2>&1 </dev/null &
recording=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1
    run 0 record status
    ! grep -q ' since ' "$work/out" || break
done
has "record status" 'stopped'
run 0 record stop
code=0
wait $recording || code=$?
if [ "$code" != 0 ]; then
    echo "NOT AS EXPECTED: the recording that was stopped: exit $code, not 0"
    failed=1
fi
run 0 verify "$(find "$work/stopped" -mindepth 1 -maxdepth 1 -type d)"
has "verify, a case that record stop has ended" 'Unchanged since it was sealed'

run 0 watch --ndjson --until-exit -- cmd /c exit 7
has "watch -- PROGRAM" '"code":7'
same verify examples/story
same list examples/story
same export --ndjson examples/story
# With the seal.
same verify "$case"
exit $failed

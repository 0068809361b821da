#!/bin/sh
# Runs every target, or those named, for so many seconds each, as many at once as there are
# processors (or JOBS). A crash does not stop the others; its input and its log are then in
# artifacts/TARGET/.
# usage: run.sh SECONDS [TARGET...]
set -eu
cd "$(dirname "$0")"
if [ "${1:-}" = --one ]; then
    seconds=$2 target=$3
    found=corpus/$target kept=artifacts/$target
    mkdir -p "$found" "$kept"
    status=0
    cargo run --release --quiet --bin "$target" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=16384 \
        -print_final_stats=1 -artifact_prefix="$kept/" "$found" "seeds/$target" \
        >"$kept/log" 2>&1 || status=$?
    case $status in
        0) end=ok ;;
        72) end="interrupted by a signal" ;;
        *) end=CRASHED ;;
    esac
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$kept/log")
    slowest=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$kept/log")
    echo "$target: $end, ${runs:-no} executions, slowest input ${slowest:-?} s, $(ls "$found" | wc -l) inputs kept"
    [ "$end" != CRASHED ]
    exit
fi
seconds=${1:?usage: run.sh SECONDS [TARGET...]}
shift
[ $# -gt 0 ] || set -- $(sed -n '/^\[\[bin\]\]/,$s/^name = "\(.*\)"/\1/p' Cargo.toml)
cargo build --release --quiet
# xargs says with 123 that one of them failed, when all are done.
printf '%s\n' "$@" | xargs -P "${JOBS:-$(nproc)}" -I '{}' ./run.sh --one "$seconds" '{}'

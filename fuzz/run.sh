#!/bin/sh
# Runs every target, or those named, for so many seconds each. A crash does not stop the others;
# its input and its log are then in artifacts/TARGET/.
# usage: run.sh SECONDS [TARGET...]
set -eu
cd "$(dirname "$0")"
seconds=$1
shift
[ $# -gt 0 ] || set -- $(sed -n '/^\[\[bin\]\]/,$s/^name = "\(.*\)"/\1/p' Cargo.toml)
cargo build --release --quiet
crashed=0
for target; do
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
        *) end=CRASHED crashed=1 ;;
    esac
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$kept/log")
    slowest=$(sed -n 's/^stat::slowest_unit_time_sec: *//p' "$kept/log")
    echo "$target: $end, ${runs:-no} executions, slowest input ${slowest:-?} s, $(ls "$found" | wc -l) inputs kept"
done
exit $crashed

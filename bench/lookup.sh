#!/bin/sh
# How long a look-up takes: in a loop, and as a whole process from the first run on.
set -eu
cd "$(dirname "$0")/.."
cargo build --release --quiet -p whocalls
cargo run --release --quiet -p enrich --example lookup_speed
program=${CARGO_TARGET_DIR:-target}/release/whocalls
echo
echo "whole process, 20 runs one after the other, ms each:"
python3 - "$program" <<'PYTHON'
import resource, subprocess, sys, time
times = []
for _ in range(20):
    start = time.perf_counter()
    subprocess.run([sys.argv[1], 'lookup', '216.6.0.28'], stdout=subprocess.DEVNULL, check=True)
    times.append((time.perf_counter() - start) * 1000)
print('first %.1f, median %.1f, longest %.1f' % (times[0], sorted(times)[10], max(times)))
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print('processor time of each: %.1f' % ((used.ru_utime + used.ru_stime) * 1000 / len(times)))
PYTHON

#!/bin/sh
# How long it takes to hold 1,000,000 connections against 100,000 indicators, five times.
set -eu
cd "$(dirname "$0")/.."
cargo build --release --quiet -p enrich --example matching
for _ in 1 2 3 4 5; do
    "${CARGO_TARGET_DIR:-target}/release/examples/matching"
done

#!/bin/sh
# Builds the release binary without any shared library and shows where it is.
#
# --target is there although it names the host: without it crt-static would
# also reach the procedural macros, which have to be shared libraries. The
# target folder is its own, as other flags would make the ordinary one build
# anew. CARGO_ENCODED_RUSTFLAGS would win over RUSTFLAGS.
set -eu
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
unset CARGO_ENCODED_RUSTFLAGS
RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static" \
    cargo build --release --locked -p whocalls --bin whocalls \
    --target "$host" --target-dir target/static

binary=target/static/$host/release/whocalls
headers=$(LC_ALL=C readelf -W -l -d "$binary")
case $headers in
*' INTERP '* | *'(NEEDED)'*)
    echo "$0: $binary is not static:" >&2
    echo "$headers" | grep -E ' INTERP |\(NEEDED\)' >&2
    exit 1
    ;;
esac

echo "path: $binary"
echo "size: $(wc -c <"$binary") bytes"
echo "sha256: $(sha256sum "$binary" | cut -d ' ' -f 1)"

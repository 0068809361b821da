#!/bin/sh
# Type-checks every crate of the workspace for Windows.
# Further arguments go to `cargo check`, for example --all-targets.
set -eu
exec "$(dirname "$0")/cargo.sh" check --workspace "$@"

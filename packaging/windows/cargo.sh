#!/bin/sh
# Runs cargo for Windows with Debian's Rust: packaging/windows/cargo.sh check --workspace
#
# Debian's /usr/bin has to come before rustup's proxies, as Debian ships the
# source of the standard library and rustup need not have it. rustc-web has no
# compiled standard library for Windows, so -Zbuild-std builds it, and
# RUSTC_BOOTSTRAP allows that to a stable compiler. The win7 target is the
# windows-gnu one that runs on Windows 7 and later, and whose standard library
# builds without MinGW's dlltool. ring and SQLite are C, for which MinGW's gcc is
# needed; it has to be named, as the crate that calls it does not know the target.
# panic_abort is there for profiles with panic = "abort". The target folder is
# its own, as another compiler would make the ordinary one build anew.
set -eu
cd "$(dirname "$0")/../.."

if ! [ -x /usr/bin/cargo ] || ! [ -x /usr/bin/rustc ] ||
    ! [ -e "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; then
    echo "$0: Debian's Rust is missing: apt-get install --no-install-recommends rustc-web cargo-web rust-web-src" >&2
    exit 1
fi

if ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
    echo "$0: MinGW's gcc is missing: apt-get install --no-install-recommends gcc-mingw-w64-x86-64" >&2
    exit 1
fi

export PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1
export CC_x86_64_win7_windows_gnu=x86_64-w64-mingw32-gcc
export AR_x86_64_win7_windows_gnu=x86_64-w64-mingw32-ar
# As small as it can be made: a stick has little room, and a slow one takes long.
export CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_LTO=fat
export CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1
# Of SQLite what nobody here uses: search in texts and in space.
export LIBSQLITE3_FLAGS="-USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS -USQLITE_ENABLE_FTS5 -USQLITE_ENABLE_RTREE"
# Without "backtrace": there are no symbols that it could show.
exec cargo "$@" --locked -Zbuild-std=std,panic_abort \
    -Zbuild-std-features=panic-unwind,optimize_for_size \
    --target x86_64-win7-windows-gnu --target-dir target/windows

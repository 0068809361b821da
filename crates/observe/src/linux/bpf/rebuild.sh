#!/bin/sh
# Compiles sockets.bpf.c into the object that is committed beside it.
#   rebuild.sh          writes the object
#   rebuild.sh --check  compiles it anew elsewhere and compares the bytes
#
# Only clang 14 gives these bytes (Debian 12: clang-14, llvm-14). Building whocalls needs no clang.
set -eu
cd "$(dirname "$0")"

for tool in clang-14 llvm-strip-14; do
    if ! command -v "$tool" >/dev/null; then
        echo "$0: $tool is missing: apt-get install clang-14 llvm-14" >&2
        exit 1
    fi
done

work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
clang-14 -target bpfel -mcpu=v3 -O2 -g -Wall -Werror -ffile-prefix-map="$PWD"=. \
    -c sockets.bpf.c -o "$work/sockets.bpf.o"
llvm-strip-14 -g "$work/sockets.bpf.o"

if [ "${1:-}" = --check ]; then
    if ! cmp "$work/sockets.bpf.o" sockets.bpf.o; then
        echo "$0: sockets.bpf.o is not what sockets.bpf.c gives; run $0 and commit the result" >&2
        exit 1
    fi
    echo "sockets.bpf.o is what sockets.bpf.c gives"
else
    mv "$work/sockets.bpf.o" sockets.bpf.o
    sha256sum sockets.bpf.o
fi

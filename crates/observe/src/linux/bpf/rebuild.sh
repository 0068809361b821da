#!/bin/sh
# Compiles each *.bpf.c into the object that is committed beside it.
#   rebuild.sh          writes the objects
#   rebuild.sh --check  compiles them anew elsewhere and compares the bytes
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
for source in *.bpf.c; do
    object=${source%.c}.o
    clang-14 -target bpfel -mcpu=v3 -O2 -g -Wall -Werror -ffile-prefix-map="$PWD"=. \
        -c "$source" -o "$work/$object"
    llvm-strip-14 -g "$work/$object"
    if [ "${1:-}" = --check ]; then
        if ! cmp "$work/$object" "$object"; then
            echo "$0: $object is not what $source gives; run $0 and commit the result" >&2
            exit 1
        fi
        echo "$object is what $source gives"
    else
        mv "$work/$object" "$object"
        sha256sum "$object"
    fi
done

#!/bin/sh
# Starts a victim and does something to it that is found (or must not be): bench/injections/run.sh NAME
#
# Prints the pid of the victim, or `cannot: ...`, and stays until it is killed; the victim ends with it.
# `run.sh` alone lists the names. The injectors are built by `cc`, into the folder $INJECTIONS if that is
# set, and act on nothing but what they have started themselves. What they put there only sleeps.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
name=${1-}
place=${INJECTIONS-${TMPDIR-/tmp}/injections-$(id -u)}

names="anon-rwx anon-rx thread overwrite-libc patch-mem restored breakpoint hollow-entry hollow-unmapped
anon-libc anon-libc-node anon-rx-node anon-libc-java anon-libc-mono anon-libc-guile anon-libc-pypy3 anon-libc-bun memfd-exec memfd-exec-kernel-name memfd-exec-sealed memfd-dlopen
swapped-library same-library mounted-alone mounted-alone-other deleted-program replaced-program deleted-library replaced-library by-loader
traced"

cannot() {
    echo "cannot: $*"
    exit 1
}

# Built beside it and put there in one step: another one may build the same.
build() {
    mkdir -p "$place"
    [ "$(stat -c %u "$place")" = "$(id -u)" ] || cannot "$place is somebody else's"
    if [ ! -e "$place/$1" ] || [ "$here/$1.c" -nt "$place/$1" ] || [ "$here/inject.h" -nt "$place/$1" ]; then
        cc -O1 -Wall -Wextra -Wno-unused-function -o "$place/$1.$$" "$here/$1.c" -ldl || cannot "build $1"
        mv "$place/$1.$$" "$place/$1"
    fi
}

inject() {
    program=$1
    shift
    build "$program"
    exec "$place/$program" "$@"
}

# A copy of a file in a folder of its own, that is given as $own.
own_copy() {
    own=$(mktemp -d "$place/XXXXXX")
    cp "$1" "$own/"
}

library() {
    ldd "$1" | awk -v name="$2" '$1 == name { print $3 }'
}

# Those of earlier runs: what was killed could not take its own away.
[ ! -d "$place" ] || find "$place" -mindepth 1 -maxdepth 1 -type d ! -name private -mmin +60 -exec rm -r {} +

sleep=$(command -v sleep)
[ "$(uname -m)" = x86_64 ] || cannot "not on this processor"
command -v cc >/dev/null || cannot "there is no cc"

case $name in
anon-rwx | anon-rx | thread | overwrite-libc | patch-mem | restored | breakpoint | hollow-entry | \
    hollow-unmapped | anon-libc)
    inject "$@" ;;
anon-libc-node | anon-rx-node)
    command -v node >/dev/null || cannot "there is no node"
    inject "${name%-node}" node -e 'let a = []; for (let i = 0; i < 3e5; i++) a.push(i * i); setInterval(() => {}, 1e6)' ;;
anon-libc-java)
    java --list-modules 2>/dev/null | grep -q '^jdk.compiler' || cannot "there is no compiler of Java"
    mkdir -p "$place"
    echo 'class Waits { public static void main(String[] a) throws Exception { Thread.sleep(1L << 40); } }' >"$place/Waits.java"
    inject anon-libc java "$place/Waits.java" ;;
anon-libc-mono)
    command -v mono mcs >/dev/null || cannot "there is no mono"
    mkdir -p "$place"
    echo 'class Waits { static void Main() { System.Threading.Thread.Sleep(-1); } }' >"$place/Waits.cs"
    mcs -out:"$place/Waits.exe" "$place/Waits.cs"
    inject anon-libc mono "$place/Waits.exe" ;;
anon-libc-guile)
    command -v guile >/dev/null || cannot "there is no guile"
    inject anon-libc guile -c '(let loop ((i 0)) (if (< i 10000000) (loop (+ i 1)))) (sleep 100000)' ;;
anon-libc-pypy3)
    command -v pypy3 >/dev/null || cannot "there is no pypy3"
    inject anon-libc pypy3 -c 'import time; print(sum(i * i for i in range(10000000))); time.sleep(100000)' ;;
anon-libc-bun)
    bun=$(command -v bun || ls "${OTHERS-/opt/whocalls-bench}/npm/node_modules/bun/bin/bun.exe" 2>/dev/null) || cannot "there is no bun"
    inject anon-libc "$bun" -e 'let s = 0; for (let i = 0; i < 1e8; i++) s += i * i % 7; setInterval(() => {}, 1e6)' ;;
memfd-exec) inject memfd exec ;;
memfd-exec-kernel-name) inject memfd exec '[kworker/0:1]' ;;
memfd-exec-sealed) inject memfd exec-sealed ;;
memfd-dlopen) inject memfd dlopen ;;
swapped-library | same-library)
    # In a mount namespace of its own, another file lies at the path of the C library.
    libc=$(library "$sleep" libc.so.6)
    libc=$(readlink -f "$libc")
    build start
    mkdir -p "$place/private"
    export libc name private="$place/private"
    unshare -m true 2>/dev/null || cannot "no right to make a mount namespace"
    exec "$place/start" : unshare -m sh -c 'mount -t tmpfs none "$private" && cp "$libc" "$private/libc" &&
        { [ "$name" = same-library ] || echo >>"$private/libc"; } &&
        mount --bind "$private/libc" "$libc" && exec sleep 1000000' ;;
mounted-alone | mounted-alone-other)
    # A file that is mounted by itself, on a mount that is gone from all lists once it is open. The other one is a
    # copy that is called the same.
    build start
    mkdir -p "$place/private"
    export name sleep private="$place/private"
    unshare -m true 2>/dev/null || cannot "no right to make a mount namespace"
    exec "$place/start" : unshare -m bash -c 'mount -t tmpfs none "$private" && touch "$private/it" &&
        { [ "$name" = mounted-alone ] || { cp "$sleep" "$private/other" && sleep=$private/other; } } &&
        mount --bind "$sleep" "$private/it" && exec 3<"$private/it" && umount -l "$private/it" &&
        exec -a sleep /proc/self/fd/3 1000000' ;;
deleted-program | replaced-program)
    build start
    own_copy "$sleep"
    again="rmdir $own"
    [ "$name" = deleted-program ] || again="cp $sleep $own/"
    exec "$place/start" "rm $own/sleep && $again" "$own/sleep" 1000000 ;;
deleted-library | replaced-library)
    build start
    libm=$(library "$(command -v awk)" libm.so.6)
    [ -n "$libm" ] || cannot "find a library"
    own_copy "$(readlink -f "$libm")"
    file=$own/$(basename "$(readlink -f "$libm")")
    again="rmdir $own"
    [ "$name" = deleted-library ] || again="cp $libm $file"
    exec "$place/start" "rm $file && $again" env LD_PRELOAD="$file" "$sleep" 1000000 ;;
by-loader)
    build start
    loader=$(ldd "$sleep" | awk '$1 ~ /^\/.*\/ld-/ { print $1 }')
    [ -n "$loader" ] || cannot "find the loader"
    exec "$place/start" : "$loader" "$sleep" 1000000 ;;
traced) inject traced ;;
'')
    echo "$names" ;;
*) cannot "there is no injection called $name" ;;
esac

#!/bin/sh
# Starts one case of the matrix that no injector makes: bench/judging/cases.sh NAME
#
# Prints the pid to look at, or `cannot: ...`, and stays until it is killed, as bench/injections/run.sh
# does. What it starts talks to nobody but itself over the loopback, and what it makes it takes away. Larger
# programs, which people use, are in bench/judging/programs.sh.
set -eu

name=${1-}
names="preload-tmp dev-shm tmp-sshd sleep-ssh sleep-kworker script-kworker loader-tmp script-sh program-opt listener-opt shell-socket
shell-pipe shell-told python-socket python-sniffer script-hidden script-environment overlong-path
odd-parent starts-unit starts-autostart set-uid updated chromium-headless
sleep perl python node java luajit php ruby valgrind gdb dbus-daemon strace"

. "$(dirname "$0")/common.sh"

[ -z "$(echo "$name" | tr -d 'a-z-')" ] && [ -n "$name" ] || {
    echo "$names"
    exit 2
}

case $name in
preload-tmp)
    need cc
    own /tmp
    echo 'int nothing;' >"$own/x.c"
    cc -shared -fPIC -o "$own/x.so" "$own/x.c"
    stay env LD_PRELOAD="$own/x.so" sleep 100000 ;;
dev-shm)
    own /dev/shm
    cp "$(command -v sleep)" "$own/x"
    stay "$own/x" 100000 ;;
tmp-sshd)
    own /tmp
    cp "$(command -v sleep)" "$own/x"
    called /usr/sbin/sshd "$own/x" 100000 ;;
sleep-ssh)
    need ssh
    called "$(command -v ssh)" sleep 100000 ;;
sleep-kworker) called '[kworker/0:1]' sleep 100000 ;;
script-kworker)
    own /tmp
    cat >"$own/x.py" <<'PYTHON'
import ctypes, time
ctypes.CDLL(None).prctl(15, b"kworker/0:1", 0, 0, 0)
time.sleep(100000)
PYTHON
    stay python3 "$own/x.py" ;;
loader-tmp)
    own /tmp
    cp "$(command -v sleep)" "$own/x"
    stay /lib64/ld-linux-x86-64.so.2 "$own/x" 100000 ;;
script-sh)
    own /tmp
    printf 'while :; do read -r _ </dev/null; sleep 1000; done\n' >"$own/x.sh"
    stay sh "$own/x.sh" ;;
listener-opt)
    need socat
    own /opt
    cp "$(readlink -f "$(command -v socat)")" "$own/share"
    # To this computer only from the network that it makes: nobody else can call.
    stay unshare --net "$own/share" TCP-LISTEN:4444,bind=0.0.0.0 STDOUT
    ;;
program-opt)
    own /opt
    cp "$(command -v sleep)" "$own/x"
    stay "$own/x" 100000 ;;
shell-socket)
    listener
    # shellcheck disable=SC2016 # the inner shell fills it in
    bash -c 'exec sh <>"/dev/tcp/127.0.0.1/$0" >&0 2>&1' "$port" &
    mine $!
    sleep 1
    told $! ;;
shell-pipe | shell-told)
    listener
    mkfifo "$own/f"
    # Who has the connection writes what a shell reads, and reads what it answers, or does not.
    echo 'import os, socket, sys, time
calling = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
with open(sys.argv[1] + "/relay", "w") as file:
    file.write(str(os.getpid()))
time.sleep(100000)' >"$own/relay.py"
    # shellcheck disable=SC2016 # the inner shells fill it in
    if [ "$name" = shell-pipe ]; then
        sh -c 'cat "$1/f" | sh -c '\''echo $$ >"$0/pid"; exec sh -i'\'' "$1" 2>&1 |
            exec python3 "$1/relay.py" "$1" "$2" >"$1/f"' sh "$own" "$port" </dev/null >/dev/null 2>&1 &
    else
        sh -c 'python3 "$1/relay.py" "$1" "$2" | sh -c '\''echo $$ >"$0/pid"; exec sh'\'' "$1"' \
            sh "$own" "$port" </dev/null >/dev/null 2>&1 &
    fi
    mine $!
    until_it 10 test -s "$own/pid" -a -s "$own/relay"
    shell=$(cat "$own/pid")
    mine "$shell"
    mine "$(cat "$own/relay")"
    sleep 1
    told "$shell" ;;
python-socket)
    listener
    python3 -c '
import os, socket, sys, time
calling = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
os.dup2(calling.fileno(), 0)
os.dup2(calling.fileno(), 1)
time.sleep(100000)' "$port" 2>/dev/null &
    mine $!
    sleep 1
    told $! ;;
python-sniffer)
    own /var/lib
    printf 'import socket, time\ns = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))\ns.bind(("lo", 3))\ntime.sleep(100000)\n' \
        >"$own/x.py"
    stay python3 "$own/x.py" ;;
script-hidden)
    own /var/lib
    mkdir "$own/.cache"
    printf 'import time\ntime.sleep(100000)\n' >"$own/.cache/x.py"
    stay python3 "$own/.cache/x.py" ;;
script-environment)
    own /tmp
    echo : >"$own/x"
    # It waits by itself: what it would start to wait would outlive it.
    mkfifo "$own/f"
    stay env BASH_ENV="$own/x" bash -c 'exec 3<>"$0"; read -r _ <&3' "$own/f" ;;
overlong-path)
    own /var/lib
    # Folders of more bytes together than a path may have.
    stay python3 -c '
import os, shutil, sys
sleep = shutil.which("sleep")
os.chdir(sys.argv[1])
for _ in range(17):
    os.mkdir("d" * 250)
    os.chdir("d" * 250)
shutil.copy(sleep, "x")
os.execv("./x", ["x", "100000"])' "$own" ;;
odd-parent)
    listener
    own /opt
    cp "$(command -v bash)" "$own/soffice.bin"
    # shellcheck disable=SC2016 # the inner shells fill it in
    "$own/soffice.bin" -c 'bash -c '\''exec 3<>"/dev/tcp/127.0.0.1/$0"; echo $$ >"$1"; sleep 100000; :'\'' "$0" "$1"; :' \
        "$port" "$own/pid" </dev/null >/dev/null 2>&1 &
    mine $!
    until_it 10 test -s "$own/pid"
    told "$(cat "$own/pid")" ;;
starts-unit | starts-autostart)
    own "$HOME"
    cp "$(command -v sleep)" "$own/x"
    if [ "$name" = starts-unit ]; then
        file=$HOME/.config/systemd/user/whocalls-bench-$$.service
        mkdir -p "${file%/*}"
        printf '[Service]\nExecStart=%s 100000\n[Install]\nWantedBy=default.target\n' "$own/x" >"$file"
    else
        file=$HOME/.config/autostart/whocalls-bench-$$.desktop
        mkdir -p "${file%/*}"
        printf '[Desktop Entry]\nType=Application\nName=x\nExec=%s 100000\n' "$own/x" >"$file"
    fi
    made="$made $file"
    stay "$own/x" 100000 ;;
set-uid)
    own /opt
    cp "$(command -v sleep)" "$own/x"
    chmod u+s "$own/x"
    stay "$own/x" 100000 ;;
updated)
    # As a package does when it is installed again: the same file with another inode.
    file=$(readlink -f "$(command -v tail)")
    [ "$(id -u)" = 0 ] || cannot "no right to replace $file"
    begin tail -f /dev/null
    tails=$started
    sleep 1
    cp -a "$file" "$file.whocalls-$$"
    mv -f "$file.whocalls-$$" "$file"
    told "$tails" ;;
chromium-headless)
    need chromium
    own "${TMPDIR-/tmp}"
    all=+
    stay chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --user-data-dir="$own" 'data:text/html,<p>x' ;;
sleep) stay sleep 100000 ;;
perl) stay perl -e 'sleep 100000' ;;
python) stay /usr/bin/python3 -c 'import time; time.sleep(100000)' ;;
node)
    need node
    stay node -e 'let a = []; for (let i = 0; i < 3e5; i++) a.push(i * i); setInterval(() => {}, 1e6)' ;;
java)
    java --list-modules 2>/dev/null | grep -q '^jdk.compiler' || cannot "there is no compiler of Java"
    own /var/lib
    echo 'class Waits { public static void main(String[] a) throws Exception { Thread.sleep(1L << 40); } }' >"$own/Waits.java"
    stay java "$own/Waits.java" ;;
luajit)
    need luajit
    stay luajit -e 'local s = 0; for i = 1, 1e7 do s = s + i end; io.popen("sleep 100000"):read()' ;;
php)
    need php
    stay php -d opcache.enable_cli=1 -d opcache.jit=tracing -d opcache.jit_buffer_size=16M -r 'for ($i = 0; $i < 1e6; $i++) { $s = $i * 2; } sleep(100000);' ;;
ruby)
    need ruby
    stay ruby -e 'sleep' ;;
valgrind)
    need valgrind
    stay valgrind -q sleep 100000 ;;
gdb)
    need gdb
    stay gdb -q -nx -ex 'shell sleep 100000' ;;
dbus-daemon)
    need dbus-daemon
    stay dbus-daemon --session --nofork --nopidfile --address=unix:tmpdir=/tmp ;;
strace)
    need strace
    begin sleep 100000
    sleeps=$started
    begin strace -o /dev/null -p "$sleeps"
    sleep 1
    told "$sleeps" ;;
*) cannot "no case is called $name" ;;
esac

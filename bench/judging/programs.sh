#!/bin/sh
# Starts a program that people use, as they use it: bench/judging/programs.sh NAME
#
# As cases.sh; those here are larger, and are skipped where they are not installed (install.sh does that). Each is in a network
# namespace of its own that has nothing but a loopback, and a mount namespace; what has a window is run by
# `nobody` on a display of its own.
set -eu

name=${1-}
here=$(cd "$(dirname "$0")" && pwd)
# What is in no package of Debian: frida, bun, deno, .NET.
others=${OTHERS-/opt/whocalls-bench}

if [ -z "${INSIDE-}" ]; then
    [ -n "$name" ] || {
        sed -n 's/^\([a-z][a-z-]*\))$/\1/p' "$0"
        exit 2
    }
    unshare -mn true 2>/dev/null || {
        echo "cannot: no right to make namespaces"
        exit 1
    }
    INSIDE=yes exec unshare -mn "$0" "$@"
fi
ip link set lo up

. "$here/common.sh"

# Those that have left their parents, too: all that is in our mount namespace.
also() {
    own_namespace=$(readlink /proc/self/ns/mnt)
    for namespace in /proc/[0-9]*/ns/mnt; do
        pid=${namespace#/proc/}
        pid=${pid%/ns/mnt}
        [ "$(readlink "$namespace")" != "$own_namespace" ] || [ "$pid" = $$ ] || echo "$pid"
    done
}

# All that we have mounted below our folders, or what was mounted for us.
unmounts() {
    for folder in $made; do
        awk -v folder="$folder" 'index($5, folder) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
            xargs -r -n 1 umount -l 2>/dev/null || true
    done
}

# A display, for `nobody`. Sets $DISPLAY.
display() {
    need Xvfb setpriv
    own "${TMPDIR-/tmp}"
    begin Xvfb -displayfd 3 -screen 0 1280x800x24 -nolisten tcp 3>"$own/display"
    until_it 30 test -s "$own/display"
    DISPLAY=:$(cat "$own/display")
    export DISPLAY
}

# As `nobody`, with a home of its own.
person() {
    if [ -z "${home-}" ]; then
        own /var/lib
        home=$own
        mkdir -m 700 "$home/run"
        chown -R 65534:65534 "$home"
    fi
    begin setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$home" XDG_RUNTIME_DIR="$home/run" \
        XDG_CACHE_HOME="$home/.cache" XDG_CONFIG_HOME="$home/.config" XDG_DATA_HOME="$home/.local/share" \
        LIBGL_ALWAYS_SOFTWARE=1 "$@"
}

# Runs it so on a display, and waits until it shows a window.
window() {
    display
    person "$@"
    shown=$started
    until_it 90 a_window
    sleep "${settle-8}"
    told "$shown+"
}

a_window() {
    # Toolkits have small ones, of which nobody sees anything.
    xwininfo -root -tree 2>/dev/null | grep -qE '[0-9]{3,}x[0-9]{3,}\+'
}

# A page with code for an engine, and a connection that stays. Sets $port.
pages() {
    own "${TMPDIR-/tmp}"
    begin python3 "$here/pages.py" "$own/port"
    until_it 20 test -s "$own/port"
    port=$(cat "$own/port")
}

five_pages() {
    for number in 1 2 3 4 5; do
        echo "http://127.0.0.1:$port/$number"
    done
}

# A certificate for an hour, and its key: $own/key.pem, $own/certificate.pem.
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj "/CN=$1" \
        -keyout "$own/$1.key" -out "$own/$1.pem" 2>/dev/null
}

# A second network namespace, `ip netns exec $other`, and a cable to it: 10.123.0.1 here, 10.123.0.2 there.
# Its name is in a folder that only we see.
cable() {
    mount -t tmpfs none /run/netns 2>/dev/null || { mkdir -p /run/netns && mount -t tmpfs none /run/netns; }
    ip netns add there
    ip link add here type veth peer name there netns there
    ip address add 10.123.0.1/24 dev here
    ip link set here up
    ip -n there address add 10.123.0.2/24 dev there
    ip -n there link set there up
    ip -n there link set lo up
}

there() {
    begin ip netns exec there "$@"
}

# Somebody to call there.
answers() {
    there python3 -c '
import socket, time
listening = socket.create_server(("0.0.0.0", 80))
calls = []
while True:
    calls.append(listening.accept()[0])'
}

reaches() {
    timeout 2 bash -c "exec 3<>/dev/tcp/$1/80"
}

# Whether somebody does at this port.
listens() {
    ss -Hltn "sport = $1" | grep -q .
}

# Folders of the running system, for one of our own.
own_run() {
    mount -t tmpfs none /run
    mkdir -p /run/lock /run/user
}

# Of control groups, as crun wants it.
one_hierarchy() {
    mount -t cgroup2 none /sys/fs/cgroup
}

# A container with nothing but busybox: $own/rootfs, $own/config.json.
bundle() {
    own /var/lib
    mkdir -p "$own/rootfs/bin" "$own/rootfs/proc" "$own/rootfs/dev" "$own/rootfs/sys" "$own/rootfs/etc"
    cp "$(command -v busybox)" "$own/rootfs/bin/busybox"
    ln -s busybox "$own/rootfs/bin/sleep"
    ln -s busybox "$own/rootfs/bin/sh"
    if command -v runc >/dev/null; then
        (cd "$own" && runc spec)
    else
        (cd "$own" && crun spec)
    fi
    python3 - "$own/config.json" <<'PYTHON'
import json, sys
spec = json.load(open(sys.argv[1]))
spec["process"].update(terminal=False, args=["sleep", "100000"])
spec["process"].pop("rlimits", None)
spec["linux"].pop("resources", None)
spec["linux"]["cgroupsPath"] = "/whocalls-bench"
json.dump(spec, open(sys.argv[1], "w"))
PYTHON
}

case $name in

# --- What looks into others.

frida-sleep | frida-python | frida-host | frida-left)
    [ -d "$others/frida" ] || cannot "there is no frida in $others"
    own /var/lib
    case $name in
    frida-python) begin /usr/bin/python3 -c 'import time; time.sleep(100000)' ;;
    *) begin sleep 100000 ;;
    esac
    target=$started
    sleep 1
    begin env PYTHONPATH="$others/frida" /usr/bin/python3 -c '
import sys, time, frida
file, pid, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
session = frida.attach(pid)
script = session.create_script("Interceptor.attach(Module.getGlobalExportByName(\"clock_nanosleep\"), { onEnter() {} })")
script.load()
time.sleep(1)
if name == "frida-left":
    script.unload()
    session.detach()
open(file, "w").write("ready")
time.sleep(100000)' "$own/ready" "$target" "$name"
    host=$started
    until_it 60 test -s "$own/ready"
    sleep 2
    [ "$name" != frida-host ] || target=$host
    told "$target" ;;
gdb-library-tmp | gdb-library-opt)
    need gdb cc
    own "/${name##*-}"
    echo 'int nothing;' >"$own/x.c"
    cc -shared -fPIC -o "$own/x.so" "$own/x.c"
    begin sleep 100000
    target=$started
    sleep 1
    gdb -q -nx -batch -p "$target" -ex "call (void*)dlopen(\"$own/x.so\", 2)" </dev/null >/dev/null 2>&1
    grep -q "$own/x.so" "/proc/$target/maps" || cannot "gdb did not load it"
    told "$target" ;;
gdb-attached)
    need gdb
    begin sleep 100000
    target=$started
    begin gdb -q -nx -p "$target" -ex 'shell sleep 100000'
    until_it 30 grep -q '^TracerPid:.[1-9]' "/proc/$target/status"
    sleep 3
    told "$target" ;;
gdb-breakpoint)
    need gdb
    begin gdb -q -nx -ex 'set breakpoint pending on' -ex 'break clock_nanosleep' -ex 'run' -ex 'shell sleep 100000' --args /usr/bin/sleep 100000
    debugger=$started
    until_it 30 pgrep -P "$debugger" -x sleep
    sleep 3
    told "$(pgrep -P "$debugger" -f '^/usr/bin/sleep')" ;;
gdb-left)
    need gdb
    own /var/lib
    # It goes on when the debugger has left it.
    begin setsid gdb -q -nx -batch -ex 'set breakpoint pending on' -ex 'break clock_nanosleep' -ex 'run' \
        -ex 'delete' -ex 'detach' --args /usr/bin/sleep 98765
    sleep 8
    until_it 30 pgrep -f '^/usr/bin/sleep 98765'
    target=$(pgrep -f '^/usr/bin/sleep 98765' | head -n 1)
    mine "$target"
    told "$target" ;;

# --- What only somebody else can make.

modified-program)
    own /var/lib
    cp /usr/bin/perl "$own/perl"
    echo >>"$own/perl"
    mount --bind "$own/perl" /usr/bin/perl
    stay /usr/bin/perl -e 'sleep 100000' ;;
sniffer-opt)
    need tcpdump
    own /opt
    cp "$(command -v tcpdump)" "$own/x"
    stay "$own/x" -Z root -i lo -w /dev/null ;;
browser-no-window)
    need firefox-esr
    pages
    own /var/lib
    chown 65534:65534 "$own"
    mkdir "$own/profile"
    chown 65534:65534 "$own/profile"
    # Nobody is above it who could have wanted it.
    setsid -f setpriv --reuid 65534 --regid 65534 --clear-groups env -u DISPLAY HOME="$own" MOZ_HEADLESS=1 \
        firefox-esr --no-remote --profile "$own/profile" "http://127.0.0.1:$port/1" </dev/null >/dev/null 2>&1
    until_it 60 pgrep -f "profile $own/profile"
    target=$(pgrep -o -f "profile $own/profile")
    mine "$target"
    sleep 15
    told "$target" ;;

# --- Engines.

postgres)
    server=$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | tail -n 1)
    [ -n "$server" ] || cannot "there is no postgres"
    own /var/lib
    chown 65534:65534 "$own"
    setpriv --reuid 65534 --regid 65534 --clear-groups "${server%postgres}initdb" -D "$own/data" -A trust -U bench >/dev/null 2>&1
    person "$server" -D "$own/data" -c unix_socket_directories="$own" -c listen_addresses=127.0.0.1 -c jit=on \
        -c jit_above_cost=0 -c jit_inline_above_cost=0 -c jit_optimize_above_cost=0
    main=$started
    until_it 30 "${server%postgres}pg_isready" -h 127.0.0.1
    begin "${server%postgres}psql" -h 127.0.0.1 -U bench postgres -c \
        'select count(*), sum(a * 2 + 1) from generate_series(1, 100000) a where a % 3 = 1' -c 'select sum(a), pg_sleep(100000) from generate_series(1, 1000) a'
    sleep 5
    told "$main+" "$started" ;;
ruby-yjit)
    need ruby
    ruby --yjit -e '' 2>/dev/null || cannot "this ruby has no YJIT"
    stay ruby --yjit -e 's = 0; 1_000_000.times { |i| s += i }; sleep' ;;
mono)
    need mono mcs
    own /var/lib
    echo 'class X { static void Main() { long s = 0; for (int i = 0; i < 100000000; i++) s += i; System.Threading.Thread.Sleep(-1); } }' >"$own/x.cs"
    mcs -out:"$own/x.exe" "$own/x.cs"
    stay mono "$own/x.exe" ;;
dotnet)
    runtime=$others/dotnet/dotnetcore2/bin/dotnet
    [ -x "$runtime" ] || cannot "there is no .NET in $others"
    need mcs
    own /var/lib
    echo 'class X { static void Main() { long s = 0; for (int i = 0; i < 100000000; i++) s += i; System.Threading.Thread.Sleep(-1); } }' >"$own/x.cs"
    mcs -out:"$own/x.dll" "$own/x.cs"
    echo '{ "runtimeOptions": { "framework": { "name": "Microsoft.NETCore.App", "version": "3.1.0" } } }' >"$own/x.runtimeconfig.json"
    settle=5
    stay env DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 HOME="$own" "$runtime" "$own/x.dll" ;;
bun)
    program=$others/npm/node_modules/bun/bin/bun.exe
    [ -x "$program" ] || cannot "there is no bun in $others"
    stay "$program" -e 'let s = 0; for (let i = 0; i < 1e8; i++) s += i * i % 7; setInterval(() => {}, 1e6)' ;;
deno)
    program=$(ls -d "$others"/npm/node_modules/@deno/linux-x64*/deno 2>/dev/null | tail -n 1)
    [ -n "$program" ] || cannot "there is no deno in $others"
    own /var/lib
    stay env DENO_DIR="$own" DENO_NO_UPDATE_CHECK=1 "$program" eval 'let s = 0; for (let i = 0; i < 1e8; i++) s += i * i % 7; setInterval(() => {}, 1e6)' ;;
sbcl)
    need sbcl
    stay sbcl --noinform --eval '(defun f (x) (if (< x 2) x (+ (f (- x 1)) (f (- x 2)))))' --eval '(f 25)' --eval '(sleep 100000)' ;;
pypy)
    need pypy3
    stay pypy3 -c 'import time; print(sum(i * i for i in range(10000000))); time.sleep(100000)' ;;
erlang)
    need erl
    stay erl -noinput -eval 'lists:sum(lists:seq(1, 1000000)), timer:sleep(infinity).' ;;
guile)
    need guile
    own /var/lib
    stay env HOME="$own" guile -c '(let loop ((i 0)) (if (< i 10000000) (loop (+ i 1)))) (sleep 100000)' ;;
gjs)
    need gjs
    stay gjs -c 'let s = 0; for (let i = 0; i < 1e8; i++) s += i * i % 7; new imports.gi.GLib.MainLoop(null, false).run()' ;;
r)
    need Rscript
    stay Rscript -e 'f <- function(n) { s <- 0; for (i in 1:n) s <- s + i; s }; f(1e6); Sys.sleep(100000)' ;;
emacs)
    need emacs
    own /var/lib
    stay env HOME="$own" emacs --batch --eval '(sleep-for 100000)' ;;
qemu-user)
    need qemu-x86_64
    stay qemu-x86_64 /bin/sleep 100000 ;;
qemu-system)
    need qemu-system-x86_64
    settle=6
    stay qemu-system-x86_64 -accel tcg -nodefaults -display none -m 64 ;;
wine)
    need wine
    display
    person env WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=' wine notepad
    until_it 150 a_window
    sleep 10
    # Its server and its services have left it.
    # shellcheck disable=SC2046 # one word for each process
    told $(also | while read -r pid; do
        case $(readlink "/proc/$pid/exe") in */wine/*) echo "$pid" ;; esac
    done) ;;

# --- Programs with a window.

chromium-tabs)
    need chromium
    pages
    # shellcheck disable=SC2046 # one word for each page
    window chromium --no-first-run --disable-background-networking --disable-component-update --disable-sync \
        --password-store=basic $(five_pages) ;;
firefox-tabs)
    need firefox-esr
    pages
    # shellcheck disable=SC2046 # one word for each page
    window firefox-esr --no-remote $(five_pages) ;;
firefox-headless)
    need firefox-esr
    pages
    # shellcheck disable=SC2046 # one word for each page
    person sh -c 'firefox-esr --headless --no-remote "$@"; :' sh $(five_pages)
    shown=$started
    sleep 20
    told "$shown+" ;;
falkon)
    need falkon
    pages
    window falkon "http://127.0.0.1:$port/1" ;;
epiphany)
    need epiphany-browser dbus-run-session
    pages
    window dbus-run-session -- epiphany-browser "http://127.0.0.1:$port/1" ;;
thunderbird)
    need thunderbird
    window thunderbird --no-remote ;;
nextcloud)
    need nextcloud dbus-run-session
    window dbus-run-session -- nextcloud ;;
libreoffice)
    need soffice
    own /var/lib
    echo 'A letter.' >"$own/letter.txt"
    chmod 755 "$own"
    window soffice --norestore --nofirststartwizard "$own/letter.txt" ;;
vlc)
    need cvlc
    own /var/lib
    python3 -c 'import sys, wave; it = wave.open(sys.argv[1], "w"); it.setnchannels(1); it.setsampwidth(2); it.setframerate(8000); it.writeframes(bytes(16000 * 600))' "$own/x.wav"
    chmod 755 "$own"
    person cvlc --aout=dummy --intf dummy "$own/x.wav"
    shown=$started
    sleep 4
    told "$shown+" ;;
nautilus)
    need nautilus dbus-run-session
    window dbus-run-session -- nautilus --new-window / ;;
konsole)
    need konsole dbus-run-session
    window dbus-run-session -- konsole --hold -e sh -c 'sleep 100000' ;;
keyring)
    need gnome-keyring-daemon dbus-run-session
    person dbus-run-session -- gnome-keyring-daemon --foreground --components=secrets
    shown=$started
    sleep 3
    told "$shown+" ;;

# --- What people protect themselves with, and what keeps connections open.

tor)
    need tor
    own /var/lib
    : >"$own/torrc"
    chown -R 65534:65534 "$own"
    person tor -f "$own/torrc" --DataDirectory "$own/data" --SocksPort 9050 --ControlPort 9051 --CookieAuthentication 1
    shown=$started
    sleep 5
    told "$shown" ;;
tor-waits)
    need tor
    own /var/lib
    : >"$own/torrc"
    chown -R 65534:65534 "$own"
    person tor -f "$own/torrc" --DataDirectory "$own/data" --DisableNetwork 1
    shown=$started
    sleep 3
    told "$shown" ;;
torsocks)
    need torsocks curl
    # What answers like Tor, and then waits.
    begin python3 -c '
import socket, time
listening = socket.create_server(("127.0.0.1", 9050))
calling = listening.accept()[0]
calling.recv(100)
calling.send(bytes([5, 0]))
time.sleep(100000)'
    until_it 10 listens 9050
    stay torsocks curl -s http://example.onion/ ;;
openvpn)
    need openvpn openssl
    [ -e /dev/net/tun ] || cannot "there is no /dev/net/tun"
    cable
    own /var/lib
    certificate server
    certificate client
    print() {
        openssl x509 -in "$own/$1.pem" -noout -fingerprint -sha256 | sed 's/.*=//'
    }
    there openvpn --dev tun0 --ifconfig 10.8.0.1 10.8.0.2 --tls-server --dh none --cert "$own/server.pem" --key "$own/server.key"         --peer-fingerprint "$(print client)" --local 10.123.0.2 --keepalive 1 10
    server=$started
    sleep 1
    begin openvpn --dev tun0 --ifconfig 10.8.0.2 10.8.0.1 --tls-client --cert "$own/client.pem" --key "$own/client.key"         --peer-fingerprint "$(print server)" --remote 10.123.0.2 --nobind --keepalive 1 10
    client=$started
    answers
    until_it 20 reaches 10.8.0.1
    told "$server" "$client" ;;
wireguard-go)
    need wireguard-go wg
    own_run
    cable
    own /var/lib
    umask 077
    wg genkey >"$own/here"
    wg genkey >"$own/there"
    here_key=$(wg pubkey <"$own/here")
    there_key=$(wg pubkey <"$own/there")
    begin wireguard-go -f wg0
    client=$started
    there wireguard-go -f wg1
    server=$started
    until_it 10 test -S /var/run/wireguard/wg0.sock -a -S /var/run/wireguard/wg1.sock
    wg set wg0 private-key "$own/here" peer "$there_key" endpoint 10.123.0.2:51820 allowed-ips 10.9.0.2/32 persistent-keepalive 1
    ip netns exec there wg set wg1 private-key "$own/there" listen-port 51820 peer "$here_key" allowed-ips 10.9.0.1/32
    ip address add 10.9.0.1/24 dev wg0
    ip link set wg0 up
    ip -n there address add 10.9.0.2/24 dev wg1
    ip -n there link set wg1 up
    answers
    until_it 20 reaches 10.9.0.2
    told "$server" "$client" ;;
wireguard)
    need wg
    cable
    ip link add wg0 type wireguard 2>/dev/null || cannot "this kernel has no WireGuard"
    cannot "look at it with: whocalls list -a" ;;
syncthing)
    need syncthing
    person syncthing serve --no-browser --no-restart
    shown=$started
    sleep 15
    told "$shown+" ;;
syncthing-home)
    need syncthing
    # A file of the home of who runs this; a unit of systemd names it.
    own "$HOME"
    mkdir -p "$own/bin"
    cp "$(command -v syncthing)" "$own/bin/syncthing"
    file=$HOME/.config/systemd/user/whocalls-bench-$$.service
    mkdir -p "${file%/*}"
    printf '[Service]
ExecStart=%s serve --no-browser
[Install]
WantedBy=default.target
' "$own/bin/syncthing" >"$file"
    made="$made $file"
    begin "$own/bin/syncthing" serve --no-browser --no-restart --home="$own/state"
    shown=$started
    sleep 15
    told "$shown+" ;;
onionshare)
    need onionshare-cli
    own /var/lib
    echo secret >"$own/file"
    chmod -R a+rX "$own"
    person onionshare-cli --local-only "$own/file"
    shown=$started
    sleep 10
    told "$shown+" ;;
onionshare-tor)
    need onionshare-cli tor
    own /var/lib
    echo secret >"$own/file"
    chmod -R a+rX "$own"
    person onionshare-cli "$own/file"
    shown=$started
    sleep 10
    told "$shown+" ;;
nextcloud-command)
    need nextcloudcmd
    pages
    own /var/lib
    chown 65534:65534 "$own"
    begin python3 -c '
import socket, time
listening = socket.create_server(("127.0.0.1", 8080))
calls = [listening.accept()[0] for _ in range(10)]
time.sleep(100000)'
    sleep 1
    person nextcloudcmd --non-interactive -u a -p b "$own" http://127.0.0.1:8080
    shown=$started
    sleep 4
    told "$shown" ;;
sshd | ssh-open)
    need sshd ssh ssh-keygen
    own /var/lib
    own_run
    mkdir -p /run/sshd
    ssh-keygen -q -t ed25519 -N '' -f "$own/host"
    ssh-keygen -q -t ed25519 -N '' -f "$own/key"
    chmod 755 "$own"
    begin /usr/sbin/sshd -D -f /dev/null -h "$own/host" -p 2222 -o ListenAddress=127.0.0.1 -o PermitRootLogin=yes \
        -o AuthorizedKeysFile="$own/key.pub" -o StrictModes=no -o PidFile=none
    server=$started
    sleep 1
    begin ssh -F /dev/null -i "$own/key" -p 2222 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
        -o ServerAliveInterval=5 -tt root@127.0.0.1 'bash --norc -i'
    client=$started
    until_it 20 pgrep -f 'bash --norc -i'
    sleep 2
    if [ "$name" = sshd ]; then
        told "$server+"
    else
        told "$client"
    fi ;;
inetd)
    need inetd
    own /var/lib
    printf 'echo hello\nread line\nsleep 100000\n' >"$own/answer.sh"
    printf '127.0.0.1:2323 stream tcp nowait root /bin/sh sh %s/answer.sh\n' "$own" >"$own/inetd.conf"
    own_run
    begin inetd -i "$own/inetd.conf"
    server=$started
    sleep 1
    begin python3 -c '
import socket, time
calling = socket.create_connection(("127.0.0.1", 2323))
calling.send(b"x\n")
time.sleep(100000)'
    until_it 10 pgrep -f "$own/answer.sh"
    told "$server+" ;;
dhclient)
    need dhclient
    cable
    own /var/lib
    stay dhclient -d -sf /bin/true -lf "$own/leases" -pf "$own/pid" here ;;
tcpdump)
    need tcpdump
    stay tcpdump -i lo -w /dev/null ;;
transmission)
    need transmission-daemon
    person transmission-daemon --foreground
    shown=$started
    sleep 5
    told "$shown" ;;
qbittorrent)
    need qbittorrent-nox
    own /var/lib
    mkdir -p "$own/qBittorrent/config"
    printf '[LegalNotice]\nAccepted=true\n' >"$own/qBittorrent/config/qBittorrent.conf"
    chown -R 65534:65534 "$own"
    person qbittorrent-nox --profile="$own"
    shown=$started
    sleep 8
    told "$shown" ;;

# --- Servers.

redis)
    need redis-server
    person redis-server --port 6379 --bind 127.0.0.1 --save ''
    shown=$started
    sleep 3
    told "$shown" ;;
mariadb)
    need mariadbd mariadb-install-db
    own /var/lib
    chown 65534:65534 "$own"
    setpriv --reuid 65534 --regid 65534 --clear-groups mariadb-install-db --no-defaults --datadir="$own/data" --skip-test-db >/dev/null 2>&1
    person mariadbd --no-defaults --datadir="$own/data" --socket="$own/socket" --bind-address=127.0.0.1
    shown=$started
    sleep 6
    told "$shown" ;;
nginx)
    need nginx
    own /var/lib
    printf 'pid %s/pid;\nevents {}\nhttp { access_log off; server { listen 127.0.0.1:8080; } }\n' "$own" >"$own/nginx.conf"
    stay nginx -c "$own/nginx.conf" -e "$own/error.log" -g 'daemon off;' ;;

# --- Containers, and a whole system in one.

runc)
    need runc busybox
    bundle
    # Made and not started: what it made of itself waits in a file of memory.
    runc --root "$own/state" create --bundle "$own" --no-pivot "bench-$$" </dev/null >/dev/null 2>"$own/errors" || cannot "$(tail -n 1 "$own/errors")"
    target=$(runc --root "$own/state" state "bench-$$" | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
    mine "$target"
    told "$target" ;;
crun | runc-runs)
    runtime=${name%-runs}
    need "$runtime" busybox
    bundle
    settle=4
    all=+
    one_hierarchy
    set -- --root "$own/state"
    [ "$name" != crun ] || set -- "$@" --cgroup-manager=disabled
    stay "$runtime" "$@" run --bundle "$own" "bench-$$" ;;
podman)
    need podman busybox
    bundle
    one_hierarchy
    export STORAGE_DRIVER=vfs
    settle=10
    all=+
    begin podman --root "$own/storage" --runroot "$own/run" --cgroup-manager=cgroupfs run --rm --network none \
        --cgroups=disabled --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --name "bench-$$" --rootfs "$own/rootfs" sleep 100000
    shown=$started
    until_it 40 pgrep -f "conmon.*bench-$$"
    sleep 4
    monitor=$(pgrep -f "conmon.*bench-$$" | head -n 1)
    mine "$monitor"
    told "$shown+" "$monitor+" ;;
containerd)
    need containerd
    own /var/lib
    settle=6
    stay containerd --root "$own/root" --state "$own/state" --address "$own/socket" ;;
systemd)
    need systemd-nspawn
    own /var/lib
    mount -t tmpfs none "$own"
    mkdir "$own/upper" "$own/work" "$own/system"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$own/upper,workdir=$own/work" "$own/system"
    rm -f "$own/system/etc/machine-id" "$own/system/etc/fstab"
    : >"$own/system/etc/fstab"
    # Of a package that would change the resolver of who installs it: only in here.
    resolved=$(ls "$others"/systemd-resolved_*.deb 2>/dev/null | tail -n 1)
    [ -z "$resolved" ] || chroot "$own/system" dpkg -i "$resolved" >/dev/null 2>&1 || true
    chroot "$own/system" systemctl set-default multi-user.target >/dev/null 2>&1
    mount -t tmpfs none /run
    begin systemd-nspawn --quiet --register=no --keep-unit --private-network --directory="$own/system" \
        --machine="bench-$$" --console=pipe /lib/systemd/systemd
    shown=$started
    until_it 60 pgrep -f 'systemd-journald'
    sleep 25
    told "$shown+" ;;
updated-library)
    need gdb
    own /var/lib
    mount -t tmpfs none "$own"
    mkdir "$own/upper" "$own/work"
    mount -t overlay overlay -o "lowerdir=/usr/lib/x86_64-linux-gnu,upperdir=$own/upper,workdir=$own/work" /usr/lib/x86_64-linux-gnu
    begin gdb -q -nx -ex 'shell sleep 100000'
    shown=$started
    sleep 2
    # As dpkg does: another file takes its name.
    for file in $(awk '$2 ~ /x/ && $6 ~ /x86_64-linux-gnu/ { print $6 }' "/proc/$shown/maps" | sort -u | grep -v -e /libc.so -e /ld-); do
        cp -p "$file" "$file.dpkg-new"
        mv -f "$file.dpkg-new" "$file"
    done
    told "$shown" ;;
*) cannot "no program is called $name" ;;
esac

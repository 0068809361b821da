# The laptop of the story and what lies at the other end of its cable: for make-story.sh and demonstrate.sh,
# which read this file first. Root, x86-64; needs cc, ip, unshare, and what this builds, or what WHOCALLS and
# OWN_NETWORK name:
#
#     cargo build --release -p whocalls && cargo build --release -p record --example own_network
#
#   laptop   own processes, files, host name and network         world   the other end of its cable
#   wlan0 192.168.1.23   -------------------------------------   lan0 192.168.1.1, 203.0.113.9 ...
#
# The world has no other cable and passes nothing on: no packet can leave. All ends with the script.
# shellcheck shell=sh disable=SC2154
: "${here:?the folder examples}"
: "${WHOCALLS:=$here/../target/release/whocalls}"
: "${OWN_NETWORK:=$(dirname "$WHOCALLS")/examples/own_network}"
for program in "$WHOCALLS" "$OWN_NETWORK"; do
    [ -x "$program" ] || { echo "$0: no program $program" >&2; exit 1; }
done
[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }

# Compiles everything into the folder `work`.
compile() {
    for program in laptop world injector; do
        cc -std=gnu11 -D_GNU_SOURCE -Os -Wall -Wextra -s -Wl,--build-id=none \
            -o "$work/$program" "$here/story-programs/$program.c"
    done
}

# The files of the laptop, below the folder `root`.
files() {
    mount -t tmpfs -o size=256m,mode=755 none "$root"
    for folder in dev etc home/lena/.cache/.fonts media/stick old opt/iexplore proc root run sys tmp usr/bin \
        usr/lib/firefox-esr usr/lib/thunderbird usr/sbin var; do
        mkdir -p "$root/$folder"
    done
    for file in usr/sbin/init usr/sbin/sshd usr/bin/radicale usr/lib/firefox-esr/firefox-esr \
        usr/lib/thunderbird/thunderbird usr/lib/update-check opt/iexplore/iexplore; do
        cp "$work/laptop" "$root/$file"
    done
    cp "$work/injector" "$root/home/lena/.cache/.fonts/font-update"
    chown -R 1000:1000 "$root/home/lena"
    cp "$WHOCALLS" "$root/media/stick/whocalls"
    for library in $(ldd "$WHOCALLS" "$work/laptop" "$work/injector" | grep -o '/[^ ]*\.so[^ ]*'); do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$library" "$root$library"
    done
    printf '%s\n' root:x:0:0::/root:/bin/sh nobody:x:65534:65534::/:/bin/false \
        lena:x:1000:1000::/home/lena:/bin/sh >"$root/etc/passwd"
    printf '%s\n' root:x:0: nogroup:x:65534: lena:x:1000: >"$root/etc/group"
    echo 'PRETTY_NAME="A made-up laptop"' >"$root/etc/os-release"
    echo lena-laptop >"$root/etc/hostname"
    printf '127.0.0.1 localhost\n127.0.1.1 lena-laptop\n' >"$root/etc/hosts"
    echo 'nameserver 192.168.1.1' >"$root/etc/resolv.conf"
    echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
    echo Etc/UTC >"$root/etc/timezone"
    : >"$root/etc/environment"
    for device in 'null 1 3' 'zero 1 5' 'urandom 1 9'; do
        # shellcheck disable=SC2086
        set -- $device
        mknod -m 666 "$root/dev/$1" c "$2" "$3"
    done
}

# Runs in the namespaces of the laptop, as its first process.
laptop() {
    hostname lena-laptop
    until ip link show wlan0 >/dev/null 2>&1; do sleep 0.1; done
    ip link set lo up
    ip address add 192.168.1.23/24 dev wlan0
    ip link set wlan0 up
    echo 1 >/proc/sys/net/ipv6/conf/wlan0/disable_ipv6
    ip route add default via 192.168.1.1
    cd "$root"
    mount -t sysfs none sys
    mount -t cgroup2 none sys/fs/cgroup
    exec <dev/null >media/stick/said 2>&1
    # From here on there are the laptop's files only; its first process lets go of the old ones.
    pivot_root . old
    exec /usr/sbin/init
}

# What else happens while the laptop is recorded; whoever reads this file may say something else.
meanwhile() { :; }

# Runs in a network of its own, from which nothing leads on. `$laptop` is what holds the laptop.
world() {
    files
    ip link set lo up
    for address in 203.0.113.9 203.0.113.40 198.51.100.10; do ip address add "$address/32" dev lo; done
    ip link add wlan0 address 02:00:00:00:00:23 type veth \
        peer name lan0 address 02:00:00:00:00:01
    ip address add 192.168.1.1/24 dev lan0
    echo 0 >/proc/sys/net/ipv4/ip_forward
    echo 1 >/proc/sys/net/ipv6/conf/lan0/disable_ipv6
    unshare --fork --kill-child --pid --net --uts --ipc --mount sh "$0" in laptop &
    laptop=$!
    until [ "$(readlink "/proc/$laptop/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
    # No way leads out of this network but to the laptop.
    [ "$(ip -o link | wc -l)" = 3 ]
    ip link set wlan0 netns "$laptop"
    ip link set lan0 up
    "$work/world" &
    meanwhile
    wait "$laptop" || { cat "$root/media/stick/said" >&2; return 1; }
    cp "$root/media/stick/said" "$work/said"
    mkdir "$work/story"
    # Others on this kernel, the world among them, are no part of the story.
    "$OWN_NETWORK" "$root"/media/stick/whocalls-lena-laptop-* "$work/story" >"$work/seal"
}

# Records the laptop for `seconds`; the case is then the folder `work`/story, its seal the file `work`/seal.
play() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    root=$work/root
    mkdir "$root"
    export seconds work root WHOCALLS OWN_NETWORK
    compile
    unshare --fork --kill-child --pid --mount --mount-proc --net sh "$0" in world
}

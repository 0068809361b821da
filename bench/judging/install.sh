#!/bin/sh
# Installs what bench/judging/programs.sh starts: bench/judging/install.sh (Debian 12, root; some 4 GB).
#
# It is for a machine that may be thrown away. None of it is needed to build or to test whocalls: what is not there
# is skipped, and named. Nothing that it installs is started.
set -eu

others=${OTHERS-/opt/whocalls-bench}
export DEBIAN_FRONTEND=noninteractive

# No daemon is to run here because its package came.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
fi

get() {
    for package in "$@"; do
        apt-get install -y -q --no-install-recommends "$package" >/dev/null || echo "cannot be had: $package"
    done
}

apt-get update -q >/dev/null
# What looks into others, and what the cases themselves need.
get gcc libc6-dev gdb strace tcpdump python3 python3-pip iproute2 openssl curl xvfb x11-utils dbus
# Engines.
get nodejs npm php-cli luajit ruby valgrind mono-runtime mono-mcs libmono-corlib4.5-cil sbcl pypy3 erlang-base guile-3.0 gjs r-base-core \
    emacs-nox openjdk-17-jdk-headless qemu-user qemu-system-x86 wine wine64
# Programs with a window.
get chromium firefox-esr falkon epiphany-browser thunderbird libreoffice-writer vlc-bin vlc-plugin-base nautilus konsole \
    gnome-keyring nextcloud-desktop nextcloud-desktop-cmd
# What people protect themselves with, and what keeps connections open.
get tor torsocks openvpn wireguard-tools wireguard-go syncthing onionshare-cli openssh-server openssh-client openbsd-inetd \
    isc-dhcp-client transmission-daemon qbittorrent-nox
# Servers, containers, a whole system in one.
get postgresql mariadb-server redis-server nginx-light runc crun podman containerd busybox-static systemd systemd-container \
    network-manager avahi-daemon cups-daemon rsyslog polkitd

mkdir -p "$others"
# Its package would change the resolver of this computer: only the file, for the system within a container.
(cd "$others" && apt-get download -q systemd-resolved >/dev/null) || echo "cannot be had: systemd-resolved"
python3 -m pip install -q --target "$others/frida" frida || echo "cannot be had: frida"
python3 -m pip install -q --target "$others/dotnet" dotnetcore2 || echo "cannot be had: .NET"
mkdir -p "$others/npm"
(cd "$others/npm" && npm install --no-fund --no-audit bun deno >/dev/null 2>&1 &&
    node node_modules/bun/install.js >/dev/null 2>&1) || echo "cannot be had: bun, deno"

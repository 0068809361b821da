#!/bin/bash
# Some sixty set-ups in which nothing is wrong, all at once, watched by one recording:
#   bench/patterns/setups.sh OUT [TIME [SETUP...]]        OUT: a folder for the case; TIME 10m if not given
# Real programs, as a person uses them, against servers of a namespace beside (world.py). Root; run it by
# bench/private.sh. Programs that are not there are told and left out. Ends what it started.
set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${WHOCALLS:=$here/../../target/release/whocalls}"
out=$1 time=${2:-10m}
shift; [ $# = 0 ] || shift
wanted=" $* "
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mount --make-rprivate /
# On a disk: what runs from memory alone would be found.
place=$(mktemp -d -p /var/lib)
trap 'umount -l /home /srv; rm -rf "$place"' EXIT
mkdir "$place/home" "$place/srv" "$place/world"; cp "$here/world.py" "$place/world"; mount --bind "$place/home" /home; mount --bind "$place/srv" /srv
H=/home/lena
mkdir -p $H/bin $H/.local/share /run/world
work=/run/world; mount -t tmpfs none $work

# The world beside this namespace.
unshare --net sleep 100000 & world=$!
sleep 0.5
in_world() { nsenter --target $world --net "$@"; }
ip link add eth0 type veth peer name w0 netns $world
ip addr add 10.9.9.2/24 dev eth0; ip link set eth0 up
in_world sh -c 'ip link set lo up; ip addr add 10.9.9.1/24 dev w0; ip link set w0 up; ip route add local 0.0.0.0/1 dev lo; ip route add local 128.0.0.0/1 dev lo; ip route add 10.9.9.2/32 dev w0'
ip route add default via 10.9.9.1
echo "nameserver 10.9.9.1" > $work/resolv.conf; mount --bind $work/resolv.conf /etc/resolv.conf
openssl req -x509 -newkey rsa:2048 -nodes -keyout $work/key.pem -out $work/cert.pem -days 2 -subj /CN=world 2>/dev/null
in_world /usr/bin/python3 $place/world/world.py $work > $work/world.log 2>&1 &
for _ in $(seq 50); do grep -q up $work/world.log && break; sleep 0.2; done
cat $work/world.log

as_lena() { setpriv --reuid=1000 --regid=1000 --clear-groups env -i HOME=$H PATH=$PATH LANG=C.UTF-8 DISPLAY=:7 XDG_RUNTIME_DIR=$H/.run "$@"; }
mkdir -p $H/.run; chown -R 1000:1000 /home/lena
Xvfb :7 -screen 0 1000x700x24 -nolisten tcp > /dev/null 2>&1 &
sleep 1

runs() { # NAME PROGRAM: whether this set-up is wanted and there
    case $wanted in "  "|*" $1 "*) ;; *) return 1 ;; esac
    command -v "$2" > /dev/null || { echo "setup $1: no $2"; return 1; }
    echo "setup $1"
}
chromium_at() { # FOLDER ADDRESSES...
    local folder=$H/$1; shift
    as_lena chromium --no-sandbox --ignore-certificate-errors --no-first-run --disable-gpu --user-data-dir=$folder "$@" > /dev/null 2>&1 &
}
servers() {
    mkdir -p $work/git $work/rsync /run/sshd; git init -q --bare $work/git/paper.git
    touch $work/git/paper.git/git-daemon-export-ok
    in_world git daemon --base-path=$work/git --export-all --reuseaddr --listen=0.0.0.0 > /dev/null 2>&1 &
    printf 'use chroot = no\nuid = 0\ngid = 0\n[backup]\npath = %s\nread only = no\n' $work/rsync > $work/rsyncd.conf
    in_world rsync --daemon --no-detach --config=$work/rsyncd.conf --address=0.0.0.0 > /dev/null 2>&1 &
    ssh-keygen -q -t ed25519 -N '' -f $work/host; ssh-keygen -q -t ed25519 -N '' -f $H/.id; mkdir -p $work/root; cp $H/.id.pub $work/root/keys; chmod 700 $work/root; chmod 600 $work/root/keys; chown 1000 $H/.id
    printf 'Port 22\nHostKey %s/host\nPidFile none\nAuthorizedKeysFile %s/root/keys\nStrictModes no\nPermitRootLogin yes\nUsePAM no\n' $work $work > $work/sshd_config
    in_world /usr/sbin/sshd -D -f $work/sshd_config > $work/sshd.log 2>&1 &
}
servers
SSH="ssh -i $H/.id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
mkdir -p $out
"$WHOCALLS" record --into "$out" --for "$time" --depth events --copy-programs none --owner-consent yes --quiet < /dev/null > $work/record.log 2>&1 & recorder=$!
sleep 6
# Each begins within half a minute of the first.
start() {
runs webmail chromium && chromium_at mail https://mail.postbox.example.com/mail
runs newspaper firefox && as_lena firefox --headless --no-remote http://news.daily-paper.org/paper > /dev/null 2>&1 &
sleep 2
runs cron-curl curl && as_lena sh -c 'while :; do curl -ksS -o /dev/null https://status.home-server.net/health; sleep 60; done' &
runs ssh ssh && as_lena $SSH -N -o ServerAliveInterval=15 root@ssh.university.edu > /dev/null 2>&1 &
runs git git && as_lena sh -c 'cd; git init -q paper; cd paper; git remote add origin git://git.code-forge.org/paper.git; while :; do git fetch -q; sleep 60; done' > /dev/null 2>&1 &
runs apt apt-get && (while :; do apt-get -o Dir::Etc::sourcelist=<(echo deb http://deb.debian.org/debian bookworm main) -o Dir::Etc::sourceparts=- -o Dir::State::lists=$work/lists -o APT::Get::List-Cleanup=0 update; sleep 240; done) > /dev/null 2>&1 &
sleep 2
runs api-script /usr/bin/python3 && { cat > $H/bin/weather.py <<'P'
import time, ssl, urllib.request
no = ssl._create_unverified_context()
while True:
    urllib.request.urlopen("https://api.weather-data.io/now", context=no).read()
    time.sleep(30)
P
as_lena /usr/bin/python3 $H/bin/weather.py & }
runs download wget && as_lena wget -q --limit-rate=300k -O /dev/null http://downloads.big-files.org/big &
runs rsync rsync && as_lena sh -c 'mkdir -p ~/work; while :; do head -c 3000000 /dev/urandom > ~/work/draft; rsync -a ~/work rsync://backup.storage-box.de/backup; sleep 120; done' > /dev/null 2>&1 &
runs mqtt /usr/bin/python3 && { cat > $H/bin/sensor.py <<'P'
import socket, time
def text(t): return len(t).to_bytes(2, "big") + t
s = socket.create_connection(("mqtt.smart-home.io", 1883))
body = text(b"MQTT") + b"\x04\x02\x00\x3c" + text(b"sensor")
s.sendall(b"\x10" + bytes([len(body)]) + body); s.recv(100)
n = 0
while True:
    body = text(b"home/temperature") + b"%.1f" % (20 + n % 7 / 10)
    s.sendall(b"\x30" + bytes([len(body)]) + body)
    if n % 3 == 0: s.sendall(b"\xc0\x00"); s.recv(100)
    n += 1; time.sleep(20)
P
as_lena /usr/bin/python3 $H/bin/sensor.py & }
sleep 2
cat > $H/bin/chat.js <<'P'
const tls = require('tls'), [,, host, every] = process.argv;
const s = tls.connect({host, port: 443, servername: host, rejectUnauthorized: false}, () => {
  s.write('GET /ws HTTP/1.1\r\nHost: ' + host + '\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n');
  setInterval(() => s.write(Buffer.from([0x89, 0x80, 1, 2, 3, 4])), +every * 1000);
}); s.on('data', () => {});
P
runs chat-script node && as_lena node $H/bin/chat.js ws.open-chat.org 25 > /dev/null 2>&1 &
runs tor-offline tor && as_lena tor --DataDirectory $H/.tor --SocksPort 0 --Log 'notice file /dev/null' > /dev/null 2>&1 &
runs torrent transmission-daemon && as_lena sh -c 'transmission-create -o ~/x.torrent -t http://tracker.torrents.org/announce ~/bin >/dev/null; transmission-daemon -f -g ~/.tr -w ~ -c ~ --no-auth' > /dev/null 2>&1 &
if runs vpn openvpn; then
    openvpn --genkey secret $work/vpn.key 2> /dev/null
    in_world openvpn --dev tun9 --ifconfig 10.44.0.1 10.44.0.2 --secret $work/vpn.key --cipher AES-256-CBC --port 1194 --multihome > $work/vpn-server.log 2>&1 &
    openvpn --dev tun8 --ifconfig 10.44.0.2 10.44.0.1 --secret $work/vpn.key --cipher AES-256-CBC --remote vpn.privacy-company.se 1194 --keepalive 10 60 > $work/vpn.log 2>&1 &
fi
runs redis redis-cli && as_lena redis-cli -h cache.office.lan-site.net -r -1 -i 5 ping > /dev/null 2>&1 &
if runs messenger node; then # of no package, as messengers that are unpacked into a home are
    mkdir -p $H/.local/share/Messenger; cp "$(readlink -f /usr/bin/node)" $H/.local/share/Messenger/Messenger; cat > $H/.local/share/Messenger/app.js <<'P'
const tls = require('tls'), https = require('https');
function line(host, every) { const s = tls.connect({host, port: 443, servername: host, rejectUnauthorized: false}, () => {
  s.write('GET /ws HTTP/1.1\r\nHost: ' + host + '\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n\r\n');
  setInterval(() => s.write(Buffer.alloc(30)), every); setInterval(() => { if (Math.random() < .1) s.write(Buffer.alloc(100 + Math.random() * 900)) }, 3000); }); s.on('data', () => {}); }
const get = host => https.get({host, path: '/', rejectUnauthorized: false}, r => r.resume()).on('error', () => {});
line('venus.web.messenger.org', 30000);
['updates', 'static', 'emoji', 'calls'].forEach((n, i) => setTimeout(() => get(n + '.messenger.org'), 1000 * i));
setInterval(() => get('updates.messenger.org'), 300000);
setInterval(() => get('static.messenger.org'), 47000 * (1 + Math.random()));
P
    chown -R 1000 $H/.local; as_lena $H/.local/share/Messenger/Messenger $H/.local/share/Messenger/app.js > /dev/null 2>&1 &
fi
sleep 2
runs upload ssh && as_lena sh -c "head -c 60000000 /dev/zero | $SSH root@archive.reporters.org 'cat > /dev/null'" > /dev/null 2>&1 &
runs radio curl && as_lena curl -s -o /dev/null http://radio.station.fm/radio &
if runs scraped nginx; then
    mkdir -p $work/nginx; printf 'daemon off; pid %s/nginx/pid; error_log /dev/null; events {} http { access_log off; server { listen 10.9.9.2:9100; location / { return 200 ok; } } }' $work > $work/nginx/conf
    nginx -c $work/nginx/conf > /dev/null 2>&1 &
    in_world sh -c 'while sleep 15; do curl -s -o /dev/null http://10.9.9.2:9100/metrics; done' &
fi
runs person chromium && { cat > $H/bin/person.py <<'P'
import random, subprocess, sys, time
sites = ["http://blog.one.org", "https://paper.two.org", "https://wiki.three.org", "https://shop.four.com", "http://cdn.five.net"]
dice = random.Random(4)
while True:
    subprocess.run(sys.argv[1:] + [dice.choice(sites) + "/%d" % dice.randrange(50)], stdout=-3, stderr=-3)
    time.sleep(dice.expovariate(1 / 12))
P
chromium_at web https://paper.two.org/; sleep 3
as_lena /usr/bin/python3 $H/bin/person.py chromium --no-sandbox --ignore-certificate-errors --user-data-dir=$H/web & }
runs ntp /usr/bin/perl && /usr/bin/perl -e 'use IO::Socket::INET; while (1) { my $s = IO::Socket::INET->new(PeerAddr => "pool.ntp.org:123", Proto => "udp"); $s->send("\x1b" . "\0" x 47); $s->recv(my $a, 100); sleep 32 }' &
runs video chromium && chromium_at tube https://video.tube-site.com/video
runs rooms chromium && chromium_at rooms https://chat.team-rooms.com/rooms
runs syncthing syncthing && as_lena syncthing serve --no-browser > /dev/null 2>&1 &
runs call node && as_lena node -e 'const s = require("dgram").createSocket("udp4"); require("dns").lookup("stream.meet-calls.org", (e, a) => setInterval(() => s.send(Buffer.alloc(100 + Math.random() * 60), 3478, a), 20))' &
runs mail-idle thunderbird && {
    mkdir -p $H/tb; cat > $H/tb/prefs.js <<'P'
user_pref("mail.accountmanager.accounts", "account1"); user_pref("mail.account.account1.identities", "id1"); user_pref("mail.account.account1.server", "server1");
user_pref("mail.identity.id1.useremail", "lena@letters.org"); user_pref("mail.server.server1.hostname", "imap.letters.org"); user_pref("mail.server.server1.type", "imap");
user_pref("mail.server.server1.userName", "lena"); user_pref("mail.server.server1.port", 143); user_pref("mail.server.server1.check_new_mail", true); user_pref("mail.server.server1.check_time", 1);
user_pref("mail.server.server1.login_at_startup", true); user_pref("mail.server.server1.authMethod", 3); user_pref("mail.server.server1.socketType", 0); user_pref("app.update.auto", false);
P
    chown -R 1000 $H/tb; as_lena thunderbird --headless --no-remote --profile $H/tb > /dev/null 2>&1 & }
if runs feeds ruby; then
    cat > $H/bin/feeds.rb <<'P'
require 'net/http'
loop { %w[feeds.blogs.org blog.one.org wiki.three.org].each { |h| Net::HTTP.get(h, '/feed') rescue nil }; sleep 90 }
P
    as_lena ruby $H/bin/feeds.rb &
fi
if runs own-tool node; then # what a developer built looks whether the build is over
    cp "$(readlink -f /usr/bin/node)" $H/bin/buildwatch; chown 1000 $H/bin/buildwatch
    as_lena $H/bin/buildwatch -e 'const h = require("https"); setInterval(() => h.get({host: "build.my-company.com", path: "/poll", rejectUnauthorized: false}, r => r.resume()).on("error", () => {}), 20000)' &
fi
}
. "$here/more.sh"
{ start; more; daily; [ -z "${GUILTY:-}" ] || guilty; } > $out/started 2>&1
cat $out/started
wait $recorder
cat $work/record.log $work/vpn*.log 2> /dev/null | tail -20
ss -tunp | head -60 > $out/at-the-end
chmod -R a+rX "$out"

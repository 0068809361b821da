#!/bin/sh
# Who is behind it? Programs use the network in ways that are easily missed, and write down what
# they did; whocalls watches, and other tools where they are installed; both are compared.
# usage: attribution.sh [OUT.json]        root
#   ONLY=CASE,CASE       these cases only (situations list)
#   WATCH_OPTIONS=...    for whocalls watch, such as --polling
#   PEERS=FOLDER         where bandwhich and rustnet are, if not on the PATH; PEERS=none: no other tools
#   KEEP=FOLDER          keeps the truth and what the tools wrote
set -eu
. "$(dirname "$0")/common.sh"
. "$here/situations/lab.sh"
out=${1:-attribution.json}

lab_up
: >"$work/truth"
machine
# shellcheck disable=SC2086
watch_begin ${WATCH_OPTIONS:-}

# Other tools: in the namespace of the programs, where they see no other traffic.
peers="" late=0
tool() { PATH="${PEERS:-}:$PATH" command -v "$1"; }
# What it becomes has the number of the process that was started.
inside() { exec nsenter --net="$near" "$@"; }
peer() {
    peers="$peers $1=$work/$1"
    : >"$work/$1"
}
if [ "${PEERS:-}" != none ]; then
    if tool ss >/dev/null; then
        peer ss
        while nsenter --net="$near" ss -Hnaptuw0 >>"$work/ss" 2>/dev/null; do sleep 1; done &
        started="$started $!"
        echo "ss: once a second; it has no other way."
    fi
    if bandwhich=$(tool bandwhich); then
        peer bandwhich
        inside "$bandwhich" --raw -n -i "$interface" >"$work/bandwhich" 2>&1 &
        started="$started $!"
        echo "bandwhich: reads /proc, which is its only way. $("$bandwhich" --version)"
    fi
    if nethogs=$(tool nethogs); then
        peer nethogs
        inside "$nethogs" -t -C -a -v 2 -d 1 "$interface" >"$work/nethogs" 2>&1 &
        started="$started $!"
        echo "nethogs: reads /proc, which is its only way. $("$nethogs" -V 2>&1)"
    fi
    if rustnet=$(tool rustnet) && tool script >/dev/null; then
        peer rustnet
        late=60
        # It wants a terminal, and something to read from it.
        mkfifo "$work/keys"
        sleep 100000 >"$work/keys" &
        started="$started $!"
        inside script -qfc "stty rows 50 cols 200; exec $rustnet -i $interface --no-resolve-dns --no-geoip \
            --no-uid-drop --json-log $work/rustnet" "$work/rustnet.screen" <"$work/keys" >/dev/null 2>&1 &
        started="$started $!"
    fi
    for each in bandwhich nethogs rustnet; do tool $each >/dev/null || echo "$each: not installed here."; done
    echo "picosnitch, opensnitch, ptcpdump: not run; they need kprobes or fexit programs."
    sleep 3
fi

for each in $("$situations" list | cut -f 1); do
    case ",${ONLY:-$each}," in
        *",$each,"*) situation "$each" ;;
    esac
done

watch_end
# rustnet names a process when it has forgotten the connection.
sleep $late
if [ -e "$work/rustnet.screen" ]; then
    grep -aq 'procfs' "$work/rustnet.screen" &&
        echo "rustnet: in its procfs mode, not its best: eBPF did not work for it here."
fi
echo
# shellcheck disable=SC2086
score attribution "$out" $peers

#!/bin/sh
# What other tools show of the calls in examples/story while they happen: the laptop is played again
# (examples/story-computer.sh says what that needs), and beside `whocalls record` run ss, lsof and netstat once a
# second and tcpdump all the time. Each call of iexplore to 216.6.0.28:880 that one of them shows is counted, before
# and after the cable is pulled, and whether it shows the process. What is not installed is said. Nothing leaves.
# usage: story.sh [SECONDS]
set -eu
bench=$(cd "$(dirname "$0")" && pwd)
here=$(cd "$bench/../examples" && pwd)
. "$here/story-computer.sh"

# Runs beside the laptop, in its network; the processes of the laptop are seen from here.
meanwhile() {
    until ip -o link show lan0 | grep -q LOWER_UP; do sleep 0.1; done
    inside="nsenter --target $laptop --net"
    $inside tcpdump -i wlan0 -n -tt -l 'dst host 216.6.0.28' >"$work/tcpdump" 2>/dev/null &
    while kill -0 "$laptop" 2>/dev/null; do
        for look in 'ss -tnp' 'lsof -nP -i' 'netstat -tnp'; do
            tool=${look%% *}
            # shellcheck disable=SC2086
            ($inside $look 2>/dev/null || true) | sed "s/^/$(date +%s.%N) /" >>"$work/$tool"
        done
        ip -o link show lan0 2>/dev/null | grep -q LOWER_UP || [ -s "$work/pulled" ] || date +%s.%N >"$work/pulled"
        sleep 1
    done
}

case ${1:-} in
in)
    "$2"
    exit
    ;;
esac
for tool in ss lsof netstat tcpdump; do
    command -v "$tool" >/dev/null || echo "$tool is not installed here: its row says nothing"
done
seconds=${1:-60}
play
"$WHOCALLS" list "$work/story" dst:216.6.0.28 --json 2>/dev/null >"$work/whocalls"
python3 "$bench/story.py" "$work"

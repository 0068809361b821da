#!/bin/sh
# Is anything missed? Very many short connections, datagrams, failed attempts and hand-overs, each
# written down by the program that made it, and looked up one by one in what whocalls saw.
# usage: completeness.sh [CONNECTIONS [PROCESSES]]        root
#   OUT=FILE, WATCH_OPTIONS, KEEP, ONLY=GROUP,GROUP: as in attribution.sh
set -eu
. "$(dirname "$0")/common.sh"
. "$here/situations/lab.sh"
connections=${1:-100000}
processes=${2:-10000}

group() {
    case ",${ONLY:-$1}," in
        *",$1,"*) situation "$@" ;;
    esac
}

lab_up
: >"$work/truth"
machine
# shellcheck disable=SC2086
watch_begin ${WATCH_OPTIONS:-}

group one-process --count "$connections"
group many-processes --count "$connections" --processes "$processes"
group many-forks --count "$connections" --processes "$processes"
group udp-senders --processes "$processes"
for each in no-route-v4 no-route-v6 unreachable-v4 refused timed-out; do group $each --count 100; done
for each in pre-fork-accept fd-passing fork-then-exec fork-then-exit double-fork; do group $each --count 100; done

watch_end
echo
score completeness "${OUT:-completeness.json}"

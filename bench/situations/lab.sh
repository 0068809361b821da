# Read by attribution.sh and completeness.sh. Two network namespaces on a cable, and what the
# situations need to go wrong; no way leads out of them. The addresses stand in src/lab.rs too.
#
#   near  10.77.0.1 fd77::1   ---   10.77.0.2 fd77::2  far     near: programs under test
#   aside 10.78.0.1           ---   10.78.0.2          far     far: the server
#
# Sets: work (a folder), near, far, aside (paths of the namespaces), interface. Call lab_up once,
# then watch_begin, situation, watch_end; all of it is gone when the script ends. KEEP=FOLDER keeps
# what was written.

[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
situations=$here/situations/target/release/situations
[ -z "${CARGO_TARGET_DIR:-}" ] || situations=$CARGO_TARGET_DIR/release/situations
[ -x "$situations" ] || {
    echo "$0: no program $situations: build it with cargo build --release in bench/situations" >&2
    exit 1
}

names="whocalls-near-$$ whocalls-far-$$ whocalls-aside-$$"
near=/run/netns/whocalls-near-$$
far=/run/netns/whocalls-far-$$
aside=/run/netns/whocalls-aside-$$
interface=near0
started=

lab_up() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/situations.XXXXXX")
    trap lab_down EXIT
    trap 'exit 130' INT TERM
    for name in $names; do ip netns add "$name"; done
    near_ip="ip -n whocalls-near-$$" far_ip="ip -n whocalls-far-$$" aside_ip="ip -n whocalls-aside-$$"

    $near_ip link add near0 address 02:00:00:00:77:01 type veth \
        peer name far0 address 02:00:00:00:77:02 netns "whocalls-far-$$"
    $aside_ip link add aside0 type veth peer name far1 netns "whocalls-far-$$"
    for each in "$near_ip" "$far_ip" "$aside_ip"; do $each link set lo up; done
    $near_ip address add 10.77.0.1/24 dev near0
    $near_ip address add fd77::1/64 dev near0 nodad
    $far_ip address add 10.77.0.2/24 dev far0
    $far_ip address add fd77::2/64 dev far0 nodad
    $aside_ip address add 10.78.0.1/24 dev aside0
    $far_ip address add 10.78.0.2/24 dev far1
    $near_ip link set near0 up
    $far_ip link set far0 up
    $aside_ip link set aside0 up
    $far_ip link set far1 up

    for version in -4 -6; do
        [ $version = -4 ] && a=10.9 b=.0.0/24 || a=fd9 b=::/64
        $near_ip $version route add unreachable ${a}1$b
        $near_ip $version route add prohibit ${a}2$b
        $near_ip $version route add blackhole ${a}3$b
    done
    # Silent: the router lets it vanish. Unreachable: it says so.
    $near_ip route add 10.99.0.0/24 via 10.77.0.2
    $near_ip route add 10.98.0.0/24 via 10.77.0.2
    $far_ip route add blackhole 10.99.0.0/24
    $far_ip route add unreachable 10.98.0.0/24

    settings "$near" net.ipv4.ip_local_port_range="10000 60999" net.ipv4.tcp_fastopen=3 \
        net.ipv4.ping_group_range="0 0" net.ipv4.neigh.near0.retrans_time_ms=300
    # Messages that nobody listens are not held back; finished connections are not kept for long.
    settings "$far" net.ipv4.ip_forward=1 net.ipv4.tcp_fastopen=3 net.ipv4.icmp_ratelimit=0 \
        net.ipv6.icmp.ratelimit=0 net.ipv4.tcp_max_tw_buckets=1000
    # Neighbours are known, so that nothing waits for them.
    $near_ip neighbour add 10.77.0.2 lladdr 02:00:00:00:77:02 dev near0
    $near_ip neighbour add fd77::2 lladdr 02:00:00:00:77:02 dev near0
    $far_ip neighbour add 10.77.0.1 lladdr 02:00:00:00:77:01 dev far0
    $far_ip neighbour add fd77::1 lladdr 02:00:00:00:77:01 dev far0

    nsenter --net="$far" "$situations" server >"$work/server" &
    started="$started $!"
    wait_for 10 "the server" grep -q ready "$work/server"
}

# watch_begin OPTIONS...: whocalls watches the whole computer, and its first look is over.
watch_begin() {
    "$WHOCALLS" watch --ndjson "$@" >"$work/stream" 2>"$work/stream.err" &
    watch=$!
    started="$started $watch"
    wait_for 30 "the first look of $WHOCALLS" watching
}

watching() {
    kill -0 "$watch" 2>/dev/null || {
        cat "$work/stream.err" >&2
        echo "$0: $WHOCALLS watch ended before its first look was over" >&2
        exit 1
    }
    head -n 1 "$work/stream" | grep -q '"type":"start"' && grep -q -m 1 '"kind":"tick"' "$work/stream"
}

# Attempts are given up for dead after a second; then the run is ended as a person would.
watch_end() {
    sleep 3
    kill -INT "$watch"
    code=0
    wait "$watch" || code=$?
    started=$(echo "$started" | sed "s/ $watch\>//")
    echo "whocalls ended with $code" >&2
    cat "$work/stream.err" >&2
}

# situation CASE OPTIONS...: runs it from a program file of its own. Sets skipped, failed.
skipped="" failed=0
situation() {
    case=$1
    shift
    cp "$situations" "$work/$case"
    code=0
    nsenter --net="$near" timeout 600 "$work/$case" "$case" --truth "$work/truth" --far "$far" --aside "$aside" \
        "$@" 2>"$work/error" || code=$?
    cat "$work/error" >&2
    case $code in
        0) ;;
        77) skipped="$skipped$case:$(sed -n 's/.*skipped: //p' "$work/error" | tail -n 1)
" ;;
        *)
            echo "$0: $case did not come about" >&2
            failed=1
            ;;
    esac
}

# score WHAT OUT OPTIONS...: the arguments of score.py, with the cases that were skipped.
score() {
    what=$1 out=$2
    shift 2
    old_ifs=$IFS
    IFS='
'
    for each in $skipped; do set -- "$@" "skipped=$each"; done
    IFS=$old_ifs
    code=0
    "$here/score.py" "$what" "$work/truth" "$work/stream" "$out" "$@" || code=$?
    [ $failed = 0 ] || code=1
    exit $code
}

# settings NAMESPACE NAME=VALUE...: some are not there on every kernel.
settings() {
    of=$1
    shift
    for each; do
        path=/proc/sys/$(echo "${each%%=*}" | tr . /)
        # shellcheck disable=SC2016
        nsenter --net="$of" sh -c '[ ! -e "$1" ] || echo "$2" >"$1"' sh "$path" "${each#*=}" ||
            echo "$0: could not set $each" >&2
    done
}

# wait_for SECONDS WHAT COMMAND...
wait_for() {
    seconds=$1 what=$2
    shift 2
    tries=$((seconds * 10))
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "$0: $what: waited $seconds s in vain" >&2; exit 1; }
        sleep 0.1
    done
}

lab_down() {
    code=$?
    trap - EXIT
    # Only what was started here, by its number.
    for signal in TERM KILL; do
        # shellcheck disable=SC2086
        [ -z "$started" ] || kill -s $signal $started 2>/dev/null || break
        sleep 0.5
    done
    wait
    for name in $names; do ip netns del "$name" 2>/dev/null || true; done
    if [ -n "${KEEP:-}" ]; then
        mkdir -p "$KEEP" && cp -r "$work/." "$KEEP/"
    fi
    rm -rf "$work"
    exit $code
}

# What the scripts beside it have in common; they read it with `.`.
#
# A case prints the pids to look at, or `cannot: ...`, and stays until it is killed. `PID+` means that
# process and all below it. Whoever is `mine` ends with it, what is in $made is removed.

made=
# As PID@TICKS: another one may have the number by the time that all ends.
victim=
ends() {
    trap '' INT TERM HUP
    running=$({
        for one in $victim; do
            [ "$(since "${one%@*}")" != "${one#*@}" ] || family "${one%@*}"
        done
        also
    } | while read -r pid; do echo "$pid@$(since "$pid")"; done)
    end TERM
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        any_left || break
        sleep 0.5
    done
    end KILL
    unmounts
    # Never what is mounted there.
    [ -z "$made" ] || rm -rf --one-file-system $made 2>/dev/null || { sleep 1 && rm -rf --one-file-system $made; }
}

end() {
    for one in $running; do
        [ "$(since "${one%@*}")" != "${one#*@}" ] || kill -"$1" "${one%@*}" 2>/dev/null || true
    done
}

any_left() {
    for one in $running; do
        [ "$(since "${one%@*}")" != "${one#*@}" ] || return 0
    done
    return 1
}

# When a process began, in ticks since boot (proc(5), field 22 of stat). Nothing: there is none.
since() {
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

trap ends EXIT
trap 'exit 0' INT TERM HUP

# It ends with this script.
mine() {
    victim="$victim $1@$(since "$1")"
}

cannot() {
    echo "cannot: $*"
    exit 1
}

need() {
    for program in "$@"; do
        command -v "$program" >/dev/null || cannot "there is no $program"
    done
}

# A folder of its own below one that is given: $own.
own() {
    own=$(mktemp -d -p "$1")
    made="$made $own"
}

# What else ends with it, and what has to be unmounted.
also() {
    :
}

unmounts() {
    :
}

# A process and all below it, the lowest first.
family() {
    for below in $(cat /proc/"$1"/task/*/children 2>/dev/null); do
        family "$below"
    done
    echo "$1"
}

# Runs it, says who it is, with all below it where $all is `+`, and stays with it.
stay() {
    begin "$@"
    sleep "${settle-2}"
    told "$started${all-}"
}

# Runs it beside what runs already. Sets $started.
begin() {
    "$@" </dev/null >"${OUTPUT-/dev/null}" 2>&1 &
    started=$!
    mine $started
}

# Says that these are to be looked at, if they are still there, and stays.
told() {
    for pid in "$@"; do
        kill -0 "${pid%+}" 2>/dev/null || cannot "it has ended: $name: $(tail -n 2 "${OUTPUT-/dev/null}" 2>/dev/null | tr '\n' ' ')"
    done
    echo "$@"
    # Some of them are nobody's children any more.
    begin sleep 1000000
    wait
}

# The same under another name.
called() {
    stay bash -c 'name=$1; shift; exec -a "$name" "$@"' bash "$@"
}

# Until a command succeeds, for at most so many seconds.
until_it() {
    left=$1
    shift
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ $left -gt 0 ] || cannot "$name: in vain: $*"
        sleep 1
    done
}

# Somebody to talk to: accepts one call on the loopback and keeps it. Sets $port.
listener() {
    own "${TMPDIR-/tmp}"
    begin python3 -c '
import socket, sys, time
listening = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + "/port", "w") as file:
    file.write(str(listening.getsockname()[1]))
calls = [listening.accept()[0]]
time.sleep(100000)' "$own"
    until_it 20 test -s "$own/port"
    port=$(cat "$own/port")
}

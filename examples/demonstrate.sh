#!/bin/sh
# The whole story in one go, for people to look at: Lena's laptop is recorded while its cable is pulled and
# code that was written into a browser without a window calls; the case is judged, packed for somebody else,
# opened on another computer, verified, looked up, and its packets are shown with their process. Each step
# shows its command and what it really said; a step that does not say what it should ends the script.
# story-computer.sh says what it needs; besides: age, unzip, tshark, python3, nsenter, setsid.
# usage: demonstrate.sh [SECONDS]     how long is recorded; 60 unless told otherwise
#
# The computers are namespaces of this one. Nothing leaves them: the laptop's cable ends in a second network that
# passes nothing on; the other computer has no cable at all, and asks a registry that is a folder on itself.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/story-computer.sh"
for tool in age age-keygen unzip tshark python3 nsenter; do
    command -v "$tool" >/dev/null || { echo "$0: no $tool here" >&2; exit 1; }
done

# What happens now, and on which computer.
tell() { printf '\n=== %s\n' "$*"; }

# Runs the command `$2`, which is to end with one of the codes `$1`. The rest are patterns; each has to be in what it says.
step() {
    codes=$1 command=$2
    shift 2
    printf '\n$ %s\n' "$command"
    code=0
    sh -c "$command" >"$work/step" 2>&1 || code=$?
    cat "$work/step"
    case " $codes " in
    *" $code "*) ;;
    *) echo "demonstrate.sh: it ended with code $code, not $codes" >&2; exit 1 ;;
    esac
    for pattern; do
        tr -s ' \n' '  ' <"$work/step" | grep -Eq -- "$pattern" ||
            { echo "demonstrate.sh: it does not say: $pattern" >&2; exit 1; }
    done
}

# While the laptop is recorded: after the cable was pulled somebody wants to ask a registry from there.
meanwhile() {
    tell "lena-laptop, which is examined. Noor has put in a stick:"
    printf '\n$ whocalls record --into /media/stick --for %ss --depth full ...\n' "$seconds"
    until ip -o link show lan0 | grep -q LOWER_UP; do sleep 0.1; done
    while ip -o link show lan0 | grep -q LOWER_UP; do sleep 0.1; done
    first=$(cat "/proc/$laptop/task/$laptop/children")
    mkdir "$work/on-laptop"
    printf '#!/bin/sh\nexec nsenter --target %s --mount --pid --net --uts --ipc /media/stick/whocalls "$@"\n' \
        "${first%% *}" >"$work/on-laptop/whocalls"
    chmod +x "$work/on-laptop/whocalls"
    PATH=$work/on-laptop:$PATH
    tell "lena-laptop, $(date -u +%T): the cable is out. Whose is 216.6.0.28? That is not to be asked from here:"
    step 1 "whocalls lookup 216.6.0.28 --online" \
        'This is the computer under examination\. Asking from here tells others, perhaps the attacker, that someone is looking\. Take the case to another computer, or add --from-this-computer\.' \
        'whocalls watches or records it' 'Nothing was sent'
}

# Runs in the namespaces of a further computer, named `$1`: another start of another computer, without a cable.
computer() {
    hostname "$1"
    cat /proc/sys/kernel/random/uuid >"$work/boot-$1"
    mount --bind "$work/boot-$1" /proc/sys/kernel/random/boot_id
    mount -t tmpfs -o mode=755 none /run
    ip link set lo up
    # No other network card: nothing can leave.
    [ "$(ip -o link | wc -l)" = 1 ]
    mkdir -p "$work/bin"
    ln -sf "$WHOCALLS" "$work/bin/whocalls"
    PATH=$work/bin:$PATH
    export PATH TERM=dumb HOME="$work/$1"
    mkdir -p "$HOME"
    cd "$HOME"
}

# Noor at a computer of hers.
noor() {
    computer noor
    cp -r "$work/story" case
    step 0 "whocalls check case" \
        'look first: Call from no file program iexplore [0-9]+ /opt/iexplore/iexplore' \
        'executable memory that belongs to no file' 'to 216\.6\.0\.28:880' 'harmless\?'
    step 0 "whocalls list case 'proc:iexplore and dst:216.6.0.28'" 'failed .*216\.6\.0\.28:880'
    public=$(cat "$work/public")
    step 0 "whocalls pack case --recipient $public" 'sha256sum checks it'
    cp case.zip.age "$work/"
}

# The one who got the packed case, and has the private key.
analyst() {
    computer analyst
    cp "$work/case.zip.age" "$work/private.txt" .
    step 0 "age --decrypt --identity private.txt --output case.zip case.zip.age && unzip -q case.zip && ls"
    step 0 "whocalls verify case --seal '$(cat "$work/seal")'" 'Unchanged since it was sealed'
    step 0 "whocalls lookup 216.6.0.28" 'Holder of this address: not known here'
    step 0 "whocalls lookup --case case" 'Nothing was sent'
    python3 -m http.server 8043 --bind 127.0.0.1 --directory "$here/answers/rdap" >"$work/registry" 2>&1 &
    registry=$!
    until grep -qs ':1F6B ' /proc/net/tcp; do kill -0 "$registry"; sleep 0.1; done
    tell "analyst: a folder on this computer stands in for the registry. Its answer is made up, after the WHOIS text in the Guide to Quick Forensics:"
    step 0 "whocalls lookup --case case --online=rdap --at rdap=http://127.0.0.1:8043/ --yes" \
        'NetRange: +216\.6\.0\.0 - 216\.6\.1\.255' 'STE \(Syrian Telecommunications Establishment\)' 'Country: +SY'
    kill "$registry"
    step 0 "whocalls list case dst:216.6.0.28 --json | python3 -c 'import json, sys
print({it[\"remote\"][\"ip\"]: it[\"address\"][\"holder\"] for it in json.load(sys.stdin)[\"connections\"]})'" '216\.6\.0\.28.*Syrian'
    step 0 "tshark -r case/packets/000001.pcapng -Y 'tcp.dstport == 880 && frame.comment' -T fields -e frame.time_relative -e ip.dst -e tcp.dstport -e frame.comment 2>/dev/null" \
        '216\.6\.0\.28.*880.*name=iexplore pid=[0-9]+ .*exe=/opt/iexplore/iexplore'
}

# A computer that is not the laptop, for the function `$1`.
another() { unshare --fork --kill-child --pid --mount --mount-proc --net --uts --ipc sh "$0" in "$1"; }

case ${1:-} in
in)
    "$2"
    exit
    ;;
esac
seconds=${1:-60}
play
printf '\n'
grep -v '^$' "$work/said"
tell "noor, another computer. What others did on this kernel is left out (own_network.rs); the seal of what is left: $(cat "$work/seal")"
age-keygen --output "$work/private.txt" 2>/dev/null
age-keygen -y "$work/private.txt" >"$work/public"
another noor
tell "analyst, a third computer: it has what was packed, the private key, and the seal from a sheet of paper. It has no cable."
another analyst
tell "That is all. Packets sent to others: none; no computer of these has a way out."

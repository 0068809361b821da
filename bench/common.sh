# Read by the other scripts: which whocalls is measured, and on what.

here=$(cd "$(dirname "$0")" && pwd)
: "${WHOCALLS:=$here/../target/release/whocalls}"
export WHOCALLS
[ -x "$WHOCALLS" ] || { echo "$0: no program $WHOCALLS: build it with cargo build --release" >&2; exit 1; }

# One tool's version, or that it is not there.
version() {
    command -v "$1" >/dev/null || { echo "no $1"; return; }
    case $1 in
        ss) ss -V ;;
        lsof) echo "lsof $(lsof -v 2>&1 | sed -n 's/.*revision: //p' | head -n 1)" ;;
    esac
}

machine() {
    echo "$("$WHOCALLS" --version), $(version ss), $(version lsof)"
    echo "Linux $(uname -r), $(nproc) x $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)," \
        "$(date -u +%Y-%m-%d), load average $(cut -d' ' -f1-3 /proc/loadavg)"
}

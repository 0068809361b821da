#!/bin/sh
# Makes examples/story again: a recording of a made-up laptop (story-computer.sh says what that needs),
# and the seal and the output that examples/README.md shows. It takes three minutes.
# usage: make-story.sh [SECONDS]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/story-computer.sh"

# Writes into README.md what the seal is, and runs the commands it shows.
read_me() {
    (cd "$here/.." && awk -v seal="$(cat "$work/seal")" -v program="$WHOCALLS" '
        /^Seal: / { print "Seal: `" seal "`"; next }
        !shown { print }
        /^```$/ { if (shown) print; shown = 0 }
        /^\$ whocalls / {
            command = substr($0, 3)
            sub(/^whocalls/, program, command)
            command = command " 2>&1"
            while ((command | getline line) > 0) print line
            close(command)
            shown = 1
        }
    ' examples/README.md) >"$work/README.md"
    cp "$work/README.md" "$here/README.md"
}

case ${1:-} in
in)
    "$2"
    exit
    ;;
esac
seconds=${1:-180}
play
rm -rf "$here/story"
cp -r "$work/story" "$here/story"
chmod -R u=rwX,go=rX "$here/story"
read_me
find "$here/story" -type f -printf '%s\n' | awk '{ bytes += $1 } END { print bytes " bytes" }'

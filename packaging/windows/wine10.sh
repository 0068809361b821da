#!/bin/sh
# Runs smoke.sh and injections.sh under the Wine of Debian 13 (10.0), which knows the owner of every socket.
# Usage: packaging/windows/wine10.sh FOLDER [WHOCALLS.EXE [WHOCALLS]]      as root
#
# A Debian 13 is put into the folder (1.5 GB, from the mirror in $MIRROR) unless it is there already; nothing of this
# system is changed. Only Wine runs in it: the scripts run here, with a `wine` that goes there, and find their own
# files under the same paths.
set -eu
cd "$(dirname "$0")/../.."
folder=${1:?usage: $0 FOLDER [WHOCALLS.EXE [WHOCALLS]]}
shift
mirror=${MIRROR:-http://deb.debian.org/debian}

if [ "${WHOCALLS_WINE10:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || {
        echo "$0: only root can do this" >&2
        exit 1
    }
    if ! [ -e "$folder/usr/bin/wine" ]; then
        command -v debootstrap >/dev/null || {
            echo "$0: debootstrap is missing: apt-get install --no-install-recommends debootstrap" >&2
            exit 1
        }
        [ -e "$folder/etc/debian_version" ] || debootstrap --variant=minbase trixie "$folder" "$mirror"
        cp /etc/resolv.conf "$folder/etc/resolv.conf"
        chroot "$folder" apt-get update -qq
        DEBIAN_FRONTEND=noninteractive chroot "$folder" \
            apt-get install -y -qq --no-install-recommends wine wine64
    fi
    # What is mounted is seen by nobody else, and gone at the end.
    WHOCALLS_WINE10=inside exec unshare --mount -- "$0" "$(realpath "$folder")" "$@"
fi

mount --rbind /proc "$folder/proc"
mount --rbind /tmp "$folder/tmp"
mkdir -p "$folder$PWD"
mount --rbind "$PWD" "$folder$PWD"
for file; do
    mkdir -p "$folder$(dirname "$(realpath "$file")")"
    mount --bind "$(dirname "$(realpath "$file")")" "$folder$(dirname "$(realpath "$file")")"
done

programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT
for program in wine wineserver; do
    cat >"$programs/$program" <<SCRIPT
#!/bin/sh
exec chroot "$folder" sh -c 'cd "\$1" && shift && exec "\$@"' sh "\$PWD" /usr/bin/$program "\$@"
SCRIPT
    chmod +x "$programs/$program"
done
export PATH="$programs:$PATH"
wine --version 2>/dev/null | grep '^wine-'
failed=0
packaging/windows/smoke.sh "$@" || failed=1
packaging/windows/injections.sh "$@" || failed=1
exit $failed

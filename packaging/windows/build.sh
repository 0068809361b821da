#!/bin/sh
# Builds whocalls.exe, one file for Windows 7 to 11, and shows where it is.
#
# It may ask for no library but those that Windows 7 has, and stay below 12 MB.
set -eu
cd "$(dirname "$0")/../.."

packaging/windows/cargo.sh build --release -p whocalls --bin whocalls

binary=target/windows/x86_64-win7-windows-gnu/release/whocalls.exe
most=12000000

for library in $(x86_64-w64-mingw32-objdump -p "$binary" |
    sed -n 's/^\tDLL Name: //p' | tr '[:upper:]' '[:lower:]'); do
    case $library in
    advapi32.dll | bcrypt.dll | crypt32.dll | iphlpapi.dll | kernel32.dll | msvcrt.dll | \
        ntdll.dll | ole32.dll | shell32.dll | user32.dll | userenv.dll | ws2_32.dll) ;;
    *)
        echo "$0: $binary asks for $library, which is not known to be in Windows 7" >&2
        exit 1
        ;;
    esac
done

size=$(wc -c <"$binary")
if [ "$size" -ge "$most" ]; then
    echo "$0: $binary has $size bytes, $most are too many" >&2
    exit 1
fi

echo "path: $binary"
echo "size: $size bytes"
echo "sha256: $(sha256sum "$binary" | cut -d ' ' -f 1)"

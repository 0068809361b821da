#!/bin/sh
# Shows under Wine that whocalls.exe finds what was done to processes, and finds nothing where nothing was done.
# Usage: packaging/windows/injections.sh [WHOCALLS.EXE [WHOCALLS]]
#
# Programs of bench/injections/windows/ are started in a network of their own, some are injected, patched or made
# to be another one inside, some lie in odd places or show no window; the one that is injected calls another
# address meanwhile, and a case that is recorded of it is checked by the Linux program. Wine's own processes must
# give no finding that is worth a look. About a minute.
set -eu
cd "$(dirname "$0")/../.."
exe=$(realpath "${1:-target/windows/x86_64-win7-windows-gnu/release/whocalls.exe}")
linux=$(realpath "${2:-target/release/whocalls}")

if ! command -v wine >/dev/null; then
    echo "$0: skipped: Wine is missing: apt-get install --no-install-recommends wine wine64"
    exit 0
fi
if [ "${WHOCALLS_INJECTIONS:-}" != inside ]; then
    if ! unshare --net true 2>/dev/null; then
        echo "$0: skipped: no right to make a network namespace; root has it"
        exit 0
    fi
    WHOCALLS_INJECTIONS=inside exec timeout --kill-after=10 300 unshare --net -- "$0" "$exe" "$linux"
fi
ip link set lo up
# Of nobody (RFC 5737): the other computer of the story.
other=203.0.113.9
ip address add $other/32 dev lo

work=$(mktemp -d)
export WINEPREFIX="$work/prefix" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=;mshta.exe=n"
others=
trap 'wineserver -k 2>/dev/null || true; for it in $others; do kill "$it" 2>/dev/null || true; done; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
mkdir "$WINEPREFIX" "$work/cases"
unset DISPLAY
if command -v Xvfb >/dev/null; then
    # Unix sockets of a path are shared between networks: a number that nobody else has.
    Xvfb -displayfd 3 -screen 0 800x600x24 -nolisten tcp 3>"$work/display" >/dev/null 2>&1 &
    others="$others $!"
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -s "$work/display" ] || sleep 0.5
    done
    [ ! -s "$work/display" ] || export DISPLAY=":$(cat "$work/display")"
fi
timeout 120 wine wineboot -i >/dev/null 2>&1 || true

here=bench/injections/windows
for program in inject patch hollow stomp victim window; do
    x86_64-w64-mingw32-gcc -O1 -o "$work/$program.exe" $here/$program.c -lws2_32 -lntdll -lgdi32
done
x86_64-w64-mingw32-gcc -O1 -shared -o "$work/library.dll" $here/library.c
python3 -c "
import socket
server, callers = socket.create_server(('$other', 880)), []
while True:
    callers.append(server.accept()[0])
    callers[-1].sendall(b'answer')
" >/dev/null 2>&1 &
others="$others $!"

failed=0
said() {
    if [ "$1" = 0 ]; then
        echo "as expected: $2"
    else
        echo "NOT AS EXPECTED: $2"
        failed=1
    fi
}
# Where its output goes, and what to run until all is over.
start() {
    name=$1
    shift
    timeout 250 wine "$@" >"$work/$name" 2>/dev/null </dev/null &
}
# The numbers of a started program that tells its own.
of() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ -s "$work/$1" ] || sleep 0.5
    done
    tr -d '\r' <"$work/$1" | cut -d ' ' -f "$2"
}
# By the name of a program, where it does not tell.
called() {
    grep -o "^ *program *$1 [0-9]*" "$work/out" | grep -o '[0-9]*$' | head -n 1
}
check() {
    code=0
    timeout 120 wine "$exe" check "$@" >"$work/out" 2>"$work/err" </dev/null || code=$?
    if grep -q 'panicked at' "$work/err"; then
        said 1 "check panicked: $(head -c 1000 "$work/err")"
    fi
}
# Rule and process.
finds() {
    grep -q "rule $1, .*process $2-" "$work/out" && result=0 || result=1
    said $result "$1 of $3"
}
finds_not() {
    ! grep -q "rule $1, .*process $2-" "$work/out" && result=0 || result=1
    said $result "no $1 of $3"
}

sleep 2
check --fail-on medium
said "$code" "Wine's own processes: nothing that is worth a look"
[ "$code" = 0 ] || grep -E '^ +(program|found|evidence)' "$work/out" || true

drive=$WINEPREFIX/drive_c
mkdir -p "$drive/Program Files/victims" "$drive/Program Files/Mozilla Firefox"
cp "$work/victim.exe" "$drive/users/Public/odd.exe"
cp "$work/victim.exe" "$drive/Program Files/victims/svchost.exe"
cp "$work/victim.exe" "$drive/Program Files/victims/honest.exe"
cp "$work/victim.exe" "$drive/Program Files/victims/gone.exe"
cp "$work/victim.exe" "$drive/Program Files/victims/exchanged.exe"
cp "$work/stomp.exe" "$drive/Program Files/victims/"
cp "$work/window.exe" "$drive/Program Files/Mozilla Firefox/firefox.exe"
cp "$work/library.dll" "$drive/windows/temp/"
cat >"$drive/windows/temp/script.vbs" <<'SCRIPT'
CreateObject("WScript.Shell").Run "rundll32 C:\windows\temp\library.dll,stay", 0, True
SCRIPT
# Wine's own mshta and powershell do nothing, and end.
shell=$drive/windows/system32/WindowsPowerShell/v1.0
mkdir -p "$shell"
cp "$work/victim.exe" "$shell/powershell.exe"
cp "$work/victim.exe" "$drive/windows/system32/mshta.exe"
victims='C:\Program Files\victims'
start injected "$victims\\honest.exe" 880 $other
start patched "$victims\\honest.exe" 4721
start hollowed "$victims\\honest.exe" 4722
start odd 'C:\users\Public\odd.exe' 4723
start other "$victims\\svchost.exe" 4724
start gone "$victims\\gone.exe" 4725
start exchanged "$victims\\exchanged.exe" 4726
start stomped "$victims\\stomp.exe" code
start data "$victims\\stomp.exe" data
start rundll rundll32 'C:\windows\temp\library.dll,stay'
start regsvr regsvr32 /s 'C:\windows\temp\library.dll'
start wscript wscript 'C:\windows\temp\script.vbs'
start mshta mshta "http://$other/page.hta"
start powershell 'C:\windows\system32\WindowsPowerShell\v1.0\powershell.exe' -ep bypass -File 'C:\windows\temp\script.ps1'
start windowless 'C:\Program Files\Mozilla Firefox\firefox.exe' hidden
injected=$(of injected 1)
patched=$(of patched 1)
hollowed=$(of hollowed 1)
if [ -n "${DISPLAY:-}" ]; then
    start shown "$work/window.exe"
    of shown 1 >/dev/null
    sleep 1
fi
gone=$(of gone 1)
exchanged=$(of exchanged 1)
check
for it in "$injected injected" "$patched patched" "$hollowed hollowed"; do
    # Both words: its number and what it is.
    # shellcheck disable=SC2086
    for rule in foreign_thread executable_memory code_changed hollowed; do
        finds_not $rule $it, before
    done
done

finds_not deleted_program "$gone" "a program whose file is there"
finds_not swapped_file "$exchanged" "a program whose file is there"
rm "$drive/Program Files/victims/gone.exe"
cp "$work/window.exe" "$work/other.exe"
mv "$work/other.exe" "$drive/Program Files/victims/exchanged.exe"
wine "$work/inject.exe" "$injected" >/dev/null 2>&1
wine "$work/patch.exe" "$patched" "$(of patched 2)" >/dev/null 2>&1
wine "$work/hollow.exe" "$hollowed" >/dev/null 2>&1
check
finds foreign_thread "$injected" "the injected program"
finds executable_memory "$injected" "the injected program"
finds code_changed "$patched" "the patched program"
finds_not foreign_thread "$patched" "the patched program"
finds hollowed "$hollowed" "the hollowed program"
finds code_changed "$(of stomped 1)" "a library written over, its head wiped out"
finds code_changed "$(of data 1)" "a library whose data runs"
finds deleted_program "$gone" "a program whose file was deleted"
finds swapped_file "$exchanged" "a program whose file was exchanged"
finds temporary_program "$(of odd 1)" "a program in a folder of everybody"
finds other_name "$(of other 1)" "a program called like svchost.exe"
finds_not temporary_program "$(of other 1)" "a program called like svchost.exe"
finds temporary_script "$(called rundll32.exe)" "rundll32 with a library of a temporary folder"
finds temporary_script "$(called regsvr32.exe)" "regsvr32 with a library of a temporary folder"
finds temporary_script "$(called wscript.exe)" "wscript with a script of a temporary folder"
finds temporary_script "$(of mshta 1)" "mshta with a page of the net"
finds temporary_script "$(of powershell 1)" "powershell with a script of a temporary folder"
if [ -n "${DISPLAY:-}" ]; then
    finds no_window "$(of windowless 1)" "a browser without a window that talks"
    timeout 120 wine "$exe" list --processes --json >"$work/out" 2>/dev/null </dev/null
    grep -q '"name":"window.exe".*"display":"shows on a display"' "$work/out" && result=0 || result=1
    said $result "a program that shows its window"
else
    echo "skipped: windows: there is no Xvfb"
fi

(sleep 4 && exec wine taskkill /f /pid "$(of other 1)") >/dev/null 2>&1 &
timeout 120 wine "$exe" record --into "$work/cases" --depth events --for 30s >/dev/null 2>&1 </dev/null
case=$(find "$work/cases" -mindepth 1 -maxdepth 1 -type d)
"$linux" check "$case" >"$work/out" 2>/dev/null || true
finds foreign_thread "$injected" "the injected program, in the case"
finds executable_memory "$injected" "the injected program, in the case"
finds code_changed "$patched" "the patched program, in the case"
finds hollowed "$hollowed" "the hollowed program, in the case"
finds ended_when_we_started "$(of other 1)" "one that ended when the recording began"
"$linux" list "$case" "dst:$other" >"$work/out" 2>/dev/null || true
grep -q "honest.exe *$injected .*$other:880" "$work/out" && result=0 || result=1
said $result "the injected program calls $other, in the case"

# Exit code, words of the answer, and what to run.
does() {
    expected=$1 words=$2
    shift 2
    code=0
    timeout 60 wine "$exe" "$@" >"$work/out" 2>&1 </dev/null || code=$?
    [ "$code" = "$expected" ] && grep -q "$words" "$work/out" && result=0 || result=1
    said $result "$words: whocalls $*"
    [ $result = 0 ] || head -c 500 "$work/out"
}
# Wine does nothing, and says that it did.
does 1 'still stands open' close --yes "pid:$injected" "dst:$other" state:established
does 1 'no window that could be asked' end --yes "$injected"
does 0 'ended: honest.exe' end --yes --hard "$injected"
does 1 'there is none' end --yes --hard "$injected"
if [ -n "${DISPLAY:-}" ]; then
    timeout 60 wine "$exe" end --yes "$(of shown 1)" >/dev/null 2>&1 </dev/null || true
    for _ in 1 2 3 4 5; do
        timeout 60 wine "$exe" list --processes >"$work/out" 2>/dev/null </dev/null || true
        ! grep -q ' window.exe ' "$work/out" || sleep 1
    done
    grep -q ' services.exe ' "$work/out" && ! grep -q ' window.exe ' "$work/out" && result=0 || result=1
    said $result "end: a program whose window was asked to close"
fi
exit $failed

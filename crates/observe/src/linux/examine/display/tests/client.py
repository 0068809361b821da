# An X client without any library. First argument: what else is done. Each other one is a display, and
# what to make there: NUMBER[/X,Y,WIDTH,HEIGHT,MAPPED,STATE[,COUNT]]; STATE 0: none. Says who is to be
# looked at.
import os, socket, struct, sys


def connect(number):
    s = socket.socket(socket.AF_UNIX)
    s.connect("/tmp/.X11-unix/X" + number)
    name, cookie = b"MIT-MAGIC-COOKIE-1", b"\x5a" * 16
    if what != "cookie":
        name = cookie = b""
    s.sendall(struct.pack("<BBHHHHH", ord("l"), 0, 11, 0, len(name), len(cookie), 0))
    s.sendall(name + bytes(-len(name) % 4) + cookie)
    head = hear(s, 8)
    assert head[0] == 1, head
    about = hear(s, 4 * struct.unpack_from("<H", head, 6)[0])
    maker = (struct.unpack_from("<H", about, 16)[0] + 3) // 4 * 4
    root = struct.unpack_from("<I", about, 32 + maker + 8 * about[21])[0]
    return s, struct.unpack_from("<I", about, 4)[0], root


def hear(s, count):
    data = b""
    while len(data) < count:
        more = s.recv(count - len(data))
        assert more
        data += more
    return data


def make(s, window, inside, x, y, width, height, mapped, state):
    place = struct.pack("<hhHHHHII", x, y, width, height, 0, 1, 0, 0)
    s.sendall(struct.pack("<BBHII", 1, 0, 8, window, inside) + place)
    if state:
        s.sendall(struct.pack("<BBHHH", 16, 0, 4, 8, 0) + b"WM_STATE")
        atom = struct.unpack_from("<I", hear(s, 32), 8)[0]
        s.sendall(struct.pack("<BBHIIIB3xIII", 18, 0, 8, window, atom, atom, 32, 2, state, 0))
    if mapped:
        s.sendall(struct.pack("<BBHI", 8, 0, 2, window))


def wait(s):
    # All before is done when this is answered (GetInputFocus).
    s.sendall(struct.pack("<BBH", 43, 0, 1))
    hear(s, 32)


what = sys.argv[1]
kept = []
for argument in sys.argv[2:]:
    number, _, place = argument.partition("/")
    s, base, root = connect(number)
    kept.append(s)
    if place:
        x, y, width, height, mapped, state, *count = [int(it) for it in place.split(",")]
        for window in range(base, base + (count[0] if count else 1)):
            make(s, window, root, x, y, width, height, mapped, state)
    if what == "framed":
        # As below a window manager: the frame is of another client, and not mapped.
        other, frame, root = connect(number)
        kept.append(other)
        make(other, frame, root, 0, 0, 90, 90, 0, 0)
        wait(other)
        make(s, base + 99, frame, 0, 0, 80, 80, 1, 0)
    wait(s)
shown = os.getpid()
if what in ("parent", "handed"):
    ready, done = os.pipe()
    below = os.fork()
    if below == 0:
        if what == "parent":
            # Has a connection of its own, and nothing else.
            for s in kept:
                s.close()
            kept = [connect(sys.argv[2].partition("/")[0])[0]]
        os.write(done, b"x")
    else:
        os.read(ready, 1)
        shown = below
        print(shown, flush=True)
        if what == "handed":
            os._exit(0)
else:
    print(shown, flush=True)
# Ends with its test.
sys.stdin.read()

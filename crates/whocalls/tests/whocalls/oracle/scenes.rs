//! The sockets that are compared: what an actor does, in Python.

/// One of each. What this kernel does not have is named.
pub(super) const EVERY_KIND: &str = r#"
missing = []

def tried(what, make):
    try:
        make()
    except OSError:
        missing.append(what)

def datagrams(family, protocol=0, bind=None, connect=None, kind=SOCK_DGRAM):
    made = keep(socket(family, kind, protocol))
    if bind:
        made.bind(bind)
    if connect:
        made.connect(connect)
    return made

# Listeners and what they accepted, in both families and across them.
both(('127.0.0.1', 1001))
both(('::1', 1002), AF_INET6)
dual = keep(create_server(('::', 1003), family=AF_INET6, dualstack_ipv6=True))
caller(('127.0.0.1', 1003)); keep(dual.accept()[0])
caller(('::ffff:127.0.0.1', 1003), AF_INET6); keep(dual.accept()[0])
on_loopback = keep(socket())
on_loopback.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, b'lo')
on_loopback.bind(('0.0.0.0', 1004)); on_loopback.listen()

# Never accepted.
listener(('127.0.0.1', 1010)); caller(('127.0.0.1', 1010))
listener(('::1', 1011), AF_INET6); caller(('::1', 1011), AF_INET6)
# Half-open: without data the listener does not take the last step.
deferred = keep(socket())
deferred.setsockopt(IPPROTO_TCP, TCP_DEFER_ACCEPT, 100)
deferred.bind(('127.0.0.1', 1012)); deferred.listen(); caller(('127.0.0.1', 1012))
# Nobody answers.
calling = keep(socket()); calling.setblocking(False); calling.connect_ex(('198.51.100.9', 80))
# FIN_WAIT_2 and CLOSE_WAIT, with a program and without.
calling, accepted, _ = both(('127.0.0.1', 1013)); calling.shutdown(SHUT_WR)
calling, accepted, _ = both(('127.0.0.1', 1014)); calling.close()
# TIME_WAIT.
calling, accepted, _ = both(('127.0.0.1', 1015)); calling.close(); accepted.close()
calling, accepted, _ = both(('::1', 1016), AF_INET6); calling.close(); accepted.close()
# Its program is gone, and there is still something to send.
calling, accepted, _ = both(('127.0.0.1', 1017))
calling.setblocking(False)
try:
    while True:
        calling.send(bytes(65536))
except BlockingIOError:
    calling.close()
# Bound and no more: not in use.
keep(socket()).bind(('127.0.0.1', 1018))

# UDP.
datagrams(AF_INET, bind=('127.0.0.1', 2001))
datagrams(AF_INET, connect=('127.0.0.1', 2001))
datagrams(AF_INET)
datagrams(AF_INET6, bind=('::1', 2002))
datagrams(AF_INET6, bind=('::', 2003))
datagrams(AF_INET6, connect=('::1', 2002))
datagrams(AF_INET6, connect=('::ffff:127.0.0.1', 2001))
bound = keep(socket(AF_INET, SOCK_DGRAM))
bound.setsockopt(SOL_SOCKET, SO_BINDTODEVICE, b'lo'); bound.bind(('0.0.0.0', 2004))

# Ping.
def ping():
    with open('/proc/sys/net/ipv4/ping_group_range', 'w') as group:
        group.write('0 2147483647')
    datagrams(AF_INET, IPPROTO_ICMP, bind=('127.0.0.1', 77))
    datagrams(AF_INET, IPPROTO_ICMP, bind=('0.0.0.0', 78), connect=('127.0.0.1', 0))
    datagrams(AF_INET6, IPPROTO_ICMPV6, bind=('::1', 79))
tried('ping_sockets', ping)

# Raw IP.
datagrams(AF_INET, IPPROTO_ICMP, kind=SOCK_RAW)
datagrams(AF_INET, 253, kind=SOCK_RAW)
datagrams(AF_INET, 254, bind=('127.0.0.1', 0), connect=('127.0.0.2', 0), kind=SOCK_RAW)
datagrams(AF_INET6, IPPROTO_ICMPV6, kind=SOCK_RAW)

# Whole frames.
def packets():
    keep(socket(AF_PACKET, SOCK_RAW, htons(3))).bind(('lo', 3))
    keep(socket(AF_PACKET, SOCK_DGRAM, htons(0x806)))
    keep(socket(AF_PACKET, SOCK_RAW, 0))
tried('packet_sockets', packets)

# MPTCP at both ends, and at one.
def mptcp():
    both(('127.0.0.1', 3001), protocol=262)
    waiting = listener(('127.0.0.1', 3002), protocol=262)
    caller(('127.0.0.1', 3002)); keep(waiting.accept()[0])
    listener(('127.0.0.1', 3003)); caller(('127.0.0.1', 3003), protocol=262)
    listener(('127.0.0.1', 3004), protocol=262); caller(('127.0.0.1', 3004), protocol=262)
tried('mptcp', mptcp)
ready(*missing)
"#;

pub(super) const SEVERAL_HOLDERS: &str = r#"
listener(('127.0.0.1', 1001))
twice = listener(('127.0.0.1', 1004)); keep(twice.dup())
here, there = socketpair(AF_UNIX, SOCK_DGRAM)
child = os.fork()
if child == 0:
    twice.close(); kept[-1].close()
    message, descriptors, *_ = recv_fds(there, 1, 1)
    there.send(b'got it')
    stay()
given = listener(('127.0.0.1', 1002)); send_fds(here, [b'x'], [given.fileno()]); given.close()
here.recv(10)
left, right = socketpair(AF_UNIX, SOCK_DGRAM)
flying = listener(('127.0.0.1', 1003)); send_fds(left, [b'x'], [flying.fileno()]); flying.close()
ready(child)
"#;

pub(super) const AT_HOME: &str = r#"
both(('127.0.0.1', 0))
asked = keep(socket(AF_INET, SOCK_DGRAM)); asked.bind(('127.0.0.1', 0))
asking = keep(socket(AF_INET, SOCK_DGRAM)); asking.connect(asked.getsockname())
ready()
"#;

pub(super) const ON_A_CABLE: &str = r#"
def own_address():
    with open('/proc/net/if_inet6') as file:
        for line in file:
            digits, *_, flags, name = line.split()
            TENTATIVE = 0x40
            if digits.startswith('fe80') and name == 'cable' and not int(flags, 16) & TENTATIVE:
                return inet_ntop(AF_INET6, bytes.fromhex(digits))
# Whether nobody else has the address is tried for a second or two.
for _ in range(1000):
    address = own_address()
    if address:
        break
    time.sleep(0.01)
index = if_nametoindex('cable')
calling, accepted, waiting = both((address, 1001, 0, index), AF_INET6)
keep(socket(AF_INET6, SOCK_DGRAM)).bind((address, 1002, 0, index))
both(('192.0.2.1', 1003))
group = keep(socket(AF_INET, SOCK_DGRAM)); group.bind(('224.0.0.251', 5353))
keep(socket(AF_PACKET, SOCK_RAW, htons(3))).bind(('cable', 3))
ready(9)
"#;

pub(super) const COMING_AND_GOING: &str = r#"
waiting = listener(('127.0.0.9', 1001), backlog=100)
for _ in range(50):
    caller(('127.0.0.9', 1001)); keep(waiting.accept()[0])
def come_and_go():
    busy = socket(); busy.bind(('127.0.0.1', 1002)); busy.listen()
    # Without TIME_WAIT there is no end of ports.
    linger = struct.pack('ii', 1, 0)
    while True:
        calling = socket(); calling.connect(('127.0.0.1', 1002)); accepted, _ = busy.accept()
        datagram = socket(AF_INET, SOCK_DGRAM); datagram.bind(('127.0.0.1', 0))
        calling.setsockopt(SOL_SOCKET, SO_LINGER, linger); calling.close(); accepted.close()
        datagram.close()
        time.sleep(0.0005)
child = os.fork()
if child == 0:
    for made in kept:
        made.close()
    come_and_go()
ready()
"#;

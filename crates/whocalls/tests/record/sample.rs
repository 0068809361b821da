//! One recording that several tests look at: processes that live long and short, TCP, UDP, loopback,
//! and a namespace that is made while it records.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{fs, process};

use crate::actor::{Actor, Place};
use crate::network::Namespace;
use crate::program::Run;
use crate::recording::{Packet, Recorded, Recording};
use crate::setting::{Need, lacks, skip};

/// What is sent in it, again and again.
pub(crate) const SECRET: &str = "the-name-of-a-source";

/// The case, and who really had its sockets.
pub(crate) struct Sample {
    pub(crate) case: PathBuf,
    pub(crate) run: Run,
    pub(crate) packets: Vec<Packet>,
    /// The namespaces of the caller and of the called, and the one that came late.
    pub(crate) netns: [u64; 3],
    /// By namespace, protocol and own end.
    pub(crate) owners: HashMap<(u64, String, String), u32>,
    /// The caller, and what it has used.
    pub(crate) caller: u32,
    pub(crate) tcp: String,
    pub(crate) udp: String,
}

impl Sample {
    /// Made once. `None`: not here, and that has been said.
    pub(crate) fn get() -> Option<&'static Self> {
        static SAMPLE: OnceLock<Option<Sample>> = OnceLock::new();
        if lacks(&[Need::Root, Need::Program("python3"), Need::Program("ip")]) {
            return None;
        }
        let sample = SAMPLE.get_or_init(make).as_ref();
        if sample.is_none() {
            skip("there are no namespaces with events here");
        }
        sample
    }

    pub(crate) fn owner(&self, netns: u64, protocol: &str, end: &str) -> Option<u32> {
        let key = (netns, protocol.to_owned(), end.to_owned());
        self.owners.get(&key).copied()
    }
}

fn make() -> Option<Sample> {
    let (here, there) = (Namespace::new()?, Namespace::new()?);
    if !here.connect(&there) {
        return None;
    }
    let (server, _) = Actor::start(Place::Inside(&there), SERVER);
    let recording = Recording::start(&["--examiner", "a careful one"]);
    let mut owners = HashMap::new();
    let mut note = |netns: u64, words: &[String]| {
        for word in words {
            let [protocol, end, pid] = word.split(',').collect::<Vec<_>>()[..] else {
                panic!("{word}");
            };
            let key = (netns, protocol.to_owned(), end.to_owned());
            owners.insert(key, pid.parse().unwrap());
        }
    };
    let served = ["tcp,192.0.2.2:8080,", "udp,192.0.2.2:5353,"];
    note(
        there.number,
        &served.map(|end| format!("{end}{}", server.pid())),
    );
    let (caller, called) = Actor::start(Place::Inside(&here), CALLER);
    note(here.number, &called);
    for script in [SHORT, LOOP] {
        let (_actor, words) = Actor::start(Place::Inside(&here), script);
        note(here.number, &words);
    }
    let late = Namespace::new()?;
    let (_late, words) = Actor::start(Place::Inside(&late), LATE);
    note(late.number, &words);
    let recorded = recording.stop();
    if recorded.run.talk().contains("Much will be missed") {
        return None;
    }
    let packets = recorded.packets();
    let end = |word: &str| word.split(',').nth(1).unwrap().to_owned();
    let Recorded { run, case, room } = recorded;
    Some(Sample {
        case: keep(&case, room.path()),
        run,
        packets,
        netns: [here.number, there.number, late.number],
        owners,
        caller: caller.pid(),
        tcp: end(&called[0]),
        udp: end(&called[1]),
    })
}

/// Moves it to where it stays until the next run of the tests: nobody knows which test is the last.
fn keep(case: &Path, room: &Path) -> PathBuf {
    const KEPT: &str = "sample-";
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        let of = name.strip_prefix(KEPT);
        if of.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(&path);
        }
    }
    let kept = folder.join(format!("{KEPT}{}", process::id()));
    fs::create_dir(&kept).unwrap();
    assert!(case.starts_with(room));
    let copied = crate::setting::run(
        "cp",
        &["-a", case.to_str().unwrap(), kept.to_str().unwrap()],
    );
    copied.unwrap();
    kept.join(case.file_name().unwrap())
}

/// Sends back what comes.
const SERVER: &str = r"
waiting = listener(('192.0.2.2', 8080), backlog=64)
udp = keep(socket(AF_INET, SOCK_DGRAM))
udp.bind(('192.0.2.2', 5353))

def serve():
    while True:
        made, _ = waiting.accept()
        threading.Thread(target=answer, args=(made,), daemon=True).start()

def answer(made):
    while data := made.recv(65536):
        made.sendall(data)
    made.close()

def echo():
    while True:
        data, sender = udp.recvfrom(65536)
        udp.sendto(data, sender)

threading.Thread(target=serve, daemon=True).start()
threading.Thread(target=echo, daemon=True).start()
ready()
";

const CALLER: &str = r"
secret = b'the-name-of-a-source ' * 100
word = lambda kind, it: '%s,%s:%d,%d' % (kind, *it.getsockname(), os.getpid())
tcp = caller(('192.0.2.2', 8080))
for _ in range(20):
    tcp.sendall(secret)
    assert len(tcp.recv(len(secret), MSG_WAITALL)) == len(secret)
udp = keep(socket(AF_INET, SOCK_DGRAM))
udp.bind(('192.0.2.1', 0))
for _ in range(20):
    udp.sendto(secret[:500], ('192.0.2.2', 5353))
    assert udp.recv(500) == secret[:500]
words = word('tcp', tcp), word('udp', udp)
tcp.close()
ready(*words)
";

/// Processes that are gone as soon as they have called.
const SHORT: &str = r"
words = []
for _ in range(30):
    there, here = os.pipe()
    if os.fork() == 0:
        made = socket()
        made.connect(('192.0.2.2', 8080))
        made.sendall(b'short')
        made.recv(5, MSG_WAITALL)
        os.write(here, b'tcp,%s:%d,%d' % (made.getsockname()[0].encode(), made.getsockname()[1], os.getpid()))
        os._exit(0)
    os.close(here)
    words.append(os.read(there, 100).decode())
    os.close(there)
    os.wait()
ready(*words)
";

/// Two processes that talk over the loopback.
const LOOP: &str = r"
there, here = os.pipe()
child = os.fork()
if child == 0:
    waiting = listener(('127.0.0.1', 0))
    udp = keep(socket(AF_INET, SOCK_DGRAM))
    udp.bind(('127.0.0.1', 0))
    os.write(here, b'%d %d' % (waiting.getsockname()[1], udp.getsockname()[1]))
    made, _ = waiting.accept()
    made.sendall(made.recv(100))
    for _ in range(10):
        udp.sendto(b'answer', udp.recvfrom(100)[1])
    time.sleep(100)
tcp_port, udp_port = (int(it) for it in os.read(there, 100).split())
tcp = caller(('127.0.0.1', tcp_port))
tcp.sendall(b'x' * 100)
tcp.recv(100, MSG_WAITALL)
udp = keep(socket(AF_INET, SOCK_DGRAM))
udp.bind(('127.0.0.1', 0))
for _ in range(10):
    udp.sendto(b'question', ('127.0.0.1', udp_port))
    udp.recv(100)
word = lambda kind, port, pid: '%s,127.0.0.1:%d,%d' % (kind, port, pid)
ready(word('tcp', tcp_port, child), word('udp', udp_port, child),
      word('tcp', tcp.getsockname()[1], os.getpid()), word('udp', udp.getsockname()[1], os.getpid()))
";

/// For so long that its namespace is noticed.
const LATE: &str = r"
receiver, sender = (keep(socket(AF_INET, SOCK_DGRAM)) for _ in range(2))
for each in receiver, sender:
    each.bind(('127.0.0.1', 0))
for _ in range(25):
    sender.sendto(b'late', receiver.getsockname())
    receiver.recv(100)
    time.sleep(0.1)
ready(*('udp,%s:%d,%d' % (*it.getsockname(), os.getpid()) for it in (sender, receiver)))
";

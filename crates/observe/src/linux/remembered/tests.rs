//! Rows and limits; real connections in throw-away network namespaces, which say when they are
//! skipped.

#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs::File;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::time::Duration;

use model::{
    Endpoint, Gap, NetworkNamespace, Owner, Protocol, Remembered, RememberedBy, Source, Timestamp,
    WhyUnknown,
};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{LIMIT, Memo, Memory, conntrack, in_this_namespace};

const NETNS: NetworkNamespace = NetworkNamespace(4711);
const NOW: Timestamp = Timestamp::from_unix_nanos(1_795_342_500_000_000_000);
const FAR_IPV4: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2));
const FAR_IPV6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0x51, 0, 0, 0, 0, 2));

/// Two namespaces with a cable between them; gone with this value.
struct Cable {
    near: String,
    far: String,
}

impl Cable {
    /// `None`: this user or this computer cannot make them.
    fn new(name: &str) -> Option<Self> {
        let id = format!("{name}{}", std::process::id());
        let cable = Self {
            near: format!("near{id}"),
            far: format!("far{id}"),
        };
        let Self { near, far } = &cable;
        let ready = ip(&format!("netns add {near}"))
            && ip(&format!("netns add {far}"))
            && ip(&format!(
                "-n {near} link add cable type veth peer name cable netns {far}"
            ))
            && ip(&format!("-n {near} addr add 198.51.100.1/24 dev cable"))
            && ip(&format!("-n {far} addr add 198.51.100.2/24 dev cable"))
            && ip(&format!(
                "-n {near} addr add 2001:db8:51::1/64 dev cable nodad"
            ))
            && ip(&format!(
                "-n {far} addr add 2001:db8:51::2/64 dev cable nodad"
            ))
            && [near, far]
                .into_iter()
                .all(|netns| ip(&format!("-n {netns} link set cable up")));
        if !ready {
            eprintln!("skipped: cannot make network namespaces (needs root and `ip`)");
        }
        ready.then_some(cable)
    }

    /// Calls from near to far, says something, hears something, hangs up.
    fn call(&self, far: IpAddr, port: u16) {
        let listener = inside(&self.far, move || TcpListener::bind((far, port)).unwrap());
        let answer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.read_exact(&mut [0; 5]).unwrap();
            stream.write_all(b"hello yourself").unwrap();
            // Until the caller hangs up.
            assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        });
        inside(&self.near, move || {
            #[expect(clippy::disallowed_methods, reason = "to a namespace of this test")]
            let mut stream = TcpStream::connect((far, port)).unwrap();
            stream.write_all(b"hello").unwrap();
            stream.read_exact(&mut [0; 14]).unwrap();
        });
        answer.join().unwrap();
        // The last packets of the connection may still be under way.
        std::thread::sleep(Duration::from_millis(100));
    }

    fn remembered(&self) -> (Vec<Remembered>, Vec<Gap>) {
        inside(&self.near, || in_this_namespace(NETNS, NOW))
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.near));
        ip(&format!("netns del {}", self.far));
    }
}

fn ip(arguments: &str) -> bool {
    let run = Command::new("ip").args(arguments.split(' ')).output();
    run.is_ok_and(|run| run.status.success())
}

fn inside<T: Send + 'static>(netns: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let door = File::open(format!("/run/netns/{netns}")).unwrap();
    let inside = std::thread::spawn(move || {
        move_into_link_name_space(door.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        work()
    });
    inside.join().unwrap()
}

fn the(rows: &[Remembered], by: RememberedBy, ip: IpAddr) -> Vec<&Remembered> {
    rows.iter()
        .filter(|row| row.by == by && row.ip == Some(ip))
        .collect()
}

/// How long before `NOW`.
fn age(row: &Remembered) -> Duration {
    row.seen.unwrap().until(NOW)
}

#[test]
fn a_closed_connection_is_remembered() {
    let Some(cable) = Cable::new("rem") else {
        return;
    };
    cable.call(FAR_IPV4, 7001);
    cable.call(FAR_IPV4, 7002);
    cable.call(FAR_IPV6, 7001);
    let (rows, gaps) = cable.remembered();
    for far in [FAR_IPV4, FAR_IPV6] {
        let metrics = the(&rows, RememberedBy::TcpMetrics, far);
        let [metrics] = metrics[..] else {
            panic!("one row for {far}: {metrics:?}")
        };
        assert_eq!(
            (metrics.protocol, metrics.port),
            (Some(Protocol::Tcp), None)
        );
        assert_eq!(metrics.netns, Some(NETNS));
        assert_eq!(
            metrics.owner,
            Owner::Unknown {
                why: WhyUnknown::BeforeStart
            }
        );
        assert!(age(metrics) < Duration::from_secs(20), "{metrics:?}");
        let neighbour = the(&rows, RememberedBy::Neighbours, far);
        let [neighbour] = neighbour[..] else {
            panic!("one row for {far}: {neighbour:?}")
        };
        assert!(age(neighbour) < Duration::from_secs(20), "{neighbour:?}");
    }
    assert!(
        rows.iter()
            .all(|row| row.ip.is_some_and(|ip| !ip.is_multicast())),
        "{rows:?}"
    );
    assert!(
        gaps.iter().any(|gap| gap.id == "conntrack_not_kept"),
        "{gaps:?}"
    );
}

#[test]
fn a_neighbour_that_never_answered_is_remembered() {
    let Some(cable) = Cable::new("dead") else {
        return;
    };
    let nobody = IpAddr::from([198, 51, 100, 99]);
    inside(&cable.near, move || {
        let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        #[expect(clippy::disallowed_methods, reason = "to a namespace of this test")]
        socket.send_to(b"hello", (nobody, 7)).unwrap();
    });
    let (rows, _) = cable.remembered();
    assert_eq!(
        the(&rows, RememberedBy::Neighbours, nobody).len(),
        1,
        "{rows:?}"
    );
}

#[test]
fn connection_tracking_is_read_where_a_firewall_asks_for_it() {
    let Some(cable) = Cable::new("ct") else {
        return;
    };
    let rules = "add table inet t; add chain inet t o { type filter hook output priority 0; }; \
                 add rule inet t o ct state new counter";
    let tracks = Command::new("ip")
        .args(["netns", "exec", &cable.near, "nft", rules])
        .output()
        .is_ok_and(|run| run.status.success());
    let counts = inside(&cable.near, || {
        std::fs::write("/proc/sys/net/netfilter/nf_conntrack_acct", "1").is_ok()
    });
    if !(tracks && counts) {
        return eprintln!("skipped: no connection tracking here (needs nft and the kernel's part)");
    }
    cable.call(FAR_IPV4, 7001);
    cable.call(FAR_IPV4, 7001);
    let (rows, gaps) = cable.remembered();
    let tracked = the(&rows, RememberedBy::Conntrack, FAR_IPV4);
    let [tracked] = tracked[..] else {
        panic!("one row: {tracked:?} {gaps:?}")
    };
    assert_eq!(
        (tracked.protocol, tracked.port),
        (Some(Protocol::Tcp), Some(7001))
    );
    assert_eq!(
        tracked.owner,
        Owner::Unknown {
            why: WhyUnknown::BeforeStart
        }
    );
    // Two connections of several packets each; what they say, and more for headers.
    assert!(
        tracked.bytes_sent.unwrap() > 2 * (5 + 4 * 40),
        "{tracked:?}"
    );
    assert!(
        tracked.bytes_received.unwrap() > 2 * (14 + 2 * 40),
        "{tracked:?}"
    );
    assert!(
        !gaps.iter().any(|gap| gap.id.starts_with("conntrack")),
        "{gaps:?}"
    );

    match inside(&cable.near, conntrack::read_text) {
        Ok(text) => {
            let remote = Endpoint::new(FAR_IPV4, 7001);
            assert_eq!(text.entries.len(), 2);
            assert!(text.entries.iter().all(|entry| entry.destination == remote));
        }
        Err(error) => eprintln!("skipped: this kernel has no nf_conntrack as text: {error}"),
    }
}

fn memo(address: u32, seen: Option<i64>, bytes: Option<u64>) -> Memo {
    Memo {
        seen: seen.map(Timestamp::from_unix_nanos),
        bytes_sent: bytes,
        ..Memo::of(RememberedBy::Conntrack, Ipv4Addr::from(address).into())
    }
}

#[test]
fn rows_for_the_same_remote_become_one() {
    let mut memory = Memory::new(Source::Netlink, Some(NETNS));
    memory.add(memo(1, Some(20), Some(5)));
    memory.add(memo(1, None, Some(6)));
    memory.add(memo(1, Some(30), Some(7)));
    memory.add(memo(2, Some(40), None));
    memory.add(memo(2, Some(10), Some(8)));
    let (mut rows, mut gaps) = (Vec::new(), Vec::new());
    memory.finish(&mut rows, &mut gaps);
    let told = |row: &Remembered| (row.seen.map(Timestamp::unix_nanos), row.bytes_sent);
    let told: Vec<_> = rows.iter().map(told).collect();
    assert_eq!(told, [(Some(30), Some(18)), (Some(40), None)]);
    assert_eq!(gaps, []);
}

#[test]
fn rows_beyond_the_limit_are_counted() {
    let mut memory = Memory::new(Source::Netlink, Some(NETNS));
    for number in 0..u32::try_from(LIMIT).unwrap() + 3 {
        memory.add(memo(number, None, None));
    }
    memory.add(memo(0, None, None));
    let (mut rows, mut gaps) = (Vec::new(), Vec::new());
    memory.finish(&mut rows, &mut gaps);
    assert_eq!((rows.len(), gaps.len()), (LIMIT, 1));
    assert_eq!(gaps[0].count, Some(3));
}

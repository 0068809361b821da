//! Where the situations take place: the addresses that `lab.sh` makes, the ports of the server,
//! and what a case was asked to do.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::truth::{self, Act};

// As in lab.sh.
pub const NEAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
pub const FAR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
pub const FAR_V6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2);
/// The server, as the namespace `aside` reaches it.
pub const FAR_FROM_ASIDE: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 2);
/// Both ends of the cable into the container, which its case lays itself.
pub const BOX: &str = "10.79.0.1/24";
pub const FAR_FROM_BOX: &str = "10.79.0.2/24";
pub const NEAR_INTERFACE: &str = "near0";
pub const NEAR_MAC: [u8; 6] = [2, 0, 0, 0, 0x77, 1];
pub const FAR_MAC: [u8; 6] = [2, 0, 0, 0, 0x77, 2];
/// On the cable, and nobody has it.
pub const NO_NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 99);
/// No route leads there (RFC 5737, RFC 3849).
pub const NO_ROUTE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
pub const NO_ROUTE_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7);
/// Routes of type unreachable, prohibit and blackhole lead there.
pub const UNREACHABLE: Ipv4Addr = Ipv4Addr::new(10, 91, 0, 5);
pub const UNREACHABLE_V6: Ipv6Addr = Ipv6Addr::new(0xfd91, 0, 0, 0, 0, 0, 0, 5);
pub const PROHIBITED: Ipv4Addr = Ipv4Addr::new(10, 92, 0, 5);
pub const PROHIBITED_V6: Ipv6Addr = Ipv6Addr::new(0xfd92, 0, 0, 0, 0, 0, 0, 5);
pub const BLACKHOLE: Ipv4Addr = Ipv4Addr::new(10, 93, 0, 5);
pub const BLACKHOLE_V6: Ipv6Addr = Ipv6Addr::new(0xfd93, 0, 0, 0, 0, 0, 0, 5);
/// The router at the other end answers that it is unreachable.
pub const ROUTER_SAYS_NO: Ipv4Addr = Ipv4Addr::new(10, 98, 0, 5);
/// The router at the other end lets it vanish.
pub const SILENT: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 5);

// What the server does on its ports, in TCP and UDP over IPv4 and IPv6 unless it says otherwise.
/// TCP: reads all, then closes. UDP: reads.
pub const SINK: u16 = 7001;
/// TCP: reads 8 bytes, writes that many. UDP: reads two numbers of 4 bytes, sends so many
/// datagrams of that size.
pub const SOURCE: u16 = 7002;
pub const ECHO: u16 = 7003;
/// TCP: reads `u16` port, `u32` count, `u32` bytes; calls that port so often, writes so many
/// bytes, reads as many, closes.
pub const CALL_BACK: u16 = 7005;
/// MPTCP.
pub const MULTIPATH_ECHO: u16 = 7006;
/// TCP, with Fast Open.
pub const FAST_ECHO: u16 = 7007;
/// TCP: reads once, answers with `ANSWER_BYTES` bytes, closes. Several, so that ports do not run out.
pub const ANSWER: std::ops::Range<u16> = 7100..7116;
pub const ANSWER_BYTES: usize = 100;
/// UDP: sends back.
pub const QUIC: u16 = 443;
/// UDP: answers DNS questions, reads everything else.
pub const DNS: u16 = 53;
/// Nobody listens here and above, up to `CLOSED + 1000`.
pub const CLOSED: u16 = 20_000;
/// An IP protocol: the server sends back what came (RFC 3692: for experiments).
pub const EXPERIMENT: u8 = 253;

/// Nothing waits longer than this for an answer.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// Between the parts of a hand-over.
pub const PAUSE: Duration = Duration::from_millis(20);

/// What a case was asked to do, and where it writes the truth.
pub struct Lab {
    pub case: String,
    truth: File,
    pub truth_path: PathBuf,
    /// How often. `None`: as often as the case likes.
    pub count: Option<usize>,
    pub processes: usize,
    /// Network namespace of the server.
    pub far: Option<PathBuf>,
    /// Another network namespace that reaches the server.
    pub aside: Option<PathBuf>,
    /// Which program of the case this is. `None`: the first.
    pub part: Option<String>,
    /// What the first program told this one.
    pub told: Option<String>,
}

impl Lab {
    /// From the words behind the name of the case.
    pub fn new(case: &str, mut words: impl Iterator<Item = OsString>) -> io::Result<Self> {
        let mut truth_path = PathBuf::from("/dev/stdout");
        let (mut count, mut processes) = (None, 100);
        let (mut far, mut aside, mut part, mut told) = (None, None, None, None);
        while let Some(word) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| wrong(&format!("{} needs a value", word.display())))?;
            let text = value.to_string_lossy().into_owned();
            let number = || {
                text.parse()
                    .map_err(|_| wrong(&format!("no number: {text}")))
            };
            match word.to_str() {
                Some("--truth") => truth_path = value.into(),
                Some("--count") => count = Some(number()?),
                Some("--processes") => processes = number()?,
                Some("--far") => far = Some(value.into()),
                Some("--aside") => aside = Some(value.into()),
                Some("--part") => part = Some(text),
                Some("--told") => told = Some(text),
                _ => return Err(wrong(&format!("unknown: {}", word.display()))),
            }
        }
        Ok(Self {
            case: case.to_owned(),
            truth: OpenOptions::new()
                .append(true)
                .create(true)
                .open(&truth_path)?,
            truth_path,
            count,
            processes,
            far,
            aside,
            part,
            told,
        })
    }

    pub fn record(&self, act: Act) -> io::Result<()> {
        self.write(&act.line(&self.case)?)
    }

    /// Lines that `Act::line` made.
    pub fn write(&self, lines: &str) -> io::Result<()> {
        truth::append(&self.truth, lines)
    }

    pub fn times(&self, usual: usize) -> usize {
        self.count.unwrap_or(usual)
    }

    /// A command that runs another part of this case in a program file of its own.
    pub fn program(&self, part: &str) -> io::Result<std::process::Command> {
        let mut path = std::env::current_exe()?.into_os_string();
        let original = PathBuf::from(&path);
        path.push("-");
        path.push(part);
        let path = PathBuf::from(path);
        if !path.exists() {
            std::fs::copy(original, &path)?;
        }
        Ok(self.command(path, part))
    }

    /// A command that runs another part of this case in the same program file.
    pub fn same_program(&self, part: &str) -> io::Result<std::process::Command> {
        Ok(self.command(std::env::current_exe()?, part))
    }

    fn command(&self, path: PathBuf, part: &str) -> std::process::Command {
        let mut command = std::process::Command::new(path);
        command.arg(&self.case).arg("--part").arg(part);
        command.arg("--truth").arg(&self.truth_path);
        command
    }
}

pub fn far(port: u16) -> SocketAddr {
    SocketAddr::from((FAR, port))
}

pub fn far_v6(port: u16) -> SocketAddr {
    SocketAddr::from((FAR_V6, port))
}

pub fn at(ip: impl Into<IpAddr>, port: u16) -> SocketAddr {
    SocketAddr::new(ip.into(), port)
}

/// What a kernel or computer does not offer: the case is skipped, not failed.
pub fn not_offered(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, what)
}

pub fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

//! What a program under test did, told by itself: the truth that a tool is measured against.
//! Acts go in, one line of JSON each comes out.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use socket2::SockRef;

/// One use of the network: a connection, an attempt, an exchange of datagrams with one peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Act {
    pub case: String,
    /// Always `under test`: the server writes no truth.
    pub role: String,
    /// Who used it last.
    #[serde(flatten)]
    pub process: Identity,
    /// Words as in docs/json.md.
    pub protocol: String,
    pub direction: Direction,
    /// `None`: the program cannot know it, or there is none.
    pub local: Option<End>,
    /// `None`: a packet socket.
    pub remote: Option<End>,
    /// Of raw sockets.
    pub ip_protocol: Option<u8>,
    /// Content that the program handed to the kernel. `None`: the C library did it.
    pub bytes_sent: Option<u64>,
    pub bytes_received: Option<u64>,
    pub result: Outcome,
    /// What the program was told. `None`: nothing, or no error.
    pub errno: Option<i32>,
    pub phase: Option<Phase>,
    /// CLOCK_REALTIME.
    pub from_ns: u64,
    pub until_ns: u64,
    /// Who used it until when, where it was handed on; the last is `process`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<Tenure>,
    /// The name that was asked for.
    pub asked: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// In the PID namespace that this /proc belongs to.
    pub pid: u32,
    /// Field 22 of /proc/PID/stat.
    pub started_ticks: u64,
    pub exe: String,
    pub name: String,
    /// Inode of /proc/PID/ns/net.
    pub netns: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct End {
    pub ip: IpAddr,
    /// `None`: the protocol has no ports.
    pub port: Option<u16>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tenure {
    #[serde(flatten)]
    pub process: Identity,
    /// From its first use on, and up to this moment, it was the owner.
    pub from_ns: u64,
    pub until_ns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Outbound,
    Inbound,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Done,
    /// It did not come about.
    Failed,
    /// The program stopped waiting.
    GivenUp,
    /// Something left, and an error came back.
    Error,
    /// Whether it went well is not the question.
    Any,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing left the computer.
    Connect,
    /// It was asked for, and no connection came about.
    Handshake,
    Send,
}

impl End {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            ip: address.ip().to_canonical(),
            port: Some(address.port()),
        }
    }

    pub fn without_port(ip: IpAddr) -> Self {
        Self { ip, port: None }
    }
}

impl Identity {
    pub fn own() -> io::Result<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        let parsed = (|| {
            let (pid, rest) = stat.split_once(" (")?;
            // The name may hold brackets; it ends at the last one.
            let (name, rest) = rest.rsplit_once(") ")?;
            let ticks = rest.split(' ').nth(22 - 3)?;
            Some((pid.parse().ok()?, name.to_owned(), ticks.parse().ok()?))
        })();
        let (pid, name, started_ticks) =
            parsed.ok_or_else(|| io::Error::other("/proc/self/stat is not as proc(5) says"))?;
        Ok(Self {
            pid,
            started_ticks,
            exe: std::fs::read_link("/proc/self/exe")?
                .to_string_lossy()
                .into_owned(),
            name,
            netns: std::fs::metadata("/proc/thread-self/ns/net")?.ino(),
        })
    }
}

impl Act {
    pub fn begin(protocol: &str, remote: Option<End>) -> io::Result<Self> {
        Ok(Self::begin_as(Identity::own()?, protocol, remote))
    }

    /// For a process that cannot look up itself any more, or does not want to each time.
    pub fn begin_as(process: Identity, protocol: &str, remote: Option<End>) -> Self {
        Self {
            case: String::new(),
            role: "under test".to_owned(),
            process,
            protocol: protocol.to_owned(),
            direction: Direction::Outbound,
            local: None,
            remote,
            ip_protocol: None,
            bytes_sent: Some(0),
            bytes_received: Some(0),
            result: Outcome::Done,
            errno: None,
            phase: None,
            from_ns: now(),
            until_ns: 0,
            owners: Vec::new(),
            asked: None,
        }
    }

    pub fn sent(&mut self, bytes: usize) {
        *self.bytes_sent.get_or_insert_default() += bytes as u64;
    }

    pub fn received(&mut self, bytes: usize) {
        *self.bytes_received.get_or_insert_default() += bytes as u64;
    }

    /// Takes note of the local end, where the socket has one by now.
    pub fn local_of(&mut self, socket: &impl AsFd) {
        let address = SockRef::from(socket).local_addr();
        if let Some(address) = address.ok().and_then(|address| address.as_socket())
            && address.port() != 0
        {
            self.local = Some(End::new(address));
        }
    }

    pub fn failed(&mut self, errno: Option<i32>, phase: Phase) {
        self.result = match errno {
            Some(_) => Outcome::Failed,
            None => Outcome::GivenUp,
        };
        self.errno = errno;
        self.phase = Some(phase);
    }

    /// Ends the tenure of the process that runs this: it will not touch the socket again.
    pub fn hand_on(&mut self, from_ns: u64) {
        self.owners.push(Tenure {
            process: self.process.clone(),
            from_ns,
            until_ns: now(),
        });
    }

    /// Begins the tenure of the process that runs this, in an act that another began.
    pub fn take_over(&mut self, heir: Identity) {
        self.process = heir;
    }

    /// One line, with its end; `case` is filled in.
    pub fn line(mut self, case: &str) -> io::Result<String> {
        case.clone_into(&mut self.case);
        self.until_ns = now();
        let mut line = serde_json::to_string(&self)?;
        line.push('\n');
        Ok(line)
    }
}

/// Appends whole lines; several processes share the file.
pub fn append(mut file: &File, lines: &str) -> io::Result<()> {
    file.write_all(lines.as_bytes())
}

pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

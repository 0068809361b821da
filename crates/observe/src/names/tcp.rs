//! The names of a TCP connection.

use model::NameSource;

use super::super::parse::{http, ssh, tls as format};
use super::ahead::Ahead;
use super::prelude::{Prelude, Unit};
use super::tls::Step;
use super::{Side, Told, seen, tls};

/// So much of a side is looked at, but for DNS, which goes on.
const MOST_LOOKED_AT: u32 = 64 * 1024;
/// A line that a server of SSH may write before its first one.
const LONGEST_WELCOME: usize = 1024;
const LONGEST_HEAD: usize = 16 * 1024;
const DNS: u16 = 53;
const SSH: u16 = 22;
/// Where nothing but TLS and HTTP is expected.
const WEB: [u16; 4] = [80, 443, 8080, 8443];
/// How HTTP/2 begins without TLS (RFC 9113, 3.4).
const HTTP_2: &[u8] = b"PRI * HTTP/2.0";

/// What is kept of one TCP connection until its greeting could be read.
#[derive(Debug)]
pub(crate) struct TcpNames {
    client: Half,
    server: Half,
    /// What came of the client and of the server and could not be read yet.
    waiting: Option<Box<[Waiting; 2]>>,
    port: u16,
    /// Some name was told.
    is_named: bool,
    /// A request without a host was told.
    is_greeted: bool,
    /// The client began a greeting that could not be read.
    is_unread: bool,
}

/// One side of it.
#[derive(Clone, Copy, Debug)]
struct Half {
    /// Where it begins. `None`: that is not known yet.
    first: Option<u32>,
    /// So many bytes have come in their order.
    taken: u32,
    stage: Stage,
}

/// What a side is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It has not said enough yet to be known.
    Begin,
    Dns,
    Http,
    Ssh,
    /// Text before TLS.
    Before(Prelude),
    /// Likewise, after TLS was asked for.
    Asked(Prelude),
    Tls,
    /// Nothing more is wanted of it.
    Done,
}

#[derive(Debug, Default)]
struct Waiting {
    /// In their order, from what is not read yet on.
    bytes: Vec<u8>,
    /// What they are after, if they were not all.
    ahead: Ahead,
    /// What records of TLS have brought of a message.
    begun: Vec<u8>,
    /// So many of `bytes` were looked at in vain.
    looked: usize,
}

impl TcpNames {
    pub(crate) fn new(server_port: u16) -> Self {
        let half = Half {
            first: None,
            taken: 0,
            stage: Stage::Begin,
        };
        Self {
            client: half,
            server: half,
            waiting: None,
            port: server_port,
            is_named: false,
            is_greeted: false,
            is_unread: false,
        }
    }

    /// A side's SYN, with its number.
    pub(crate) fn syn(&mut self, side: Side, sequence: u32) {
        let half = self.half(side);
        if half.taken == 0 {
            half.first = Some(sequence.wrapping_add(1));
        }
    }

    /// Payload that one side sent; `sequence` is the number of its first byte. `None`: they come in
    /// their order. Where no SYN was seen, the first payload is the beginning.
    pub(crate) fn data(
        &mut self,
        side: Side,
        sequence: Option<u32>,
        bytes: &[u8],
        told: &mut Told<'_>,
    ) {
        self.noting(told, |names, told| names.take(side, sequence, bytes, told));
    }

    fn take(&mut self, side: Side, sequence: Option<u32>, bytes: &[u8], told: &mut Told<'_>) {
        let half = self.half(side);
        if half.stage == Stage::Done || bytes.is_empty() {
            return;
        }
        let Some(sequence) = sequence else {
            return self.pass(side, bytes, told);
        };
        let first = *half.first.get_or_insert(sequence);
        let taken = half.taken;
        let next = first.wrapping_add(taken);
        let before = next.wrapping_sub(sequence);
        if before > u32::MAX / 2 {
            let kept = taken
                .checked_add(sequence.wrapping_sub(next))
                .is_some_and(|place| self.waiting(side).ahead.keep(place, bytes));
            if !kept {
                self.give_up(side, told);
            }
            return;
        }
        let known = usize::try_from(before).unwrap_or(usize::MAX);
        let Some(new) = bytes.get(known..).filter(|new| !new.is_empty()) else {
            return;
        };
        self.pass(side, new, told);
        while self.wants(side)
            && let Some(more) = self.taken_ahead(side)
        {
            self.pass(side, &more, told);
        }
    }

    /// Nothing more comes: tells what can be read of a greeting that was cut short.
    pub(crate) fn end(&mut self, told: &mut Told<'_>) {
        self.noting(told, |names, told| {
            for side in [Side::Client, Side::Server] {
                names.give_up(side, told);
            }
        });
    }

    /// The client has begun a greeting that is not whole yet.
    pub(crate) fn has_begun(&self) -> bool {
        matches!(self.client.stage, Stage::Tls | Stage::Http) && self.waiting.is_some()
    }

    /// The connection has no name because what the client said first was not understood: it is
    /// longer than what is looked at, not whole, damaged, or nothing that belongs to its port.
    pub(crate) fn is_unread(&self) -> bool {
        self.is_unread && !self.is_named
    }

    /// Notes whether there is a name in what `read` tells.
    fn noting(&mut self, told: &mut Told<'_>, read: impl FnOnce(&mut Self, &mut Told<'_>)) {
        let mut is_named = false;
        read(self, &mut |seen| {
            is_named |= seen.name.is_some();
            told(seen);
        });
        self.is_named |= is_named;
    }

    /// Whether more of this side may be read. `false`: whoever feeds it may stop.
    pub(crate) fn wants(&self, side: Side) -> bool {
        match side {
            Side::Client => self.client.stage != Stage::Done,
            Side::Server => self.server.stage != Stage::Done,
        }
    }

    fn half(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    fn waiting(&mut self, side: Side) -> &mut Waiting {
        let [client, server] = &mut **self.waiting.get_or_insert_default();
        match side {
            Side::Client => client,
            Side::Server => server,
        }
    }

    fn taken_ahead(&mut self, side: Side) -> Option<Vec<u8>> {
        self.waiting.as_ref()?;
        let taken = self.half(side).taken;
        self.waiting(side).ahead.take(taken)
    }

    /// Reads what goes on where the last ended.
    fn pass(&mut self, side: Side, bytes: &[u8], told: &mut Told<'_>) {
        let half = self.half(side);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        half.taken = half.taken.saturating_add(length);
        let mut kept = match &mut self.waiting {
            Some(_) => std::mem::take(&mut self.waiting(side).bytes),
            None => Vec::new(),
        };
        if kept.is_empty() {
            let used = self.read(side, bytes, told);
            if self.wants(side) {
                kept.extend_from_slice(bytes.get(used..).unwrap_or_default());
            }
        } else {
            kept.extend_from_slice(bytes);
            let used = self.read(side, &kept, told);
            kept.drain(..used.min(kept.len()));
        }
        let half = self.half(side);
        let taken = half.taken;
        let too_much = match half.stage {
            // The number of a byte must not come round.
            Stage::Dns => taken == u32::MAX,
            Stage::Http => kept.len() > LONGEST_HEAD || taken > MOST_LOOKED_AT,
            Stage::Begin | Stage::Ssh | Stage::Before(_) | Stage::Asked(_) | Stage::Tls => {
                taken > MOST_LOOKED_AT
            }
            Stage::Done => false,
        };
        if !kept.is_empty() {
            self.waiting(side).bytes = kept;
        }
        if too_much {
            self.give_up(side, told);
        }
        self.tidy(side);
    }

    /// Nothing more of this side will be read.
    fn give_up(&mut self, side: Side, told: &mut Told<'_>) {
        let stage = std::mem::replace(&mut self.half(side).stage, Stage::Done);
        if self.waiting.is_some() {
            let Waiting {
                bytes, mut begun, ..
            } = std::mem::take(self.waiting(side));
            match stage {
                Stage::Tls => {
                    let is_greeting = begins_greeting(side, &bytes, &begun);
                    tls::give_up(side, &bytes, &mut begun, told);
                    self.is_unread |= is_greeting;
                }
                Stage::Http => {
                    let request = http::request(&bytes);
                    self.is_unread |= request.is_some();
                    if let Some(request) = request.filter(|request| request.host.is_some()) {
                        told(seen::request(request));
                    }
                }
                Stage::Begin
                | Stage::Dns
                | Stage::Ssh
                | Stage::Before(_)
                | Stage::Asked(_)
                | Stage::Done => {}
            }
        }
        self.tidy(side);
    }

    /// Keeps no more memory than is needed.
    fn tidy(&mut self, side: Side) {
        let is_done = !self.wants(side);
        if self.waiting.is_some() && is_done {
            *self.waiting(side) = Waiting::default();
        }
        let is_empty = |waiting: &Waiting| {
            waiting.bytes.is_empty() && waiting.begun.is_empty() && waiting.ahead.is_empty()
        };
        if self
            .waiting
            .as_ref()
            .is_some_and(|both| both.iter().all(is_empty))
        {
            self.waiting = None;
        }
    }

    /// Reads as much as can be, and tells how many bytes are not needed any more.
    fn read(&mut self, side: Side, bytes: &[u8], told: &mut Told<'_>) -> usize {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..)
            && !rest.is_empty()
        {
            let before = self.half(side).stage;
            match self.step(before, side, rest, told) {
                Step::Used(more) => {
                    used += more;
                    if more == 0 && self.half(side).stage == before {
                        break;
                    }
                }
                Step::More => break,
                Step::Done => {
                    self.half(side).stage = Stage::Done;
                    break;
                }
            }
        }
        used
    }

    fn step(&mut self, stage: Stage, side: Side, bytes: &[u8], told: &mut Told<'_>) -> Step {
        match stage {
            Stage::Begin => match self.beginning(side, bytes) {
                Some(stage) => {
                    self.is_unread |= stage == Stage::Done && self.is_strange(side, bytes);
                    self.go_on(side, stage, 0)
                }
                None => Step::More,
            },
            Stage::Dns => dns(bytes, told),
            Stage::Http => self.http(side, bytes, told),
            Stage::Ssh => self.ssh(side, bytes, told),
            Stage::Before(prelude) => self.unit(side, prelude, false, bytes),
            Stage::Asked(prelude) => self.unit(side, prelude, true, bytes),
            Stage::Tls => self.tls(side, bytes, told),
            Stage::Done => Step::Done,
        }
    }

    fn go_on(&mut self, side: Side, stage: Stage, used: usize) -> Step {
        self.half(side).stage = stage;
        Step::Used(used)
    }

    /// What a side begins with. `None`: more bytes are needed.
    fn beginning(&self, side: Side, bytes: &[u8]) -> Option<Stage> {
        let first = *bytes.first()?;
        if self.port == DNS {
            return Some(Stage::Dns);
        }
        if first == super::super::parse::tls::HANDSHAKE {
            return Some(Stage::Tls);
        }
        match ssh::begins(bytes) {
            // A server of PostgreSQL says yes with the same letter; then TLS follows soon.
            None => return None,
            Some(true) => return Some(Stage::Ssh),
            Some(false) => {}
        }
        if side == Side::Server && self.port == SSH {
            return Some(Stage::Ssh);
        }
        // Programs that are not for these ports are found there too.
        let methods = [&b"GET "[..], b"POST "];
        let prelude = Prelude::of_port(self.port).or(Prelude::of_first_byte(first));
        if let Some(prelude) = prelude
            && !methods.iter().any(|method| bytes.starts_with(method))
        {
            let may_become = methods.iter().any(|method| method.starts_with(bytes));
            return (!may_become).then_some(Stage::Before(prelude));
        }
        if side == Side::Client && first.is_ascii_uppercase() {
            return Some(Stage::Http);
        }
        Some(Stage::Done)
    }

    /// Whether this is no way to begin on a port of the web.
    fn is_strange(&self, side: Side, bytes: &[u8]) -> bool {
        // A record of TLS that is no greeting belongs to one that nobody saw.
        side == Side::Client
            && WEB.contains(&self.port)
            && format::record(bytes).is_err()
            && !bytes.starts_with(HTTP_2)
    }

    fn http(&mut self, side: Side, bytes: &[u8], told: &mut Told<'_>) -> Step {
        let looked = match &self.waiting {
            Some(_) => self.waiting(side).looked,
            None => 0,
        };
        match http::head(bytes, looked.min(bytes.len())) {
            http::Head::Other => {
                self.is_unread |= !self.is_greeted && self.is_strange(side, bytes);
                Step::Done
            }
            http::Head::Incomplete => {
                self.waiting(side).looked = bytes.len();
                Step::More
            }
            http::Head::Whole(length) => {
                let head = bytes.get(..length).unwrap_or(bytes);
                let Some(request) = http::request(head) else {
                    return Step::Done;
                };
                let is_connect = request.is_connect;
                let is_named = request.host.is_some();
                let is_first = !self.is_greeted;
                self.is_greeted = true;
                if is_first || is_named {
                    told(seen::request(request));
                }
                if is_connect {
                    // What goes through the proxy may greet by name as well.
                    self.go_on(side, Stage::Tls, length)
                } else if is_named {
                    Step::Done
                } else {
                    // Another request on the same connection may say the host.
                    if self.waiting.is_some() {
                        self.waiting(side).looked = 0;
                    }
                    Step::Used(length)
                }
            }
        }
    }

    fn ssh(&mut self, side: Side, bytes: &[u8], told: &mut Told<'_>) -> Step {
        match ssh::begins(bytes) {
            None => return Step::More,
            Some(true) => {}
            Some(false) => {
                // A server may write lines before it.
                let line = bytes.get(..LONGEST_WELCOME).unwrap_or(bytes);
                return match line.iter().position(|byte| *byte == b'\n') {
                    Some(end) => Step::Used(end + 1),
                    None if bytes.len() < LONGEST_WELCOME => Step::More,
                    None => Step::Done,
                };
            }
        }
        match ssh::banner(bytes) {
            Some(line) => {
                told(seen::ssh(side, line));
                Step::Done
            }
            None if bytes.len() < ssh::LONGEST_LINE => Step::More,
            None => Step::Done,
        }
    }

    fn unit(&mut self, side: Side, prelude: Prelude, asked: bool, bytes: &[u8]) -> Step {
        match prelude.unit(side, bytes, asked) {
            Unit::Asks(length) => self.go_on(side, Stage::Asked(prelude), length),
            Unit::Other(length) => Step::Used(length),
            Unit::Tls => self.go_on(side, Stage::Tls, 0),
            Unit::More => Step::More,
            Unit::Wrong => {
                self.is_unread |= self.is_strange(side, bytes);
                Step::Done
            }
        }
    }

    fn tls(&mut self, side: Side, bytes: &[u8], told: &mut Told<'_>) -> Step {
        let mut begun = match &mut self.waiting {
            Some(_) => std::mem::take(&mut self.waiting(side).begun),
            None => Vec::new(),
        };
        let is_greeting = begins_greeting(side, bytes, &begun);
        let mut is_read = false;
        let step = tls::step(side, bytes, &mut begun, &mut |seen| {
            is_read = true;
            told(seen);
        });
        self.is_unread |= is_greeting && !is_read && matches!(step, Step::Done);
        if !begun.is_empty() && !matches!(step, Step::Done) {
            self.waiting(side).begun = begun;
        }
        step
    }
}

/// Whether a client's greeting stands at the beginning of `bytes`, or has begun in records before.
fn begins_greeting(side: Side, bytes: &[u8], begun: &[u8]) -> bool {
    let kind = begun.first().or(bytes.get(format::RECORD_HEADER));
    side == Side::Client
        && kind == Some(&format::CLIENT_HELLO)
        && (!begun.is_empty() || matches!(format::record(bytes), Ok(Some((format::HANDSHAKE, _)))))
}

/// A message with its length before it (RFC 1035, 4.2.2).
fn dns(bytes: &[u8], told: &mut Told<'_>) -> Step {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return Step::More;
    };
    let length = usize::from(u16::from_be_bytes(*length));
    match rest.get(..length) {
        Some(message) => {
            seen::dns(message, NameSource::Dns, told);
            Step::Used(2 + length)
        }
        None => Step::More,
    }
}

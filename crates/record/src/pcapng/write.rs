//! Packets and their processes into the bytes of a capture file.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{
    Endpoint, Interface, InterfaceKey, LinkType, NetworkNamespace, Packet, PacketEnds, PacketOwner,
    Process, ProcessId, Protocol, Text, Timestamp, Way, WhyNoProcess,
};

use super::block::{self, code, kind};
use super::mix::{Mix, Mixed};
use super::text;

/// Packets of processes that are over still come for so long (TIME_WAIT, late answers).
const AFTER_THE_END: Duration = Duration::from_secs(300);
/// So many processes that are over are kept at most, and as many that nobody has described.
const MOST_ENDED: usize = 65_536;
/// Flows of which it is known that their first packet has its comment: twice as many at most.
const MOST_FLOWS: usize = 65_536;
/// Readers of captures refuse longer packets (Wireshark, `WTAP_MAX_PACKET_SIZE_STANDARD`).
pub(super) const MOST_PACKET_BYTES: usize = 262_144;
/// Names in one block, which stays far below what readers take.
const MOST_NAMES: usize = 1000;

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The id of the case.
    pub case: String,
    /// `None`: not known.
    pub hardware: Option<String>,
    /// As it is: `Linux 6.1.0-38-amd64 x86_64`.
    pub os: String,
    /// Of whocalls.
    pub version: String,
    /// So many bytes of each packet are kept. `None`: all of it.
    pub packet_bytes: Option<u32>,
    /// Whether processes are written with their arguments, which may hold secrets.
    pub command_lines: bool,
}

/// What passed a network namespace, or one of its interfaces, since `began`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    pub netns: Option<NetworkNamespace>,
    /// `None`: all interfaces of the namespace together.
    pub interface: Option<u32>,
    pub began: Timestamp,
    pub ended: Timestamp,
    /// Packets that came by.
    pub received: u64,
    /// Of these, the packets that the system had no room for.
    pub dropped: u64,
    /// Of these, the packets that were written.
    pub delivered: u64,
}

/// Makes the bytes of capture files, one after the other. Every call adds whole blocks, so that
/// what was handed on before a crash can be read.
///
/// Memory: the processes that live, and those that ended a short time ago; a bounded number of flows.
#[derive(Debug)]
pub struct Writer {
    header: Header,
    interfaces: HashMap<InterfaceKey, Interface>,
    processes: HashMap<ProcessId, Known, Mix>,
    /// Processes that are over, in that order.
    ended: VecDeque<(Timestamp, ProcessId)>,
    /// How many of `processes` nobody has described.
    strangers: usize,
    /// Counts the files; what stands in an earlier one is not in this one.
    file: u32,
    /// Of this file.
    interface_numbers: HashMap<(InterfaceKey, LinkType), u32>,
    next_interface: u32,
    /// The interface of the last packet, which most often is that of the next one.
    last_interface: Option<((InterfaceKey, LinkType), u32)>,
    next_process: u32,
    pids: HashMap<u32, Pid>,
    flows: Flows,
}

/// What the writer knows of a process.
#[derive(Debug)]
struct Known {
    /// `None`: it has packets, and nobody has described it.
    process: Option<Arc<Process>>,
    /// Its facts, encoded when they are first needed.
    text: Option<Box<[u8]>>,
    /// The file that its block stands in, and the number it has there.
    file: u32,
    index: u32,
    /// It shares its pid with another process of this file, so that the pid alone may mislead.
    shares_pid: bool,
}

/// Who has a pid in a file.
#[derive(Debug)]
enum Pid {
    Of(ProcessId),
    Several,
}

impl Writer {
    pub fn new(header: Header) -> Self {
        Self {
            header,
            interfaces: HashMap::new(),
            processes: HashMap::default(),
            ended: VecDeque::new(),
            strangers: 0,
            file: 0,
            interface_numbers: HashMap::new(),
            next_interface: 0,
            last_interface: None,
            next_process: 0,
            pids: HashMap::new(),
            flows: Flows::default(),
        }
    }

    /// Begins a file; it comes before its packets.
    pub fn start(&mut self, segment: u32, out: &mut Vec<u8>) {
        self.file += 1;
        self.interface_numbers.clear();
        self.next_interface = 0;
        self.last_interface = None;
        self.next_process = 0;
        self.pids.clear();
        self.flows = Flows::default();
        self.forget_strangers();
        section(&self.header, Some(segment), out);
    }

    /// Something is known of an interface, or something else than before.
    pub fn interface(&mut self, interface: &Interface) {
        let before = self.interfaces.insert(interface.key, interface.clone());
        if before.is_some_and(|before| before != *interface) {
            self.interface_numbers
                .retain(|(key, _), _| *key != interface.key);
            self.last_interface = None;
        }
    }

    /// Something is known of a process, or something else than before.
    pub fn process(&mut self, process: &Arc<Process>) {
        let known = self.processes.entry(process.id).or_insert_with(|| {
            self.strangers += 1;
            Known::stranger()
        });
        let before = known.process.replace(Arc::clone(process));
        if before.is_none() {
            self.strangers = self.strangers.saturating_sub(1);
        }
        known.text = None;
        if !before.as_ref().is_some_and(|before| {
            before.name == process.name
                && before.path == process.path
                && before.file == process.file
                && before.command_line == process.command_line
        }) {
            // Another program than before: it gets a block of its own.
            known.file = 0;
        }
        let was_over = before.is_some_and(|before| before.ended.is_some());
        if let Some(ended) = process.ended.filter(|_| !was_over) {
            self.ended.push_back((ended, process.id));
            self.forget_before(ended);
        }
    }

    /// What is known of a process. `None`: nothing.
    pub fn process_of(&self, id: ProcessId) -> Option<Arc<Process>> {
        self.processes.get(&id)?.process.clone()
    }

    /// A packet, with the blocks that it needs before it. `seq` is its number in the case;
    /// `dropped_before` packets of its interface were lost since the one before.
    pub fn packet(
        &mut self,
        packet: &Packet<'_>,
        owner: &PacketOwner,
        seq: u64,
        dropped_before: u32,
        out: &mut Vec<u8>,
    ) {
        let write = |interface, options: &PacketOptions<'_>, out: &mut Vec<u8>| {
            let Packet { length, bytes, .. } = *packet;
            write_packet(interface, packet.time, length, bytes, options, out);
        };
        self.with_facts(packet, owner, seq, dropped_before, out, write);
    }

    /// The same, but leaves out the bytes of the packet, and tells at which place in `out` they are
    /// missing. `None`: it is longer than what is kept of a packet, and nothing is written.
    pub fn packet_around(
        &mut self,
        packet: &Packet<'_>,
        owner: &PacketOwner,
        seq: u64,
        dropped_before: u32,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        if packet.bytes.len() > MOST_PACKET_BYTES {
            return None;
        }
        let write = |interface, options: &PacketOptions<'_>, out: &mut Vec<u8>| {
            let kept = packet.bytes.len();
            let start = begin_packet(interface, packet.time, packet.length, kept, out);
            let place = out.len();
            end_packet(start, kept, kept, options, out);
            place
        };
        Some(self.with_facts(packet, owner, seq, dropped_before, out, write))
    }

    /// Writes the blocks that a packet needs before it, and then, with its interface and options, it.
    #[inline]
    fn with_facts<T>(
        &mut self,
        packet: &Packet<'_>,
        owner: &PacketOwner,
        seq: u64,
        dropped_before: u32,
        out: &mut Vec<u8>,
        write: impl FnOnce(u32, &PacketOptions<'_>, &mut Vec<u8>) -> T,
    ) -> T {
        let interface = self.interface_number(packet.interface, packet.link, out);
        let process = match owner {
            PacketOwner::Known { process, .. } => Some(self.process_number(*process, owner, out)),
            PacketOwner::Unknown(_) => None,
        };
        let whose = match (&process, owner) {
            (Some(numbers), _) => Whose::Process(numbers.index),
            (None, PacketOwner::Unknown(why)) => Whose::Nobody(*why),
            (None, PacketOwner::Known { .. }) => Whose::Nobody(WhyNoProcess::NoHolder),
        };
        let is_news = self.flows.is_news(FlowKey::of(packet), whose);
        let comment = is_news.then(|| self.comment(owner));
        let comment = comment.as_deref();
        let options = PacketOptions {
            comments: comment.as_slice(),
            flags: Some(flags(packet.way)),
            dropped: (dropped_before > 0).then_some(u64::from(dropped_before)),
            seq: Some(seq),
            pid: process.as_ref().and_then(|numbers| numbers.pid),
            index: process.as_ref().map(|numbers| numbers.index),
        };
        write(interface, &options, out)
    }

    /// Counts of a namespace or an interface; nothing is written when no interface of it is known.
    pub fn statistics(&mut self, time: Timestamp, counts: &Statistics, out: &mut Vec<u8>) {
        let Some((key, link)) = self.interface_for(counts) else {
            return;
        };
        let interface = self.interface_number(key, link, out);
        let comment = match counts.interface {
            Some(_) => None,
            None => Some("whocalls/1 counts=namespace"),
        };
        write_statistics(interface, time, counts, comment, out);
    }

    /// Names that were seen for addresses: in an answer to a question, or in a greeting.
    pub fn names(&mut self, names: &[(IpAddr, &str)], out: &mut Vec<u8>) {
        // Wireshark's tools take the kind of a file from the interfaces that come before all else.
        if self.next_interface == 0
            && let Some(interface) = self.interfaces.values().min_by_key(|known| known.key)
        {
            self.interface_number(interface.key, interface.link, out);
        }
        for names in names.chunks(MOST_NAMES) {
            write_names(names.iter().map(|(ip, name)| (*ip, name.as_bytes())), out);
        }
    }

    /// Which interface stands for what was counted: one that has packets, else one that is known.
    fn interface_for(&self, counts: &Statistics) -> Option<(InterfaceKey, LinkType)> {
        let is_meant = |key: &InterfaceKey| {
            key.netns == counts.netns && counts.interface.is_none_or(|index| key.index == index)
        };
        let written = self.interface_numbers.iter();
        let written = written.filter(|((key, _), _)| is_meant(key));
        if let Some((interface, _)) = written.min_by_key(|(_, number)| **number) {
            return Some(*interface);
        }
        let known = self.interfaces.values();
        let known = known.filter(|interface| is_meant(&interface.key));
        let interface = known.min_by_key(|interface| interface.key)?;
        Some((interface.key, interface.link))
    }

    /// The number of an interface in this file, which is described before its first use.
    fn interface_number(&mut self, key: InterfaceKey, link: LinkType, out: &mut Vec<u8>) -> u32 {
        if let Some((last, number)) = self.last_interface
            && last == (key, link)
        {
            return number;
        }
        let number = match self.interface_numbers.get(&(key, link)) {
            Some(number) => *number,
            None => {
                let number = self.next_interface;
                self.next_interface += 1;
                self.interface_numbers.insert((key, link), number);
                let interface = self.interfaces.get(&key);
                write_interface(&self.header, key, link, interface, out);
                number
            }
        };
        self.last_interface = Some(((key, link), number));
        number
    }

    /// The numbers of a process in this file, which is described before its first use.
    fn process_number(
        &mut self,
        id: ProcessId,
        owner: &PacketOwner,
        out: &mut Vec<u8>,
    ) -> ProcessNumbers {
        if let Some(known) = self.processes.get(&id)
            && known.file == self.file
        {
            return known.numbers(id);
        }
        self.write_process(id, owner, out)
    }

    #[cold]
    fn write_process(
        &mut self,
        id: ProcessId,
        owner: &PacketOwner,
        out: &mut Vec<u8>,
    ) -> ProcessNumbers {
        let shares_pid = self.shares_pid(id);
        if self.strangers > MOST_ENDED {
            self.forget_strangers();
        }
        let known = self.processes.entry(id).or_insert_with(|| {
            self.strangers += 1;
            Known::stranger()
        });
        known.file = self.file;
        known.index = self.next_process;
        known.shares_pid = shares_pid;
        self.next_process += 1;
        let mut comment = known.text(id, self.header.command_lines).to_vec();
        text::how_known(owner, false, &mut comment);
        let name = known.process.as_ref().map(|process| &process.name);
        write_process(id.pid, name, Some(&comment), out);
        known.numbers(id)
    }

    /// Whether another process of this file has the same pid.
    fn shares_pid(&mut self, id: ProcessId) -> bool {
        let pid = self.pids.entry(id.pid).or_insert(Pid::Of(id));
        match pid {
            Pid::Of(before) if *before == id => false,
            Pid::Of(before) => {
                if let Some(known) = self.processes.get_mut(before) {
                    known.shares_pid = true;
                }
                *pid = Pid::Several;
                true
            }
            Pid::Several => true,
        }
    }

    /// Of the first packet of a flow, and where its owner changes.
    #[cold]
    fn comment(&mut self, owner: &PacketOwner) -> Vec<u8> {
        let id = match owner {
            PacketOwner::Known { process, .. } => *process,
            PacketOwner::Unknown(why) => return text::of_nobody(*why),
        };
        let mut comment = match self.processes.get_mut(&id) {
            Some(known) => known.text(id, self.header.command_lines).to_vec(),
            None => text::of_stranger(id),
        };
        text::how_known(owner, true, &mut comment);
        comment
    }

    fn forget_before(&mut self, now: Timestamp) {
        while let Some((ended, id)) = self.ended.front()
            && (self.ended.len() > MOST_ENDED || ended.until(now) > AFTER_THE_END)
        {
            self.processes.remove(id);
            self.ended.pop_front();
        }
    }

    fn forget_strangers(&mut self) {
        self.processes.retain(|_, known| known.process.is_some());
        self.strangers = 0;
    }
}

struct ProcessNumbers {
    index: u32,
    /// `None`: it would mislead.
    pid: Option<u32>,
}

impl Known {
    fn stranger() -> Self {
        Self {
            process: None,
            text: None,
            file: 0,
            index: 0,
            shares_pid: false,
        }
    }

    fn numbers(&self, id: ProcessId) -> ProcessNumbers {
        ProcessNumbers {
            index: self.index,
            pid: (!self.shares_pid).then_some(id.pid),
        }
    }

    fn text(&mut self, id: ProcessId, command_lines: bool) -> &[u8] {
        let process = self.process.as_ref();
        self.text.get_or_insert_with(|| {
            process
                .map_or_else(
                    || text::of_stranger(id),
                    |process| text::of_process(process, command_lines),
                )
                .into_boxed_slice()
        })
    }
}

/// The packets of one exchange over one interface: both ways, but over a loopback interface, where
/// each way has its own process, each way for itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct FlowKey([u64; 6]);

impl FlowKey {
    fn of(packet: &Packet<'_>) -> Self {
        let place = u64::from(packet.interface.netns.map_or(0, |netns| netns.0)) << 32
            | u64::from(packet.interface.index);
        let Some(ends) = &packet.ends else {
            return Self([place, u64::MAX, 0, 0, 0, 0]);
        };
        let ([a, b], [c, d], ports) = sides(ends, packet.loopback);
        let protocol = match ends.protocol {
            Protocol::Tcp => 1,
            Protocol::Udp => 2,
            Protocol::Mptcp => 3,
            Protocol::UdpLite => 4,
            Protocol::Sctp => 5,
            Protocol::Dccp => 6,
            Protocol::Icmp(kind) => 7 | kind.id.map_or(0, |id| 1 << 24 | u64::from(id) << 8),
            Protocol::Raw { ip_protocol } => 8 | u64::from(ip_protocol) << 8,
            Protocol::Packet { ethertype } => 9 | u64::from(ethertype) << 8,
            Protocol::Other(number) => 10 | u64::from(number) << 8,
        };
        Self([place, ports << 32 | protocol, a, b, c, d])
    }
}

/// Both addresses and ports, the lower end first when both ways are one flow.
fn sides(ends: &PacketEnds, each_way: bool) -> ([u64; 2], [u64; 2], u64) {
    let (source, destination) = (numbers(ends.source), numbers(ends.destination));
    let (first, second) = if each_way || source <= destination {
        (source, destination)
    } else {
        (destination, source)
    };
    (
        first.0,
        second.0,
        u64::from(first.1) << 16 | u64::from(second.1),
    )
}

fn numbers(end: Endpoint) -> ([u64; 2], u16) {
    let ip = match end.ip {
        // As an IPv4-mapped address, which no packet of IPv6 may have.
        Some(IpAddr::V4(ip)) => [0, 0xffff_0000_0000 | u64::from(ip.to_bits())],
        Some(IpAddr::V6(ip)) => {
            let bits = ip.to_bits();
            [
                u64::try_from(bits >> 64).unwrap_or(0),
                u64::try_from(bits & u128::from(u64::MAX)).unwrap_or(0),
            ]
        }
        None => [0, 0],
    };
    (ip, end.port.unwrap_or(0))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// By its number in this file, which is another one after an exec.
    Process(u32),
    Nobody(WhyNoProcess),
}

/// The flows that were seen last in this file, each with its last owner.
#[derive(Debug, Default)]
struct Flows {
    /// For so many flows a hash of 64 bits is as good as the key.
    hash: Mix,
    newer: HashMap<u64, Whose, Mixed>,
    /// Those that were seen before `newer` was begun.
    older: HashMap<u64, Whose, Mixed>,
}

impl Flows {
    /// Whether this owner is not yet known for that flow.
    fn is_news(&mut self, key: FlowKey, whose: Whose) -> bool {
        let key = self.hash.hash_one(key);
        if let Some(before) = self.newer.get_mut(&key) {
            return std::mem::replace(before, whose) != whose;
        }
        let before = self.older.remove(&key);
        if self.newer.len() >= MOST_FLOWS {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(key, whose);
        before != Some(whose)
    }
}

/// Direction, and to whom it was sent (draft-ietf-opsawg-pcapng, 4.3.1).
fn flags(way: Way) -> u32 {
    const IN: u32 = 1;
    const OUT: u32 = 2;
    const UNICAST: u32 = 1 << 2;
    const MULTICAST: u32 = 2 << 2;
    const BROADCAST: u32 = 3 << 2;
    const OVERHEARD: u32 = 4 << 2;
    match way {
        Way::Out => OUT,
        Way::In => IN | UNICAST,
        Way::Broadcast => IN | BROADCAST,
        Way::Multicast => IN | MULTICAST,
        Way::OtherHost => IN | OVERHEARD,
    }
}

/// The options of a packet, in the order in which they are written.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PacketOptions<'a> {
    pub(super) comments: &'a [&'a [u8]],
    pub(super) flags: Option<u32>,
    pub(super) dropped: Option<u64>,
    pub(super) seq: Option<u64>,
    pub(super) pid: Option<u32>,
    pub(super) index: Option<u32>,
}

/// High and low half of the nanoseconds since 1970; times before that become 1970.
fn halves(time: Timestamp) -> [[u8; 4]; 2] {
    let nanos = u64::try_from(time.unix_nanos()).unwrap_or(0);
    let [a, b, c, d, e, f, g, h] = nanos.to_le_bytes();
    [[e, f, g, h], [a, b, c, d]]
}

pub(super) fn write_packet(
    interface: u32,
    time: Timestamp,
    length: u32,
    bytes: &[u8],
    options: &PacketOptions<'_>,
    out: &mut Vec<u8>,
) {
    let bytes = bytes.get(..MOST_PACKET_BYTES).unwrap_or(bytes);
    out.reserve(128 + bytes.len());
    let start = begin_packet(interface, time, length, bytes.len(), out);
    out.extend_from_slice(bytes);
    end_packet(start, bytes.len(), 0, options, out);
}

/// Up to where the bytes belong of which so many are kept. [`end_packet`] needs what it returns.
#[inline]
fn begin_packet(
    interface: u32,
    time: Timestamp,
    length: u32,
    kept: usize,
    out: &mut Vec<u8>,
) -> usize {
    let kept = u32::try_from(kept).unwrap_or(u32::MAX);
    let start = block::begin(kind::PACKET, out);
    let [high, low] = halves(time);
    let head = [
        interface.to_le_bytes(),
        high,
        low,
        kept.to_le_bytes(),
        length.max(kept).to_le_bytes(),
    ];
    out.extend_from_slice(head.as_flattened());
    start
}

/// From behind the bytes on; so many of them are not in `out`.
#[inline]
fn end_packet(
    start: usize,
    kept: usize,
    elsewhere: usize,
    options: &PacketOptions<'_>,
    out: &mut Vec<u8>,
) {
    block::pad(kept, out);
    for comment in options.comments {
        block::option(code::COMMENT, comment, out);
    }
    if let Some(flags) = options.flags {
        block::option_u32(code::FLAGS, flags, out);
    }
    if let Some(dropped) = options.dropped {
        block::option_u64(code::DROPPED, dropped, out);
    }
    if let Some(seq) = options.seq {
        block::option_u64(code::PACKET_ID, seq, out);
    }
    if let Some(pid) = options.pid {
        // The upper half is the thread, which is not known.
        block::option_u64(code::PROCESS_AND_THREAD, u64::from(pid), out);
    }
    if let Some(index) = options.index {
        block::option_u32(code::PROCESS_INDEX, index, out);
    }
    block::end_of_options(out);
    block::end_around(start, elsewhere, out);
}

pub(super) fn section(header: &Header, segment: Option<u32>, out: &mut Vec<u8>) {
    let start = block::begin(kind::SECTION, out);
    out.extend_from_slice(&block::BYTE_ORDER.to_le_bytes());
    // Version 1.0 of the format, and the section is as long as the file will be.
    out.extend_from_slice(&[1, 0, 0, 0]);
    out.extend_from_slice(&(-1_i64).to_le_bytes());
    let part = segment.map_or_else(|| " export=1".to_owned(), |number| format!(" seq={number}"));
    let comment = format!(
        "whocalls/1 case={}{part}; process names are from Linux, written in Apple's block form \
         because Wireshark 4.6 shows it; not a Darwin capture",
        header.case
    );
    block::text_option(code::COMMENT, &comment, out);
    if let Some(hardware) = &header.hardware {
        block::text_option(code::HARDWARE, hardware, out);
    }
    block::text_option(code::SYSTEM, &header.os, out);
    block::text_option(
        code::APPLICATION,
        &format!("whocalls {}", header.version),
        out,
    );
    block::end_of_options(out);
    block::end(start, out);
}

fn write_interface(
    header: &Header,
    key: InterfaceKey,
    link: LinkType,
    interface: Option<&Interface>,
    out: &mut Vec<u8>,
) {
    let mut addresses = Vec::new();
    for (ip, prefix) in interface.iter().flat_map(|interface| &interface.addresses) {
        address_option(*ip, *prefix, &mut addresses);
    }
    let name = interface.map_or_else(
        || format!("interface {}", key.index),
        |interface| interface.name.lossy().into_owned(),
    );
    let netns = key
        .netns
        .map(|netns| format!("network namespace {}", netns.0));
    let filter = header
        .packet_bytes
        .map(|most| format!("the first {most} bytes of each packet"));
    describe_interface(
        link,
        &InterfaceOptions {
            name: Some(&name),
            description: netns.as_deref(),
            addresses: &addresses,
            filter: filter.as_deref(),
            os: Some(&header.os),
        },
        out,
    );
}

/// An address of an interface and what of it is the network's.
pub(super) fn address_option(ip: IpAddr, prefix: u8, out: &mut Vec<u8>) {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(u32::from(prefix)));
            let value = [ip.octets(), mask.unwrap_or(0).to_be_bytes()];
            block::option(code::INTERFACE_IPV4, value.as_flattened(), out);
        }
        IpAddr::V6(ip) => {
            let mut value = ip.octets().to_vec();
            value.push(prefix);
            block::option(code::INTERFACE_IPV6, &value, out);
        }
    }
}

/// The options of an interface, in the order in which they are written.
pub(super) struct InterfaceOptions<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    /// Encoded options.
    pub(super) addresses: &'a [u8],
    pub(super) filter: Option<&'a str>,
    pub(super) os: Option<&'a str>,
}

pub(super) fn describe_interface(
    link: LinkType,
    options: &InterfaceOptions<'_>,
    out: &mut Vec<u8>,
) {
    /// 10^-9 seconds.
    const NANOSECONDS: u8 = 9;
    let start = block::begin(kind::INTERFACE, out);
    out.extend_from_slice(&link.0.to_le_bytes());
    // Reserved, and no limit to what is kept of a packet.
    out.extend_from_slice(&[0; 6]);
    if let Some(name) = options.name.filter(|name| !name.is_empty()) {
        block::text_option(code::INTERFACE_NAME, name, out);
    }
    if let Some(description) = options.description {
        block::text_option(code::INTERFACE_DESCRIPTION, description, out);
    }
    out.extend_from_slice(options.addresses);
    block::option(code::INTERFACE_RESOLUTION, &[NANOSECONDS], out);
    if let Some(filter) = options.filter {
        // A zero byte says that text follows.
        let value = [b"\0", block::plain(filter).as_bytes()].concat();
        block::option(code::INTERFACE_FILTER, &value, out);
    }
    if let Some(os) = options.os {
        block::text_option(code::INTERFACE_SYSTEM, os, out);
    }
    block::end_of_options(out);
    block::end(start, out);
}

pub(super) fn write_process(
    pid: u32,
    name: Option<&Text>,
    comment: Option<&[u8]>,
    out: &mut Vec<u8>,
) {
    let start = block::begin(kind::PROCESS, out);
    out.extend_from_slice(&pid.to_le_bytes());
    // Without a name Wireshark shows nothing at all of the process.
    let name = name.map(Text::lossy).filter(|name| !name.is_empty());
    block::text_option(code::PROCESS_NAME, name.as_deref().unwrap_or("?"), out);
    if let Some(comment) = comment {
        block::option(code::COMMENT, comment, out);
    }
    block::end_of_options(out);
    block::end(start, out);
}

pub(super) fn write_statistics(
    interface: u32,
    time: Timestamp,
    counts: &Statistics,
    comment: Option<&str>,
    out: &mut Vec<u8>,
) {
    let start = block::begin(kind::STATISTICS, out);
    out.extend_from_slice(&interface.to_le_bytes());
    out.extend_from_slice(halves(time).as_flattened());
    if let Some(comment) = comment {
        block::text_option(code::COMMENT, comment, out);
    }
    block::option(code::BEGAN, halves(counts.began).as_flattened(), out);
    block::option(code::ENDED, halves(counts.ended).as_flattened(), out);
    for (code, count) in [
        (code::RECEIVED, counts.received),
        (code::DROPPED_BY_SYSTEM, counts.dropped),
        (code::DELIVERED, counts.delivered),
    ] {
        block::option_u64(code, count, out);
    }
    block::end_of_options(out);
    block::end(start, out);
}

pub(super) fn write_names<'a>(names: impl Iterator<Item = (IpAddr, &'a [u8])>, out: &mut Vec<u8>) {
    let start = block::begin(kind::NAMES, out);
    let empty = out.len();
    let mut seen = HashSet::new();
    for (ip, name) in names {
        // A name of the DNS has at most 253 characters (RFC 1035, 2.3.4).
        if name.is_empty() || name.len() > 255 || name.contains(&0) || !seen.insert((ip, name)) {
            continue;
        }
        let (code, mut value) = match ip {
            IpAddr::V4(ip) => (block::name::IPV4, ip.octets().to_vec()),
            IpAddr::V6(ip) => (block::name::IPV6, ip.octets().to_vec()),
        };
        value.extend_from_slice(name);
        value.push(0);
        block::option(code, &value, out);
    }
    if out.len() == empty {
        out.truncate(start);
        return;
    }
    block::option(block::name::END, &[], out);
    block::end(start, out);
}

//! Packets and their processes into the bytes of a capture file.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use model::{
    Interface, InterfaceKey, LinkType, Mix, NetworkNamespace, Packet, PacketOwner, Process,
    ProcessId, Timestamp, WhyNoProcess,
};

use super::blocks::{
    MOST_PACKET_BYTES, PacketOptions, begin_packet, end_packet, flags, section, write_interface,
    write_names, write_packet, write_process, write_statistics,
};
use super::flow::{FlowKey, Flows, Whose};
use super::text;

/// Packets of processes that are over still come for so long (TIME_WAIT, late answers).
const AFTER_THE_END: Duration = Duration::from_secs(300);
/// So many processes that are over are kept at most, and as many that nobody has described.
const MOST_ENDED: usize = 65_536;
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

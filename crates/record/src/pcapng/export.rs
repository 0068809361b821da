//! A choice of recorded packets as a new file, for whoever has a reader of captures and not this
//! program. Items of one or more files go in; the bytes of one file come out, with the processes
//! that its packets need and no others.

use std::collections::HashMap;
use std::io::{self, Read};
use std::net::IpAddr;

use model::{LinkType, Text, Timestamp};
use sha2::{Digest, Sha256};

use super::block::{self, code, kind};
use super::blocks::{self, InterfaceOptions, PacketOptions};
use super::read::{Error, InterfaceRead, Item, NamesRead, PacketRead, ProcessRead, Reader, Stop};
use super::write::Header;

/// What is kept of the processes of one file, in bytes of their texts.
const MOST_PROCESS_BYTES: usize = 256 << 20;
/// The same of its interfaces: some 200,000 of ours.
const MOST_INTERFACE_BYTES: usize = 64 << 20;
/// Bytes that are gathered before they are handed on.
const CHUNK_BYTES: usize = 256 << 10;
/// Of one value in an entry of the journal.
const MOST_VALUE_BYTES: usize = 4096;

/// In which way processes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As in a case: what Wireshark 4.6 shows.
    Own,
    /// What Wireshark 5 writes itself: path, arguments and user become fields. Never both in one
    /// file, since version 5 counts both kinds of blocks together.
    Wireshark5,
}

/// An event between the packets, in the form of the systemd journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalEntry<'a> {
    pub time: Timestamp,
    pub message: &'a str,
    pub pid: Option<u32>,
    pub name: Option<&'a Text>,
    pub path: Option<&'a Text>,
    pub command_line: Option<&'a [Text]>,
    pub uid: Option<u32>,
    /// Further facts; `remote` becomes `WHOCALLS_REMOTE`.
    pub facts: &'a [(&'a str, &'a str)],
}

/// Makes one file of packets that were read.
#[derive(Debug)]
pub struct Exporter {
    header: Header,
    form: Form,
    /// Of the file that is read, by their numbers there.
    interfaces: HashMap<u32, InterfaceRead>,
    interface_bytes: usize,
    /// Those that were not kept.
    nameless_interfaces: u64,
    processes: HashMap<u32, ProcessRead>,
    process_bytes: usize,
    /// Hashes of the blocks that were written, with their numbers.
    written_interfaces: HashMap<[u8; 32], u32>,
    written_processes: HashMap<[u8; 32], u32>,
    /// For the file that is read: what its numbers have become.
    interface_numbers: HashMap<u32, u32>,
    process_numbers: HashMap<u32, u32>,
    /// Which process has a pid; `None`: several.
    pids: HashMap<u32, Option<Text>>,
}

impl Exporter {
    pub fn new(header: Header, form: Form) -> Self {
        Self {
            header,
            form,
            interfaces: HashMap::new(),
            interface_bytes: 0,
            nameless_interfaces: 0,
            processes: HashMap::new(),
            process_bytes: 0,
            written_interfaces: HashMap::new(),
            written_processes: HashMap::new(),
            interface_numbers: HashMap::new(),
            process_numbers: HashMap::new(),
            pids: HashMap::new(),
        }
    }

    /// The head of the file, before all else.
    pub fn start(&self, out: &mut Vec<u8>) {
        blocks::section(&self.header, None, out);
    }

    /// What follows comes from another file.
    pub fn next_file(&mut self) {
        self.interfaces.clear();
        self.interface_bytes = 0;
        self.processes.clear();
        self.process_bytes = 0;
        self.interface_numbers.clear();
        self.process_numbers.clear();
    }

    /// Takes note of an interface, which packets will name.
    pub fn interface(&mut self, interface: &InterfaceRead) {
        let texts = [
            &interface.name,
            &interface.description,
            &interface.filter,
            &interface.os,
        ];
        let texts = texts.into_iter().flatten();
        let bytes = 256
            + texts.map(|text| text.bytes().len()).sum::<usize>()
            + interface.addresses.len() * size_of::<(IpAddr, u8)>();
        if self.interface_bytes + bytes <= MOST_INTERFACE_BYTES {
            self.interface_bytes += bytes;
            self.interfaces.insert(interface.number, interface.clone());
        } else {
            self.nameless_interfaces += 1;
        }
    }

    /// How many interfaces there were beyond what is kept in memory: their packets are written
    /// without what is known of the interface.
    pub fn nameless_interfaces(&self) -> u64 {
        self.nameless_interfaces
    }

    /// Where a packet passed, when that is known.
    pub fn interface_of(&self, packet: &PacketRead<'_>) -> Option<&InterfaceRead> {
        self.interfaces.get(&packet.interface)
    }

    /// Takes note of a process, which packets will name.
    pub fn process(&mut self, process: &ProcessRead) {
        let text = |text: &Option<Text>| text.as_ref().map_or(0, |text| text.bytes().len());
        let bytes = 256 + text(&process.name) + 2 * text(&process.comment);
        if self.process_bytes + bytes <= MOST_PROCESS_BYTES {
            self.process_bytes += bytes;
            self.processes.insert(process.index, process.clone());
        }
    }

    /// Whose packet it is, when that is known.
    pub fn process_of(&self, packet: &PacketRead<'_>) -> Option<&ProcessRead> {
        self.processes.get(&packet.process?)
    }

    /// Writes a packet, with the blocks that it needs before it.
    pub fn packet(&mut self, packet: &PacketRead<'_>, out: &mut Vec<u8>) {
        let interface = self.interface_number(packet.interface, packet.link, out);
        let index = packet
            .process
            .and_then(|index| Some((index, self.process_number(index, out)?)));
        let pid = match index.and_then(|(source, _)| self.processes.get(&source)) {
            Some(process) => Some(process.pid).filter(|pid| {
                self.form == Form::Wireshark5 || self.pids.get(pid).is_some_and(Option::is_some)
            }),
            None => packet.pid,
        };
        let comments = packet.comments().collect::<Vec<_>>();
        let options = PacketOptions {
            comments: &comments,
            flags: packet.flags,
            dropped: packet.dropped.filter(|dropped| *dropped > 0),
            seq: packet.seq,
            pid,
            index: index
                .map(|(_, index)| index)
                .filter(|_| self.form == Form::Own),
        };
        // A packet without a time is one of a foreign file that has none.
        let time = packet.time.unwrap_or(Timestamp::from_unix_nanos(0));
        blocks::write_packet(interface, time, packet.length, packet.bytes, &options, out);
    }

    /// Writes names, whether or not a packet needs them.
    pub fn names(&mut self, names: &NamesRead, out: &mut Vec<u8>) {
        self.begin_with_an_interface(out);
        for names in names.names.chunks(1000) {
            blocks::write_names(names.iter().map(|(ip, name)| (*ip, name.bytes())), out);
        }
    }

    /// Writes an event; the caller puts it between the packets where its time is.
    pub fn event(&mut self, entry: &JournalEntry<'_>, out: &mut Vec<u8>) {
        self.begin_with_an_interface(out);
        let start = block::begin(kind::JOURNAL, out);
        let body = out.len();
        let micros = entry.time.unix_nanos().max(0) / 1000;
        field("__REALTIME_TIMESTAMP", micros.to_string().as_bytes(), out);
        field("MESSAGE", entry.message.as_bytes(), out);
        field("SYSLOG_IDENTIFIER", b"whocalls", out);
        if let Some(pid) = entry.pid {
            field("_PID", pid.to_string().as_bytes(), out);
        }
        if let Some(name) = entry.name {
            field("_COMM", name.bytes(), out);
        }
        if let Some(path) = entry.path {
            field("_EXE", path.bytes(), out);
        }
        if let Some(arguments) = entry.command_line.filter(|_| self.header.command_lines) {
            let joined = arguments.iter().map(Text::bytes).collect::<Vec<_>>();
            field("_CMDLINE", &joined.join(&b' '), out);
        }
        if let Some(uid) = entry.uid {
            field("_UID", uid.to_string().as_bytes(), out);
        }
        for (key, value) in entry.facts {
            let key = key
                .chars()
                .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '_')
                .map(|letter| letter.to_ascii_uppercase());
            let key = "WHOCALLS_".chars().chain(key).collect::<String>();
            field(&key, value.as_bytes(), out);
        }
        block::pad(out.len() - body, out);
        block::end(start, out);
    }

    /// Wireshark's tools take the kind of a file from the interfaces that come before all else.
    fn begin_with_an_interface(&mut self, out: &mut Vec<u8>) {
        if self.written_interfaces.is_empty()
            && let Some(first) = self.interfaces.values().min_by_key(|known| known.number)
        {
            self.interface_number(first.number, first.link, out);
        }
    }

    fn interface_number(&mut self, source: u32, link: LinkType, out: &mut Vec<u8>) -> u32 {
        if let Some(number) = self.interface_numbers.get(&source) {
            return *number;
        }
        let mut bytes = Vec::new();
        describe(link, self.interfaces.get(&source), &mut bytes);
        let next = u32::try_from(self.written_interfaces.len()).unwrap_or(u32::MAX);
        let hash = Sha256::digest(&bytes).into();
        let number = match self.written_interfaces.get(&hash) {
            Some(number) => *number,
            None => {
                out.extend_from_slice(&bytes);
                self.written_interfaces.insert(hash, next);
                next
            }
        };
        self.interface_numbers.insert(source, number);
        number
    }

    /// `None`: the process was not kept.
    fn process_number(&mut self, index: u32, out: &mut Vec<u8>) -> Option<u32> {
        if let Some(number) = self.process_numbers.get(&index) {
            return Some(*number);
        }
        let process = self.processes.get(&index)?;
        let mut bytes = Vec::new();
        match self.form {
            Form::Own => {
                let comment = process.comment.as_ref().map(Text::bytes);
                blocks::write_process(process.pid, process.name.as_ref(), comment, &mut bytes);
            }
            Form::Wireshark5 => write_for_wireshark(process, &mut bytes),
        }
        let next = u32::try_from(self.written_processes.len()).unwrap_or(u32::MAX);
        let hash = Sha256::digest(&bytes).into();
        let number = match self.written_processes.get(&hash) {
            Some(number) => *number,
            None => {
                out.extend_from_slice(&bytes);
                let identity = identity(process);
                let has_pid = self.pids.entry(process.pid);
                let has_pid = has_pid.or_insert_with(|| Some(identity.clone()));
                if has_pid.as_ref() != Some(&identity) {
                    *has_pid = None;
                }
                self.written_processes.insert(hash, next);
                next
            }
        };
        self.process_numbers.insert(index, number);
        Some(number)
    }
}

/// What all images of one process have in common.
fn identity(process: &ProcessRead) -> Text {
    let id = process.record.as_ref();
    let id = id.and_then(|record| record.fact("process"));
    let id = id.or(process.comment.as_ref()).or(process.name.as_ref());
    id.cloned().unwrap_or_default()
}

fn describe(link: LinkType, interface: Option<&InterfaceRead>, out: &mut Vec<u8>) {
    let mut addresses = Vec::new();
    for (ip, prefix) in interface.iter().flat_map(|interface| &interface.addresses) {
        blocks::address_option(*ip, *prefix, &mut addresses);
    }
    let text = |text: Option<&Text>| text.map(|text| text.lossy().into_owned());
    let name = text(interface.and_then(|interface| interface.name.as_ref()));
    let description = text(interface.and_then(|interface| interface.description.as_ref()));
    let filter = text(interface.and_then(|interface| interface.filter.as_ref()));
    let os = text(interface.and_then(|interface| interface.os.as_ref()));
    blocks::describe_interface(
        link,
        &InterfaceOptions {
            name: name.as_deref(),
            description: description.as_deref(),
            addresses: &addresses,
            filter: filter.as_deref(),
            os: os.as_deref(),
        },
        out,
    );
}

/// The block of a process that Wireshark 5 writes and reads (`wiretap/pcapng.c`). Everything from
/// the type of the entry on is little-endian in every file.
fn write_for_wireshark(process: &ProcessRead, out: &mut Vec<u8>) {
    /// The Wireshark Foundation.
    const ENTERPRISE: u32 = 32_622;
    const PROCESS_ENTRY: u32 = 3;
    const NAME: u16 = 2;
    const PATH: u16 = 3;
    const ARGUMENTS: u16 = 4;
    const PARENT: u16 = 5;
    const USER_ID: u16 = 6;
    const USER: u16 = 7;
    const STARTED: u16 = 9;

    let mut entry = process.pid.to_le_bytes().to_vec();
    let name = process.name.as_ref().filter(|name| !name.is_empty());
    let unknown = Text::from("?");
    let name = name.unwrap_or(&unknown).lossy();
    block::text_option(NAME, &name, &mut entry);
    if let Some(record) = &process.record {
        if let Some(path) = record.fact("exe") {
            block::option(PATH, path.bytes(), &mut entry);
        }
        if let Some(arguments) = record.fact("cmd") {
            let mut arguments = arguments.bytes().to_vec();
            for byte in arguments.iter_mut().filter(|byte| **byte == b' ') {
                *byte = 0;
            }
            block::option(ARGUMENTS, &arguments, &mut entry);
        }
        if let Some((parent, _)) = record.parent() {
            block::option(PARENT, &parent.to_le_bytes(), &mut entry);
        }
        if let Some((user, uid)) = record.user() {
            block::option(USER_ID, &uid.to_le_bytes(), &mut entry);
            if let Some(user) = user {
                block::option(USER, user.bytes(), &mut entry);
            }
        }
        let started = record.started().map(Timestamp::unix_nanos);
        if let Some(started) = started.and_then(|nanos| u64::try_from(nanos).ok()) {
            block::option(STARTED, &started.to_le_bytes(), &mut entry);
        }
    }
    if let Some(comment) = &process.comment {
        block::option(code::COMMENT, comment.bytes(), &mut entry);
    }
    block::end_of_options(&mut entry);

    let start = block::begin(kind::CUSTOM, out);
    out.extend_from_slice(&ENTERPRISE.to_le_bytes());
    out.extend_from_slice(&PROCESS_ENTRY.to_le_bytes());
    let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&entry);
    block::end(start, out);
}

/// A line of a journal entry (systemd, "Journal Export Format").
fn field(key: &str, value: &[u8], out: &mut Vec<u8>) {
    let value = value.get(..MOST_VALUE_BYTES).unwrap_or(value);
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    out.extend_from_slice(block::plain(&String::from_utf8_lossy(value)).as_bytes());
    out.push(b'\n');
}

/// Writes the packets of one file that are wanted. [`Exporter::start`] comes before the first file,
/// [`Exporter::next_file`] between two.
///
/// Returns where the file was cut off or damaged.
///
/// Errors: the file cannot be read or is none of these, or `write` failed.
pub fn export<R: Read>(
    reader: &mut Reader<R>,
    exporter: &mut Exporter,
    mut wanted: impl FnMut(&PacketRead<'_>, Option<&ProcessRead>) -> bool,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<Option<Stop>, Error> {
    let mut out = Vec::new();
    while let Some(item) = reader.next()? {
        match item {
            Item::Interface(interface) => exporter.interface(&interface),
            Item::Process(process) => exporter.process(&process),
            Item::Packet(packet) => {
                if wanted(&packet, exporter.process_of(&packet)) {
                    exporter.packet(&packet, &mut out);
                }
            }
            Item::Names(names) => exporter.names(&names, &mut out),
            Item::Section(_) | Item::Statistics(_) | Item::Other { .. } => {}
        }
        if out.len() >= CHUNK_BYTES {
            write(&out)?;
            out.clear();
        }
    }
    write(&out)?;
    Ok(reader.stop())
}

//! All that is known of a row: headings, names of facts, and the facts that are sentences.

use std::fmt::Display;

use super::counted;

/// On the rule above it.
pub(crate) fn more_lines(lines: usize) -> String {
    format!(" {}: PgDn ", counted(lines, "more line", "more lines"))
}

// Headings.

pub(crate) fn connection(protocol: &str, state: &str, direction: &str) -> String {
    format!("Connection  {protocol} {state} {direction}")
}

pub(crate) fn process(named: &str) -> String {
    format!("Process  {named}")
}

pub(crate) fn program(name: &str) -> String {
    format!("Program  {name}")
}

pub(crate) fn connections_of_process(count: usize) -> String {
    format!("All connections of the process ({count})")
}

pub(crate) fn pair(program: &str, to: &str, protocol: &str) -> String {
    format!("{program} → {to} {protocol}")
}

// Names of facts; thirteen columns have room.

pub(crate) const ADDRESSES: &str = "addresses";
pub(crate) const ALPN: &str = "alpn";
pub(crate) const ALSO_HELD_BY: &str = "also held by";
pub(crate) const ARGUMENTS: &str = "arguments";
pub(crate) const CALLED_BY: &str = "called by";
pub(crate) const CALLS: &str = "calls";
pub(crate) const CHECKS: &str = "checks";
pub(crate) const CLOSED: &str = "closed";
pub(crate) const CONNECTIONS: &str = "connections";
pub(crate) const CONTAINER: &str = "container";
pub(crate) const DISPLAY: &str = "display";
pub(crate) const ENDED: &str = "ended";
pub(crate) const ERROR: &str = "error";
pub(crate) const FILE: &str = "file";
pub(crate) const FIRST: &str = "first";
pub(crate) const FIRST_CALL: &str = "first call";
pub(crate) const ID: &str = "id";
pub(crate) const INTERFACE: &str = "interface";
pub(crate) const LAST: &str = "last";
pub(crate) const LASTED: &str = "lasted";
pub(crate) const GREETING: &str = "greeting";
pub(crate) const JA4: &str = "ja4";
pub(crate) const NAME: &str = "name";
pub(crate) const NAMED_BY: &str = "named by";
pub(crate) const PACKAGE: &str = "package";
pub(crate) const SEEN: &str = "seen";
pub(crate) const SSH_CLIENT: &str = "ssh client";
pub(crate) const SSH_SERVER: &str = "ssh server";
pub(crate) const USER_AGENT: &str = "user agent";
pub(crate) const NAMESPACE: &str = "namespace";
pub(crate) const OPENED: &str = "opened";
pub(crate) const OTHER_END: &str = "other end";
pub(crate) const OWNER: &str = "owner";
pub(crate) const PROGRAM: &str = "program";
pub(crate) const RECEIVED: &str = "received";
pub(crate) const REQUEST: &str = "request";
pub(crate) const RHYTHM: &str = "rhythm";
pub(crate) const SEEN_BY: &str = "seen by";
pub(crate) const SENT: &str = "sent";
pub(crate) const SHA256: &str = "sha256";
pub(crate) const STANDS_OUT: &str = "stands out";
pub(crate) const STARTED: &str = "started";
pub(crate) const STARTED_BY: &str = "started by";
pub(crate) const THIS_END: &str = "this end";
pub(crate) const UNIT: &str = "unit";
pub(crate) const USER: &str = "user";

// Of a connection.

pub(crate) const NO_OTHER_END: &str = "none: it waits for others, or can talk to anyone";
pub(crate) const OPENED_BEFORE: &str = "before whocalls looked";
/// Why it has its name, from what is most sure to what is least.
pub(crate) const GREETED_BY_TLS: &str = "it greeted the server by this name when it began (TLS)";
pub(crate) const GREETED_BY_HTTP: &str = "it asked the server for this host when it began (HTTP)";
pub(crate) const ANSWERED: &str =
    "this program, or the resolver for it, had asked for the name and was told this address";
pub(crate) const ANSWERED_TO_DEVICE: &str = "somebody on this device asked for the name and was told this address; which program, is not \
     known";
pub(crate) const ANSWERED_TO_ANOTHER: &str =
    "another program asked for the name and was told this address; this one was not seen to ask";
pub(crate) const CERTIFICATE_SAYS: &str =
    "the other side calls itself so in its certificate; nobody here asked for it";
pub(crate) const LOG_SAYS: &str = "the file that was read calls it so, and does not say why";
pub(crate) const NOBODY_ASKED: &str = "none: nobody was seen to ask for a name of this address";
pub(crate) const NAME_ASKED_BEFORE: &str =
    "none known: it began before whocalls looked, and so did the question, if there was one";
pub(crate) const NAMES_NOT_SEEN: &str = "not known: names are not seen by looking again and again";
pub(crate) const NAME_MAY_BE_HIDDEN: &str =
    "with an encrypted part (ECH), in which the true name may be hidden";

pub(crate) fn tls(over_quic: bool) -> &'static str {
    if over_quic { "TLS over QUIC" } else { "TLS" }
}

pub(crate) const NOT_COUNTED: &str = "not counted";

/// `service`: what a port is registered for.
pub(crate) fn end(address: &str, service: Option<&str>) -> String {
    match service {
        Some(service) => format!("{address}  (a port meant for {service})"),
        None => address.to_owned(),
    }
}

pub(crate) fn bytes(bytes: impl Display, packets: Option<u64>) -> String {
    match packets {
        Some(packets) => format!("{bytes} in {}", counted(packets, "packet", "packets")),
        None => bytes.to_string(),
    }
}

pub(crate) fn other_namespace(number: u32) -> String {
    format!("network namespace {number}, not that of whocalls")
}

pub(crate) fn ago(time: impl Display, ago: impl Display) -> String {
    format!("{time}  ({ago} ago)")
}

/// `told_by`: one of those below.
pub(crate) fn owner(process: &str, told_by: &str) -> String {
    format!("{process}, known from {told_by}")
}

pub(crate) fn owner_not_known(why: &str) -> String {
    format!("not known: {why}")
}

/// It stands in the place of a process.
pub(crate) fn device(device: &str) -> String {
    format!("{device}; the file that was read knows no processes")
}

/// The owner is known by its number only.
pub(crate) const NO_FACTS: &str = "?";

pub(crate) const BY_EBPF: &str = "the kernel, when it happened (eBPF)";
pub(crate) const BY_NETLINK: &str = "the kernel's table of sockets (netlink)";
pub(crate) const BY_PROC: &str = "the descriptors in /proc";
pub(crate) const BY_IP_HELPER: &str = "the table of Windows (IP Helper)";
pub(crate) const BY_ETW: &str = "events of Windows (ETW)";
pub(crate) const BY_CAPTURE: &str = "a capture";
pub(crate) const BY_LOG: &str = "a log";

pub(crate) const SEEN_IN_FULL: &str = "events of the kernel (eBPF), with its own counts";
pub(crate) const SEEN_WITHOUT_TYPES: &str = "events of the kernel (eBPF without type information)";
pub(crate) const SEEN_BY_POLLING: &str = "looking again and again (netlink, /proc)";
pub(crate) const SEEN_IN_FULL_ON_WINDOWS: &str = "events of Windows (ETW), and its tables";
pub(crate) const SEEN_BY_POLLING_ON_WINDOWS: &str = "looking again and again (IP Helper)";
pub(crate) const SEEN_IN_IMPORT: &str = "what was imported";

/// A connection in a line, to another end.
pub(crate) fn goes_to(end: &str, outcome: &str) -> String {
    format!("→ {end}  {outcome}")
}

/// A connection in a line, without another end.
pub(crate) fn stands_at(end: &str, outcome: &str) -> String {
    format!("at {end}  {outcome}")
}

pub(crate) fn and_more(connections: usize) -> String {
    format!("and {connections} more")
}

// Of a process.

pub(crate) const FILE_DELETED: &str = "  (deleted or replaced since it started)";
pub(crate) const FILE_NEVER_WAS: &str = "  (never was a file: it runs from memory)";
pub(crate) const KERNEL_ITSELF: &str = "the kernel itself";
pub(crate) const FILE_NOT_KNOWN: &str = "not known: no right to see it";
/// After arguments that were too long.
pub(crate) const CUT: &str = " … (cut)";

pub(crate) fn user_number(uid: u32) -> String {
    format!("uid {uid}")
}

pub(crate) fn file_number(inode: u64, device: u64) -> String {
    format!("inode {inode} on device {device}")
}

// Of several calls.

pub(crate) fn sums(open: u64, listening: u64, calls: u64, failed: u64) -> String {
    let calls = counted(calls, "call", "calls");
    format!("{open} open, {listening} listening, {calls} in all, {failed} of them failed")
}

pub(crate) fn calls(all: u64, failed: u64, open: u64) -> String {
    format!("{all}, {failed} of them failed, {open} open")
}

pub(crate) fn by_ended(bytes: impl Display) -> String {
    format!("{bytes} by those that ended")
}

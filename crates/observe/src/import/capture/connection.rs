//! A conversation as a connection: which end is the local one, whose it is, how it stands.

use std::sync::Arc;

use model::{Connection, ConnectionId, Direction, Owner, ProcessId, SocketKey, Source, WhyUnknown};

use super::super::format::Out;
use super::super::sides::{self, is_of_many};
use super::conversation::{Claim, Conversation, End};
use super::devices::Devices;
use super::processes::Processes;
use super::reading::client;
use super::resolved::Resolved;
use super::table::Key;

/// What all connections of a capture have in common.
pub(super) struct Shared<'a> {
    pub(super) processes: &'a Processes,
    pub(super) devices: &'a mut Devices,
    pub(super) resolved: &'a Resolved,
}

/// Which end is the local one, and who opened.
pub(super) fn sides(key: Key, conversation: &Conversation) -> (End, Direction) {
    let [first, second] = conversation.local;
    let told = match first.cmp(&second) {
        std::cmp::Ordering::Greater => Some(0),
        std::cmp::Ordering::Less => Some(1),
        // Both, as over a loopback or through a router, or neither.
        std::cmp::Ordering::Equal => None,
    };
    let told = told.filter(|end| !is_of_many(key.ip(*end)));
    let local_is = |end: End, is_it: bool| if is_it { end } else { 1 - end };
    match (conversation.opener, told) {
        (Some(opener), told) => {
            let (originator, responder) = (key.endpoint(opener), key.endpoint(1 - opener));
            let (.., direction) = match told {
                Some(local) => sides::told(originator, responder, local == opener),
                None => sides::of(originator, responder),
            };
            (
                local_is(opener, direction == Direction::Outbound),
                direction,
            )
        }
        (None, Some(local)) => (local, Direction::Unknown),
        (None, None) => {
            let client = client(key, conversation);
            let first = key.endpoint(client);
            let (local, _, direction) = sides::unopened(first, key.endpoint(1 - client));
            (local_is(client, local == first), direction)
        }
    }
}

/// What stands in the place of its socket.
pub(super) fn socket(conversation: &mut Conversation, out: &Out) -> SocketKey {
    let number = conversation.number;
    let cookie = conversation
        .cookie
        .get_or_insert_with(|| out.socket(&number.to_le_bytes()).cookie.unwrap_or(number));
    SocketKey {
        inode: None,
        cookie: Some(*cookie),
    }
}

/// `is_over`: it was silent for longer than it can be.
pub(super) fn connection(
    key: Key,
    conversation: &mut Conversation,
    is_over: bool,
    shared: &mut Shared<'_>,
    out: &Out,
) -> Connection {
    let (local_end, direction) = sides(key, conversation);
    let (local, remote) = (key.endpoint(local_end), key.endpoint(1 - local_end));
    let standing = conversation.standing(key.is_tcp(), local_end, is_over);
    let protocol = key.protocol(conversation.kind);
    let socket = socket(conversation, out);
    let is_inside = local.ip == remote.ip || local.ip.is_some_and(|ip| ip.is_loopback());
    let (owner, also_held_by) = owner(conversation, local_end, is_inside, shared.processes, out);
    let device = match owner {
        Owner::Known { .. } => None,
        Owner::Unknown { .. } => shared.devices.of(local.ip),
    };
    let (sent, received) = (conversation.of(local_end), conversation.of(1 - local_end));
    let is_timed = conversation.is_timed;
    let offset = out.time(0).unix_nanos();
    let talk = conversation
        .talk
        .as_deref()
        .map(|it| Arc::new(it.moved(offset)));
    let talk = talk.filter(|_| conversation.caller() == local_end);
    let opened = conversation.opener.filter(|_| is_timed);
    Connection {
        id: ConnectionId::of(out.source(), None, socket, protocol, local, Some(remote)),
        protocol,
        state: standing.state,
        direction,
        local,
        remote: Some(remote),
        netns: None,
        interface: None,
        socket,
        uid: None,
        opened: opened.map(|_| out.time(conversation.first)),
        closed: standing
            .closed
            .filter(|_| is_timed)
            .map(|closed| out.time(closed)),
        error: standing.error,
        bytes_sent: Some(sent.bytes),
        bytes_received: Some(received.bytes),
        packets_sent: Some(sent.packets),
        packets_received: Some(received.packets),
        owner,
        also_held_by,
        name: remote.ip.and_then(|ip| shared.resolved.of(ip)),
        greeting: None,
        device,
        talk,
    }
}

/// The process with the most packets has it, and others that had any hold it too. Where both ends
/// are on the computer, packets count for the end that sent them.
fn owner(
    conversation: &Conversation,
    local: End,
    is_inside: bool,
    processes: &Processes,
    out: &Out,
) -> (Owner, Vec<ProcessId>) {
    let sent = |claim: &Claim| claim.packets.get(local).copied().unwrap_or(0);
    let weight = |claim: &Claim| {
        let all: u64 = claim.packets.iter().sum();
        if is_inside {
            (sent(claim), all)
        } else {
            (all, sent(claim))
        }
    };
    let unknown = Owner::Unknown {
        why: WhyUnknown::NotInSource,
    };
    let mut claims: Vec<&Claim> = conversation.claims.iter().collect();
    // Of equal ones the first stays the first.
    claims.sort_by_key(|claim| std::cmp::Reverse(weight(claim)));
    let Some(best) = claims.first() else {
        return (unknown, Vec::new());
    };
    // A tool that is often wrong is believed where it never contradicts itself.
    if best.is_doubtful && claims.len() > 1 {
        return (unknown, Vec::new());
    }
    let ids = claims
        .iter()
        .filter(|claim| !claim.is_doubtful || claim.process == best.process);
    let mut ids = ids.filter_map(|claim| processes.id(claim.process, out.source()));
    let Some(process) = ids.next() else {
        return (unknown, Vec::new());
    };
    let owner = Owner::Known {
        process,
        source: Source::Capture,
    };
    let others = if is_inside { Vec::new() } else { ids.collect() };
    (owner, others)
}

//! Rows of `conn` and its relatives.

use std::net::IpAddr;

use model::{
    Connection, ConnectionError, ConnectionId, DeviceId, Direction, Endpoint, IcmpKind, Imported,
    Phase, Protocol, State, Timestamp,
};

use super::super::field;
use super::super::format::Out;
use super::super::sides;
use super::super::told::Ends;
use super::row::{Field, Row};
use super::{Known, MOST_CONNECTIONS, identity};

/// errno(3).
const ECONNRESET: i32 = 104;
const ECONNREFUSED: i32 = 111;

/// `is_open`: it has not ended.
pub(super) fn tell(
    row: &Row<'_>,
    is_open: bool,
    number: u64,
    known: &mut Known,
    out: &mut Out,
) -> Result<(), &'static str> {
    let protocol = protocol(row);
    let (id, ends, told) = ends(row, protocol, number, out).ok_or("it has no addresses")?;
    let opened = time(row, 0, out);
    let duration = row.plain(Field::Duration).and_then(field::seconds);
    let closed = (!is_open)
        .then(|| time(row, duration.unwrap_or(0), out))
        .flatten();
    let (state, error) = state(row.plain(Field::State), is_open, &ends);
    let from_originator = ends.direction != Direction::Inbound;
    let sent_and_received = |originator, responder| {
        let (originator, responder) = (row.number(originator), row.number(responder));
        if from_originator {
            (originator, responder)
        } else {
            (responder, originator)
        }
    };
    let (bytes_sent, bytes_received) =
        sent_and_received(Field::OriginatorBytes, Field::ResponderBytes);
    let (packets_sent, packets_received) =
        sent_and_received(Field::OriginatorPackets, Field::ResponderPackets);
    let device = device(row, &ends, told, known, out);
    out.seen.push(Imported::Connection(Box::new(Connection {
        state,
        opened,
        closed,
        error,
        bytes_sent,
        bytes_received,
        packets_sent,
        packets_received,
        device,
        ..ends.connection(id)
    })));
    check_numbers(row, protocol)
}

/// Errors: something stands where a number should.
fn check_numbers(row: &Row<'_>, protocol: Protocol) -> Result<(), &'static str> {
    const COUNTS: [Field; 4] = [
        Field::OriginatorBytes,
        Field::ResponderBytes,
        Field::OriginatorPackets,
        Field::ResponderPackets,
    ];
    let ports = [Field::OriginatorPort, Field::ResponderPort];
    let plain = |field| row.plain(field);
    field::check_numbers(protocol, &ports.map(plain), &COUNTS.map(plain))
}

/// Of a row of another log: tells of its connection, once.
pub(super) fn of_other_log(
    row: &Row<'_>,
    protocol: Protocol,
    number: u64,
    known: &mut Known,
    out: &mut Out,
) -> Result<Ends, &'static str> {
    let (id, ends, told) = ends(row, protocol, number, out).ok_or("it has no addresses")?;
    if known.connections.len() < MOST_CONNECTIONS && known.connections.insert(id) {
        let device = device(row, &ends, told, known, out);
        out.seen.push(Imported::Connection(Box::new(Connection {
            opened: time(row, 0, out),
            device,
            ..ends.connection(id)
        })));
    }
    Ok(ends)
}

/// The one at the local end. `None`: no computer has such an address. Where it is not sure which end is
/// local, the hardware address may be that of a router.
fn device(
    row: &Row<'_>,
    ends: &Ends,
    told: bool,
    known: &mut Known,
    out: &mut Out,
) -> Option<DeviceId> {
    let ip = ends.local.ip?;
    let is_sure = told || sides::is_inside(ip);
    let mac = if ends.direction == Direction::Inbound {
        Field::ResponderMac
    } else {
        Field::OriginatorMac
    };
    let mac = row.plain(mac).and_then(field::mac).filter(|_| is_sure);
    known.devices.at(mac, ip, out)
}

/// Between whom, and whether the log itself says which of them is local.
fn ends(
    row: &Row<'_>,
    protocol: Protocol,
    number: u64,
    out: &Out,
) -> Option<(ConnectionId, Ends, bool)> {
    let end = |address, port| {
        let ip: IpAddr = field::address(row.plain(address)?)?;
        let port = row.plain(port).filter(|_| protocol.has_ports());
        let port = port.and_then(field::port);
        Some(match port {
            Some(port) => Endpoint::new(ip, port),
            None => Endpoint::without_port(ip),
        })
    };
    let originator = end(Field::OriginatorAddress, Field::OriginatorPort)?;
    let responder = end(Field::ResponderAddress, Field::ResponderPort)?;
    let (id, socket) = identity(row.plain(Field::Uid), number, out);
    // Both or none: the log was made where that was not set up, or between two of them.
    let told = (
        row.flag(Field::LocalOriginator),
        row.flag(Field::LocalResponder),
    );
    let told = match told {
        (Some(true), Some(false)) => Some(true),
        (Some(false), Some(true)) => Some(false),
        _ => None,
    };
    let (local, remote, direction) = match told {
        Some(originator_is_local) => sides::told(originator, responder, originator_is_local),
        None => sides::of(originator, responder),
    };
    let ends = Ends {
        socket,
        protocol,
        local,
        remote: Some(remote),
        direction,
    };
    Some((id, ends, told.is_some()))
}

/// `None`: the row does not say, or not as a number (a test of Zeek has `XXXX`).
pub(super) fn time(row: &Row<'_>, later_ns: i64, out: &Out) -> Option<Timestamp> {
    let text = row.plain(Field::Time)?;
    // `JSON::TS_MILLIS`: a number of seconds would be too great.
    let milliseconds = || {
        i64::try_from(field::unsigned(text)?)
            .ok()?
            .checked_mul(1_000_000)
    };
    let time = field::any_time(text).or_else(milliseconds)?;
    Some(out.time(time.saturating_add(later_ns)))
}

fn protocol(row: &Row<'_>) -> Protocol {
    let number = |field| row.plain(field).and_then(field::port);
    match row.plain(Field::Protocol).unwrap_or_default() {
        b"tcp" => Protocol::Tcp,
        b"udp" => Protocol::Udp,
        b"sctp" => Protocol::Sctp,
        b"icmp" | b"icmp6" => {
            // Type and code stand where others have ports. Where a question belongs to an answer,
            // Zeek writes the type of the answer instead of the code.
            let kind = number(Field::OriginatorPort).and_then(|kind| u8::try_from(kind).ok());
            let code = number(Field::ResponderPort).and_then(|code| u8::try_from(code).ok());
            let asks = matches!(kind, Some(0 | 8..=10 | 13..=18 | 128..=136 | 139 | 140));
            Protocol::Icmp(IcmpKind {
                kind,
                code: code.filter(|_| !asks),
                id: None,
            })
        }
        _ => Protocol::Other(number(Field::IpProtocol).unwrap_or(u16::MAX)),
    }
}

/// What Zeek saw of its beginning and its end (`conn_state`).
fn state(written: Option<&[u8]>, is_open: bool, ends: &Ends) -> (State, Option<ConnectionError>) {
    let fails = |errno, phase| Some(ConnectionError { errno, phase });
    if ends.protocol != Protocol::Tcp {
        return (if is_open { State::Open } else { State::Closed }, None);
    }
    match written.unwrap_or_default() {
        b"S0" if is_open => (State::Attempted, None),
        b"S0" | b"SH" | b"RSTOS0" => (State::Failed, fails(None, Phase::Handshake)),
        b"REJ" => (State::Failed, fails(Some(ECONNREFUSED), Phase::Handshake)),
        b"S1" | b"S2" | b"S3" | b"OTH" if is_open => (State::Established, None),
        b"" => (State::Unknown, None),
        written => {
            let is_inbound = ends.direction == Direction::Inbound;
            let reset_by_other = written == if is_inbound { b"RSTO" } else { b"RSTR" };
            let error = fails(Some(ECONNRESET), Phase::Established).filter(|_| reset_by_other);
            (State::Closed, error)
        }
    }
}

//! The table of what parts of the computer remember from before we looked, and what each memory
//! means.

use std::fmt::Write as _;
use std::io::{self, Write};

use model::{Endpoint, NetworkNamespace, Remembered, RememberedBy, Snapshot};

use super::cell::{Cell, wrapped};
use super::connections::count;
use super::grid::{Column, Grid, Style};
use super::{TableOptions, endpoint, moved};
use crate::quantity::duration;
use crate::visible::{Cut, visible};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Remote,
    Protocol,
    Name,
    By,
    Seen,
    Sent,
    Received,
    Process,
}

const SPARE: [Kind; 3] = [Kind::Process, Kind::Received, Kind::Sent];
const LAST_RESORT: [Kind; 3] = [Kind::Protocol, Kind::Name, Kind::Seen];

pub(super) fn write(
    snapshot: &Snapshot,
    options: &TableOptions,
    out: &mut impl Write,
) -> io::Result<()> {
    let (mut shown, moved): (Vec<&Remembered>, Vec<_>) = snapshot
        .remembered
        .iter()
        .partition(|remembered| remembered.ip.is_some());
    if !moved.is_empty() {
        moved::write(&moved, snapshot, options, out)?;
        writeln!(out)?;
    }
    shown.sort_by_key(|remembered| std::cmp::Reverse(remembered.seen));
    let mut columns = vec![
        Column::shared(Kind::Remote, "REMOTE", 32, 14),
        Column::fixed(Kind::Protocol, "PROTO"),
        Column::shared(Kind::Name, "NAME", 24, 8),
        Column::shared(Kind::By, "KEPT BY", 24, 8),
        Column::number(Kind::Seen, "LAST SEEN"),
    ];
    if shown.iter().any(|remembered| {
        remembered
            .bytes_sent
            .or(remembered.bytes_received)
            .is_some()
    }) {
        columns.push(Column::number(Kind::Sent, "SENT"));
        columns.push(Column::number(Kind::Received, "RECEIVED"));
    }
    if shown
        .iter()
        .any(|remembered| remembered.owner.process().is_some())
    {
        columns.push(Column::shared(Kind::Process, "PROCESS", 12, 8));
    }
    let fill = |kind: Kind, remembered: &Remembered, cell: &mut Cell| {
        fill(kind, remembered, snapshot, options, cell);
    };
    let mut grid = Grid::new(columns, 0, options.color);
    for remembered in &shown {
        grid.measure(|kind, cell| fill(kind, remembered, cell));
    }
    grid.fit(options.width, &SPARE, &LAST_RESORT);
    grid.header(out)?;
    for remembered in &shown {
        grid.row(Style::Plain, out, |kind, cell| fill(kind, remembered, cell))?;
    }
    grid.note_left_out(options.width, out)?;
    let all = moved.iter().chain(&shown);
    let mut sources: Vec<RememberedBy> = all.map(|remembered| remembered.by).collect();
    sources.sort_unstable();
    sources.dedup();
    if !sources.is_empty() {
        out.write_all(b"\n")?;
    }
    for by in sources {
        let (name, meaning) = in_words(by);
        for line in wrapped(&format!("{name}: {meaning}"), options.width) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn fill(
    kind: Kind,
    remembered: &Remembered,
    snapshot: &Snapshot,
    options: &TableOptions,
    cell: &mut Cell,
) {
    match kind {
        Kind::Remote => {
            let end = Endpoint {
                ip: remembered.ip,
                port: remembered.port,
            };
            endpoint::address(cell, remembered.protocol, end, options.numeric);
        }
        Kind::Protocol => cell
            .head
            .push_str(remembered.protocol.map_or("-", |known| known.word())),
        Kind::Name => match &remembered.name {
            Some(name) => {
                cell.head.push_str(&visible(name));
                // Of a host name the end says whose it is.
                cell.cut = Some(Cut::Start);
            }
            None => cell.head.push('-'),
        },
        Kind::By => {
            cell.head.push_str(in_words(remembered.by).0);
            let foreign = remembered
                .netns
                .filter(|netns| options.home_netns.is_some_and(|home| home != *netns));
            if let Some(NetworkNamespace(number)) = foreign {
                let _ = write!(cell.tail, " [netns {number}]");
            }
        }
        Kind::Seen => match remembered.seen {
            Some(seen) => {
                let _ = write!(cell.head, "{} ago", duration(seen.until(snapshot.taken)));
            }
            None => cell.head.push('-'),
        },
        Kind::Sent => count(cell, remembered.bytes_sent),
        Kind::Received => count(cell, remembered.bytes_received),
        Kind::Process => match remembered.owner.process() {
            Some(id) => {
                let name = snapshot
                    .processes
                    .get(&id)
                    .map_or("?".into(), |process| visible(&process.name));
                cell.head.push_str(&name);
                let _ = write!(cell.tail, " {}", id.pid);
            }
            None => cell.head.push('-'),
        },
    }
}

/// The part of the computer in words, and what its memory of an address says and does not say.
fn in_words(by: RememberedBy) -> (&'static str, &'static str) {
    match by {
        RememberedBy::TcpMetrics => (
            "TCP metrics",
            "this computer had a TCP connection with the address since it was started or the \
             table was emptied; which program and which port is not kept.",
        ),
        RememberedBy::Conntrack => (
            "firewall table",
            "the kernel's connection tracking saw packets to or from the address; an entry outlives \
             its connection by minutes, and an idle TCP one stays for days; which program is not \
             kept.",
        ),
        RememberedBy::Neighbours => (
            "neighbour table",
            "a machine on the same local network that packets were exchanged with, or were meant \
             to be; it may only have passed them on.",
        ),
        RememberedBy::ResolverCache => (
            "resolver cache",
            "a program asked for the name and got this address; whether it then connected is not \
             known.",
        ),
        RememberedBy::TcpTable => (
            "TCP table",
            "the connection is over; the kernel keeps its ends for about a minute, but not the \
             program.",
        ),
        RememberedBy::Srum => (
            "Windows usage monitor",
            "bytes that a program moved, written down about once an hour, with whom is not kept; kept \
             for 30 to 60 days, also of programs that are gone from the disk.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::sample::{self, check_lines};
    use model::{Protocol, Timestamp, WhyUnknown};

    fn remembering() -> Snapshot {
        let mut snapshot = sample::snapshot(Vec::new(), Vec::new());
        let entry = Remembered {
            ip: Some([203, 0, 113, 9].into()),
            port: None,
            name: None,
            protocol: Some(Protocol::Tcp),
            by: RememberedBy::TcpMetrics,
            netns: Some(sample::HOME),
            seen: Some(Timestamp::from_unix_nanos(sample::TAKEN - 200_000_000_000)),
            bytes_sent: None,
            bytes_received: None,
            program: None,
            user: None,
            owner: sample::unknown(WhyUnknown::BeforeStart),
        };
        snapshot.remembered = vec![
            Remembered {
                seen: None,
                netns: Some(sample::AWAY),
                ..entry.clone()
            },
            Remembered {
                port: Some(443),
                name: Some("cdn.example.com".into()),
                by: RememberedBy::Conntrack,
                bytes_sent: Some(2048),
                ..entry.clone()
            },
            Remembered {
                ip: Some("2001:db8::7".parse().unwrap()),
                ..entry
            },
        ];
        snapshot
    }

    #[test]
    fn memories_come_with_their_meaning() {
        let draw = |width| {
            let options = TableOptions {
                width: Some(width),
                home_netns: Some(sample::HOME),
                ..TableOptions::default()
            };
            let mut out = Vec::new();
            write(&remembering(), &options, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let expected = "
REMOTE                 PROTO  NAME             KEPT BY                     LAST SEEN  SENT  RECEIVED
203.0.113.9:443/https  tcp    cdn.example.com  firewall table              3 min ago  2.0K         -
2001:db8::7            tcp    -                TCP metrics                 3 min ago     -         -
203.0.113.9            tcp    -                TCP me… [netns 4026532177]          -     -         -

TCP metrics: this computer had a TCP connection with the address since it was started or the table
  was emptied; which program and which port is not kept.
firewall table: the kernel's connection tracking saw packets to or from the address; an entry
  outlives its connection by minutes, and an idle TCP one stays for days; which program is not kept.
";
        assert_eq!(format!("\n{}", draw(100)), expected);
        for width in 0..200 {
            check_lines(&draw(width), Some(width), 4);
        }
    }
}

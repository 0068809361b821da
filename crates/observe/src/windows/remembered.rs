//! What Windows keeps for its own use and so remembers of connections that are over: names that were
//! looked up with their addresses, neighbours, and how much each program moved. Reading changes
//! nothing and sends nothing.

mod names;
mod neighbours;
mod srum;

use std::collections::HashSet;
use std::net::IpAddr;

use model::{Gap, Owner, Remembered, RememberedBy, Source, Text, WhyUnknown};

/// Rows of one source.
const LIMIT: usize = 100_000;

/// All that can be read.
pub(super) fn read() -> (Vec<Remembered>, Vec<Gap>) {
    let mut memory = Memory::default();
    names::names(&mut memory);
    neighbours::neighbours(&mut memory);
    srum::usage(&mut memory);
    (memory.rows, memory.gaps)
}

/// What was read so far, each thing once.
#[derive(Default)]
struct Memory {
    rows: Vec<Remembered>,
    known: HashSet<(IpAddr, Option<Text>)>,
    gaps: Vec<Gap>,
}

impl Memory {
    /// False: there is no room for more.
    fn add(&mut self, by: RememberedBy, ip: IpAddr, name: Option<Text>) -> bool {
        if self.rows.len() >= LIMIT {
            return false;
        }
        if self.known.insert((ip, name.clone())) {
            self.rows.push(Remembered {
                ip: Some(ip),
                port: None,
                name,
                protocol: None,
                by,
                netns: None,
                // Neither the resolver nor the table of neighbours tells.
                seen: None,
                bytes_sent: None,
                bytes_received: None,
                program: None,
                user: None,
                owner: Owner::Unknown {
                    why: WhyUnknown::BeforeStart,
                },
            });
        }
        true
    }

    fn gap(&mut self, id: &str, why: impl Into<String>, missed: &str) {
        self.gaps
            .push(Gap::standing(id, Source::IpHelper, why, missed));
    }
}

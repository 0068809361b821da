//! What stands beside a packet: which way it went, whose it is, how many were lost before it.

use std::collections::HashMap;

use model::Mix;

use super::super::book::{Book, Owned};
use super::super::fields::Fields;
use super::super::link::Way;
use super::super::notes::{self, Note};
use super::super::processes::{Facts, Index};
use super::process::Blocks;

const COMMENT: u16 = 1;
const FLAGS: u16 = 2;
const LOST: u16 = 4;
const PROCESS_AND_THREAD: u16 = 8;
/// Apple's: the number of a block. The second one, of the process that it was done for, says nothing
/// of who has the socket.
const PROCESS_INDEX: u16 = 0x8001;

/// So many different comments are remembered: most packets have that of another one.
const MOST_REMEMBERED: usize = 4096;
/// And so many bytes of them.
const MOST_REMEMBERED_BYTES: usize = 8 << 20;
/// More processes have no packet.
const MOST_OWNERS: usize = 8;

/// Reads options; what comments tell is remembered.
#[derive(Default)]
pub(super) struct Comments {
    remembered: HashMap<Vec<u8>, Option<Owned>, Mix>,
    remembered_bytes: usize,
    joined: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told {
    pub(super) way: Option<Way>,
    pub(super) lost: Option<u64>,
}

impl Comments {
    /// Who owns the packet goes to the book.
    pub(super) fn options(
        &mut self,
        options: Fields<'_>,
        time: Option<i64>,
        blocks: &Blocks,
        book: &mut Book,
    ) -> Told {
        let mut told = Told::default();
        let mut pids = [None; MOST_OWNERS];
        let mut free = pids.iter_mut();
        self.joined.clear();
        for (code, mut value) in options.options() {
            match code {
                COMMENT => {
                    // As a zero is no part of a text.
                    self.joined.extend(value.bytes);
                    self.joined.push(0);
                }
                FLAGS => {
                    told.way = match value.u32().unwrap_or(0) & 3 {
                        1 => Some(Way::In),
                        2 => Some(Way::Out),
                        _ => None,
                    };
                }
                LOST => told.lost = value.u64(),
                PROCESS_AND_THREAD => {
                    if let Some(place) = free.next() {
                        *place = value.u32();
                    }
                }
                PROCESS_INDEX => {
                    let process = value.u32().and_then(|number| blocks.get(number));
                    own(book, process);
                }
                _ => {}
            }
        }
        // The number says more than the pid, which may be used again.
        if book.owners.is_empty() {
            for pid in pids.into_iter().flatten() {
                let process = book.processes.at(pid, time);
                own(book, process);
            }
        }
        if !self.joined.is_empty() {
            let owned = self.comments(book);
            if book.owners.is_empty() {
                book.owners.extend(owned);
            }
        }
        told
    }

    /// What the comments of a packet say of its owner.
    fn comments(&mut self, book: &mut Book) -> Option<Owned> {
        if let Some(owned) = self.remembered.get(&self.joined) {
            return *owned;
        }
        let mut facts: Option<Facts> = None;
        let mut more = Facts::default();
        let mut doubtful = None;
        for comment in self.joined.split(|byte| *byte == 0) {
            match notes::of_packet(comment) {
                Some(Note::Process(told)) => {
                    facts.get_or_insert(told);
                }
                Some(Note::More(told)) => more.add(told),
                Some(Note::Doubtful(pid)) => doubtful = Some(pid),
                None => {}
            }
        }
        let owned = match (facts, doubtful) {
            (Some(mut facts), _) => {
                facts.add(more);
                book.processes.tell(facts).map(certain)
            }
            (None, Some(pid)) => book.processes.named(pid, &[]).map(|process| Owned {
                process,
                is_doubtful: true,
            }),
            (None, None) => None,
        };
        self.remembered_bytes += self.joined.len();
        let is_full = self.remembered_bytes > MOST_REMEMBERED_BYTES;
        if is_full || self.remembered.len() >= MOST_REMEMBERED {
            self.remembered.clear();
            self.remembered_bytes = self.joined.len();
        }
        self.remembered.insert(self.joined.clone(), owned);
        owned
    }
}

fn certain(process: Index) -> Owned {
    Owned {
        process,
        is_doubtful: false,
    }
}

fn own(book: &mut Book, process: Option<Index>) {
    if book.owners.len() < MOST_OWNERS {
        book.owners.extend(process.map(certain));
    }
}

//! Network namespaces: the programs know them by a cookie, we by a number. A socket that we make
//! in a namespace tells which cookie is whose.

use std::collections::HashSet;
use std::io;

use aya::maps::{Array, HashMap, MapData};
use model::NetworkNamespace;
use rustix::net::{AddressFamily, SocketType, socket};

use crate::linux::namespaces::Namespaces;
use crate::linux::sock_diag;
use crate::parse::socket_entry::SocketEntry;

/// The namespaces that were found, and the maps that tell the programs.
pub(super) struct Learned {
    /// Cookie to number.
    numbers: HashMap<MapData, u64, u32>,
    /// `struct learned`.
    last: Array<MapData, [u64; 2]>,
    found: Option<Namespaces>,
    tried: HashSet<NetworkNamespace>,
}

impl Learned {
    pub(super) fn new(numbers: HashMap<MapData, u64, u32>, last: Array<MapData, [u64; 2]>) -> Self {
        Self {
            numbers,
            last,
            found: None,
            tried: HashSet::new(),
        }
    }

    /// Whether a socket was seen in a namespace that is not known.
    pub(super) fn misses_some(&self) -> bool {
        self.last.get(&0, 0).is_ok_and(|[_, unknown]| unknown != 0)
    }

    /// Looks for namespaces, through these processes and the mounts. One in which no socket can be
    /// made, as when that right is given up, stays without its number.
    pub(super) fn learn(&mut self, pids: &[u32]) {
        let Ok(found) = Namespaces::find(pids) else {
            return;
        };
        for netns in found.all() {
            if !self.tried.insert(netns) {
                continue;
            }
            let _ = self.last.set(0, [0, 0], 0);
            let made = found.inside(netns, || {
                socket(AddressFamily::INET, SocketType::DGRAM, None).map(drop)
            });
            let told = self.last.get(&0, 0).map_or(0, |[cookie, _]| cookie);
            if matches!(made, Ok(Ok(()))) && told != 0 {
                // Without room it stays unknown.
                let _ = self.numbers.insert(told, netns.0, 0);
            }
        }
        let _ = self.last.set(0, [0, 0], 0);
        self.found = Some(found);
    }

    /// The TCP sockets of each namespace.
    pub(super) fn tcp_sockets(&self, mut take: impl FnMut(NetworkNamespace, SocketEntry)) {
        let Some(found) = &self.found else {
            return;
        };
        for netns in found.all() {
            let read = || -> io::Result<Vec<SocketEntry>> {
                sock_diag::inet(&mut sock_diag::open()?, sock_diag::TCP)
            };
            // It may have ended; what cannot be read is told the next time, or at the end.
            if let Ok(Ok(entries)) = found.inside(netns, read) {
                entries.into_iter().for_each(|entry| take(netns, entry));
            }
        }
    }
}

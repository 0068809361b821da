//! What the computer remembers of connections that are over.

use std::collections::HashSet;

use model::{Connection, Remembered, RememberedBy, Shelf};

/// Leaves out what conntrack knows of connections that still stand: they are in the list itself.
/// The other memories keep no ports, so that nothing can be said of theirs.
pub(crate) fn over(
    remembered: Vec<Remembered>,
    connections: &Shelf<Connection>,
) -> Vec<Remembered> {
    if remembered.is_empty() {
        return remembered;
    }
    let standing: HashSet<_> = connections
        .iter()
        .filter_map(|connection| {
            let remote = connection.remote?;
            let netns = connection.netns;
            Some((netns, connection.protocol.word(), remote.ip?, remote.port?))
        })
        .collect();
    let is_over = |entry: &Remembered| {
        let (Some(protocol), Some(ip), Some(port)) = (entry.protocol, entry.ip, entry.port) else {
            return true;
        };
        entry.by != RememberedBy::Conntrack
            || !standing.contains(&(entry.netns, protocol.word(), ip, port))
    };
    remembered.into_iter().filter(is_over).collect()
}

//! Names for addresses that the capturing tool wrote down. Where it had them from it does not say: it
//! may have asked who has the address, which is no proof of anything. They name a connection that
//! nothing else names.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use model::{NameSource, NameStrength, RemoteName, Text};

/// More are not remembered.
const MOST_NAMES: usize = 1 << 18;
const MOST_NAME_BYTES: usize = 255;

#[derive(Default)]
pub(super) struct Resolved(HashMap<IpAddr, Arc<RemoteName>>);

impl Resolved {
    /// The first name of an address is its own; others are further names.
    pub(super) fn add(&mut self, ip: IpAddr, name: &[u8]) {
        if name.is_empty() || name.len() > MOST_NAME_BYTES || self.0.len() >= MOST_NAMES {
            return;
        }
        self.0.entry(ip.to_canonical()).or_insert_with(|| {
            Arc::new(RemoteName {
                name: Text::from(name),
                source: NameSource::Log,
                strength: NameStrength::AnsweredToAnother,
            })
        });
    }

    pub(super) fn of(&self, ip: IpAddr) -> Option<Arc<RemoteName>> {
        self.0.get(&ip).cloned()
    }
}

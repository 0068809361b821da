//! Connections that somebody has asked for and that nobody has accepted yet: the kernel tells
//! nothing of them.

use std::collections::HashMap;

use super::key::Key;
use super::socket::Name;

/// As long as the kernel repeats its answer (`tcp_synack_retries`, ip-sysctl.rst).
const HOLDS: u64 = 63_000_000_000;
/// Anybody can ask.
const MOST: usize = 16_384;

/// Which listener was asked.
#[derive(Debug, Default)]
pub(super) struct HalfOpen {
    lately: HashMap<Key, (u64, Name)>,
    before: HashMap<Key, (u64, Name)>,
}

impl HalfOpen {
    pub(super) fn begin(&mut self, key: Key, listener: Name, time: u64) {
        if self.lately.len() >= MOST {
            self.before = std::mem::take(&mut self.lately);
        }
        self.lately.insert(key, (time, listener));
    }

    /// What comes behind it is the last that is told here.
    pub(super) fn end(&mut self, key: &Key, time: u64) -> Option<Name> {
        let lately = self.lately.remove(key);
        let (begun, listener) = lately.or_else(|| self.before.remove(key))?;
        (time.saturating_sub(begun) <= HOLDS).then_some(listener)
    }
}

//! Keeps processes as JSON, so that each is encoded once however many connections it has.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Addresses, Device, DeviceId, Findings, Process, ProcessId, Snapshot};

use super::process;
use super::writer::{Object, object};
use crate::findings::Found;

/// So many of those used last are kept, at least; twice as many at most.
const MOST: usize = 16 * 1024;

/// Processes as they stand within connections.
#[derive(Default)]
pub(super) struct Encoder {
    used: HashMap<ProcessId, Encoded>,
    /// Not used since `used` was begun.
    older: HashMap<ProcessId, Encoded>,
    devices: Arc<HashMap<DeviceId, Device>>,
    addresses: Addresses,
    found: Found,
}

struct Encoded {
    process: Arc<Process>,
    brief: Vec<u8>,
    /// As it stands in `also_held_by`.
    holder: Vec<u8>,
}

impl Encoded {
    fn of(process: &Arc<Process>) -> Self {
        let (mut brief, mut holder) = (Vec::new(), Vec::new());
        process::brief(&mut brief, process);
        object(&mut holder, |object| process::holder(object, process));
        Self {
            process: Arc::clone(process),
            brief,
            holder,
        }
    }
}

/// What an [`Encoder`] knew of a process before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    Nothing,
    /// Something else than now.
    Otherwise,
    TheSame,
}

impl Encoder {
    /// Knows all of them, however many there are.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self {
            devices: Arc::clone(&snapshot.devices),
            addresses: snapshot.addresses.clone(),
            found: Found::of(&snapshot.findings),
            used: snapshot
                .processes
                .values()
                .map(|process| (process.id, Encoded::of(process)))
                .collect(),
            older: HashMap::new(),
        }
    }

    pub(super) fn devices(&self) -> &HashMap<DeviceId, Device> {
        &self.devices
    }

    pub(super) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    pub(super) fn found(&self) -> &Found {
        &self.found
    }

    /// From here on connections have these.
    pub(super) fn find(&mut self, findings: &Findings) {
        self.found = Found::of(findings);
    }

    /// All that is known of a process. `None`: nothing, or no more.
    pub(super) fn process(&self, id: ProcessId) -> Option<&Process> {
        self.find_process(id).map(|it| it.process.as_ref())
    }

    /// Asks these from here on what is known of an address.
    pub(super) fn ask(&mut self, addresses: Addresses) {
        self.addresses = addresses;
    }

    /// Takes in what is known of a process. Those not used for long are forgotten.
    pub(super) fn know(&mut self, process: &Arc<Process>) -> Known {
        let id = process.id;
        if !self.used.contains_key(&id) {
            if self.used.len() >= MOST {
                self.older = std::mem::take(&mut self.used);
            }
            let Some(encoded) = self.older.remove(&id) else {
                self.used.insert(id, Encoded::of(process));
                return Known::Nothing;
            };
            self.used.insert(id, encoded);
        }
        match self.used.get_mut(&id) {
            Some(known) if Arc::ptr_eq(&known.process, process) || known.process == *process => {
                Known::TheSame
            }
            Some(known) => {
                *known = Encoded::of(process);
                Known::Otherwise
            }
            None => Known::Nothing,
        }
    }

    /// The short form that stands within a connection.
    pub(super) fn brief(&self, object: &mut Object<'_>, name: &'static str, id: ProcessId) {
        match self.find_process(id) {
            Some(process) => object.raw(name, &process.brief),
            None => object.object(name, |object| process::brief_unknown(object, id)),
        }
    }

    /// An item of `also_held_by`.
    pub(super) fn holder(&self, out: &mut Vec<u8>, id: ProcessId) {
        match self.find_process(id) {
            Some(process) => out.extend(&process.holder),
            None => object(out, |object| process::holder_unknown(object, id)),
        }
    }

    fn find_process(&self, id: ProcessId) -> Option<&Encoded> {
        self.used.get(&id).or_else(|| self.older.get(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example;

    fn process(pid: u32) -> Arc<Process> {
        let mut process = example::process();
        process.id.pid = pid;
        Arc::new(process)
    }

    #[test]
    fn tells_what_is_new_and_what_has_changed() {
        let mut encoder = Encoder::default();
        let curl = process(1);
        assert_eq!(encoder.know(&curl), Known::Nothing);
        assert_eq!(encoder.know(&curl), Known::TheSame);
        assert_eq!(encoder.know(&process(1)), Known::TheSame);
        let mut other = (*curl).clone();
        other.path = None;
        assert_eq!(encoder.know(&Arc::new(other)), Known::Otherwise);
    }

    #[test]
    fn only_those_used_last_are_kept() {
        let mut encoder = Encoder::default();
        let most = u32::try_from(MOST).unwrap();
        for pid in 0..=most {
            encoder.know(&process(pid));
        }
        assert_eq!(encoder.know(&process(7)), Known::TheSame);
        for pid in most..3 * most {
            encoder.know(&process(pid));
        }
        assert!(encoder.used.len() + encoder.older.len() <= 2 * MOST);
        assert_eq!(encoder.know(&process(7)), Known::Nothing);
    }
}

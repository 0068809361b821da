//! Captures of all kinds and what they give.

mod corpus;
mod oracle;
mod packets;
mod whole;

use model::{Connection, Device, Gap, Imported, Owner, Process};

use super::super::tests::Read;

impl Read {
    fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.seen.iter().filter_map(|seen| {
            let Imported::Gap(gap) = seen else {
                return None;
            };
            Some(gap)
        })
    }

    fn devices(&self) -> impl Iterator<Item = &Device> {
        self.seen.iter().filter_map(|seen| {
            let Imported::Device(device) = seen else {
                return None;
            };
            Some(device)
        })
    }

    /// The owner of a connection, as `name(pid)`. `-`: not known.
    fn owner(&self, connection: &Connection) -> String {
        let Owner::Known { process, .. } = connection.owner else {
            return "-".to_owned();
        };
        let told = self.processes().filter(|told| told.id == process).last();
        let told = told.expect("a process that was told of");
        format!("{}({})", told.name.lossy(), told.id.pid)
    }

    /// Those of all connections, in the order of their local ports.
    fn owners(&self) -> Vec<String> {
        let mut connections: Vec<_> = self.connections().collect();
        connections.sort_by_key(|connection| connection.local.port);
        let owners = connections.into_iter();
        owners.map(|connection| self.owner(connection)).collect()
    }

    /// The last that was told of the only process of this name.
    fn process(&self, name: &str) -> &Process {
        let told = self
            .processes()
            .filter(|told| told.name.bytes() == name.as_bytes());
        told.last().expect("a process of this name")
    }
}

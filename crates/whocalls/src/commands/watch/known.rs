//! What is known of processes, at any moment: the tracker's own at the last refresh, and what came
//! since.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Connection, Process, ProcessId, Snapshot, Text};

/// So many may come between two refreshes.
const MOST_NEW: usize = 64 * 1024;

#[derive(Default)]
pub(super) struct Known {
    kept: Arc<HashMap<ProcessId, Arc<Process>>>,
    new: HashMap<ProcessId, Arc<Process>>,
    users: HashMap<u32, Text>,
}

impl Known {
    pub(super) fn learn(&mut self, process: &Arc<Process>) {
        self.new.insert(process.id, Arc::clone(process));
    }

    /// Whether it is time to [`Known::keep`], refresh or not.
    pub(super) fn is_full(&self) -> bool {
        self.new.len() >= MOST_NEW
    }

    /// Keeps what the tracker keeps, and forgets what it has let go.
    pub(super) fn keep(&mut self, snapshot: &Snapshot) {
        self.kept = Arc::clone(&snapshot.processes);
        self.new.clear();
        if self.users != snapshot.users {
            self.users.clone_from(&snapshot.users);
        }
    }

    pub(super) fn process(&self, id: ProcessId) -> Option<&Arc<Process>> {
        self.new.get(&id).or_else(|| self.kept.get(&id))
    }

    /// Whose connection it is: the user of the process, or the one who created the socket.
    pub(super) fn user(&self, connection: &Connection) -> Option<&Text> {
        match connection.owner.process().and_then(|id| self.process(id)) {
            Some(process) => process.user.as_ref(),
            None => self.users.get(&connection.uid?),
        }
    }
}

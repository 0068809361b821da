//! What the lines so far tell of processes, so that what is known is not told again.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Process, ProcessId};

/// So many of those told of last are kept, at least; twice as many at most.
const MOST: usize = 16 * 1024;

/// Processes that a line can refer to. Writer and reader forget the same ones, since both take in
/// the same lines.
#[derive(Debug, Default)]
pub(super) struct Known {
    newer: HashMap<ProcessId, Arc<Process>>,
    /// Not told of since `newer` was begun.
    older: HashMap<ProcessId, Arc<Process>>,
}

impl Known {
    pub(super) fn get(&self, id: ProcessId) -> Option<&Arc<Process>> {
        self.newer.get(&id).or_else(|| self.older.get(&id))
    }

    pub(super) fn told(&mut self, process: &Arc<Process>) {
        if self.newer.len() >= MOST && !self.newer.contains_key(&process.id) {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(process.id, Arc::clone(process));
    }
}

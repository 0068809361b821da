//! The newest snapshot, for whoever wants to show it: one puts, any number look, nobody waits.

use std::sync::{Arc, Mutex, PoisonError};

use model::Snapshot;

#[derive(Default)]
pub(crate) struct Newest(Mutex<Option<Arc<Snapshot>>>);

impl Newest {
    pub(crate) fn put(&self, snapshot: Arc<Snapshot>) {
        let snapshot = Some(snapshot);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }

    /// `None`: nothing has been seen yet.
    pub(crate) fn get(&self) -> Option<Arc<Snapshot>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

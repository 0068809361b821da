//! The newest snapshot, for whoever wants to show it: one puts, any number look, nobody waits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{Findings, Snapshot};

#[derive(Default)]
pub(crate) struct Newest(Mutex<State>);

#[derive(Default)]
struct State {
    snapshot: Option<Arc<Snapshot>>,
    /// What the rules said last; a snapshot has it until they have judged that one.
    findings: Findings,
}

impl Newest {
    pub(crate) fn put(&self, mut snapshot: Arc<Snapshot>) {
        let mut state = self.state();
        if state.findings.revision() > 0 {
            Arc::make_mut(&mut snapshot).findings = state.findings.clone();
        }
        state.snapshot = Some(snapshot);
    }

    /// The rules say something else.
    pub(crate) fn found(&self, findings: Findings) {
        let mut state = self.state();
        if let Some(snapshot) = &mut state.snapshot {
            Arc::make_mut(snapshot).findings = findings.clone();
        }
        state.findings = findings;
    }

    /// `None`: nothing has been seen yet.
    pub(crate) fn get(&self) -> Option<Arc<Snapshot>> {
        self.state().snapshot.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

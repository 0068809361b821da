//! Copies of programs for the case. A thread opens what is wanted: a disk may be slow, and nobody waits for it.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread;

use model::{Process, ProcessId};

use crate::ProgramCopy;
use crate::windows::examine::copied;

/// So many processes may wait to be asked for.
const MOST_WANTED: usize = 256;
/// So many files may be open that nobody has taken yet; the thread waits, too, then.
const MOST_OPEN: usize = 32;

#[derive(Default)]
pub(super) struct Copies {
    /// `None`: nobody has asked yet, or the thread could not be started or has ended.
    thread: Option<(SyncSender<Arc<Process>>, Receiver<ProgramCopy>)>,
    /// Those for which there is nothing to open.
    without: Vec<ProgramCopy>,
}

impl Copies {
    /// `running`: `None`: it has ended. False: too many wait.
    pub(super) fn want(&mut self, id: ProcessId, running: Option<&Arc<Process>>) -> bool {
        let Some(process) = running else {
            let has_room = self.without.len() < MOST_WANTED;
            if has_room {
                let why = "the process has ended".to_owned();
                self.without.push(copy(id, (Err(why), None)));
            }
            return has_room;
        };
        if self.thread.is_none() {
            self.thread = start();
        }
        let Some((wanted, _)) = &self.thread else {
            return false;
        };
        match wanted.try_send(Arc::clone(process)) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => false,
            Err(TrySendError::Disconnected(_)) => {
                self.thread = None;
                false
            }
        }
    }

    pub(super) fn take(&mut self) -> Vec<ProgramCopy> {
        let mut taken = std::mem::take(&mut self.without);
        if let Some((_, opened)) = &self.thread {
            taken.extend(opened.try_iter());
        }
        taken
    }
}

fn start() -> Option<(SyncSender<Arc<Process>>, Receiver<ProgramCopy>)> {
    let (wanted, asked) = mpsc::sync_channel::<Arc<Process>>(MOST_WANTED);
    let (opened, ready) = mpsc::sync_channel(MOST_OPEN);
    let thread = thread::Builder::new().name("copies".to_owned());
    let started = thread.spawn(move || {
        for process in asked {
            let opening = copied::opened(&process);
            if opened.send(copy(process.id, opening)).is_err() {
                return;
            }
        }
    });
    started.is_ok().then_some((wanted, ready))
}

/// Its times can be set to whatever somebody likes, so no version tells that the bytes are the same: each is
/// read.
fn copy(
    process: ProcessId,
    (file, maps): (Result<std::fs::File, String>, Option<Vec<u8>>),
) -> ProgramCopy {
    ProgramCopy {
        process,
        file,
        version: None,
        maps,
    }
}

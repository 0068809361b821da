//! Hashes of the program files of processes that use the network. The helper reads the files: we
//! have no right to. A process that has ended before that keeps none.

use std::collections::{HashSet, VecDeque};

use model::{FileIdentity, Look, Observed, ProcessId};

use super::processes::ProcessTable;
use crate::linux::helper::{Answer, Helper, Request};

/// So many questions are remembered, so that none is asked twice.
const MOST_ASKED: usize = 65_536;
/// So many processes may wait to be asked for.
const MOST_WANTED: usize = 4_096;

type Question = (ProcessId, FileIdentity);

#[derive(Default)]
pub(super) struct Hashes {
    wanted: VecDeque<ProcessId>,
    asked: HashSet<Question>,
    asked_in_time: VecDeque<Question>,
    answers: Vec<Answer>,
}

impl Hashes {
    /// Those that hold a socket from before.
    pub(super) fn of(look: &Look) -> Self {
        let holders = look.sockets.iter().flat_map(|socket| &socket.holders);
        let holders: HashSet<_> = holders.map(|holder| holder.process).collect();
        Self {
            wanted: holders.into_iter().take(MOST_WANTED).collect(),
            ..Self::default()
        }
    }

    /// Takes note of those that use the network in what has been seen.
    pub(super) fn note(&mut self, seen: &[Observed]) {
        let mut last = None;
        for observed in seen {
            let Observed::Event(event) = observed else {
                continue;
            };
            let (Some(process), Some(_)) = (event.process, event.socket) else {
                continue;
            };
            // Long rows of events are of one process.
            if last.replace(process) != Some(process) && self.wanted.len() < MOST_WANTED {
                self.wanted.push_back(process);
            }
        }
    }

    /// Asks for what is wanted, and tells of the processes whose hash has come.
    pub(super) fn exchange(
        &mut self,
        helper: &mut Helper,
        processes: &mut ProcessTable,
        seen: &mut Vec<Observed>,
    ) {
        while let Some(id) = self.wanted.pop_front() {
            let process = processes.get(id);
            let file = process.filter(|it| it.sha256.is_none() && it.ended.is_none());
            let Some(file) = file.and_then(|process| process.file) else {
                continue;
            };
            if self.asked.contains(&(id, file)) {
                continue;
            }
            let (pid, start_ticks) = (id.pid, id.start_ticks);
            if !helper.ask(Request::Hash {
                pid,
                start_ticks,
                file,
            }) {
                self.wanted.push_front(id);
                break;
            }
            self.remember((id, file));
        }
        helper.answers(&mut self.answers);
        for answer in self.answers.drain(..) {
            let Answer::Hash(
                Request::Hash {
                    pid,
                    start_ticks,
                    file,
                },
                Ok(sha256),
            ) = answer
            else {
                continue;
            };
            let hashed = processes.hashed(pid, start_ticks, file, sha256);
            seen.extend(hashed.map(Observed::Process));
        }
    }

    fn remember(&mut self, question: Question) {
        self.asked.insert(question);
        self.asked_in_time.push_back(question);
        if self.asked_in_time.len() > MOST_ASKED
            && let Some(oldest) = self.asked_in_time.pop_front()
        {
            self.asked.remove(&oldest);
        }
    }
}

//! Program files, as far as only the helper can tell of them, since we have no right to: the hashes
//! of those of processes that use the network, and the paths that no event told, as they were too
//! long or too deep. A process that has ended before that keeps none.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use model::{FileIdentity, Gap, Look, Observed, Process, ProcessId, Source};

use super::copies::Copies;
use super::processes::ProcessTable;
use crate::linux::helper::{Answer, Helper, ProgramFile, Request};

/// So many questions are remembered, so that none is asked twice.
const MOST_ASKED: usize = 65_536;
/// So many processes may wait to be asked for.
const MOST_WANTED: usize = 4_096;

/// A run may run another file later.
type Question = (Request, Option<FileIdentity>);

#[derive(Default)]
pub(super) struct Programs {
    /// Each once.
    wanted: VecDeque<ProcessId>,
    waiting: HashSet<ProcessId>,
    /// What `wanted` had no room for.
    left_out: usize,
    asked: HashSet<Question>,
    asked_in_time: VecDeque<Question>,
    /// Programs that were started, and of which nobody could tell the path.
    without_path: usize,
    left_out_told: bool,
    without_path_told: bool,
    pub(super) copies: Copies,
}

impl Programs {
    /// Those that hold a socket from before.
    pub(super) fn of(look: &Look) -> Self {
        let mut programs = Self::default();
        for holder in look.sockets.iter().flat_map(|socket| &socket.holders) {
            programs.want(holder.process);
        }
        programs
    }

    /// Takes note of those that use the network in what has been seen, and of those without a path.
    pub(super) fn note(&mut self, seen: &[Observed]) {
        let mut last = None;
        for observed in seen {
            let id = match observed {
                Observed::Process(process) if lacks_path(process) => process.id,
                Observed::Event(event) => match (event.process, event.socket) {
                    (Some(process), Some(_)) => process,
                    _ => continue,
                },
                Observed::Process(_)
                | Observed::Look(_)
                | Observed::Counts(_)
                | Observed::Gap(_) => continue,
            };
            // Long rows of events are of one process.
            if last.replace(id) != Some(id) {
                self.want(id);
            }
        }
    }

    /// Asks for what is wanted, and tells of the processes of which something has come.
    pub(super) fn exchange(
        &mut self,
        helper: &mut Helper,
        processes: &mut ProcessTable,
        seen: &mut Vec<Observed>,
    ) {
        while let Some(id) = self.wanted.front().copied() {
            let process = processes.get(id).map(AsRef::as_ref);
            let question = process.and_then(question);
            let question = question.filter(|question| !self.asked.contains(question));
            if let (Some(process), Some((request, file))) = (process, question) {
                if process.ended.is_some() {
                    self.without_path += usize::from(file.is_some());
                } else if !helper.ask(request) {
                    break;
                }
                self.remember((request, file));
            }
            self.wanted.pop_front();
            self.waiting.remove(&id);
        }
        self.copies.ask(helper);
        let mut answers = Vec::new();
        helper.answers(&mut answers);
        for answer in answers {
            let known = match answer {
                Answer::Hash(
                    Request::Hash {
                        pid,
                        file,
                        start_ticks,
                    },
                    Ok(sha256),
                ) => processes
                    .run(pid, start_ticks)
                    .and_then(|id| processes.hashed(id, file, sha256)),
                Answer::Program(Request::Program { pid, start_ticks }, answer) => processes
                    .run(pid, start_ticks)
                    .and_then(|id| self.told(id, answer.ok().as_ref(), processes)),
                Answer::Open(request, opened) => {
                    self.copies.answered(request, opened);
                    None
                }
                Answer::Hash(..) | Answer::Program(..) | Answer::Namespace(..) => None,
            };
            seen.extend(known.map(Observed::Process));
        }
    }

    /// What could not be found out; each kind is told once.
    pub(super) fn gaps(&mut self, seen: &mut Vec<Observed>) {
        for (count, is_told, gap) in [
            (
                self.left_out,
                &mut self.left_out_told,
                hashes_left_out as fn() -> Gap,
            ),
            (
                self.without_path,
                &mut self.without_path_told,
                path_not_told,
            ),
        ] {
            if count > 0 && !std::mem::replace(is_told, true) {
                seen.push(Observed::Gap(gap().counted(count)));
            }
        }
    }

    /// What the helper says of the program of a process. `None`: it could not tell.
    fn told(
        &mut self,
        id: ProcessId,
        program: Option<&ProgramFile>,
        processes: &mut ProcessTable,
    ) -> Option<Arc<Process>> {
        if let Some(program) = program {
            // Its hash comes next.
            self.want(id);
            return processes.runs(id, program);
        }
        // Of one whose start was lost, that is told elsewhere.
        let was_told = processes.get(id).is_some_and(|it| it.file.is_some());
        self.without_path += usize::from(was_told);
        None
    }

    fn want(&mut self, id: ProcessId) {
        if self.waiting.contains(&id) {
            return;
        }
        if self.wanted.len() >= MOST_WANTED {
            self.left_out += 1;
            return;
        }
        self.waiting.insert(id);
        self.wanted.push_back(id);
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

/// What is to be asked of a process. `None`: nothing. One that has ended can be asked no more.
fn question(process: &Process) -> Option<Question> {
    let ProcessId {
        pid, start_ticks, ..
    } = process.id;
    let program = Request::Program { pid, start_ticks };
    let hash = |file| Request::Hash {
        pid,
        start_ticks,
        file,
    };
    match process.file {
        file if lacks_path(process) => Some((program, file)),
        Some(file) if process.sha256.is_none() && process.ended.is_none() => {
            Some((hash(file), Some(file)))
        }
        Some(_) | None => None,
    }
}

/// Whether it runs a file of which nobody has told the path.
fn lacks_path(process: &Process) -> bool {
    process.path.is_none() && !process.kernel_thread
}

fn hashes_left_out() -> Gap {
    Gap::standing(
        "hashes_left_out",
        Source::Proc,
        "processes began to use the network faster than their program files could be hashed",
        "hashes of some program files",
    )
}

fn path_not_told() -> Gap {
    Gap::standing(
        "path_not_told",
        Source::Proc,
        "the path of a program was too long or too deep for the kernel's event, and the process had \
         ended or was closed to us before it could be asked for",
        "the program paths of some processes",
    )
}

//! What looking into processes finds, as events. A thread looks, so that the looks at sockets do not wait for
//! it: it is told who is there, who begins, who uses the network and who has ended, and tells what is new.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

use model::{Detail, EventKind, Examined, Gap, Look, Observed, Process, ProcessId, Source};

use crate::news::Told;
use crate::stamp::Stamp;
use crate::turns::{Turn, Turns};
use crate::windows::examine::Examiner;

/// So many notes may wait for the thread.
const MOST_NOTES: usize = 16_384;
/// So many answers may wait for who tells them; the thread waits, too, then.
const MOST_ANSWERS: usize = 1_024;
/// Nothing is due, and whoever begins is told.
const LONG: Duration = Duration::from_secs(60);

enum Note {
    Before(Arc<Process>),
    Began(Arc<Process>),
    Talks(ProcessId),
    Ended(ProcessId),
}

type Answer = (ProcessId, Arc<Examined>);

pub(super) struct Examinations {
    /// `None`: the thread could not be started, or has ended.
    thread: Option<(SyncSender<Note>, Receiver<Answer>)>,
    talking: HashSet<ProcessId>,
    left_out: usize,
    is_left_out_told: bool,
    /// The thread cannot keep up.
    is_behind: Arc<AtomicBool>,
    /// Why nothing is found out. To be told once.
    gap: Option<Gap>,
}

impl Examinations {
    /// Begins with those of a first look.
    pub(super) fn start(look: &Look, running: &HashMap<u32, Arc<Process>>) -> Self {
        let (notes, noted) = mpsc::sync_channel(MOST_NOTES);
        let (answers, answered) = mpsc::sync_channel(MOST_ANSWERS);
        let thread = thread::Builder::new().name("examine".to_owned());
        let is_behind = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_behind);
        let started = thread.spawn(move || examine(&noted, &answers, &told));
        let mut examinations = Self {
            thread: started.is_ok().then_some((notes, answered)),
            talking: HashSet::new(),
            left_out: 0,
            is_left_out_told: false,
            is_behind,
            gap: started.err().map(|error| ended(&error.to_string())),
        };
        for process in running.values() {
            examinations.note(Note::Before(Arc::clone(process)));
        }
        examinations.talk(look);
        examinations
    }

    pub(super) fn began(&mut self, process: &Arc<Process>) {
        self.note(Note::Began(Arc::clone(process)));
    }

    pub(super) fn ended(&mut self, id: ProcessId) {
        self.talking.remove(&id);
        self.note(Note::Ended(id));
    }

    /// Takes note of who has sockets. Who began must have been told before.
    pub(super) fn talk(&mut self, look: &Look) {
        for holder in look.sockets.iter().flat_map(|socket| &socket.holders) {
            if self.talking.insert(holder.process) {
                self.note(Note::Talks(holder.process));
            }
        }
    }

    fn note(&mut self, note: Note) {
        let Some((notes, _)) = &self.thread else {
            return;
        };
        if let Err(TrySendError::Full(_)) = notes.try_send(note) {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Tells what has come, and what could not be found out. `until`: all until then has been told, in
    /// nanoseconds since boot.
    pub(super) fn tell(&mut self, until: u64, stamp: &mut Stamp, seen: &mut Vec<Observed>) {
        while let Some((_, answers)) = &self.thread {
            match answers.try_recv() {
                Ok((id, examined)) => {
                    let mut event = stamp.event(until, EventKind::ProcessExamined);
                    event.source = Source::IpHelper;
                    event.process = Some(id);
                    event.detail = Detail::Examined(examined);
                    stamp.tell(event, seen);
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.thread = None;
                    self.gap = Some(ended("the thread that looks into processes has ended"));
                }
            }
        }
        seen.extend(self.gap.take().map(Observed::Gap));
        let is_missed = self.left_out > 0 || self.is_behind.load(Ordering::Relaxed);
        if is_missed && !std::mem::replace(&mut self.is_left_out_told, true) {
            let gap = left_out();
            seen.push(Observed::Gap(match self.left_out {
                // Not how many: they have their turn later.
                0 => gap,
                count => gap.counted(count),
            }));
        }
    }
}

/// Until nobody wants to know any more.
fn examine(notes: &Receiver<Note>, answers: &SyncSender<Answer>, is_behind: &AtomicBool) {
    let mut all = All {
        examiner: Examiner::start(),
        turns: Turns::new(Instant::now()),
        runs: HashMap::new(),
    };
    loop {
        let now = Instant::now();
        let due = all.turns.due();
        let wait = due.map_or(LONG, |due| due.saturating_duration_since(now));
        match notes.recv_timeout(wait) {
            Ok(note) => {
                all.note(note);
                // Whom they are about goes before the one that is due.
                notes.try_iter().for_each(|note| all.note(note));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if all.turns.is_behind(Instant::now()) {
            is_behind.store(true, Ordering::Relaxed);
        }
        let answer = all
            .turns
            .next(Instant::now())
            .and_then(|turn| all.take(turn));
        if let Some(answer) = answer
            && answers.send(answer).is_err()
        {
            return;
        }
    }
}

struct All {
    examiner: Examiner,
    turns: Turns,
    runs: HashMap<ProcessId, (Arc<Process>, Told)>,
}

impl All {
    fn note(&mut self, note: Note) {
        let now = Instant::now();
        match note {
            Note::Before(process) => {
                self.turns.was_there(process.id, now);
                self.runs.insert(process.id, (process, Told::default()));
            }
            Note::Began(process) => {
                self.turns.began(process.id, now);
                self.runs.insert(process.id, (process, Told::default()));
            }
            Note::Talks(id) => self.turns.talks(id, now),
            Note::Ended(id) => self.forget(id),
        }
    }

    fn forget(&mut self, id: ProcessId) {
        self.turns.ended(id);
        self.runs.remove(&id);
    }

    /// `None`: nothing that is new.
    fn take(&mut self, turn: Turn) -> Option<Answer> {
        let (process, told) = self.runs.get_mut(&turn.id)?;
        let begun = Instant::now();
        let found = self.examiner.look(process, turn.depth);
        let now = Instant::now();
        self.turns.done(turn, now.duration_since(begun), now);
        let Some(found) = found else {
            self.forget(turn.id);
            return None;
        };
        if turn.is_passing && !found.has_found() {
            return None;
        }
        told.news(found, now).map(|news| (turn.id, news))
    }
}

fn ended(why: &str) -> Gap {
    Gap::standing(
        "examiner_ended",
        Source::IpHelper,
        why,
        "what looking into processes would find from now on: changed code, code outside of files, \
         signatures",
    )
}

fn left_out() -> Gap {
    Gap::standing(
        "examinations_left_out",
        Source::IpHelper,
        "programs began faster, or are more, than their processes could be looked into with the time that \
         whocalls allows itself",
        "what looking into some processes would have found",
    )
}

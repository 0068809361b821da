//! The events of a recording: each thing that is observed becomes a line of the case, is folded, and
//! tells the packets whose they are.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Sender;

use model::{
    Event, EventKind, FileIdentity, Host, Look, Observed, Process, ProcessId, Tier, Timestamp,
};
use observe::ProgramCopy;
use observe::Watch;
use record::lines::Encoder;
use show::tui::Preserved;
use track::Tracker;

use super::copies::Wanted;
use super::images::Image;
use super::names;
use super::programs::{Reason, reason};
use super::queue::{Closing, Queue};
use super::run::Run;
use crate::arguments::CopyPrograms;
use crate::commands::fold::Reader;
use crate::commands::screen::Preserving;

/// Open program files that wait to be copied.
const MOST_WAITING: usize = 32;
/// Names that wait to be written to the packets; they are taken with each packet.
const MOST_NAMES: usize = 20_000;
/// Lines are handed on when there are so many bytes, or nothing more has come.
const PIECE: usize = 256 * 1024;

/// Records what another reader takes.
pub(super) struct Recorder<'a, R> {
    reader: R,
    host: Host,
    tier: Tier,
    encoder: Encoder,
    bytes: Vec<u8>,
    /// Events in `bytes`.
    count: u64,
    events: u64,
    /// Counted from 1; 0: nothing has been told.
    segment: u32,
    copying: Copying,
    /// The process that was told of last, until it is known when that was.
    told: Option<Arc<Process>>,
    /// What the person at the screen wants to be copied. `None`: there is no screen.
    preserving: Option<&'a Preserving>,
    queue: &'a Queue,
    run: &'a Run,
    _closing: Closing<'a>,
}

/// Which program files are to be copied, and who does it.
pub(super) struct Copying {
    pub(super) which: CopyPrograms,
    pub(super) to: Sender<Wanted>,
    /// How many of them wait there.
    waiting: Arc<AtomicUsize>,
    /// Programs whose file was asked for: a process and what it runs.
    asked: HashSet<(ProcessId, Option<FileIdentity>)>,
    /// To be asked for.
    wanted: Vec<ProcessId>,
    /// Of those that were asked for.
    reasons: HashMap<ProcessId, Reason>,
    /// `None`: not known yet.
    own_file: Option<FileIdentity>,
}

impl Copying {
    pub(super) fn new(which: CopyPrograms, to: Sender<Wanted>, waiting: Arc<AtomicUsize>) -> Self {
        Self {
            which,
            to,
            waiting,
            asked: HashSet::new(),
            wanted: Vec::new(),
            reasons: HashMap::new(),
            own_file: None,
        }
    }

    /// Asks for what is wanted, and hands on what has come.
    fn go_on(&mut self, watch: &mut Watch) {
        // Where too many wait, later.
        self.wanted.retain(|process| !watch.want_program(*process));
        // Each of them is an open file.
        if self.waiting.load(Ordering::Relaxed) < MOST_WAITING {
            watch.programs().into_iter().for_each(|it| self.hand_on(it));
        }
    }

    /// Says of the rest that it is not copied.
    fn end(&mut self, watch: &mut Watch) {
        watch.programs().into_iter().for_each(|it| self.hand_on(it));
        for process in std::mem::take(&mut self.wanted) {
            self.hand_on(ProgramCopy {
                process,
                file: Err(
                    "nobody came to read it: too many waited, or there is no right to".into(),
                ),
                version: None,
                maps: None,
            });
        }
        let mut unanswered: Vec<ProcessId> = self.reasons.keys().copied().collect();
        unanswered.sort_unstable();
        for process in unanswered {
            self.hand_on(ProgramCopy {
                process,
                file: Err("the recording was over before it was opened".into()),
                version: None,
                maps: None,
            });
        }
    }

    fn hand_on(&mut self, copy: ProgramCopy) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // Without one the person at the screen wishes it.
        let reason = self.reasons.remove(&copy.process);
        let reason = reason.unwrap_or(Reason::Fleeting);
        // Whoever copies lives as long as we do.
        let _ = self.to.send(Wanted { copy, reason });
    }

    fn looked(&mut self, look: &Look) {
        let us = look
            .processes
            .iter()
            .find(|it| it.id.pid == std::process::id());
        self.own_file = us.and_then(|us| us.file).or(self.own_file);
        look.processes.iter().for_each(|it| self.consider(it));
    }

    fn consider(&mut self, process: &Process) {
        let wanted = match self.which {
            CopyPrograms::All => (!process.kernel_thread).then_some(Reason::Fleeting),
            CopyPrograms::Suspect => reason(process),
            CopyPrograms::None => None,
        };
        // What recorded is named in case.json.
        let is_ours = self.own_file.is_some() && process.file == self.own_file;
        if let Some(reason) = wanted
            && !is_ours
            && process.ended.is_none()
            && self.asked.insert((process.id, process.file))
        {
            self.reasons.insert(process.id, reason);
            self.wanted.push(process.id);
        }
    }
}

impl<'a, R: Reader> Recorder<'a, R> {
    pub(super) fn new(
        reader: R,
        watch: &Watch,
        copying: Copying,
        queue: &'a Queue,
        run: &'a Run,
    ) -> Self {
        Self {
            reader,
            host: watch.host().clone(),
            tier: watch.tier(),
            encoder: Encoder::new(),
            bytes: Vec::new(),
            count: 0,
            events: 0,
            segment: 0,
            copying,
            told: None,
            preserving: None,
            queue,
            run,
            _closing: Closing(queue),
        }
    }

    /// Copies what the person at the screen wishes.
    pub(super) fn preserves(&mut self, preserving: &'a Preserving) {
        self.preserving = Some(preserving);
    }

    fn preserve(&self, watch: &mut Watch) {
        let Some(preserving) = self.preserving else {
            return;
        };
        for process in preserving.wanted() {
            if !watch.want_program(process) {
                preserving.done(Preserved {
                    process,
                    result: Err(
                        "it cannot be copied: the process that reads program files has \
                                 ended, or has too much to do"
                            .to_owned(),
                    ),
                });
            }
        }
    }

    fn record(&mut self, observed: &Observed) {
        match observed {
            Observed::Event(event) => {
                self.count += 1;
                self.events += 1;
                if event.kind == EventKind::ProcessEnded {
                    self.copying
                        .asked
                        .retain(|(id, _)| Some(*id) != event.process);
                }
            }
            Observed::Process(process) => self.copying.consider(process),
            Observed::Look(look) => {
                if self.segment == 0 {
                    self.start(look.taken);
                }
                self.copying.looked(look);
            }
            Observed::Counts(_) | Observed::Gap(_) => {}
        }
        self.encoder.observed(observed, &mut self.bytes);
        if self.run.has_packets() {
            self.tell_packets(observed);
        }
        if self.bytes.len() >= PIECE {
            self.hand_on();
        }
    }

    /// Has whoever makes packets know whose they are. A process that begins, or runs another program,
    /// is told of right before the event that says when.
    fn tell_packets(&mut self, observed: &Observed) {
        let mut ownership = self.run.ownership();
        ownership.flows.apply(observed);
        if let Some(process) = self.told.take() {
            let since = match observed {
                Observed::Event(event) => begun(event, process.id),
                Observed::Process(_)
                | Observed::Look(_)
                | Observed::Counts(_)
                | Observed::Gap(_) => None,
            };
            ownership.processes.push(Image { since, process });
        }
        match observed {
            Observed::Process(process) => self.told = Some(Arc::clone(process)),
            Observed::Look(look) => {
                let image = |process: &Process| Image {
                    since: None,
                    process: Arc::new(process.clone()),
                };
                ownership.processes.extend(look.processes.iter().map(image));
            }
            Observed::Event(event) => {
                if ownership.names.len() < MOST_NAMES {
                    names::of_event(event, &mut |named| ownership.names.push(named));
                }
            }
            Observed::Counts(_) | Observed::Gap(_) => {}
        }
    }

    fn start(&mut self, taken: Timestamp) {
        self.segment += 1;
        let Self { encoder, bytes, .. } = self;
        encoder.start(&self.host, taken, self.tier, self.segment, bytes);
    }

    fn hand_on(&mut self) {
        self.queue.put(&mut self.bytes, self.count);
        self.count = 0;
    }

    fn next_segment(&mut self, tracker: &Tracker, now: Timestamp) {
        self.hand_on();
        self.queue.begin_next();
        self.start(now);
        let known = tracker.restate();
        self.encoder.restate(&known, &mut self.bytes);
    }
}

impl<R: Reader> Reader for Recorder<'_, R> {
    fn take(&mut self, observed: Observed, tracker: &mut Tracker) {
        self.record(&observed);
        let examined = examined(&observed);
        self.reader.take(observed, tracker);
        // What was found is known of it from now on.
        if let Some(process) = examined.and_then(|id| tracker.process(id)) {
            self.copying.consider(process);
        }
        // After the first look, which is what a case begins with.
        for gap in self.run.take_gaps() {
            let gap = Observed::Gap(gap);
            self.record(&gap);
            self.reader.take(gap, tracker);
        }
    }

    fn taken(&mut self, tracker: &Tracker, watch: &mut Watch) {
        self.reader.taken(tracker, watch);
        self.preserve(watch);
        self.run.told_until(watch.until());
        self.run.count_events(self.events, watch.totals().lost);
        self.hand_on();
        if self.queue.is_next_due() {
            self.next_segment(tracker, watch.now());
        }
        self.copying.go_on(watch);
    }

    fn refresh(&mut self, tracker: &Tracker, watch: &mut Watch) {
        self.reader.refresh(tracker, watch);
    }

    fn is_gone(&self) -> bool {
        self.reader.is_gone() || self.run.is_stopping()
    }

    fn every(&self) -> Option<std::time::Duration> {
        self.reader.every()
    }

    fn end(&mut self, tracker: &Tracker, watch: &mut Watch) {
        self.reader.end(tracker, watch);
        self.copying.end(watch);
        let lost = watch.totals().lost;
        self.encoder.end(watch.now(), lost, &mut self.bytes);
        self.run.count_events(self.events, lost);
        self.hand_on();
        let let_go = tracker.let_go();
        let let_go = let_go.closed_connections + let_go.open_connections;
        self.run.keep_last(tracker.snapshot(), let_go);
        self.run.events_are_over();
    }
}

/// Who has been looked into.
fn examined(observed: &Observed) -> Option<ProcessId> {
    let Observed::Event(event) = observed else {
        return None;
    };
    let is_such = event.kind == EventKind::ProcessExamined;
    event.process.filter(|_| is_such)
}

/// When the process began what it runs, if that is what the event tells.
fn begun(event: &Event, process: ProcessId) -> Option<u64> {
    let begins = matches!(
        event.kind,
        EventKind::ProcessStarted | EventKind::ProcessExec
    );
    (begins && event.process == Some(process)).then_some(event.boot_ns)
}

/// A reader for whom it is enough that all is folded.
pub(super) struct Folding;

impl Reader for Folding {
    fn take(&mut self, observed: Observed, tracker: &mut Tracker) {
        tracker.apply(observed, &mut |_, _, _| {});
    }

    fn refresh(&mut self, _tracker: &Tracker, _watch: &mut Watch) {}

    fn is_gone(&self) -> bool {
        false
    }
}

//! `whocalls open`: the screen on a case, or on captures and logs of other tools.
//!
//! One thread reads the case from its beginning and publishes what is known so far. For another
//! moment it shows at once what was known shortly before, and then reads up to that very moment.

mod imports;

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use model::{ConnectionId, Snapshot, Text, Timestamp};
use observe::writer::Writer;
use record::case::{Kind, OpenCase, Outcome, Problem, verify};
use show::filter::Filter;
use show::tui::{Mode, Options, PacketFile, Replay, Seal, Status, Terminal};
use track::{Heard, Limits, Tracker};

use super::case::heard::heard;
use super::case::{self, Story};
use super::evidence::{self, Evidence};
use super::filter;
use super::imports::{Covered, Imports, beside};
use super::screen::{self, Hands, List, Shared};
use crate::arguments::{Color, OpenArguments};
use crate::exit::Exit;
use crate::output::{Talk, Usage};

/// How often there is something new to see while it is read: more and more seldom, since a larger
/// view takes longer to be taken and to be shown.
const PUBLISHED_EACH: Duration = Duration::from_millis(400);
const PUBLISHED_AT_LEAST: Duration = Duration::from_secs(2);
/// The first time comes sooner.
const PUBLISHED_FIRST: Duration = Duration::from_millis(150);
/// So many moments are kept to go to at once. Each takes memory for what has changed since the one
/// before.
const MARKS: u64 = 16;
const STEP: Duration = Duration::from_millis(40);

pub(crate) fn run(arguments: &OpenArguments, color: Color, talk: Talk) -> Result<Exit> {
    let (evidence, words) = evidence::named(&arguments.words)?;
    filter::read(words, &arguments.filter, Filter::parse_for_screen)?;
    let filter = filter::text(words, &arguments.filter);
    match evidence {
        Some(Evidence::Case(case)) => open_case(&case, arguments, filter, color, talk),
        Some(Evidence::Files(files)) => {
            let imports = Imports::of(&files, &arguments.clock_offset)?;
            imports::run(imports, arguments, filter, color, talk)
        }
        None => Err(evidence::missing(&arguments.words)),
    }
}

fn needs_terminal(what: &str) -> String {
    format!(
        "the screen needs a terminal\n\
         help: 'whocalls list {what}' and 'whocalls export {what}' write what it holds"
    )
}

fn open_case(
    case: &Path,
    arguments: &OpenArguments,
    filter: String,
    color: Color,
    talk: Talk,
) -> Result<Exit> {
    let case = case::open(case, &arguments.identity)?;
    if !screen::is_possible() {
        return Err(Usage(needs_terminal("CASE")).into());
    }
    Terminal::prepare().context("cannot read keys from the terminal")?;
    let story = Story::of(&case)?;
    let begun = story.start().taken;
    let shared = Shared::new(Duration::from_secs(1), observe::user(), begun);
    let name = case.path().canonicalize().ok();
    let name = name.as_deref().and_then(|path| path.file_name());
    let name = name.map_or_else(String::new, |it| it.to_string_lossy().into_owned());
    let files = packet_files(&case, begun);
    let host = case.about().map(|it| it.host.clone());
    let hands = Hands {
        actions: None,
        writer: Writer::start(),
        // Beside an encrypted case it would be in the clear.
        list: match case.about().is_some_and(|it| !it.recipients.is_empty()) {
            true => List::in_memory(),
            false => List::beside(case.path(), host.as_deref(), talk),
        },
    };
    let options = Options {
        theme: screen::theme(arguments.colors, arguments.ascii, color),
        mouse: !arguments.no_mouse,
        refresh: Duration::from_secs(1),
        actions: false,
        filter,
        to_ask: hands.list.to_ask(),
    };
    let seal = Arc::new(SealCell::default());
    let showing = Showing {
        case: &case,
        talk,
        shared: &shared,
        seal: Arc::clone(&seal),
        name,
        files,
        begun,
        ended: begun,
        marks: Vec::new(),
        whole: None,
        imported: HashSet::new(),
        covered: Covered::default(),
        heard: Heard::default(),
    };
    // Holding everything against the manifest may take long; who leaves does not wait for it.
    let checking = (Arc::clone(&case), Arc::clone(&seal));
    let thread = thread::Builder::new().name("check".to_owned());
    thread.spawn(move || {
        let (case, seal) = checking;
        // It would take from the reading what that needs itself.
        while !seal.may_begin() {
            thread::sleep(STEP);
        }
        let (came, problems) = checked(&case);
        seal.set(came, problems);
    })?;
    let (log, mut missing) =
        screen::alongside(|| showing.run(story), hands, options, &shared, talk)?;
    for line in log {
        talk.say(&format!("{line}\n"));
    }
    missing.damage.add_problems(&seal.problems());
    case::say_missing(&missing, talk);
    Ok(missing.exit())
}

/// What the case came to, and why.
fn checked(case: &OpenCase) -> (Seal, Vec<Problem>) {
    match verify(case.path(), None) {
        Ok(verified) => {
            let seal = match verified.outcome {
                Outcome::Sealed => Seal::Intact,
                Outcome::Unsealed => Seal::Unsealed,
                Outcome::Changed => Seal::Broken,
            };
            (seal, verified.problems)
        }
        // It is not the case that is at fault.
        Err(_) => (Seal::NotChecked, Vec::new()),
    }
}

/// What the seal came to, for both threads.
#[derive(Default)]
struct SealCell {
    seal: AtomicU8,
    problems: Mutex<Vec<Problem>>,
    /// All was read.
    read: AtomicBool,
}

impl SealCell {
    fn set(&self, seal: Seal, problems: Vec<Problem>) {
        *self.problems.lock().unwrap_or_else(PoisonError::into_inner) = problems;
        let number = match seal {
            Seal::NotChecked | Seal::None => 0,
            Seal::Intact => 1,
            Seal::Unsealed => 2,
            Seal::Broken => 3,
        };
        self.seal.store(number, Ordering::Release);
    }

    fn problems(&self) -> Vec<Problem> {
        let problems = self.problems.lock();
        problems.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn may_begin(&self) -> bool {
        self.read.load(Ordering::Acquire)
    }

    fn get(&self) -> Seal {
        match self.seal.load(Ordering::Acquire) {
            1 => Seal::Intact,
            2 => Seal::Unsealed,
            3 => Seal::Broken,
            _ => Seal::NotChecked,
        }
    }
}

/// Files with packets that another program can open, with the time that they are of.
fn packet_files(case: &OpenCase, begun: Timestamp) -> Arc<[PacketFile]> {
    let mut files: Vec<PacketFile> = Vec::new();
    let mut began_of = std::collections::HashMap::new();
    // A log that cannot be read is said by whoever checks the case.
    let _ = case.log(&mut |entry| {
        if let (Some(file), Some(began)) = (entry.text("file"), entry.text("began"))
            && let Ok(began) = crate::arguments::moment(began)
        {
            began_of.insert(file.to_owned(), (began.from(entry.time), entry.time));
        }
    });
    for segment in case.segments(Kind::Packets) {
        // Those that are encrypted no other program opens.
        let path = case.path().join(&segment.name);
        if !path.is_file() {
            continue;
        }
        let times = began_of.get(&segment.name);
        files.push(PacketFile {
            path: Text::from(path.to_string_lossy().into_owned()),
            from: times.map_or(begun, |times| times.0),
            until: times.map(|times| times.1),
        });
    }
    files.into()
}

/// The thread that reads.
struct Showing<'a> {
    case: &'a Arc<OpenCase>,
    shared: &'a Shared,
    seal: Arc<SealCell>,
    name: String,
    files: Arc<[PacketFile]>,
    begun: Timestamp,
    /// The newest that was read.
    ended: Timestamp,
    /// What was known at some moments, in order.
    marks: Vec<Arc<Snapshot>>,
    /// What is known at the end.
    whole: Option<Arc<Snapshot>>,
    /// The connections of which its imports tell.
    imported: HashSet<ConnectionId>,
    /// Of which time these tell.
    covered: Covered,
    /// What its packets tell.
    heard: Heard,
    talk: Talk,
}

/// How far a reading came.
enum Came {
    ToItsEnd,
    /// Something else is wanted now.
    Interrupted,
}

impl Showing<'_> {
    fn run(mut self, story: Story) -> Result<case::Missing> {
        let missing = self.read_all(story)?;
        let mut wanted = None;
        let mut told = Seal::NotChecked;
        while !self.shared.is_gone() {
            let seal = self.seal.get();
            if seal != told {
                told = seal;
                self.shared.change(|status| {
                    if let Mode::Case(replay) = &mut status.mode {
                        replay.seal = seal;
                    }
                });
            }
            wanted = self.shared.wanted().or(wanted);
            match wanted {
                Some(at) => {
                    if matches!(self.go(at)?, Came::ToItsEnd) {
                        wanted = None;
                    }
                }
                None => thread::sleep(STEP),
            }
        }
        Ok(missing)
    }

    /// From the beginning to the end, publishing what is known now and then.
    fn read_all(&mut self, mut story: Story) -> Result<case::Missing> {
        let mut tracker = story.tracker(Limits::CASE);
        let (mut events, mut published) = (0_u64, Instant::now());
        let mut each = PUBLISHED_FIRST;
        let mut next_mark = 0;
        let mut looked_at = None;
        while let Some(tale) = story.next()? {
            events += u64::from(tale.is_event());
            tale.apply(&mut tracker, &mut |_, _, _| {});
            if events % 256 != 0 {
                continue;
            }
            let (done, total) = story.progress();
            if done >= next_mark {
                next_mark = done + total / MARKS + 1;
                self.marks.push(Arc::new(tracker.snapshot()));
            }
            // While it is read, nobody goes back and forth.
            looked_at = self.shared.wanted().or(looked_at);
            if published.elapsed() >= each {
                each = (each * 3 / 2).clamp(PUBLISHED_EACH, PUBLISHED_AT_LEAST);
                let snapshot = Arc::new(tracker.snapshot());
                self.ended = snapshot.taken;
                self.publish(
                    snapshot,
                    None,
                    percent(done, total),
                    Some((events, &tracker)),
                );
                published = Instant::now();
            }
            if self.shared.is_gone() {
                break;
            }
        }
        // Before imports, whose connections would be those of the packets as well.
        self.read_packets(&mut story, &tracker, events)?;
        self.read_imports(&mut story, &mut tracker, events)?;
        let snapshot = Arc::new(self.heard.put(tracker.snapshot(), None));
        self.ended = snapshot.taken;
        self.whole = Some(Arc::clone(&snapshot));
        self.seal.read.store(true, Ordering::Release);
        self.publish(snapshot, None, None, Some((events, &tracker)));
        if let Some(at) = looked_at {
            self.go(at)?;
        }
        Ok(story.missing)
    }

    /// What was imported into the case, after what was recorded.
    fn read_imports(
        &mut self,
        story: &mut Story,
        tracker: &mut Tracker,
        events: u64,
    ) -> Result<()> {
        let mut imports = Imports::of_case(self.case);
        let (mut seen, mut published) = (Vec::new(), Instant::now());
        while !self.shared.is_gone() && imports.next(&mut seen)? {
            for imported in seen.drain(..) {
                tracker.import(imported, &mut |_, _, _| {});
            }
            if published.elapsed() >= PUBLISHED_AT_LEAST {
                published = Instant::now();
                let snapshot = Arc::new(tracker.snapshot());
                self.ended = snapshot.taken;
                let (done, total) = imports.progress();
                let progress = percent(done, total);
                self.publish(snapshot, None, progress, Some((events, tracker)));
            }
        }
        tracker.settle(&mut |_, _, _| {});
        self.imported.clone_from(imports.connections());
        self.covered = imports.covered();
        story.missing.add_imports(&mut imports, self.talk);
        Ok(())
    }

    /// What its packets tell, while all else is shown.
    fn read_packets(&mut self, story: &mut Story, tracker: &Tracker, events: u64) -> Result<()> {
        if self.case.segments(Kind::Packets).next().is_none() {
            return Ok(());
        }
        let snapshot = Arc::new(tracker.snapshot());
        self.ended = snapshot.taken;
        let told = Some((events, tracker));
        self.publish(Arc::clone(&snapshot), None, Some(0), told);
        let (shared, mut shown) = (self.shared, Instant::now());
        let mut progress = |done, total| {
            if shown.elapsed() < PUBLISHED_EACH {
                return true;
            }
            shown = Instant::now();
            shared.change(|status| {
                if let Mode::Case(replay) = &mut status.mode {
                    replay.progress = percent(done, total);
                }
            });
            !shared.is_gone()
        };
        let missing = &mut story.missing;
        self.heard = heard(self.case, &snapshot, None, missing, &mut progress)?;
        Ok(())
    }

    /// With what its imports tell of this moment.
    fn with_imports(&self, snapshot: Arc<Snapshot>, at: Timestamp) -> Arc<Snapshot> {
        match &self.whole {
            Some(whole) if !self.imported.is_empty() => {
                Arc::new(beside(&snapshot, whole, &self.imported, self.covered, at))
            }
            _ => snapshot,
        }
    }

    fn go(&self, at: Timestamp) -> Result<Came> {
        if let Some(whole) = self.whole.as_ref().filter(|_| at >= self.ended) {
            self.publish(taken_at(whole, at), Some(at), None, None);
            return Ok(Came::ToItsEnd);
        }
        let later = self.marks.partition_point(|mark| mark.taken <= at);
        let before = self.marks.get(later.saturating_sub(1));
        if let Some(before) = before.or(self.whole.as_ref()) {
            let shown = self.with_imports(taken_at(before, at), at);
            self.publish(shown, Some(at), Some(0), None);
        }
        let mut story = Story::of(self.case)?;
        let mut tracker = story.tracker(Limits::CASE);
        let total = before.map_or(at, |it| it.taken);
        let mut shown = Instant::now();
        while let Some(tale) = story.next()? {
            let time = tale.time();
            if time.is_some_and(|time| time > at) {
                break;
            }
            tale.apply(&mut tracker, &mut |_, _, _| {});
            if shown.elapsed() >= PUBLISHED_EACH {
                shown = Instant::now();
                if self.shared.is_gone() || self.shared.is_wanted() {
                    return Ok(Came::Interrupted);
                }
                let part = |to: Timestamp| u64::try_from(self.begun.until(to).as_millis());
                let done = time.and_then(|time| part(time).ok()).unwrap_or(0);
                let all = part(total).unwrap_or(1);
                self.shared.change(|status| {
                    if let Mode::Case(replay) = &mut status.mode {
                        replay.progress = percent(done, all);
                    }
                });
            }
        }
        let shown = self.with_imports(taken_at(&tracker.snapshot(), at), at);
        let shown = self.heard.put(Arc::unwrap_or_clone(shown), Some(at));
        self.publish(Arc::new(shown), Some(at), None, None);
        Ok(Came::ToItsEnd)
    }

    /// `at`: `None` is the newest there is. `counted`: events so far, and what holds them.
    fn publish(
        &self,
        snapshot: Arc<Snapshot>,
        at: Option<Timestamp>,
        progress: Option<u8>,
        counted: Option<(u64, &Tracker)>,
    ) {
        let replay = Replay {
            name: self.name.clone(),
            begun: self.begun,
            ended: self.ended,
            at: at.unwrap_or(snapshot.taken),
            progress,
            seal: self.seal.get(),
        };
        let lost = case::lost(&snapshot.gaps);
        let files = Arc::clone(&self.files);
        self.shared.put(snapshot, |status: &mut Status| {
            status.mode = Mode::Case(replay);
            status.packet_files = files;
            status.lost = lost;
            if let Some((events, tracker)) = counted {
                status.events = events;
                let let_go = tracker.let_go();
                status.let_go = let_go.closed_connections;
                status.forgotten = let_go.pairs;
            }
        });
    }
}

/// What is known then: nothing has happened since.
fn taken_at(snapshot: &Snapshot, at: Timestamp) -> Arc<Snapshot> {
    Arc::new(Snapshot {
        taken: at,
        ..snapshot.clone()
    })
}

fn percent(done: u64, total: u64) -> Option<u8> {
    let percent = done.saturating_mul(100) / total.max(1);
    Some(u8::try_from(percent.min(99)).unwrap_or(99))
}

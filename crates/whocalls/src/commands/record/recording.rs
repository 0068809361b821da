//! A recording while it runs, and its end.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use model::{Snapshot, Timestamp};
use observe::Watch;
use record::case::{Case, Error, Kind, Seal};
use record::pcapng::Header;
use serde_json::json;
use show::tui::{self, Mode, Options};
use show::visible::harmless;

use super::about;
use super::copies;
use super::disk;
use super::ended::Ended;
use super::events::{Copying, Folding, Recorder};
use super::packets;
use super::progress::Progress;
use super::queue::Queue;
use super::run::{Numbers, Run, Stop};
use super::running::Announcement;
use super::snapshots;
use super::standing::Standing;
use super::unexamined;
use crate::arguments::{Color, CopyPrograms, ScreenColors};
use crate::commands::fold::{Ends, Fold, Outcome};
use crate::commands::known;
use crate::commands::screen::{self, Hands, Publisher, Shared};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{self, Talk};

/// How often open connections are counted.
const REFRESH: Duration = Duration::from_secs(2);
/// What may wait for a slow disk, of each stream, in bytes.
const MOST_WAIT: u64 = 64 * 1024 * 1024;
/// What a loss of power may cost, with some room.
const EVENTS_ON_DISK_EACH: Duration = Duration::from_millis(800);
const PACKETS_ON_DISK_EACH: Duration = Duration::from_secs(4);
/// What a telephone showed at the end, where somebody said it.
const PHONE: &str = "snapshots/last-phone.json";
/// What the rules found, beside the case.
const FINDINGS: &str = "findings.ndjson";
/// How often is told how far it is.
const STEP: Duration = Duration::from_millis(200);

/// What the threads work on.
pub(super) struct Recording {
    pub(super) case: Case,
    pub(super) standing: Standing,
    /// In bytes. `None`: it may grow.
    pub(super) max_size: Option<u64>,
    pub(super) run: Run,
    pub(super) begun: Instant,
    pub(super) progress: Progress,
    /// For `record status`.
    pub(super) announcement: Mutex<Option<Announcement>>,
    /// What a telephone shows at the end.
    pub(super) asks_again: bool,
}

/// The live screen over a recording.
pub(super) struct Screen {
    shared: Arc<Shared>,
    options: Options,
    hands: Hands,
    since: Timestamp,
}

impl Screen {
    /// `user`: whose rights whocalls had.
    pub(super) fn new(
        hands: Hands,
        user: String,
        since: Timestamp,
        actions: bool,
        color: Color,
    ) -> Self {
        Self {
            shared: Arc::new(Shared::new(screen::REFRESH, user, since)),
            options: Options {
                theme: screen::theme(ScreenColors::Usual, false, color),
                mouse: true,
                refresh: screen::REFRESH,
                actions,
                filter: String::new(),
                to_ask: hands.list.to_ask(),
            },
            hands,
            since,
        }
    }
}

impl Recording {
    /// Records until the end is due.
    pub(super) fn all(
        &self,
        mut watch: Watch,
        header: Header,
        copy: CopyPrograms,
        ends: Ends<'_>,
        screen: Option<Screen>,
        talk: Talk,
    ) -> Result<Outcome> {
        let run = &self.run;
        let now = watch.now();
        // A segment gets all that waits, and must not outgrow a case of limited size.
        let most = self.max_size.map_or(MOST_WAIT, |size| size / 16);
        let most = usize::try_from(most.min(MOST_WAIT)).unwrap_or(usize::MAX);
        let (events, packets) = (Queue::new(most), Queue::new(most));
        let mut events_stream = self.case.stream(Kind::Events);
        events_stream.begin(now)?;
        let mut rings = None;
        if let Some(opened) = watch.packets() {
            let mut stream = self.case.stream(Kind::Packets);
            stream.begin(now)?;
            rings = Some((opened, stream));
        }
        let (copies, copied) = channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let copying = Copying::new(copy, copies, Arc::clone(&waiting));
        let max_size = self.max_size;
        let shared = screen.as_ref().map(|screen| Arc::clone(&screen.shared));
        let outcome = thread::scope(|scope| {
            let work = || {
                // Whatever ends this, the other threads end with it.
                let _over = Over(run);
                named(scope, "events", || {
                    disk::write_all(&events, events_stream, EVENTS_ON_DISK_EACH, run);
                })?;
                if let Some((rings, stream)) = rings {
                    named(scope, "disk", || {
                        disk::write_all(&packets, stream, PACKETS_ON_DISK_EACH, run);
                    })?;
                    named(scope, "packets", || {
                        packets::take_all(rings, header, &packets, run);
                    })?;
                }
                named(scope, "copies", || {
                    let preserving = shared.as_ref().map(|shared| &shared.preserving);
                    copies::copy_all(copied, &self.case, run, preserving, &waiting, max_size);
                })?;
                match screen {
                    Some(screen) => self.with_screen(screen, watch, copying, &events, ends, talk),
                    None => self.with_line(watch, copying, &events, ends),
                }
            };
            let outcome = work();
            if outcome.is_err() {
                // Nobody may be there to say that no more will come.
                events.close();
                packets.close();
            }
            self.progress.end(self.begun.elapsed(), run.numbers());
            talk.say("Closing the case ...\n");
            outcome
        })?;
        Ok(outcome)
    }

    /// Folds on a thread of its own; this one says how far it is.
    fn with_line(
        &self,
        watch: Watch,
        copying: Copying,
        events: &Queue,
        ends: Ends<'_>,
    ) -> Result<Outcome> {
        let run = &self.run;
        let recorder = Recorder::new(Folding, &watch, copying, events, run);
        let fold = Fold::new(watch, recorder, REFRESH, ends).without_addresses();
        thread::scope(|scope| {
            let folding = named(scope, "fold", || {
                let _over = Over(run);
                fold.run()
            })?;
            while !run.are_events_over() {
                thread::sleep(STEP);
                self.tell_how_far();
                self.progress.show(self.begun.elapsed(), run.numbers());
            }
            let folded = folding.join();
            folded.map_err(|_| anyhow!("the thread that watches has failed"))?
        })
    }

    fn with_screen(
        &self,
        screen: Screen,
        watch: Watch,
        copying: Copying,
        events: &Queue,
        ends: Ends<'_>,
        talk: Talk,
    ) -> Result<Outcome> {
        let run = &self.run;
        let shared = &*screen.shared;
        let publisher = Publisher::new(shared);
        let mut recorder = Recorder::new(publisher, &watch, copying, events, run);
        recorder.preserves(&shared.preserving);
        let fold = Fold::new(watch, recorder, screen::REFRESH, ends).without_addresses();
        thread::scope(|scope| {
            named(scope, "status", || {
                while !run.are_events_over() {
                    let progress = self.tell_how_far();
                    let recording = Some(self.in_short(&progress, screen.since));
                    shared.change(|status| status.mode = Mode::Live { recording });
                    thread::sleep(STEP);
                }
            })?;
            let work = || {
                let _over = Over(run);
                fold.run()
            };
            let (log, outcome) =
                screen::alongside(work, screen.hands, screen.options, shared, talk)?;
            for line in log {
                talk.say(&format!("{line}\n"));
            }
            Ok(outcome)
        })
    }

    fn in_short(&self, progress: &show::Progress, since: Timestamp) -> tui::Recording {
        let path = self.standing.path();
        let name = path.file_name();
        tui::Recording {
            name: name.map_or_else(String::new, |it| it.to_string_lossy().into_owned()),
            since,
            events: progress.events,
            packets: progress.packets,
            lost: progress.lost_events + progress.lost_packets,
            bytes: progress.bytes_written,
        }
    }

    /// Also for whoever asks with `record status`.
    fn tell_how_far(&self) -> show::Progress {
        self.standing.look(&self.run);
        if let Ok(space) = self.case.space() {
            self.run.is_free(space.free_bytes);
        }
        let progress = self.progress.of(self.begun.elapsed(), self.run.numbers());
        let mut announcement = self
            .announcement
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let told = announcement
            .as_mut()
            .map(|it| it.update(observe::now(), &progress));
        if told.is_some_and(|told| told.is_err()) {
            *announcement = None;
        }
        progress
    }

    /// What there is at the end.
    /// `let_go`: so many connections are not in the snapshot any more.
    fn add_last(
        &self,
        snapshot: Option<&Snapshot>,
        let_go: u64,
        now: Timestamp,
    ) -> Result<(), Error> {
        if let Some(snapshot) = snapshot {
            // What is older may have been let go; the newest packets are not, to make room for this.
            let most = self.max_size.map(|size| size / 4);
            let document = snapshots::last(snapshot, let_go, most);
            self.case
                .add(now, "snapshots/last.json", &mut document.as_slice())?;
        }
        let system = record::system::document(&observe::system());
        self.case
            .add(now, "snapshots/last-system.json", &mut system.as_slice())
    }

    /// What the rules say at the end. It can be computed again, and stands outside of what is sealed.
    fn add_findings(&self, snapshot: Option<Snapshot>, talk: Talk) {
        let Some(snapshot) = snapshot else {
            return;
        };
        let mut lines = Vec::new();
        // Writing to memory does not fail.
        let _ = show::json::findings_as_lines(&snapshot, &mut lines);
        if let Err(error) = self.case.add_derived(FINDINGS, &lines) {
            talk.say(&format!(
                "The findings are not beside the case: {error}. whocalls check tells them.\n"
            ));
        }
    }

    fn log_end(
        &self,
        now: Timestamp,
        ended: &Ended<'_>,
        last: Option<&Snapshot>,
    ) -> Result<(), Error> {
        self.case.log(now, "ended", about::facts(ended.facts(last)))
    }

    /// Asks what a telephone shows, after the seal: that never waits for a person. `Ok(None)`: it was
    /// left out, and the seal stays the one that it was.
    ///
    /// Errors: the answer is not in the case.
    fn ask_again(
        &self,
        ended: &Ended<'_>,
        interrupt: &Interrupt,
        talk: Talk,
    ) -> Result<Option<Seal>, Error> {
        if !ended.is_from_here() {
            talk.say(
                "Since it did not end from here, what a telephone shows was not asked again.\n",
            );
            return Ok(None);
        }
        // It is over for whoever asks with `record status`; a signal means the question.
        let announcement = self.announcement.lock();
        *announcement.unwrap_or_else(PoisonError::into_inner) = None;
        interrupt.forget();
        // The zone may be another one by now.
        let Some(offset) = about::phone_offset_at_end(&observe::system(), interrupt) else {
            talk.say("What a telephone shows at the end was left out.\n");
            return Ok(None);
        };
        let now = observe::now();
        let answer = json!({ "time": now.to_string(), "phone_offset_ns": offset });
        let answer = format!("{answer}\n");
        let sealed = self.case.add_and_seal(now, PHONE, answer.as_bytes());
        sealed.map(Some)
    }

    /// What is left when all threads have ended.
    pub(super) fn finish(
        self,
        outcome: Result<&Outcome, &anyhow::Error>,
        interrupt: &Interrupt,
        strict: bool,
        talk: Talk,
    ) -> Result<Exit> {
        self.standing.look(&self.run);
        let numbers = self.run.numbers();
        let stopped = self.run.why_stopped();
        let now = observe::now();
        if let Some(Stop::Failed(error)) = stopped {
            // It may be the log itself that cannot be written.
            let _ = self.log_end(now, &Ended::Failed(&error), None);
            return Err(error.context(format!(
                "the recording in {} broke off; what was closed before can be verified",
                self.standing.path().display()
            )));
        }
        // What was found out when the events were over already.
        let late = self.run.take_gaps();
        for gap in &late {
            let facts = json!({
                "id": gap.id, "source": gap.source.word(), "why": gap.why, "missed": gap.missed,
                "count": gap.count,
            });
            self.case.log(now, "gap", about::facts(facts))?;
        }
        let (mut snapshot, let_go) = self.run.take_last().unzip();
        let judged = snapshot.clone().map(known::judged);
        if let Some(snapshot) = &mut snapshot {
            snapshot.gaps.extend(late);
        }
        let gaps = snapshot.as_ref().map_or(0, |it| it.gaps.len());
        let mut no_room = match stopped {
            Some(Stop::NoRoom(error)) => Some(error),
            Some(Stop::Failed(_)) | None => None,
        };
        match self.add_last(snapshot.as_ref(), let_go.unwrap_or(0), now) {
            Ok(()) => {}
            Err(error @ (Error::SpaceLow { .. } | Error::SizeReached { .. })) => {
                no_room.get_or_insert(error);
            }
            Err(error) => return Err(error.into()),
        }
        if let Some(error) = &no_room {
            let facts = json!({ "free_bytes": numbers.free_bytes, "why": error.to_string() });
            self.case.log(now, "space_low", about::facts(facts))?;
        }
        let ended = match (&no_room, outcome) {
            (Some(error), _) => Ended::NoRoom(error),
            (None, Ok(outcome)) => Ended::Run(&outcome.end),
            (None, Err(error)) => Ended::Failed(error),
        };
        self.log_end(now, &ended, snapshot.as_ref())?;
        let program = outcome.ok().and_then(|it| it.program);
        let facts = json!({
            "events": numbers.events,
            "events_lost": numbers.events_lost,
            "packets": numbers.packets,
            "packets_lost": numbers.packets_lost,
            "unwritten": numbers.unwritten,
            "program": program.map(|(pid, ended)| json!({
                "pid": pid,
                "code": ended.and_then(|it| it.code),
                "signal": ended.and_then(|it| it.signal),
            })),
        });
        let mut seal = self.case.finish(observe::now(), about::facts(facts))?;
        self.add_findings(judged, talk);
        let mut not_added = None;
        if self.asks_again {
            match self.ask_again(&ended, interrupt, talk) {
                Ok(newer) => seal = newer.unwrap_or(seal),
                Err(error) => not_added = Some(error),
            }
        }
        if let Some(snapshot) = &snapshot {
            let mut text = Vec::new();
            show::gaps::brief(&snapshot.gaps, output::talk_width(), &mut text)?;
            talk.say(&String::from_utf8_lossy(&text));
        }
        tell(&self.standing.path(), seal, talk)?;
        if let Some(words) = self.standing.in_words() {
            talk.say(&words);
        }
        if let Some(words) = ended.in_words(snapshot.as_ref()) {
            talk.say(&words);
        }
        if let Some(error) = &no_room {
            talk.say(&format!("It stopped by itself: {error}.\n"));
        }
        let lost = numbers.events_lost + numbers.packets_lost + numbers.unwritten > 0;
        if lost {
            talk.say(&lost_in_words(numbers));
        }
        if let Some(words) = snapshot.as_ref().and_then(unexamined::in_words) {
            talk.say(&words);
        }
        if let Some(error) = &not_added {
            talk.say(&not_added_in_words(error, self.case.is_sealed()));
            return Ok(Exit::Failed);
        }
        Ok(if lost || no_room.is_some() || strict && gaps > 0 {
            Exit::Lost
        } else {
            Exit::Done
        })
    }
}

fn tell(path: &Path, seal: Seal, talk: Talk) -> Result<()> {
    talk.say(&format!(
        "Recorded. Write this seal down on paper, or read it to somebody on the telephone:\n\n  \
         {seal}\n\nIt shows that these files have not changed since then. Check: whocalls verify {}\n",
        show::wireshark::quoted(path.as_os_str().as_encoded_bytes())
    ));
    let mut out = output::stdout()?;
    // One line, whatever the folder is called.
    let line = harmless(&path.to_string_lossy()).replace('\n', "‹U+000A›");
    out.write_all(format!("{line}\n").as_bytes())
        .context("cannot write to standard output")?;
    Ok(())
}

fn lost_in_words(numbers: Numbers) -> String {
    format!(
        "Lost: {} events and {} packets that came too fast, {} that the disk had no room for. The \
         case says when.\n",
        numbers.events_lost, numbers.packets_lost, numbers.unwritten
    )
}

/// `is_sealed`: as it was before the answer.
fn not_added_in_words(error: &Error, is_sealed: bool) -> String {
    let seal = match is_sealed {
        true => "The seal above is that of all the rest, and stands.",
        false => {
            "The seal above is that of all the rest, and verify knows it, but says that the case was \
             not sealed after it."
        }
    };
    format!("What the telephone shows is not in the case: {error}. {seal}\n")
}

/// Starts a thread with a name.
fn named<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> std::io::Result<thread::ScopedJoinHandle<'scope, T>> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn_scoped(scope, work)
}

/// Whoever waits for the end hears of it, whatever ends the fold.
struct Over<'a>(&'a Run);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.events_are_over();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_in_the_case_is_told_with_what_became_of_the_seal() {
        let error = Error::StillOpen {
            file: "manifest.sha256".to_owned(),
        };
        let stands = not_added_in_words(&error, true);
        assert!(stands.contains("manifest.sha256") && stands.contains("and stands"));
        assert!(not_added_in_words(&error, false).contains("not sealed after it"));
    }
}

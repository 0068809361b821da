//! `whocalls record`: everything that happens on this computer into a case, with the process on every
//! packet.
//!
//! One thread folds and makes lines of events, one makes packets, and each of them has a thread that
//! writes. All of them work without rights; a process of its own makes the files.

mod about;
mod copies;
mod disk;
mod events;
mod into;
mod packets;
mod programs;
mod progress;
mod queue;
pub(crate) mod recipients;
mod run;
mod running;
mod sandbox;
mod snapshots;

use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use model::{System, Tier};
use observe::folder::Folder;
use observe::packets::{Depth, PacketOptions};
use observe::program::Waiting;
use observe::writer::Writer;
use observe::{Watch, WatchOptions};
use record::case::{Case, Kind, Limits, Seal, Settings};
use serde_json::json;
use show::tui::{self, Mode, Options, Terminal};
use show::visible::harmless;

use self::events::{Copying, Folding, Recorder};
use self::queue::Queue;
use self::run::{Numbers, Run, Stop};
use self::sandbox::Sandboxed;
use super::fold::{Ends, Fold, Outcome};
use super::screen::{self, Hands, Publisher, Shared};
use crate::arguments::{Color, RecordArguments, RecordDepth, Running, ScreenColors};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{self, Talk, Usage};

/// How often open connections are counted.
const REFRESH: Duration = Duration::from_secs(2);
/// What may wait for a slow disk, in bytes.
const EVENTS_WAIT: usize = 64 * 1024 * 1024;
const PACKETS_WAIT: usize = 64 * 1024 * 1024;
/// What a crash of the computer may cost.
const EVENTS_ON_DISK_EACH: Duration = Duration::from_millis(800);
const PACKETS_ON_DISK_EACH: Duration = Duration::from_secs(4);

/// How often is told how far it is.
const STEP: Duration = Duration::from_millis(200);
/// A slow stick takes its time.
const STOPS_WITHIN: Duration = Duration::from_secs(120);

const BEFORE: &str = "Full packets may contain passwords, messages and names of sources. Depth: full, headers or \
     events.\n";

pub(crate) fn run(
    arguments: &RecordArguments,
    color: Color,
    strict: bool,
    talk: Talk,
) -> Result<Exit> {
    match &arguments.running {
        Some(Running::Status) => status(),
        Some(Running::Stop { pid }) => stop(*pid, talk),
        None => record(arguments, color, strict, talk),
    }
}

fn status() -> Result<Exit> {
    let recordings = running::recordings()?;
    let text = running::status(&recordings, output::terminal_width().unwrap_or(100));
    output::stdout()?
        .write_all(harmless(&text).as_bytes())
        .context("cannot write to standard output")?;
    Ok(Exit::Done)
}

fn stop(pid: Option<u32>, talk: Talk) -> Result<Exit> {
    let recordings = running::recordings()?;
    let recording = running::chosen(&recordings, pid)?;
    if running::stop(recording, STOPS_WITHIN)? {
        talk.say(&format!("Ended. The case: {}\n", recording.case));
        Ok(Exit::Done)
    } else {
        talk.say(&format!("It was asked to end, and still closes its case: {}\n", recording.case));
        Ok(Exit::Failed)
    }
}

fn record(arguments: &RecordArguments, color: Color, strict: bool, talk: Talk) -> Result<Exit> {
    if arguments.screen {
        if !screen::is_possible() {
            let text = "the live screen needs a terminal\nhelp: without --screen it records all the same";
            return Err(Usage(text.to_owned()).into());
        }
        // Keys are read after the rights are gone.
        Terminal::prepare().context("cannot read keys from the terminal")?;
    }
    // Somebody who says where says the rest as well.
    let asks = arguments.into.is_none() && into::can_ask();
    let parent = into::folder(arguments.into.as_deref())?;
    let depth = depth(arguments, asks, talk)?;
    let recipients = recipients::of_recording(&arguments.recipient)?;
    // It inherits everything, so it comes before anything is opened, handled or given up.
    let mut program = prepare(arguments)?;
    let interrupt = Interrupt::listen()?;
    let system = observe::system();
    let phone_offset_ns = about::phone_offset(arguments.phone_time.as_deref(), asks, &system)?;
    let first = snapshots::first(arguments.polling)?;
    let recipients_named = recipients.as_ref();
    let (about, name) = about::about(
        arguments,
        depth,
        phone_offset_ns,
        recipients_named,
        &system,
        &first.host,
    );
    let folder = Folder::make(&parent, &name)?;
    let path = folder.path().to_path_buf();
    warn(&folder, recipients.is_some(), &path, talk);
    let settings = Settings {
        about,
        limits: Limits::default(),
        recipients,
    };
    let begun = settings.about.began;
    let case = Case::begin(Box::new(Sandboxed(folder)), settings)?;
    let header = about::header(&name, &system, depth, arguments.no_cmdline);
    case.add(observe::now(), "snapshots/first-system.json", &mut record::system::document(&system).as_slice())?;
    let us = first.processes.keys().find(|id| id.pid == std::process::id()).copied();
    let first = snapshots::document(&first)?;
    case.add(observe::now(), "snapshots/first.json", &mut first.as_slice())?;
    drop(first);
    let announcement = us.map(|us| running::Announcement::make(us, &path, begun));
    let announcement = announcement.and_then(|made| {
        let unannounced = |error| talk.say(&format!("record status will not show it: {error:#}\n"));
        made.map_err(unannounced).ok()
    });
    // Its name is of no more use once the rights are gone.
    let user = observe::user();
    let writer = arguments.screen.then(Writer::start);
    let mut watch = Watch::start(WatchOptions {
        polling: arguments.polling,
        allow_actions: arguments.allow_actions,
        packets: packet_options(depth, arguments.ring),
    })?;
    say_tier(&watch, arguments.polling, talk);
    let mut recording = Recording {
        case,
        run: Run::default(),
        begun: Instant::now(),
        path,
        asks_again: asks && phone_offset_ns.is_some(),
        system,
        announcement: Mutex::new(announcement),
        screen: None,
    };
    if let Some(writer) = writer {
        recording.screen = Some(Screen {
            shared: Shared::new(screen::REFRESH, user, watch.now()),
            options: Options {
                theme: screen::theme(ScreenColors::Usual, false, color),
                mouse: true,
                refresh: screen::REFRESH,
                actions: arguments.allow_actions,
                filter: String::new(),
            },
            hands: Mutex::new(Some(Hands {
                actions: watch.actions(),
                writer,
            })),
        });
    }
    let start = Instant::now();
    if let Some(program) = &mut program {
        let gone = program.go();
        gone.map_err(|error| super::watch::cannot_start(&arguments.program, &error))?;
    }
    let ends = Ends {
        interrupt: &interrupt,
        at: arguments.time.map(|time| start + time),
        program,
    };
    let progress = progress::Progress::new(
        !arguments.service && !arguments.screen && !talk.quiet,
        depth != RecordDepth::Events,
    );
    let outcome = recording.all(watch, header, arguments, ends, progress, talk)?;
    recording.finish(&outcome, strict, talk)
}

/// What the threads work on.
struct Recording {
    case: Case,
    run: Run,
    begun: Instant,
    path: std::path::PathBuf,
    /// What a telephone shows at the end.
    asks_again: bool,
    /// As it was at the beginning.
    system: System,
    /// For `record status`.
    announcement: Mutex<Option<running::Announcement>>,
    /// `None`: a line tells how far it is.
    screen: Option<Screen>,
}

/// The live screen over a recording.
struct Screen {
    shared: Shared,
    options: Options,
    hands: Mutex<Option<Hands>>,
}

impl Recording {
    /// Records until the end is due.
    fn all(
        &self,
        mut watch: Watch,
        header: record::pcapng::Header,
        arguments: &RecordArguments,
        ends: Ends<'_>,
        mut progress: progress::Progress,
        talk: Talk,
    ) -> Result<Outcome> {
        let run = &self.run;
        let now = watch.now();
        let (events, packets) = (Queue::new(EVENTS_WAIT), Queue::new(PACKETS_WAIT));
        let mut events_stream = self.case.stream(Kind::Events);
        events_stream.begin(now)?;
        let rings = watch.packets();
        let mut packets_stream = None;
        if rings.is_some() {
            let mut stream = self.case.stream(Kind::Packets);
            stream.begin(now)?;
            packets_stream = Some(stream);
        }
        let (copies, copied) = channel();
        let copying = Copying::new(arguments.copy_programs, copies);
        let outcome = thread::scope(|scope| {
            let named = |name: &str| thread::Builder::new().name(name.to_owned());
            named("events").spawn_scoped(scope, || {
                disk::write_all(&events, events_stream, EVENTS_ON_DISK_EACH, run);
            })?;
            if let Some((rings, stream)) = rings.zip(packets_stream) {
                named("disk").spawn_scoped(scope, || {
                    disk::write_all(&packets, stream, PACKETS_ON_DISK_EACH, run);
                })?;
                named("packets").spawn_scoped(scope, || {
                    packets::take_all(rings, header, &packets, run);
                })?;
            }
            let case = self.case.clone();
            let preserving = self.screen.as_ref().map(|it| &it.shared.preserving);
            named("copies").spawn_scoped(scope, move || {
                copies::copy_all(&copied, &case, run, preserving);
            })?;
            // Whatever ends this, the other threads end with it.
            let _over = Over(run);
            let Some(screen) = &self.screen else {
                let recorder = Recorder::new(Folding, &watch, copying, &events, run);
                let fold = Fold::new(watch, recorder, REFRESH, ends);
                let folding = named("fold").spawn_scoped(scope, || {
                    let _over = Over(run);
                    fold.run()
                })?;
                while !run.are_events_over() {
                    thread::sleep(STEP);
                    self.tell_how_far(&progress);
                    progress.show(self.begun.elapsed(), run.numbers());
                }
                let outcome = folding.join();
                return outcome.map_err(|_| anyhow!("the thread that watches has failed"))?;
            };
            let name = self.path.file_name().map(|it| it.to_string_lossy().into_owned());
            let name = name.unwrap_or_default();
            let (started, shown) = (now, &progress);
            named("status").spawn_scoped(scope, move || {
                while !run.are_events_over() {
                    let progress = self.tell_how_far(shown);
                    screen.shared.change(|status| {
                        status.mode = Mode::Live {
                            recording: Some(tui::Recording {
                                name: name.clone(),
                                since: started,
                                events: progress.events,
                                packets: progress.packets,
                                lost: progress.lost_events + progress.lost_packets,
                                bytes: progress.bytes_written,
                            }),
                        };
                    });
                    thread::sleep(STEP);
                }
            })?;
            let publisher = Publisher::new(&screen.shared);
            let mut recorder = Recorder::new(publisher, &watch, copying, &events, run);
            recorder.preserves(&screen.shared.preserving);
            let fold = Fold::new(watch, recorder, screen::REFRESH, ends);
            let hands = screen.hands.lock().unwrap_or_else(PoisonError::into_inner).take();
            let hands = hands.context("the screen is shown once")?;
            let (log, outcome) =
                screen::alongside(|| fold.run(), hands, screen.options.clone(), &screen.shared, talk)?;
            for line in log {
                talk.say(&format!("{line}\n"));
            }
            Ok(outcome)
        })?;
        progress.end(self.begun.elapsed(), run.numbers());
        Ok(outcome)
    }

    /// For whoever asks with `record status`.
    fn tell_how_far(&self, progress: &progress::Progress) -> show::Progress {
        if let Ok(space) = self.case.space() {
            self.run.is_free(space.free_bytes);
        }
        let progress = progress.of(self.begun.elapsed(), self.run.numbers());
        let mut announcement = self.announcement.lock().unwrap_or_else(PoisonError::into_inner);
        let told = announcement
            .as_mut()
            .map(|it| it.update(observe::now(), &progress));
        if told.is_some_and(|told| told.is_err()) {
            *announcement = None;
        }
        progress
    }

    /// What is left when all threads have ended.
    fn finish(
        self,
        outcome: &Outcome,
        strict: bool,
        talk: Talk,
    ) -> Result<Exit> {
        let numbers = self.run.numbers();
        let stopped = self.run.why_stopped();
        let now = observe::now();
        if let Some(Stop::Failed(error)) = stopped {
            return Err(error.context(format!(
                "the recording in {} broke off; what was closed before can be verified",
                self.path.display()
            )));
        }
        let snapshot = self.run.take_last();
        let gaps = snapshot.as_ref().map_or(0, |it| it.gaps.len());
        if let Some(snapshot) = &snapshot {
            let document = snapshots::document(snapshot)?;
            self.case.add(now, "snapshots/last.json", &mut document.as_slice())?;
        }
        let system = record::system::document(&observe::system());
        self.case.add(now, "snapshots/last-system.json", &mut system.as_slice())?;
        if self.asks_again {
            let again = about::phone_offset(None, true, &self.system)?;
            let facts = json!({ "phone_offset_ns": again });
            self.case.log(observe::now(), "clock", about::facts(facts))?;
        }
        let no_room = match stopped {
            Some(Stop::NoRoom(error)) => {
                let facts = json!({ "free_bytes": numbers.free_bytes, "why": error.to_string() });
                self.case.log(now, "space_low", about::facts(facts))?;
                Some(error)
            }
            Some(Stop::Failed(_)) | None => None,
        };
        let facts = json!({
            "events": numbers.events,
            "events_lost": numbers.events_lost,
            "packets": numbers.packets,
            "packets_lost": numbers.packets_lost,
            "program": outcome.program.map(|(pid, ended)| json!({
                "pid": pid,
                "code": ended.and_then(|it| it.code),
                "signal": ended.and_then(|it| it.signal),
            })),
        });
        let seal = self.case.finish(observe::now(), about::facts(facts))?;
        tell(&self.path, seal, talk)?;
        if let Some(error) = &no_room {
            talk.say(&format!("It stopped by itself: {error}.\n"));
        }
        let lost = numbers.events_lost + numbers.packets_lost > 0;
        if lost {
            talk.say(&lost_in_words(numbers));
        }
        Ok(if lost || no_room.is_some() || strict && gaps > 0 {
            Exit::Lost
        } else {
            Exit::Done
        })
    }
}

fn tell(path: &Path, seal: Seal, talk: Talk) -> Result<()> {
    let mut out = output::stdout()?;
    let text = format!("{}\n", path.display());
    out.write_all(harmless(&text).as_bytes())
        .context("cannot write to standard output")?;
    talk.say(&format!(
        "Recorded. Write this seal down on paper, or read it to somebody on the telephone:\n\n  \
         {seal}\n\nIt shows that these files have not changed since then. Check: whocalls verify {}\n",
        path.display()
    ));
    Ok(())
}

fn lost_in_words(numbers: Numbers) -> String {
    format!(
        "Lost: {} events, {} packets. The case says when.\n",
        numbers.events_lost, numbers.packets_lost
    )
}

fn depth(arguments: &RecordArguments, asks: bool, talk: Talk) -> Result<RecordDepth> {
    if let Some(depth) = arguments.depth {
        if depth == RecordDepth::Full {
            talk.say(BEFORE);
        }
        return Ok(depth);
    }
    if !asks {
        talk.say(BEFORE);
        return Ok(RecordDepth::Full);
    }
    loop {
        let answer = into::question(&format!("{BEFORE}Which? [full] "))?;
        match answer.as_str() {
            "" | "full" => return Ok(RecordDepth::Full),
            "headers" => return Ok(RecordDepth::Headers),
            "events" => return Ok(RecordDepth::Events),
            _ => {}
        }
    }
}

fn packet_options(depth: RecordDepth, ring_bytes: u64) -> Option<PacketOptions> {
    let depth = match depth {
        RecordDepth::Full => Depth::Full,
        RecordDepth::Headers => Depth::Headers,
        RecordDepth::Events => return None,
    };
    Some(PacketOptions { depth, ring_bytes })
}

fn prepare(arguments: &RecordArguments) -> Result<Option<Waiting>> {
    if arguments.program.is_empty() {
        return Ok(None);
    }
    let waiting = Waiting::prepare(&arguments.program);
    waiting
        .map(Some)
        .map_err(|error| super::watch::cannot_start(&arguments.program, &error))
}

fn warn(folder: &Folder, is_encrypted: bool, path: &Path, talk: Talk) {
    talk.say(&format!("Recording into {}\n", path.display()));
    if !folder.keeps_permissions() {
        talk.say(
            "This file system knows no permissions: whoever has the drive can read the case.\n",
        );
    }
    if !is_encrypted {
        talk.say(
            "The case is not encrypted. A file key.txt with an age recipient beside whocalls, or \
             --recipient, encrypts it from the start.\n",
        );
    }
}

fn say_tier(watch: &Watch, polling_asked_for: bool, talk: Talk) {
    match watch.tier() {
        Tier::Polling if !polling_asked_for => talk.say(
            "Much will be missed: whocalls can only look again and again here; whocalls doctor says \
             why. As root it may see all.\n",
        ),
        Tier::NoBtf => talk.say(
            "Some facts will be missed: this kernel tells no types. The gaps in the case say which.\n",
        ),
        Tier::Full | Tier::Polling | Tier::Import => {}
    }
}

/// Whoever waits for the end hears of it, whatever ends the fold.
struct Over<'a>(&'a Run);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.events_are_over();
    }
}

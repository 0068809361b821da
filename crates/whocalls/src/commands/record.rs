//! `whocalls record`: everything that happens on this computer into a case, with the process on every
//! packet.
//!
//! One thread folds and makes lines of events, one makes packets, and each of them has a thread that
//! writes. All of them work without rights; a process of its own makes the files.

pub(super) mod about;
mod batch;
mod copies;
mod disk;
mod ended;
mod events;
mod images;
pub(super) mod into;
mod names;
mod packets;
mod programs;
mod progress;
mod queue;
pub(crate) mod recipients;
mod recording;
mod run;
pub(super) mod running;
mod sandbox;
mod snapshots;
mod standing;
mod unexamined;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use model::{Snapshot, Tier, Timestamp};
use observe::folder::Folder;
use observe::packets::{Depth, PacketOptions};
use observe::program::Waiting;
use observe::writer::Writer;
use observe::{Watch, WatchOptions};
use record::case::{Case, Limits, Settings};
use show::tui::Terminal;
use show::visible::harmless;

use self::progress::Progress;
use self::recording::{Recording, Screen};
use self::run::Run;
use self::running::Announcement;
use self::sandbox::Sandboxed;
use self::standing::Standing;
use super::fold::Ends;
use super::screen::{self, Hands, List};
use super::watch::cannot_start;
use crate::arguments::{Color, RecordArguments, RecordDepth, Running};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{self, Talk, Usage};
use crate::platform::WITH_MORE_RIGHTS;

/// What is known at the beginning and at the end has to fit, beside some segments.
const LEAST_SIZE: u64 = 8 * 1024 * 1024;
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
        Some(Running::Status { json }) => status(*json, talk),
        Some(Running::Stop { pid }) => stop(*pid, talk),
        None => record(arguments, color, strict, talk),
    }
}

fn status(is_json: bool, talk: Talk) -> Result<Exit> {
    let recordings = running::recordings()?;
    let text = match is_json {
        true => running::document(&recordings),
        false => {
            let text = running::status(&recordings, output::terminal_width().unwrap_or(100));
            harmless(&text)
        }
    };
    output::stdout()?
        .write_all(text.as_bytes())
        .context("cannot write to standard output")?;
    talk.say(&others(&recordings.hidden));
    Ok(Exit::Done)
}

/// Says in one line why there may be recordings that are not shown. Empty: nothing is hidden.
fn others(hidden: &[String]) -> String {
    match hidden {
        [] => String::new(),
        [one] => format!("There may be others: {one}\n"),
        [one, more @ ..] => format!(
            "There may be others: {one}; {} more cannot be read\n",
            more.len()
        ),
    }
}

fn stop(pid: Option<u32>, talk: Talk) -> Result<Exit> {
    let recordings = running::recordings()?;
    let recording = running::chosen(&recordings, pid)?;
    if running::stop(recording, STOPS_WITHIN)? {
        talk.say(&format!(
            "Ended {}. The case: {}\n",
            recording.process.pid, recording.case
        ));
        Ok(Exit::Done)
    } else {
        talk.say(&format!(
            "{} was asked to end, and still closes its case: {}\n",
            recording.process.pid, recording.case
        ));
        Ok(Exit::Failed)
    }
}

fn record(arguments: &RecordArguments, color: Color, strict: bool, talk: Talk) -> Result<Exit> {
    if arguments.screen {
        prepare_screen()?;
    }
    // A private key that lies here is the first thing to be told.
    let recipients = recipients::of_recording(&arguments.recipient)?;
    // Somebody who says where says the rest as well.
    let asks = arguments.into.is_none() && into::can_ask();
    let parent = into::folder(arguments.into.as_deref())?;
    if let Some(size) = arguments.max_size.filter(|size| *size < LEAST_SIZE) {
        let text = format!(
            "a case cannot be kept below {size} bytes\nhelp: --max-size has to be 8M at least"
        );
        return Err(Usage(text).into());
    }
    let depth = depth(arguments, asks)?;
    let system = observe::system();
    // Until all questions are answered Ctrl-C simply ends it.
    let phone_offset_ns = about::phone_offset(arguments.phone_time.as_deref(), asks, &system)?;
    // It inherits everything, so it comes before anything is opened, handled or given up.
    let mut program = prepare(arguments)?;
    let interrupt = Interrupt::listen()?;
    let first = snapshots::first(arguments.polling)?;
    let facts = about::Facts {
        depth,
        phone_offset_ns,
        recipients: recipients.as_ref(),
        system: &system,
        host: &first.host,
    };
    let (about, name) = about::about(arguments, &facts);
    let header = about::header(&about.id, &system, depth, arguments.no_cmdline);
    if depth == RecordDepth::Full && !asks {
        talk.say(BEFORE);
    }
    let folder = Folder::make(&parent, &name)?;
    let path = folder.path().to_path_buf();
    let is_encrypted = recipients.is_some();
    let warning = warning(&folder, is_encrypted);
    let standing = Standing::new(&path, folder.whereabouts());
    let begun = about.began;
    let settings = Settings {
        about,
        limits: Limits::default(),
        recipients,
    };
    let case = Case::begin(Box::new(Sandboxed(folder)), settings).inspect_err(|_| {
        // Where nothing was written, nothing is left behind.
        let _ = fs::remove_dir(&path);
    })?;
    snapshots::add_first(&case, &first, &system)?;
    // All that takes rights comes before the watch, which gives them up.
    let announcement = announce(&first, &path, begun, talk);
    drop(first);
    let user = observe::user();
    let beside = arguments.screen.then(|| {
        // What somebody wants to know of whom is not to stand in the clear beside a case that does not.
        let list = match is_encrypted {
            true => List::in_memory(),
            false => List::of_recording(&path),
        };
        (Writer::start(), list)
    });
    let mut watch = Watch::start(WatchOptions {
        polling: arguments.polling,
        allow_actions: arguments.allow_actions,
        packets: packet_options(depth, arguments.ring),
    })?;
    // What happens from here on is in it.
    talk.say(&format!("Recording into {}\n{warning}", path.display()));
    say_tier(&watch, arguments.polling, talk);
    let screen = beside.map(|(writer, list)| {
        let hands = Hands {
            actions: watch.actions(),
            writer,
            list,
        };
        Screen::new(hands, user, watch.now(), arguments.allow_actions, color)
    });
    let start = Instant::now();
    let gone = program.as_mut().map_or(Ok(()), Waiting::go);
    let gone = gone.map_err(|error| cannot_start(&arguments.program, &error));
    let ends = Ends {
        interrupt: &interrupt,
        at: arguments.time.map(|time| start + time),
        program,
    };
    let is_shown = !arguments.service && !arguments.screen && !talk.quiet;
    let recording = Recording {
        case,
        standing,
        max_size: arguments.max_size,
        run: Run::new(depth != RecordDepth::Events),
        begun: start,
        progress: Progress::new(is_shown, depth != RecordDepth::Events),
        announcement: Mutex::new(announcement),
        asks_again: asks && phone_offset_ns.is_some(),
    };
    let outcome = gone
        .and_then(|()| recording.all(watch, header, arguments.copy_programs, ends, screen, talk));
    match outcome {
        Ok(outcome) => recording.finish(Ok(&outcome), &interrupt, strict, talk),
        Err(error) => {
            // What was recorded is sealed all the same.
            recording.finish(Err(&error), &interrupt, strict, talk)?;
            Err(error)
        }
    }
}

fn prepare_screen() -> Result<()> {
    if !screen::is_possible() {
        let text = "the live screen needs a terminal\n\
                    help: without --screen it records all the same";
        return Err(Usage(text.to_owned()).into());
    }
    // Keys are read after the rights are gone.
    Terminal::prepare().context("cannot read keys from the terminal")
}

/// For `record status`; a recording goes on without it.
fn announce(first: &Snapshot, path: &Path, begun: Timestamp, talk: Talk) -> Option<Announcement> {
    let us = std::process::id();
    let us = first.processes.keys().find(|id| id.pid == us)?;
    if let Err(error) = observe::signals::listen_for_stop(*us) {
        talk.say(&format!("record stop will not reach it: {error}\n"));
    }
    match Announcement::make(*us, path, begun) {
        Ok(announcement) => Some(announcement),
        Err(error) => {
            talk.say(&format!(
                "record status and record stop will not find it: {error:#}\n"
            ));
            None
        }
    }
}

fn depth(arguments: &RecordArguments, asks: bool) -> Result<RecordDepth> {
    if let Some(depth) = arguments.depth {
        return Ok(depth);
    }
    if !asks {
        return Ok(RecordDepth::Full);
    }
    let mut text = format!("{BEFORE}Which? [full] ");
    loop {
        let answer = into::question(&text)?;
        match answer.to_lowercase().as_str() {
            "" | "full" => return Ok(RecordDepth::Full),
            "headers" => return Ok(RecordDepth::Headers),
            "events" => return Ok(RecordDepth::Events),
            _ => text = format!("'{answer}' is none of full, headers and events. Which? [full] "),
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
        .map_err(|error| cannot_start(&arguments.program, &error))
}

/// What whoever has the case can read.
fn warning(folder: &Folder, is_encrypted: bool) -> String {
    let mut warning = String::new();
    if !folder.keeps_permissions() {
        warning.push_str(
            "This file system knows no permissions: whoever has the drive can read the case.\n",
        );
    }
    if !is_encrypted {
        warning.push_str(
            "The case is not encrypted. A file key.txt with an age recipient beside whocalls, or \
             --recipient, encrypts it from the start.\n",
        );
    }
    warning
}

fn say_tier(watch: &Watch, polling_asked_for: bool, talk: Talk) {
    match watch.tier() {
        Tier::Polling if !polling_asked_for => talk.say(&format!(
            "Much will be missed: whocalls can only look again and again here; whocalls doctor says \
             why.{WITH_MORE_RIGHTS}\n",
        )),
        Tier::NoBtf => talk.say(
            "Some facts will be missed: this kernel tells no types. The gaps in the case say which.\n",
        ),
        Tier::Full | Tier::Polling | Tier::Import => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_said_in_one_line() {
        let of = |count: usize| others(&vec!["/run/whocalls: no".to_owned(); count]);
        assert_eq!(of(0), "");
        assert_eq!(of(1), "There may be others: /run/whocalls: no\n");
        let two = "There may be others: /run/whocalls: no; 1 more cannot be read\n";
        assert_eq!(of(2), two);
    }
}

//! `whocalls watch`: what happens on this computer, while it happens.
//!
//! One thread folds: it takes what is observed, keeps what is known, and puts lines into a queue or
//! publishes snapshots. It never waits for the reader. The main thread writes the lines, or draws.

mod findings;
mod known;
mod lines;
mod pick;
mod queue;
pub(super) mod replayed;
#[cfg(test)]
pub(super) mod sample;
mod screen;
mod stream;

use std::ffi::OsString;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use model::Tier;
use observe::program::Waiting;
use observe::{Watch, WatchOptions};
use show::filter::Filter;

use self::lines::Lines;
use self::pick::{Pick, Scope};
use self::queue::Queue;
use super::filter;
use super::fold::{Ends, Fold, Outcome};
use super::screen::newest::Newest;
use crate::arguments::{Color, WatchArguments};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{self, Talk};
use crate::platform::WITH_MORE_RIGHTS;

/// How often open connections are counted, unless the person says it.
const REFRESH: Duration = Duration::from_secs(2);

pub(crate) fn run(
    arguments: &WatchArguments,
    color: Color,
    strict: bool,
    talk: Talk,
) -> Result<Exit> {
    if arguments.ndjson {
        stream_lines(arguments, strict, talk)
    } else {
        screen::run(arguments, color, strict, talk)
    }
}

fn stream_lines(arguments: &WatchArguments, strict: bool, talk: Talk) -> Result<Exit> {
    let filter = filter::read(&arguments.words, &arguments.filter, Filter::parse_for_watch)?;
    // It inherits everything, so it comes before anything is opened, handled or given up.
    let mut program = prepare(arguments)?;
    let interrupt = Interrupt::listen()?;
    let watch = Watch::start(WatchOptions {
        polling: arguments.polling,
        allow_actions: arguments.allow_actions,
        packets: None,
    })?;
    match watch.tier() {
        Tier::Polling if !arguments.polling => talk.say(&format!(
            "Much will be missed: whocalls can only look again and again here. The lines of type \
             gap, and whocalls doctor, say why.{WITH_MORE_RIGHTS}\n",
        )),
        Tier::NoBtf => talk.say(
            "Some facts will be missed: this kernel tells no types. The lines of type gap say \
             which.\n",
        ),
        Tier::Full | Tier::Polling | Tier::Import => {}
    }
    let start = Instant::now();
    if let Some(program) = &mut program {
        let gone = program.go();
        gone.map_err(|error| cannot_start(&arguments.program, &error))?;
    }
    let scope = program.as_ref().map(|program| Scope::of(program.pid()));
    let (queue, newest) = (Queue::new(arguments.queue), Newest::default());
    let over = AtomicBool::new(false);
    let pick = Pick::new(filter, scope);
    let of_findings = Pick::new(
        filter::read(&arguments.words, &arguments.filter, Filter::parse_for_watch)?,
        program.as_ref().map(|program| Scope::of(program.pid())),
    );
    let lines = Lines::new(pick, watch.host().clone(), watch.tier(), &queue, &newest);
    let ends = Ends {
        interrupt: &interrupt,
        at: arguments.time.map(|time| start + time),
        program,
    };
    let fold = Fold::new(watch, lines, arguments.refresh.unwrap_or(REFRESH), ends);
    let out = output::stdout()?;
    let (stream, outcome) = thread::scope(|scope| {
        let thread = thread::Builder::new().name("fold".to_owned());
        let folding = thread.spawn_scoped(scope, || fold.run())?;
        let thread = thread::Builder::new().name("judge".to_owned());
        let judging = thread.spawn_scoped(scope, || {
            findings::tell_all(of_findings, &newest, &queue, &over)
        })?;
        let stream = stream::write(&queue, out);
        over.store(true, Ordering::Relaxed);
        let folded = folding.join();
        let outcome = folded.map_err(|_| anyhow!("the thread that watches has failed"))?;
        let judged = judging.join();
        let last = judged.map_err(|_| anyhow!("the thread that judges has failed"))?;
        let mut stream = stream?;
        let mut last: Vec<_> = queue.left().into_iter().chain(last).collect();
        stream
            .tell_all(&mut last)
            .context("cannot write to standard output")?;
        Ok::<_, anyhow::Error>((stream, outcome?))
    })?;
    finish(stream, &outcome, &queue, &newest, strict, talk)
}

fn finish(
    mut stream: stream::Lines,
    outcome: &Outcome,
    queue: &Queue,
    newest: &Newest,
    strict: bool,
    talk: Talk,
) -> Result<Exit> {
    let dropped = queue.dropped();
    stream
        .end(outcome, dropped)
        .context("cannot write to standard output")?;
    if talk.verbose
        && let Some(snapshot) = newest.get()
    {
        talk.say(&format!(
            "Watched, {}: {} events, with or without a line, {} of them lost; {} connections known \
             at the end, whatever the filter.\n",
            snapshot.tier.word(),
            outcome.totals.events,
            outcome.totals.lost,
            snapshot.connections.len(),
        ));
    }
    let lost = outcome.totals.lost > 0 || dropped.all() > 0;
    Ok(if lost || strict && stream.gaps() > 0 {
        Exit::Lost
    } else {
        Exit::Done
    })
}

fn prepare(arguments: &WatchArguments) -> Result<Option<Waiting>> {
    if !arguments.until_exit {
        return Ok(None);
    }
    let waiting = Waiting::prepare(&arguments.program);
    waiting
        .map(Some)
        .map_err(|error| cannot_start(&arguments.program, &error))
}

pub(super) fn cannot_start(command: &[OsString], error: &std::io::Error) -> anyhow::Error {
    let program = command.first().map(|program| program.to_string_lossy());
    let program = program.unwrap_or_default();
    let help = if error.kind() == ErrorKind::NotFound {
        "\nhelp: write the path of the program, or a name that lies in PATH"
    } else if error.kind() == ErrorKind::PermissionDenied {
        "\nhelp: it has to be a file that you may execute"
    } else {
        ""
    };
    anyhow!("cannot start '{program}': {error}{help}")
}

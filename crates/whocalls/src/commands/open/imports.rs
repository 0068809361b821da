//! The screen on captures and logs of other tools. One thread reads them and publishes what is known so
//! far; for another moment it shows what stood open then.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use model::{Snapshot, Timestamp};
use observe::writer::Writer;
use show::tui::{Mode, Options, Replay, Seal, Terminal};
use track::Tracker;

use super::{PUBLISHED_AT_LEAST, PUBLISHED_EACH, PUBLISHED_FIRST, STEP, needs_terminal, percent};
use crate::arguments::{Color, OpenArguments};
use crate::commands::imports::{self, Imports};
use crate::commands::screen::{self, Hands, List, Shared};
use crate::exit::Exit;
use crate::output::{Talk, Usage};

pub(super) fn run(
    mut imports: Imports,
    arguments: &OpenArguments,
    filter: String,
    color: Color,
    talk: Talk,
) -> Result<Exit> {
    if !screen::is_possible() {
        return Err(Usage(needs_terminal("FILE")).into());
    }
    Terminal::prepare().context("cannot read keys from the terminal")?;
    let nothing = Timestamp::from_unix_nanos(0);
    let shared = Shared::new(Duration::from_secs(1), observe::user(), nothing);
    let hands = Hands {
        actions: None,
        writer: Writer::start(),
        list: List::in_memory(),
    };
    let options = Options {
        theme: screen::theme(arguments.colors, arguments.ascii, color),
        mouse: !arguments.no_mouse,
        refresh: Duration::from_secs(1),
        actions: false,
        filter,
        to_ask: hands.list.to_ask(),
    };
    let showing = Showing {
        tracker: imports.tracker(imports::LIMITS),
        shared: &shared,
    };
    let work = || showing.run(&mut imports);
    let (log, ()) = screen::alongside(work, hands, options, &shared, talk)?;
    for line in log {
        talk.say(&format!("{line}\n"));
    }
    imports.say(talk);
    Ok(imports.exit())
}

struct Showing<'a> {
    tracker: Tracker,
    shared: &'a Shared,
}

impl Showing<'_> {
    fn run(mut self, imports: &mut Imports) -> Result<()> {
        let mut published = Instant::now();
        let mut each = PUBLISHED_FIRST;
        let mut seen = Vec::new();
        while imports.next(&mut seen)? {
            for imported in seen.drain(..) {
                self.tracker.import(imported, &mut |_, _, _| {});
            }
            if published.elapsed() >= each {
                each = (each * 3 / 2).clamp(PUBLISHED_EACH, PUBLISHED_AT_LEAST);
                let (done, total) = imports.progress();
                let snapshot = self.tracker.snapshot();
                let newest = snapshot.taken;
                self.publish(snapshot, newest, percent(done, total));
                published = Instant::now();
            }
            if self.shared.is_gone() {
                return Ok(());
            }
        }
        imports.settle(&mut self.tracker, &mut |_, _, _| {});
        let whole = self.tracker.snapshot();
        let newest = whole.taken;
        self.publish(whole.clone(), newest, None);
        while !self.shared.is_gone() {
            match self.shared.wanted() {
                Some(at) if at >= newest => self.publish(whole.clone(), newest, None),
                Some(at) => {
                    let shown = imports::at(whole.clone(), imports.covered(), at);
                    self.publish(shown, newest, None);
                }
                None => thread::sleep(STEP),
            }
        }
        Ok(())
    }

    fn publish(&self, snapshot: Snapshot, newest: Timestamp, progress: Option<u8>) {
        let opened = snapshot.connections.iter().filter_map(|it| it.opened);
        let begun = opened.min().unwrap_or(snapshot.taken);
        let replay = Replay {
            name: snapshot.host.name.lossy().into_owned(),
            begun,
            ended: newest,
            at: snapshot.taken,
            progress,
            seal: Seal::None,
        };
        let connections = snapshot.connections.len() as u64;
        let let_go = self.tracker.let_go();
        self.shared.put(Arc::new(snapshot), |status| {
            status.since = begun;
            status.mode = Mode::Case(replay);
            status.events = connections;
            status.let_go = let_go.closed_connections;
            status.forgotten = let_go.pairs;
        });
    }
}

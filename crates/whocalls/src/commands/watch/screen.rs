//! The live screen.

use std::time::Instant;

use anyhow::{Context, Result};
use observe::writer::Writer;
use observe::{Watch, WatchOptions};
use show::filter::Filter;
use show::tui::{Options, Terminal};

use crate::arguments::{Color, WatchArguments};
use crate::commands::filter;
use crate::commands::fold::{Ends, Fold, Outcome};
use crate::commands::screen::{self, Hands, List, Publisher, Shared};
use crate::exit::Exit;
use crate::interrupt::Interrupt;
use crate::output::{Talk, Usage};

pub(super) fn run(
    arguments: &WatchArguments,
    color: Color,
    strict: bool,
    talk: Talk,
) -> Result<Exit> {
    if !screen::is_possible() {
        let text = "the live screen needs a terminal\n\
                    help: 'whocalls watch --ndjson' streams what happens, and 'whocalls list' takes one look";
        return Err(Usage(text.to_owned()).into());
    }
    if arguments.until_exit {
        let text = "the live screen cannot share its terminal with a program\n\
                    help: 'whocalls watch --ndjson --until-exit -- PROGRAM' streams what it does";
        return Err(Usage(text.to_owned()).into());
    }
    filter::read(
        &arguments.words,
        &arguments.filter,
        Filter::parse_for_screen,
    )?;
    // Keys are read after the rights are gone.
    Terminal::prepare().context("cannot read keys from the terminal")?;
    let interrupt = Interrupt::listen()?;
    // Its name is of no more use once the rights are gone.
    let user = observe::user();
    let writer = Writer::start();
    let mut watch = Watch::start(WatchOptions {
        polling: arguments.polling,
        allow_actions: arguments.allow_actions,
        packets: None,
    })?;
    let hands = Hands {
        actions: watch.actions(),
        writer,
        list: List::in_memory(),
    };
    let start = Instant::now();
    let refresh = arguments.refresh.unwrap_or(screen::REFRESH);
    let shared = Shared::new(refresh, user, watch.now());
    let ends = Ends {
        interrupt: &interrupt,
        at: arguments.time.map(|time| start + time),
        program: None,
    };
    let fold = Fold::new(watch, Publisher::new(&shared), refresh, ends);
    let options = Options {
        theme: screen::theme(arguments.colors, arguments.ascii, color),
        mouse: !arguments.no_mouse,
        refresh,
        actions: arguments.allow_actions,
        filter: filter::text(&arguments.words, &arguments.filter),
        to_ask: hands.list.to_ask(),
    };
    let (log, outcome) = screen::alongside(|| fold.run(), hands, options, &shared, talk)?;
    Ok(finish(&log, &outcome, &shared, strict, talk))
}

fn finish(log: &[String], outcome: &Outcome, shared: &Shared, strict: bool, talk: Talk) -> Exit {
    for line in log {
        talk.say(&format!("{line}\n"));
    }
    if outcome.totals.lost > 0 || strict && shared.gaps() > 0 {
        Exit::Lost
    } else {
        Exit::Done
    }
}

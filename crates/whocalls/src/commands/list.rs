//! `whocalls list`: one look at this computer, at a case, or at captures and logs of other tools.

mod pick;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use model::{Check, Connection, Outcome, Process, Snapshot, Untested};
use observe::{Depth, LookOptions, Observer};
use show::filter::Filter;
use show::json::{Extent, Listing};
use show::order;
use show::table::{self, TableOptions};
use track::Limits;

use super::case::Wanted;
use super::evidence::{self, Evidence};
use super::imports::{self, Imports};
use super::{case, data, filter, known};
use crate::arguments::{Color, Group, ListArguments};
use crate::exit::{self, Exit};
use crate::interrupt::Interrupt;
use crate::output::{self, Out, Talk, Usage};

/// Nobody waits longer for what was found in processes. `check` goes deeper.
const LOOKS_INTO: Duration = Duration::from_secs(5);
const CLEAR_SCREEN: &[u8] = b"\x1b[H\x1b[2J";

pub(crate) fn run(list: &ListArguments, color: Color, strict: bool, talk: Talk) -> Result<Exit> {
    let (evidence, words) = evidence::named(&list.words)?;
    if evidence.is_some() && (list.watch.is_some() || list.polling) {
        let text = "--watch and --polling are for this computer: what was recorded does not change";
        return Err(Usage(text.to_owned()).into());
    }
    match evidence {
        Some(Evidence::Case(case)) => return show_case(list, &case, words, color, strict, talk),
        Some(Evidence::Files(files)) => {
            return show_files(list, &files, words, color, strict, talk);
        }
        None => {}
    }
    if list.at.is_some() {
        let text = "--at is for a case or files\nhelp: whocalls list CASE --at TIME";
        return Err(Usage(text.to_owned()).into());
    }
    let filter = filter::read(words, &list.filter, Filter::parse)?;
    let mut observer = Observer::open(list.polling)?;
    let mut out = output::stdout()?;
    let Some(every) = list.watch else {
        return look_once(list, &filter, color, strict, talk, &mut observer, &mut out);
    };
    let interrupt = Interrupt::listen()?;
    let mut first = true;
    loop {
        let for_people = !list.json && !list.ndjson && !list.csv;
        if for_people && output::terminal_width().is_some() {
            out.write_all(CLEAR_SCREEN)?;
        } else if for_people && !first {
            out.write_all(b"\n")?;
        }
        first = false;
        if for_people {
            let now = observer.now();
            writeln!(out, "{now}  every {} s, Ctrl-C ends", every.as_secs_f64())?;
        }
        let exit = look_once(list, &filter, color, strict, talk, &mut observer, &mut out)?;
        if interrupt.wait(every) {
            return Ok(exit);
        }
    }
}

fn look_once(
    list: &ListArguments,
    filter: &Filter,
    color: Color,
    strict: bool,
    talk: Talk,
    observer: &mut Observer,
    out: &mut Out,
) -> Result<Exit> {
    let options = LookOptions {
        every_process: list.processes,
        remembered: list.before,
    };
    let start = Instant::now();
    let mut look = observer.look(options)?;
    if list.processes {
        observe::examine(&mut look.processes, Depth::Cheap, start + LOOKS_INTO);
    }
    let mut snapshot = track::snapshot(look);
    snapshot.addresses = data::addresses();
    if is_judged(list) {
        snapshot = known::judged(track::with_pairs(snapshot));
    }
    if talk.verbose {
        talk.say(&format!(
            "One look, {}: {} sockets and {} processes in {} ms.\n",
            snapshot.tier.word(),
            snapshot.connections.len(),
            snapshot.processes.len(),
            start.elapsed().as_millis()
        ));
    }
    write(list, filter, color, talk, &snapshot, out)?;
    Ok(exit::after_look(&snapshot, strict))
}

/// A case: all that it tells, or what stood open at one moment of it.
fn show_case(
    list: &ListArguments,
    case: &Path,
    words: &[String],
    color: Color,
    strict: bool,
    talk: Talk,
) -> Result<Exit> {
    let filter = filter::read(words, &list.filter, Filter::parse_for_watch)?;
    let case = case::open(case, &list.identity)?;
    let limits = limits(list, Limits::CASE);
    let (mut snapshot, missing) = case::replay(
        &case,
        list.at,
        Wanted::WithImports,
        limits,
        &mut |_| {},
        talk,
    )?;
    if is_judged(list) {
        snapshot = known::judged(snapshot);
    }
    if list.at.is_some() {
        let open = snapshot.connections.iter().filter(|it| it.closed.is_none());
        snapshot.connections = open.cloned().collect();
    }
    write(
        list,
        &filter,
        color,
        talk,
        &snapshot,
        &mut output::stdout()?,
    )?;
    case::say_missing(&missing, talk);
    Ok(match missing.exit() {
        Exit::Done => exit::with_gaps(&snapshot.gaps, strict),
        exit @ (Exit::Failed | Exit::Usage | Exit::Lost | Exit::Damaged | Exit::Found) => exit,
    })
}

/// Captures and logs of other tools: all that they tell, or what stood open at one moment.
fn show_files(
    list: &ListArguments,
    files: &[PathBuf],
    words: &[String],
    color: Color,
    strict: bool,
    talk: Talk,
) -> Result<Exit> {
    let filter = filter::read(words, &list.filter, Filter::parse_for_watch)?;
    let mut imports = Imports::of(files, &list.clock_offset)?;
    let limits = limits(list, imports::LIMITS);
    let mut snapshot = imports::read_all(&mut imports, limits, &mut |_| {}, talk)?;
    if let Some(at) = list.at {
        let covered = imports.covered();
        let at = at.from(covered.begin().unwrap_or(snapshot.taken));
        snapshot = imports::at(snapshot, covered, at);
    }
    if is_judged(list) {
        snapshot = known::judged(snapshot);
    }
    let mut out = output::stdout()?;
    write(list, &filter, color, talk, &snapshot, &mut out)?;
    imports.say(talk);
    Ok(imports.exit().and(exit::with_gaps(&snapshot.gaps, strict)))
}

/// Only JSON has findings: `check` tells them to people.
pub(crate) fn is_judged(list: &ListArguments) -> bool {
    list.json && !list.before
}

/// Rules read pairs; nobody else does here.
fn limits(list: &ListArguments, all: Limits) -> Limits {
    if is_judged(list) {
        all
    } else {
        all.without_pairs()
    }
}

fn write(
    list: &ListArguments,
    filter: &Filter,
    color: Color,
    talk: Talk,
    snapshot: &Snapshot,
    out: &mut Out,
) -> Result<()> {
    let picked = pick::connections(snapshot, list, filter);
    let mut connections = picked.shown;
    // Programs that read the list put it in their own order.
    let for_programs = list.json || list.ndjson || list.csv;
    if !for_programs || list.sort.is_some() || list.reverse {
        let sort = list.sort.map(order::Sort::from);
        order::connections(snapshot, &mut connections, sort, list.reverse);
    }
    let processes = pick::processes(snapshot, list, filter, &connections);

    if list.json || list.ndjson {
        let counts = list.processes.then(|| snapshot.connections_of_processes());
        let listing = Listing {
            snapshot,
            connections: if list.before { &[] } else { &connections },
            processes: &processes,
            counts: counts.as_ref(),
            remembered: list.before.then_some(snapshot.remembered.as_slice()),
            extent: (!list.before).then_some(Extent {
                waiting_left_out: picked.hidden,
                others_left_out: picked.others,
                every_process: list.processes && processes.len() == snapshot.processes.len(),
            }),
        };
        if list.json {
            show::json::document(listing, out)
        } else {
            show::json::lines(listing, out)
        }
        .context("cannot write to standard output")?;
    } else {
        if list.csv {
            show::csv::connections(snapshot, &connections, out)
        } else {
            write_table(snapshot, list, color, &connections, &processes, out)
        }
        .context("cannot write to standard output")?;
        talk_about(snapshot, list, connections.len(), picked.hidden, talk)?;
    }
    Ok(())
}

fn write_table(
    snapshot: &Snapshot,
    list: &ListArguments,
    color: Color,
    connections: &[&Connection],
    processes: &[&Process],
    out: &mut impl Write,
) -> std::io::Result<()> {
    let options = TableOptions {
        width: output::terminal_width(),
        numeric: list.numeric,
        color: output::wants_color(color),
        group: list.group.map(|group| match group {
            Group::Process => table::Group::Process,
            Group::Remote => table::Group::Remote,
            Group::User => table::Group::User,
        }),
        home_netns: snapshot.home_netns,
    };
    if list.before {
        table::remembered(snapshot, &options, out)
    } else if list.processes {
        let counts = snapshot.connections_of_processes();
        let count = |process: &Process| {
            let none = snapshot.shows_sockets_of(process).then_some(0);
            counts.get(&process.id).copied().or(none)
        };
        let shown: Vec<_> = processes
            .iter()
            .map(|process| (*process, count(process)))
            .collect();
        table::processes(&shown, &options, out)
    } else {
        table::connections(snapshot, connections, &options, out)
    }
}

/// Beside the table: what is not in it, and what could not be seen.
fn talk_about(
    snapshot: &Snapshot,
    list: &ListArguments,
    shown: usize,
    hidden: usize,
    talk: Talk,
) -> Result<()> {
    let mut text = Vec::new();
    if !list.processes && !list.before {
        if shown == 0 {
            let (evidence, words) = evidence::named(&list.words)?;
            let which = if words.is_empty() && list.filter.is_empty() {
                "No connection"
            } else {
                "No connection that matches"
            };
            if evidence.is_some() {
                writeln!(text, "{which} is there.")?;
                let asked = snapshot.asked.len();
                if asked > 0 {
                    let (names, them) = match asked {
                        1 => ("name was", "it"),
                        _ => ("names were", "them"),
                    };
                    writeln!(
                        text,
                        "{asked} {names} asked for all the same: whocalls export --zeek=dns lists \
                         {them}."
                    )?;
                }
            } else {
                writeln!(
                    text,
                    "{which} stood open at this moment. A look is one moment: what \
                     opened and closed before it is not in it; whocalls list --before shows what the \
                     computer remembers."
                )?;
            }
        }
        if hidden > 0 {
            let things = if hidden == 1 {
                "socket that waits for others to call is"
            } else {
                "sockets that wait for others to call are"
            };
            writeln!(
                text,
                "{hidden} {things} not shown; whocalls list -a shows them."
            )?;
        }
    }
    if list.processes {
        text.extend(not_asked(snapshot).into_bytes());
    }
    show::gaps::lines(&snapshot.gaps, output::talk_width(), &mut text)?;
    talk.say(&String::from_utf8_lossy(&text));
    Ok(())
}

/// Which checks were left out, since they take long. Empty: none, or nobody has looked into any process.
fn not_asked(snapshot: &Snapshot) -> String {
    let not_asked = Outcome::NotTestable(Untested::NotAsked);
    let left_out = Check::ALL.iter().filter(|check| {
        let mut examined = snapshot.processes.values().flat_map(|it| &it.examined);
        examined.any(|it| it.outcome(**check) == Some(&not_asked))
    });
    let left_out: Vec<_> = left_out.map(|check| check.word()).collect();
    if left_out.is_empty() {
        return String::new();
    }
    format!(
        "{} of {} checks take long and were not made here: {}. whocalls check and watch make them.\n",
        left_out.len(),
        Check::ALL.len(),
        left_out.join(", ")
    )
}

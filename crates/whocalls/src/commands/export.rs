//! `whocalls export`: what a case holds, for other programs.

mod asked;
mod journal;
mod packets;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use model::{Connection, Event, Snapshot};
use record::case::OpenCase;
use show::filter::Filter;
use track::Limits;

use self::asked::Asked;
use super::case::{self, Story, Wanted};
use super::evidence::{self, Evidence};
use super::imports::{self, Imports};
use super::{filter, watch};
use crate::arguments::{ExportArguments, ZeekLog};
use crate::exit::Exit;
use crate::output::{self, Out, Talk, Usage};

pub(crate) fn run(arguments: &ExportArguments, talk: Talk) -> Result<Exit> {
    output::keep_files_private();
    let (evidence, words) = evidence::named(&arguments.words)?;
    let filter = filter::read(words, &arguments.filter, Filter::parse_for_watch)?;
    let case = match evidence {
        Some(Evidence::Case(case)) => case::open(&case, &arguments.identity)?,
        Some(Evidence::Files(files)) => return of_files(arguments, &files, &filter, talk),
        None => return Err(evidence::missing(&arguments.words)),
    };
    if arguments.ndjson {
        return lines(arguments, &case, filter, talk);
    }
    let replayed = match arguments.pcapng {
        true => Wanted::Recording,
        false => Wanted::WithImports,
    };
    let mut asked = Asked::of(arguments);
    let (snapshot, mut missing) = case::replay(
        &case,
        arguments.at,
        replayed,
        Limits::CASE.without_pairs(),
        &mut |event| asked.add(event),
        talk,
    )?;
    let wanted = wanted(&snapshot, &filter);
    let mut out = out(arguments.output.as_deref())?;
    if arguments.pcapng {
        let export = packets::Export {
            arguments,
            case: &case,
            snapshot: &snapshot,
            talk,
        };
        let wanted = (!filter.is_empty()).then_some(wanted.as_slice());
        export.write(wanted, &mut out, &mut missing)?;
    } else {
        let told = Told {
            snapshot: &snapshot,
            wanted: &wanted,
            asked: &asked,
        };
        told.write(arguments, &filter, &mut out, talk)?;
    }
    let mut gaps = Vec::new();
    show::gaps::lines(&snapshot.gaps, output::talk_width(), &mut gaps)?;
    talk.say(&String::from_utf8_lossy(&gaps));
    case::say_missing(&missing, talk);
    Ok(missing.exit())
}

/// Connections of captures and logs of other tools.
fn of_files(
    arguments: &ExportArguments,
    files: &[PathBuf],
    filter: &Filter,
    talk: Talk,
) -> Result<Exit> {
    let mut imports = Imports::of(files, &arguments.clock_offset)?;
    if arguments.pcapng || arguments.ndjson {
        let text = "--pcapng and --ndjson are for a case\n\
                    help: whocalls list FILE --ndjson writes a line for each connection";
        return Err(Usage(text.to_owned()).into());
    }
    let mut asked = Asked::of(arguments);
    let mut named = |event: &Event| asked.add(event);
    let limits = imports::LIMITS.without_pairs();
    let mut snapshot = imports::read_all(&mut imports, limits, &mut named, talk)?;
    if let Some(at) = arguments.at {
        let covered = imports.covered();
        let at = at.from(covered.begin().unwrap_or(snapshot.taken));
        snapshot = imports::at(snapshot, covered, at);
        asked.until(at);
    }
    let wanted = wanted(&snapshot, filter);
    let mut out = out(arguments.output.as_deref())?;
    let told = Told {
        snapshot: &snapshot,
        wanted: &wanted,
        asked: &asked,
    };
    told.write(arguments, filter, &mut out, talk)?;
    imports.say(talk);
    Ok(imports.exit())
}

fn lines(
    arguments: &ExportArguments,
    case: &Arc<OpenCase>,
    filter: Filter,
    talk: Talk,
) -> Result<Exit> {
    let story = Story::of(case)?;
    let out = out(arguments.output.as_deref())?;
    let missing = watch::replayed::write(story, filter, out)?;
    case::say_missing(&missing, talk);
    Ok(missing.exit())
}

/// What is written of a case or of files.
struct Told<'a> {
    snapshot: &'a Snapshot,
    /// The connections that match.
    wanted: &'a [&'a Connection],
    asked: &'a Asked,
}

impl Told<'_> {
    fn write(
        &self,
        arguments: &ExportArguments,
        filter: &Filter,
        out: &mut Out,
        talk: Talk,
    ) -> Result<()> {
        let (snapshot, wanted) = (self.snapshot, self.wanted);
        let all = wanted.iter().copied();
        let mut left_out = 0;
        let written = if arguments.csv {
            show::csv::connections(snapshot, wanted, out)
        } else if arguments.ecs {
            show::ecs::write(snapshot, all, out)
        } else if arguments.ocsf {
            show::ocsf::write(snapshot, all, out)
        } else {
            match arguments.zeek {
                Some(ZeekLog::Dns) => self.asked.write(snapshot, filter, out),
                Some(ZeekLog::Ssl) => show::zeek::write_tls(snapshot, all, out),
                Some(ZeekLog::Conn) | None => {
                    show::zeek::write(snapshot, all, out).map(|count| left_out = count)
                }
            }
        };
        written.context("cannot write what was asked for")?;
        if left_out > 0 {
            talk.say(&format!(
                "{left_out} connections have no other end or no addresses, and no place in this form.\n"
            ));
        }
        Ok(())
    }
}

/// Those that match.
fn wanted<'a>(snapshot: &'a Snapshot, filter: &Filter) -> Vec<&'a Connection> {
    let is_wanted = |connection: &&Connection| {
        let user = snapshot.user_of(connection);
        filter::wants(filter, connection, snapshot.taken, user, |id| {
            snapshot.processes.get(&id).map(Arc::as_ref)
        })
    };
    snapshot.connections.iter().filter(is_wanted).collect()
}

/// A new file, or standard output.
fn out(file: Option<&Path>) -> Result<Out> {
    match file {
        Some(file) => {
            let made = File::create_new(file);
            let made = made.with_context(|| format!("cannot make {}", file.display()));
            made.map(Out::from)
        }
        None => Ok(output::stdout()?),
    }
}

/// Hands bytes on.
fn put(out: &mut Out, bytes: &mut Vec<u8>) -> Result<()> {
    out.write_all(bytes).context("cannot write the packets")?;
    bytes.clear();
    Ok(())
}

//! `whocalls export`: what a case holds, for other programs.

mod journal;
mod packets;

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use model::{Connection, Snapshot};
use record::case::OpenCase;
use show::filter::Filter;

use super::case::{self, Story};
use super::{filter, watch};
use crate::arguments::ExportArguments;
use crate::exit::Exit;
use crate::output::{self, Talk};

pub(crate) fn run(arguments: &ExportArguments, talk: Talk) -> Result<Exit> {
    output::keep_files_private();
    let filter = filter::read(&arguments.words, &arguments.filter, Filter::parse_for_watch)?;
    let case = case::open(&arguments.case, &arguments.identity)?;
    if arguments.ndjson {
        return lines(arguments, &case, filter, talk);
    }
    let (snapshot, mut missing) = case::replay(&case, arguments.at, talk)?;
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
        connections(arguments, &snapshot, &wanted, &mut out, talk)?;
    }
    let mut gaps = Vec::new();
    show::gaps::lines(&snapshot.gaps, output::talk_width(), &mut gaps)?;
    talk.say(&String::from_utf8_lossy(&gaps));
    case::say_missing(&missing, talk);
    Ok(missing.exit())
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

fn connections(
    arguments: &ExportArguments,
    snapshot: &Snapshot,
    wanted: &[&Connection],
    out: &mut File,
    talk: Talk,
) -> Result<()> {
    let all = wanted.iter().copied();
    let mut left_out = 0;
    let written = if arguments.csv {
        show::csv::connections(snapshot, wanted, out)
    } else if arguments.ecs {
        show::ecs::write(snapshot, all, out)
    } else if arguments.ocsf {
        show::ocsf::write(snapshot, all, out)
    } else {
        show::zeek::write(snapshot, all, out).map(|count| left_out = count)
    };
    written.context("cannot write the connections")?;
    if left_out > 0 {
        talk.say(&format!(
            "{left_out} connections have no other end or no addresses, and no place in this form.\n"
        ));
    }
    Ok(())
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
fn out(file: Option<&Path>) -> Result<File> {
    match file {
        Some(file) => File::create_new(file).with_context(|| {
            format!(
                "cannot make {}; whocalls overwrites nothing",
                file.display()
            )
        }),
        None => Ok(output::stdout()?),
    }
}

/// Hands bytes on.
fn put(out: &mut File, bytes: &mut Vec<u8>) -> Result<()> {
    out.write_all(bytes).context("cannot write the packets")?;
    bytes.clear();
    Ok(())
}

//! `whocalls close`: closes one TCP connection, after a question.

mod ends;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use model::{Connection, Endpoint, Snapshot};
use observe::actions::{ActionError, ConnectionTarget, close_connection};
use observe::{LookOptions, Observer};
use show::actions::{CLOSE_WORD, close_question};
use show::filter::Filter;
use show::visible::visible;

use self::ends::Ends;
use super::end::failed;
use super::{confirm, filter};
use crate::arguments::CloseArguments;
use crate::exit::Exit;
use crate::output::{self, Usage};

/// So many of several are listed.
const MOST_LISTED: usize = 20;

pub(crate) fn run(close: &CloseArguments) -> Result<Exit> {
    let which = Which::read(&close.words)?;
    confirm::check(close.yes)?;
    let snapshot = track::snapshot(Observer::open(false)?.look(LookOptions::default())?);
    let (connection, target) = only_one(&snapshot, &which)?;
    let owner = snapshot.owner_of(connection);
    if !close.yes && !confirm::ask(&close_question(connection, owner), CLOSE_WORD)? {
        return Ok(Exit::Failed);
    }
    let whole = describe(&snapshot, connection);
    let done = close_connection(&target)
        .map_err(|error| failed(&format!("cannot close {whole}"), error))?;
    let (at, id) = (done.at, connection.id);
    writeln!(output::stdout()?, "{at} closed: {whole}, connection {id}")
        .context("cannot write to standard output")?;
    Ok(Exit::Done)
}

/// What the person named.
enum Which {
    Id(String),
    Matching(Ends, Filter),
}

impl Which {
    fn read(words: &[String]) -> Result<Self> {
        if let [word] = words
            && word.len() == 32
            && word.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            return Ok(Self::Id(word.to_ascii_lowercase()));
        }
        let (ends, words) = ends::taken(words).map_err(Usage)?;
        Ok(Self::Matching(
            ends,
            filter::read(&words, &[], Filter::parse)?,
        ))
    }

    fn is_one_end(&self) -> bool {
        matches!(self, Self::Matching(Ends::Either(_), _))
    }

    fn is(&self, snapshot: &Snapshot, connection: &Connection) -> bool {
        match self {
            Self::Id(id) => connection.id.to_string() == *id,
            Self::Matching(ends, wanted) => {
                let user = snapshot.user_of(connection);
                let process = |id| snapshot.processes.get(&id).map(Arc::as_ref);
                ends.are_of(connection)
                    && filter::wants(wanted, connection, snapshot.taken, user, process)
            }
        }
    }
}

/// Errors: none is meant, the one that is cannot be closed, or several are, which is wrong usage.
fn only_one<'a>(
    snapshot: &'a Snapshot,
    which: &Which,
) -> Result<(&'a Connection, ConnectionTarget)> {
    let mut refused: Option<(&Connection, ActionError)> = None;
    let mut meant = Vec::new();
    let matching = snapshot.connections.iter();
    for connection in matching.filter(|connection| which.is(snapshot, connection)) {
        match ConnectionTarget::of(connection) {
            Ok(target) => meant.push((connection, target)),
            Err(error) => {
                refused.get_or_insert((connection, error));
            }
        }
    }
    // Whoever copied the end of a listener does not mean who calls it.
    let is_of_listener = which.is_one_end() && matches!(refused, Some((_, ActionError::Listener)));
    if is_of_listener {
        meant.clear();
    }
    match (meant.as_slice(), refused) {
        ([one], _) => Ok(*one),
        ([], None) => Err(anyhow!(
            "nothing was closed: no such connection stands open"
        )),
        ([], Some((connection, error))) => {
            let whole = describe(snapshot, connection);
            Err(failed(&format!("cannot close {whole}"), error))
        }
        (several, _) => Err(Usage(list(snapshot, several)).into()),
    }
}

fn list(snapshot: &Snapshot, several: &[(&Connection, ConnectionTarget)]) -> String {
    let mut text = format!("nothing was closed: {} connections match\n", several.len());
    for (connection, _) in several.iter().take(MOST_LISTED) {
        let whole = describe(snapshot, connection);
        let _ = writeln!(text, "  {}  {whole}", connection.id);
    }
    if several.len() > MOST_LISTED {
        let _ = writeln!(text, "  and {} more", several.len() - MOST_LISTED);
    }
    text.push_str("help: name one of them by its id, or narrow the filter");
    text
}

/// Whose it is and between which ends.
fn describe(snapshot: &Snapshot, connection: &Connection) -> String {
    let whose = match snapshot.owner_of(connection) {
        Some(process) => format!("{} ({})", visible(&process.name), process.id.pid),
        None => "an unknown program".to_owned(),
    };
    let end = |end: Option<Endpoint>| {
        let end = end.and_then(|end| end.ip.zip(end.port));
        end.map_or_else(|| "*".to_owned(), |end| SocketAddr::from(end).to_string())
    };
    let (local, remote) = (end(Some(connection.local)), end(connection.remote));
    format!("{whose} {} {local} -> {remote}", connection.protocol.word())
}

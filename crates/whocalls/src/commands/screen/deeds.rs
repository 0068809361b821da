//! What the person at the screen asks for and what takes a while: to save, to close, to end. A
//! thread of its own does it, so that the screen goes on.

use std::io;
use std::sync::mpsc::{Receiver, Sender};

use observe::actions::{ActionError, Actions, ConnectionTarget, Done, How, Outcome, ProcessTarget};
use observe::writer::Writer;
use show::tui::{Deed, Told};
use show::visible::{harmless, visible_str};

use super::List;

/// Whoever fulfils wishes.
pub(crate) struct Hands {
    /// `None`: no action was allowed.
    pub(crate) actions: Option<Actions>,
    pub(crate) writer: io::Result<Writer>,
    pub(crate) list: List,
}

impl Hands {
    /// Fulfils wishes until nobody has any more; says what came of each.
    pub(super) fn work(mut self, wishes: &Receiver<Deed>, answers: &Sender<Told>) {
        for wish in wishes {
            for answer in self.fulfil(wish) {
                if answers.send(answer).is_err() {
                    return;
                }
            }
        }
        if let Some(text) = self.list.finish() {
            // Nobody who listens is nobody to tell.
            let _ = answers.send(Told::Done(text));
        }
    }

    fn fulfil(&mut self, wish: Deed) -> Vec<Told> {
        let answer = match wish {
            Deed::Refresh(_) | Deed::Go(_) | Deed::Preserve { .. } => return Vec::new(),
            Deed::LookUp { item, adds } => return self.list.look_up(item, adds),
            Deed::AskElsewhere(question) => return Vec::from_iter(self.list.add(question)),
            Deed::AskNoMore(question) => return Vec::from_iter(self.list.take_off(&question)),
            Deed::SaveList { name, bytes } => {
                return vec![Told::ListSaved(self.save(&name, &bytes))];
            }
            Deed::Save { name, bytes } => match self.save(&name, &bytes) {
                Ok(text) | Err(text) => text,
            },
            Deed::Close { connection, what } => {
                let target = ConnectionTarget::of(&connection);
                let done = target.and_then(|target| self.actions()?.close(&target));
                said(&what, done)
            }
            Deed::End {
                process,
                what,
                hard,
            } => {
                let how = if hard { How::Hard } else { How::Asked };
                let target = ProcessTarget::of(process);
                let done = self.actions().and_then(|actions| actions.end(target, how));
                said(&format!("{what}, process {process}"), done)
            }
        };
        vec![Told::Done(answer)]
    }

    fn actions(&mut self) -> Result<&mut Actions, ActionError> {
        self.actions.as_mut().ok_or(ActionError::NobodyToDoIt)
    }

    /// In words, also why not.
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<String, String> {
        let shown = visible_str(name);
        match &mut self.writer {
            Ok(writer) => match writer.save(name, bytes) {
                Ok(path) => Ok(format!("saved: {}", harmless(&path.display().to_string()))),
                Err(error) => {
                    let why = format!("not saved as {shown}: {error}");
                    Err(with_help(&why, error.help()))
                }
            },
            Err(error) => Err(format!("nothing can be saved: {error}")),
        }
    }
}

fn said(what: &str, done: Result<Done, ActionError>) -> String {
    match done {
        Ok(done) => {
            let word = match done.outcome {
                Outcome::Closed => "closed",
                Outcome::Ended => "ended",
                Outcome::StillRuns => "was told to end and still runs",
            };
            format!("{} {word}: {what}", done.at)
        }
        Err(error) => with_help(&format!("{what}: {error}"), error.help()),
    }
}

fn with_help(text: &str, help: Option<&str>) -> String {
    match help {
        Some(help) => format!("{text}; {help}"),
        None => text.to_owned(),
    }
}

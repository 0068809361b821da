//! What the person at the screen asks for and what takes a while: to save, to close, to end. A
//! thread of its own does it, so that the screen goes on.

use std::io;
use std::sync::mpsc::{Receiver, Sender};

use observe::actions::{ActionError, Actions, ConnectionTarget, Done, How, Outcome, ProcessTarget};
use observe::writer::Writer;
use show::tui::Deed;
use show::visible::{harmless, visible_str};

/// Whoever fulfils wishes.
pub(crate) struct Hands {
    /// `None`: no action was allowed.
    pub(crate) actions: Option<Actions>,
    pub(crate) writer: io::Result<Writer>,
}

impl Hands {
    /// Fulfils wishes until nobody has any more; says what came of each.
    pub(super) fn work(mut self, wishes: &Receiver<Deed>, answers: &Sender<String>) {
        for wish in wishes {
            let answer = match wish {
                Deed::Refresh(_) | Deed::Go(_) | Deed::Preserve { .. } => continue,
                Deed::Save { name, bytes } => self.save(&name, &bytes),
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
            if answers.send(answer).is_err() {
                return;
            }
        }
    }

    fn actions(&mut self) -> Result<&mut Actions, ActionError> {
        self.actions.as_mut().ok_or(ActionError::NobodyToDoIt)
    }

    fn save(&mut self, name: &str, bytes: &[u8]) -> String {
        let shown = visible_str(name);
        match &mut self.writer {
            Ok(writer) => match writer.save(name, bytes) {
                Ok(path) => format!("saved: {}", harmless(&path.display().to_string())),
                Err(error) => with_help(&format!("not saved as {shown}: {error}"), error.help()),
            },
            Err(error) => format!("nothing can be saved: {error}"),
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

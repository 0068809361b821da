//! Who asked the resolver of this computer without a packet: what it was answered is theirs. That
//! somebody asked may be told before the answer, or after it.

use std::collections::VecDeque;
use std::time::Duration;

use model::{Answer, ProcessId, Text, Timestamp};

use super::{Asked, Asker};

/// So many questions, and so many answers, are remembered, and so long.
const MOST: usize = 256;
const WITHIN: Duration = Duration::from_secs(30);

/// A name by its hash, and the type of the question.
type Name = (u64, Option<u16>);

/// The newest questions that made no packet, and what the resolver was answered.
#[derive(Debug, Default)]
pub(super) struct Behalf {
    questions: VecDeque<(Name, Timestamp, Owned)>,
    answers: VecDeque<(Name, Timestamp, Answer)>,
}

/// An [`Asker`] that is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owned {
    process: ProcessId,
    program: Option<Text>,
}

impl Owned {
    pub(super) fn borrowed(&self) -> Asker<'_> {
        Asker {
            process: Some(self.process),
            program: self.program.as_ref(),
            from: None,
            on_behalf: false,
        }
    }
}

impl Behalf {
    /// A process asks for a name. Gives what the resolver was answered to it just before.
    pub(super) fn asked(&mut self, hash: u64, asked: &Asked<'_>) -> Option<Answer> {
        let process = asked.asker.process?;
        let name = (hash, asked.question);
        let found = self.answers.iter().rposition(|(of, time, _)| {
            *of == name && *time <= asked.time && time.until(asked.time) <= WITHIN
        });
        if let Some(place) = found {
            return self.answers.remove(place).map(|(_, _, answer)| answer);
        }
        let program = asked.asker.program.cloned();
        let owned = Owned { process, program };
        put(&mut self.questions, (name, asked.time, owned));
        None
    }

    /// The resolver is answered. Gives those who asked for it, each once.
    pub(super) fn answered(&mut self, hash: u64, asked: &Asked<'_>, answer: &Answer) -> Vec<Owned> {
        let name = (hash, asked.question);
        let mut all: Vec<Owned> = Vec::new();
        self.questions.retain(|(of, time, owned)| {
            let is_it = *of == name && *time <= asked.time && time.until(asked.time) <= WITHIN;
            if is_it && !all.contains(owned) {
                all.push(owned.clone());
            }
            !is_it
        });
        if all.is_empty() {
            let known = Answer {
                code: answer.code,
                text_ttl: answer.text_ttl,
                bytes: answer.bytes,
                ..Answer::default()
            };
            put(&mut self.answers, (name, asked.time, known));
        }
        all
    }
}

fn put<T>(row: &mut VecDeque<T>, thing: T) {
    if row.len() >= MOST {
        row.pop_front();
    }
    row.push_back(thing);
}

//! What a rule says, in full: its sentences, its facts, and what they rest on.

use super::{Facts, MOST_CONNECTIONS};
use crate::findings::{Since, before, evidence};
use crate::messages::check as texts;
use crate::messages::findings::fact;
use crate::tui::rows::FoundRow;
use crate::visible::{visible, visible_str};

impl Facts<'_> {
    pub(super) fn finding(&mut self, found: &FoundRow) {
        let FoundRow {
            finding,
            concerned,
            shown,
        } = found;
        self.heading(texts::heading(shown.word, &shown.said.title, 1));
        let about = &finding.about;
        let (pid, path) = (about.process.map(|it| it.pid), about.program.as_ref());
        let path = path.map(visible);
        self.add(
            texts::PROGRAM,
            texts::program(&shown.program, pid, path.as_deref()),
        );
        if !shown.destination.is_empty() {
            self.add(texts::TO, &shown.destination);
        }
        let since = match concerned.since {
            Since::At(time) => Some(self.time(time)),
            Since::Before => before(self.snapshot.tier).map(str::to_owned),
            Since::NotKnown => None,
        };
        let (name, since) = texts::since(since.as_deref(), shown.connections);
        self.add(name, since);
        self.add(texts::FOUND, &shown.said.explanation);
        self.add(texts::HARMLESS, &shown.said.innocent);
        self.add(texts::NEXT, &shown.said.next);
        let (severity, confidence) = (finding.severity.word(), finding.confidence.word());
        self.add(texts::HOW_SURE, texts::how_sure(severity, confidence));
        self.address_of(about.remote.and_then(|it| it.ip));
        self.heading(texts::FACTS);
        for (name, value) in &finding.facts {
            self.fact_of(&visible_str(name), &fact(value));
        }
        for technique in &finding.attack {
            self.add(texts::TECHNIQUE, visible_str(technique));
        }
        self.add(texts::EVIDENCE, evidence(finding));
        self.heading(texts::connections(shown.connections));
        let places = concerned.connections.iter();
        for place in places.take(MOST_CONNECTIONS) {
            if let Some(connection) = self.snapshot.connections.get(*place) {
                self.line_of(connection);
            }
        }
        let process = about
            .process
            .and_then(|id| self.snapshot.processes.get(&id));
        if let Some(process) = process {
            self.process(process);
        }
    }

    /// Names of facts are those of the rule, and may be longer than ours.
    fn fact_of(&mut self, name: &str, text: &str) {
        self.add("", texts::fact(name, text));
    }
}

//! All that is known of a name that was asked for.

use model::Asked;

use super::{Facts, MOST_CONNECTIONS};
use crate::messages::{detail as texts, names};
use crate::tui::asked::{newest_answer, way};
use crate::tui::rows::{Asker, Askers, Name, times};
use crate::visible::visible;

impl Facts<'_> {
    pub(super) fn name(&mut self, name: &Name) {
        if name.asker.is_none() {
            self.heading(names::name(&name.title));
        }
        let askers = Askers::of(self.snapshot);
        for place in name.asked.iter().take(MOST_CONNECTIONS) {
            if let Some(asked) = self.snapshot.asked.get(*place) {
                self.heading(names::asked_by(&askers.name(Asker::of(asked))));
                self.asked(asked);
            }
        }
        self.heading(names::CALLS);
        if name.connections.is_empty() {
            let why = match name.address_called {
                true => names::CALLED_OTHERWISE,
                false => names::NOBODY_CALLED,
            };
            self.add("", why);
        }
        for place in name.connections.iter().take(MOST_CONNECTIONS) {
            if let Some(connection) = self.snapshot.connections.get(*place) {
                self.line_of(connection);
            }
        }
    }

    fn asked(&mut self, asked: &Asked) {
        self.add(names::NAME, visible(&asked.name));
        self.add(names::WAY, way(asked.source));
        self.add(names::ASKED, names::times(times(asked)));
        self.add(texts::FIRST, self.time(asked.first));
        self.add(texts::LAST, self.time(asked.last));
        let newest = newest_answer(asked);
        let answers = names::answers(asked.answers, asked.no_such_name, asked.failed, &newest);
        self.add(names::ANSWERS, answers);
        let addresses: Vec<String> = asked.addresses.iter().map(ToString::to_string).collect();
        if !addresses.is_empty() {
            self.add(texts::ADDRESSES, addresses.join(", "));
        }
    }
}

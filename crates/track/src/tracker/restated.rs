//! What is known, said so that another one can go on from there.

use std::collections::BTreeSet;

use model::{Connection, Restated, RestatedConnection};

use super::connections::{Key, Life};
use super::look::unseen_end;
use super::names::{Greetings, Whose};
use super::{Change, Clock, Told, Tracker};

impl Tracker {
    /// All that is needed to go on from here: whoever [resumes](Self::resume) with it and then
    /// takes in what comes next tells the same of every connection.
    pub fn restate(&self) -> Restated {
        let connections = self.connections.restate(&self.deadlines.first());
        let (gaps, later_gaps) = self.gaps.apart();
        Restated {
            taken: self.taken,
            time: self.clock.time,
            boot_ns: self.clock.boot_ns,
            home_netns: self.home_netns,
            users: self.users.clone(),
            remembered: self.remembered.clone(),
            gaps: gaps.to_vec(),
            later_gaps: later_gaps.to_vec(),
            lost: self.gaps.is_lost(),
            processes: self.processes.restate(&connections),
            connections,
            answers: self.names.answers.restate(),
            names: self.names.greetings.restate(),
        }
    }

    /// Goes on from what was restated, and tells of each connection that is open. Pairs, and
    /// what is kept of when connections sent, begin anew. Where something is known already (part of the run is missing), it takes over what was
    /// restated; what is open here and was not restated is over.
    pub fn resume(&mut self, state: Restated, told: &mut Told<'_>) {
        let Restated {
            taken,
            time,
            boot_ns,
            home_netns,
            users,
            remembered,
            gaps,
            later_gaps,
            lost,
            processes,
            connections,
            answers,
            names,
        } = state;
        self.taken = taken;
        self.watched.from(taken);
        self.clock = Clock { time, boot_ns };
        self.home_netns = home_netns;
        self.users = users;
        self.remembered = remembered;
        self.gaps.resume(gaps, later_gaps, lost);
        for process in processes {
            self.processes.learn(process);
        }
        self.names.answers.resume(answers);
        self.names.greetings = Greetings::default();
        for event in names {
            if let Some(whose) = Whose::of(&event, self.home_netns) {
                self.names.greetings.wait(whose, event, true);
            }
        }
        let mut former: Vec<_> = self.connections.all_open().map(|(key, ..)| key).collect();
        former.sort_unstable();
        let stands: BTreeSet<_> = connections.iter().map(Key::of_restated).collect();
        for key in former.into_iter().filter(|key| !stands.contains(key)) {
            self.finish(&key, taken, Life::Missing, told, unseen_end);
        }
        for restated in connections {
            self.resume_one(restated, told);
        }
    }

    fn resume_one(&mut self, restated: RestatedConnection, told: &mut Told<'_>) {
        let key = Key::of_restated(&restated);
        let taken = self.taken;
        let connection = &restated.connection;
        let open = connection.closed.is_none();
        let known = self.connections.latest(&key);
        let same = known.is_some_and(|known| known.id == connection.id);
        match self.connections.life(&key) {
            Some(Life::Open) if same && open => {
                let change = |known: &mut Connection| *known = restated.connection;
                self.connections.used(&key, restated.used_ns);
                self.update(&key, taken, told, change);
                return;
            }
            Some(Life::Open) => self.finish(&key, taken, Life::Missing, told, unseen_end),
            Some(Life::Ended | Life::Missing | Life::Gone) if same => return,
            Some(Life::Ended | Life::Missing | Life::Gone) | None => {}
        }
        let line = self
            .pairs
            .line_of(connection, &self.processes)
            .filter(|_| open);
        let begun = connection.opened.unwrap_or(taken);
        let pair = line.map(|line| self.pairs.begin(line, begun, connection));
        self.processes.name(connection);
        let deadline = restated.deadline_ns;
        self.names.note_resolver(connection, self.home_netns);
        let serial = self.connections.resume(restated, pair);
        if let Some(deadline) = deadline {
            self.deadlines.set(deadline, serial, key);
        }
        self.connections.goes_between(&key, self.home_netns);
        if let Some(connection) = self.connections.open(&key) {
            told(Change::Present, taken, connection);
        }
        self.let_go_of_some();
    }
}

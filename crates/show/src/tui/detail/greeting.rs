//! What the other end of a connection is called and why, and what was said when it began.

use model::{
    Connection, Direction, Greeting, HttpGreeting, NameSource, NameStrength, RemoteName, Text,
    Tier, TlsGreeting,
};

use super::Facts;
use crate::messages::detail as texts;
use crate::visible::visible;

impl Facts<'_> {
    pub(super) fn name_of(&mut self, connection: &Connection) {
        match &connection.name {
            Some(name) => {
                self.add(texts::NAME, visible(&name.name));
                self.add(texts::NAMED_BY, named_by(name));
            }
            // Whoever waits or is called goes to no address.
            None if connection.remote.is_none() => {}
            None if connection.direction == Direction::Inbound => {}
            None if self.snapshot.tier == Tier::Polling => {
                self.add(texts::NAME, texts::NAMES_NOT_SEEN);
            }
            None if connection.opened.is_none() && self.snapshot.tier != Tier::Import => {
                self.add(texts::NAME, texts::NAME_ASKED_BEFORE);
            }
            None => self.add(texts::NAME, texts::NOBODY_ASKED),
        }
    }

    pub(super) fn greeting(&mut self, connection: &Connection) {
        match connection.greeting.as_deref() {
            Some(Greeting::Tls(tls)) => self.tls(tls),
            Some(Greeting::Http(http)) => self.http(http),
            Some(Greeting::Ssh { client, server }) => {
                self.maybe(texts::SSH_CLIENT, client.as_ref().map(visible));
                self.maybe(texts::SSH_SERVER, server.as_ref().map(visible));
            }
            None => {}
        }
    }

    fn tls(&mut self, tls: &TlsGreeting) {
        self.add(texts::GREETING, texts::tls(tls.quic.is_some()));
        if tls.ech {
            self.add("", texts::NAME_MAY_BE_HIDDEN);
        }
        if !tls.alpn.is_empty() {
            let offered: Vec<_> = tls.alpn.iter().map(visible).collect();
            self.add(texts::ALPN, offered.join(", "));
        }
        self.maybe(texts::JA4, tls.ja4.as_ref().map(visible));
    }

    fn http(&mut self, http: &HttpGreeting) {
        let request: Vec<&Text> = [&http.method, &http.target].into_iter().flatten().collect();
        if !request.is_empty() {
            let request: Vec<_> = request.into_iter().map(visible).collect();
            self.add(texts::REQUEST, request.join(" "));
        }
        self.maybe(texts::USER_AGENT, http.user_agent.as_ref().map(visible));
    }
}

/// Why the other end is thought to have this name.
fn named_by(name: &RemoteName) -> &'static str {
    match (name.strength, name.source) {
        (NameStrength::Greeted, NameSource::Host) => texts::GREETED_BY_HTTP,
        (NameStrength::Greeted, _) => texts::GREETED_BY_TLS,
        (NameStrength::Answered, _) => texts::ANSWERED,
        (NameStrength::AnsweredToDevice, _) => texts::ANSWERED_TO_DEVICE,
        (NameStrength::AnsweredToAnother, _) => texts::ANSWERED_TO_ANOTHER,
        (NameStrength::Claimed, NameSource::Certificate) => texts::CERTIFICATE_SAYS,
        (NameStrength::Claimed, _) => texts::LOG_SAYS,
    }
}

//! The name of the other side, and what was said when a connection began.

use model::{Greeting, HttpGreeting, NameSource, NameStrength, RemoteName, Text, TlsGreeting};

use super::super::told;
use super::members::Members;

/// No client offers more of them.
const MOST_PROTOCOLS: usize = 64;

/// `remote` of a connection. `None`: it has no name.
pub(super) fn remote_name(remote: &Members<'_>) -> Option<RemoteName> {
    let name = remote
        .text("name", "name_hex")
        .filter(|it| !it.is_empty())?;
    Some(RemoteName {
        name,
        // A word of a newer version says no more than that somebody has it.
        source: remote
            .word("name_source", &NameSource::ALL, NameSource::word)
            .unwrap_or(NameSource::Log),
        strength: remote
            .word("name_strength", &NameStrength::ALL, NameStrength::word)
            .unwrap_or(NameStrength::Claimed),
    })
}

/// `greeting` of a connection. `None`: of no kind that is known.
pub(super) fn greeting(greeting: &Members<'_>) -> Option<Greeting> {
    if let Some(tls) = greeting.object("tls") {
        let protocols = tls.value("alpn").items().filter_map(|it| it.string());
        let protocols = protocols.take(MOST_PROTOCOLS);
        return Some(Greeting::Tls(TlsGreeting {
            quic: tls.number("quic"),
            alpn: protocols.map(|it| Text::from(it.into_owned())).collect(),
            ech: tls.is_true("ech").unwrap_or(false),
            ja4: tls.text("ja4", "ja4_hex"),
        }));
    }
    if let Some(http) = greeting.object("http") {
        let target = http.text("target", "target_hex");
        return Some(Greeting::Http(HttpGreeting {
            method: http.text("method", "method_hex"),
            target: target.map(|it| Text::from(told::target(it.bytes()))),
            user_agent: http.text("user_agent", "user_agent_hex"),
        }));
    }
    let ssh = greeting.object("ssh")?;
    Some(Greeting::Ssh {
        client: ssh.text("client", "client_hex"),
        server: ssh.text("server", "server_hex"),
    })
}

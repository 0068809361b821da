//! Findings to show in tests: each rule once, about programs of `table::sample` and the evening of
//! the screen.

use std::sync::Arc;

use model::{
    About, Confidence, Endpoint, Evidence, Fact, Finding, FindingId, Findings, Reach, Severity,
    Snapshot, Text, Timestamp, Unchecked,
};

pub(crate) const UPDATER: &str = "/home/lena/.cache/updater";
pub(crate) const FIREFOX: &str = "/usr/lib/firefox/firefox";

/// About connections of a program with one address.
pub(crate) fn finding(
    rule: &'static str,
    weight: (Severity, Confidence),
    program: &str,
    remote: &str,
    facts: Vec<(&'static str, Fact)>,
    snapshot: &Snapshot,
) -> Finding {
    let remote: std::net::SocketAddr = remote.parse().unwrap();
    let program = Text::from(program);
    let of_program = |id| {
        snapshot
            .processes
            .get(&id)
            .map(|it| it.program() == &program)
    };
    let connections: Vec<_> = snapshot
        .connections
        .iter()
        .filter(|it| it.remote.and_then(|it| it.ip) == Some(remote.ip()))
        .filter(|it| it.owner.process().and_then(of_program) == Some(true))
        .map(|it| it.id)
        .collect();
    let mut processes = snapshot.processes.values();
    let about = About {
        process: processes
            .find(|it| *it.program() == program)
            .map(|it| it.id),
        program: Some(program),
        device: None,
        connections: connections.clone(),
        remote: Some(Endpoint::new(remote.ip(), remote.port())),
        reach: Reach::Remotes {
            addresses: vec![remote.ip()],
            names: Vec::new(),
            service: None,
        },
    };
    Finding {
        id: FindingId::of(rule, &about, &remote.ip().to_string()),
        rule,
        severity: weight.0,
        confidence: weight.1,
        facts,
        evidence: connections.into_iter().map(Evidence::Connection).collect(),
        attack: Vec::new(),
        about,
    }
}

fn text(text: &str) -> Fact {
    Fact::Text(text.to_owned())
}

/// An address that is known as bad, called by a program.
pub(crate) fn known_bad(snapshot: &Snapshot) -> Finding {
    let facts = vec![
        ("publisher", text("Example Lab")),
        ("list", text("spyware-2026")),
        (
            "published",
            Fact::Time(Timestamp::from_unix_nanos(1_790_000_000_000_000_000)),
        ),
        ("kind", text("address")),
        ("indicator", text("216.6.0.28")),
        ("seen", text("216.6.0.28")),
        ("about", text("Example\u{202e}Spy")),
        ("connections", Fact::Count(22)),
    ];
    let weight = (Severity::High, Confidence::Medium);
    finding(
        "known_bad",
        weight,
        UPDATER,
        "216.6.0.28:443",
        facts,
        snapshot,
    )
}

/// What an evening brings: one to look at first, one to look at, and notes.
pub(crate) fn evening(snapshot: &Snapshot) -> Findings {
    let listed = vec![
        ("publisher", text("The Spamhaus Project")),
        ("list", text("DROP")),
        ("network", text("203.0.113.0/24")),
        ("address", text("203.0.113.9")),
        ("connections", Fact::Count(2)),
    ];
    let (medium, low) = (Confidence::Medium, Confidence::Low);
    let of = |rule, severity, confidence, program, facts| {
        let remote = if program == UPDATER {
            "216.6.0.28:443"
        } else {
            "203.0.113.9:443"
        };
        finding(
            rule,
            (severity, confidence),
            program,
            remote,
            facts,
            snapshot,
        )
    };
    let all = vec![
        known_bad(snapshot),
        of("drop_list", Severity::Medium, medium, FIREFOX, listed),
        of(
            "raw_address",
            Severity::Low,
            low,
            UPDATER,
            vec![("connections", Fact::Count(22))],
        ),
        of(
            "hosting",
            Severity::Informational,
            low,
            FIREFOX,
            vec![
                ("provider", text("Example Cloud")),
                ("connections", Fact::Count(2)),
            ],
        ),
        of(
            "hosting",
            Severity::Informational,
            low,
            UPDATER,
            vec![("provider", text("Example Cloud"))],
        ),
    ];
    let unchecked = vec![Unchecked::NoHash(3), Unchecked::UnknownOwners(2)];
    Findings::new(1, all.into_iter().map(Arc::new).collect(), unchecked)
}

//! Requests that really go out, to servers of this test on this computer itself: what comes, and each
//! way in which nothing does. No other test shows that a connection is made, and that none is.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a failed test is a panic, and only servers of the tests are contacted"
)]

#[path = "network/servers.rs"]
mod servers;

#[path = "network/dns.rs"]
mod dns;
#[path = "network/http.rs"]
mod http;
#[path = "network/proxies.rs"]
mod proxies;
#[path = "network/redirects.rs"]
mod redirects;
#[path = "network/tls.rs"]
mod tls;
#[path = "network/whois.rs"]
mod whois;

use std::net::SocketAddr;
use std::time::Duration;

use enrich::network::{Network, Settings};
use enrich::sources::{Method, Request};
use model::{Enrichment, Failure, OnlineSource, Question, Timestamp};

/// Half a second for what shall run out, so long for all else that a busy machine does not matter.
const SOON: Duration = Duration::from_millis(500);

fn now() -> Timestamp {
    Timestamp::parse("2030-01-01T00:00:00.000000000Z").unwrap()
}

/// Servers of this computer itself are allowed, and a person's key is set.
fn settings() -> Settings {
    let mut settings = Settings::default();
    let own = ["127.0.0.1", "registry.example", "other.example"];
    settings.own_servers = own.map(str::to_owned).into();
    settings.root_certificates = servers::ROOT.to_vec();
    settings
}

/// The same with little time.
fn hurried() -> Settings {
    let mut settings = settings();
    settings.limits.whole = SOON;
    settings.limits.line = SOON;
    settings
}

fn with_resolver(resolver: SocketAddr) -> Settings {
    Settings {
        resolver: Some(resolver),
        ..settings()
    }
}

fn get(url: &str) -> Request {
    Request::Http {
        method: Method::Get,
        url: url.to_owned(),
        headers: vec![("Accept", "application/json".to_owned())],
        key: None,
    }
}

fn ask(settings: Settings, source: OnlineSource, request: &Request) -> Enrichment {
    ask_all(settings, source, std::slice::from_ref(request))
}

/// One after the other, as long as there is a reply to each.
fn ask_all(settings: Settings, source: OnlineSource, requests: &[Request]) -> Enrichment {
    let network = Network::new(settings, now).unwrap();
    let question = Question::Name("question.example".to_owned());
    let next = |replies: &[model::Reply]| requests.get(replies.len()).cloned();
    let enrichment = network.converse(source, &question, &next, &|| false);
    enrichment.unwrap()
}

fn failure(settings: Settings, request: &Request) -> Failure {
    ask(settings, OnlineSource::Hashlookup, request)
        .failure
        .unwrap()
}

/// What came, as `status from host: body`; or why nothing did.
#[track_caller]
fn check(enrichment: &Enrichment, expected: &str) {
    assert_eq!(said(enrichment), expected);
}

fn said(enrichment: &Enrichment) -> String {
    if let Some(failure) = &enrichment.failure {
        return format!("{failure:?}");
    }
    let reply = enrichment.replies.last().unwrap();
    let body = String::from_utf8_lossy(&reply.bytes);
    match reply.status {
        Some(status) => format!("{status} from {}: {body}", reply.host),
        None => format!("from {}: {body}", reply.host),
    }
}

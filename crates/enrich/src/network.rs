//! The only place that opens a connection to somebody else: carries out the requests of `sources`.
//! A question and what a person has set go in; what came, or why nothing did, comes out.
//!
//! The C library's resolver is never asked: names go to the resolver that was chosen, or to the proxy.
//! A way that was set and does not work is an answer; nothing is then asked in another way.

pub mod answer;
mod channel;
mod deadline;
mod dns;
mod line;
mod pace;
mod proxy;
mod redirect;
mod refused;
mod resolve;
mod retry;
mod route;
mod settings;
mod tls;
mod url;
mod visit;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use model::{Enrichment, Failure, OnlineSource, Question, Reply, Timestamp};
use rustls::ClientConfig;

use self::deadline::{Deadline, End, pause};
use self::pace::Paces;
use self::resolve::Known;
pub use self::settings::{Limits, Login, Proxy, ProxyKind, Settings};
use crate::sources::{self, Conversation, Request};

/// No source needs more than a few; one that answers on and on is left.
const MOST_REQUESTS: usize = 8;

/// The way to all sources, as a person has set it.
///
/// It may be shared between threads; how often each source is asked counts for all of them together.
pub struct Network {
    settings: Settings,
    now: fn() -> Timestamp,
    tls: Arc<ClientConfig>,
    paces: Mutex<Paces>,
    known: Mutex<Known>,
    /// By their place.
    lists: Mutex<HashMap<String, Reply>>,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the root certificates: {0}")]
    Certificates(String),
}

impl Network {
    /// `now` tells the time of day: answers carry it, and certificates are held against it.
    ///
    /// Errors: the further root certificates are none.
    pub fn new(settings: Settings, now: fn() -> Timestamp) -> Result<Self, Error> {
        let tls = tls::config(&settings.root_certificates, now).map_err(Error::Certificates)?;
        Ok(Self {
            settings,
            now,
            tls: Arc::new(tls),
            paces: Mutex::default(),
            known: Mutex::default(),
            lists: Mutex::default(),
        })
    }

    /// Asks one source one question, as often as it takes. `stop` is asked several times a second.
    ///
    /// `None`: it was stopped, and there is nothing to keep. A failure beside replies: those came
    /// before it.
    pub fn ask(
        &self,
        source: OnlineSource,
        question: &Question,
        stop: &dyn Fn() -> bool,
    ) -> Option<Enrichment> {
        let base = self.settings.bases.get(&source).map(String::as_str);
        let next = |replies: &[Reply]| {
            let conversation = Conversation {
                question,
                replies,
                base,
            };
            sources::next(source, conversation)
        };
        self.converse(source, question, &next, stop)
    }

    /// The same with the requests of somebody else; `next` is given what came so far.
    pub fn converse(
        &self,
        source: OnlineSource,
        question: &Question,
        next: &dyn Fn(&[Reply]) -> Option<Request>,
        stop: &dyn Fn() -> bool,
    ) -> Option<Enrichment> {
        let mut replies = Vec::new();
        let mut failure = None;
        while let Some(request) = next(&replies).filter(|_| replies.len() < MOST_REQUESTS) {
            match self.send(source, &request, replies.is_empty(), stop) {
                Ok(reply) => replies.push(reply),
                Err(End::Stopped) => return None,
                Err(End::Failed(why)) => {
                    failure = Some(why);
                    break;
                }
            }
        }
        if replies.is_empty() && failure.is_none() {
            failure = Some(Failure::NobodyToAsk);
        }
        Some(Enrichment {
            source,
            question: question.clone(),
            asked: (self.now)(),
            replies,
            failure,
        })
    }

    fn send(
        &self,
        source: OnlineSource,
        request: &Request,
        is_first: bool,
        stop: &dyn Fn() -> bool,
    ) -> Result<Reply, End> {
        match request {
            Request::Http {
                method,
                url,
                headers,
                key,
            } => {
                // A whole list answers all questions; whoever keeps it does not learn how many there are.
                let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(known) = lists.get(url) {
                    return Ok(known.clone());
                }
                drop(lists);
                let visit = visit::Visit {
                    source,
                    method,
                    headers,
                    key: *key,
                    is_first,
                };
                let reply = self.visit(&visit, url, stop)?;
                if source.is_list() && reply.status == Some(200) {
                    lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
                    lists.insert(url.clone(), reply.clone());
                }
                Ok(reply)
            }
            Request::Line { host, port, line } => {
                self.line(source, (host, *port), line, is_first, stop)
            }
            Request::Dns { name, kind } => {
                self.wait_for_turn(source, source.word(), stop)?;
                let deadline = Deadline::new(self.settings.limits.whole, stop);
                self.question(source, name, *kind, deadline)
            }
        }
    }

    /// Waits until `host` may be asked again.
    fn wait_for_turn(
        &self,
        source: OnlineSource,
        host: &str,
        stop: &dyn Fn() -> bool,
    ) -> Result<(), End> {
        // Somebody in this network bears it, and a person has named it.
        let is_near = host.parse().is_ok_and(|ip| refused::address(ip).is_some());
        if is_near && self.settings.is_own_host(host) {
            return Ok(());
        }
        let wait = {
            let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
            paces.take(source, host, Instant::now())
        };
        pause(wait, stop)
    }

    /// How many bytes of an answer are read.
    fn most_bytes(&self, source: OnlineSource) -> usize {
        if source.is_list() {
            self.settings.limits.list_bytes
        } else {
            self.settings.limits.answer_bytes
        }
    }

    fn most_time(&self, source: OnlineSource) -> Duration {
        if source.is_list() {
            self.settings.limits.list
        } else {
            self.settings.limits.whole
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Network");
        shown
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

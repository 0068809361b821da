//! Names of hosts into addresses, by the resolver that was chosen.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use model::Failure;

use super::Network;
use super::deadline::{Deadline, End};
use super::dns;
use crate::sources::RecordKind;
use crate::sources::dns_message::{self, Record};

/// How long an answer is kept, whatever it says of that.
const KEPT: Duration = Duration::from_secs(300);
const MOST_KEPT: usize = 1000;

/// Hosts and when they were resolved.
pub(super) type Known = BTreeMap<String, (Instant, Vec<IpAddr>)>;

impl Network {
    /// All addresses of `host`, at least one.
    ///
    /// Errors: stopped, or [`Failure::NotResolved`].
    pub(super) fn resolve(&self, host: &str, deadline: Deadline<'_>) -> Result<Vec<IpAddr>, End> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((when, addresses)) = known().get(host)
            && when.elapsed() < KEPT
        {
            return Ok(addresses.clone());
        }
        let addresses = self.ask_addresses(host, deadline)?;
        let mut known = known();
        if known.len() >= MOST_KEPT {
            known.clear();
        }
        known.insert(host.to_owned(), (Instant::now(), addresses.clone()));
        Ok(addresses)
    }

    fn ask_addresses(&self, host: &str, deadline: Deadline<'_>) -> Result<Vec<IpAddr>, End> {
        let not = |why: &str| End::from(Failure::NotResolved(format!("{host}: {why}")));
        let Some(resolver) = self.settings.resolver else {
            return Err(not(
                "no resolver was chosen, and this computer's own is not asked",
            ));
        };
        let mut addresses = Vec::new();
        let mut code = 0;
        for kind in [RecordKind::A, RecordKind::Aaaa] {
            let asked = dns::ask(
                resolver,
                host,
                kind,
                self.settings.limits.resolver,
                deadline,
            );
            let message = match asked {
                Ok(message) => message,
                Err(End::Stopped) => return Err(End::Stopped),
                // What the first question gave is enough.
                Err(End::Failed(_)) if !addresses.is_empty() => break,
                Err(End::Failed(Failure::TimedOut(after))) => {
                    let after = after.as_secs_f32();
                    return Err(not(&format!(
                        "the resolver {resolver} did not answer within {after} s"
                    )));
                }
                Err(End::Failed(Failure::Unreachable(why) | Failure::Unreadable(why))) => {
                    return Err(not(&format!("the resolver {resolver}: {why}")));
                }
                Err(End::Failed(_)) => {
                    return Err(not(&format!("the resolver {resolver} gave no answer")));
                }
            };
            let Some(message) = dns_message::read(&message, kind) else {
                return Err(not(&format!(
                    "the resolver {resolver} gave no answer of DNS"
                )));
            };
            code = message.response_code;
            addresses.extend(
                message
                    .records
                    .into_iter()
                    .filter_map(|record| match record {
                        Record::Address(address) => Some(address),
                        Record::Pointer(_) | Record::Text(_) => None,
                    }),
            );
            if code != 0 {
                break;
            }
        }
        if addresses.is_empty() {
            return Err(match code {
                0 => not("it has no address"),
                3 => not("there is no such name"),
                code => not(&format!("the resolver {resolver} answers with code {code}")),
            });
        }
        Ok(addresses)
    }
}

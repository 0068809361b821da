//! The words for what others answered.

use model::{Failure, OnlineSource, Standing, Text, Timestamp};

use crate::quantity::{bytes, duration};
use crate::visible::{visible, visible_str};

pub(crate) const ABOUT: &str = "asked about";
pub(crate) const ANNOUNCED_BY: &str = "announced by";
pub(crate) const HOLDER: &str = "holder";
pub(crate) const LINK: &str = "to read on";
pub(crate) const NAME: &str = "name";
pub(crate) const NOT_TOLD: &str = "the registry names none";
pub(crate) const REGISTRY: &str = "registry";
pub(crate) const STANDING: &str = "opinion";
pub(crate) const ABOUT_OTHERS: &str =
    "an answer about other addresses than those that were asked about: not believed";
pub(crate) const REDACTED: &str = "The registry has left something out (privacy).";
pub(crate) const OPINIONS_ARE_SIGNS: &str = "What others say is a sign and no proof; that they know nothing \
    of it says nothing.";
pub(crate) const HOLDER_IS_NOT_USER: &str = "The holder of an address need not be who uses it.";

/// Who answered, from where, and when.
pub(crate) fn source(title: &str, host: Option<&str>, asked: &str) -> String {
    match host {
        Some(host) => format!("{title} ({host}, {asked})"),
        None => format!("{title} ({asked})"),
    }
}

/// UTC, to the second.
pub(crate) fn second(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => text,
    }
}

pub(crate) fn day(time: Timestamp) -> String {
    let text = time.to_string();
    text.split('T').next().unwrap_or_default().to_owned()
}

pub(crate) fn seen(first: &str, last: &str) -> String {
    if first == last {
        first.to_owned()
    } else {
        format!("{first} to {last}")
    }
}

pub(crate) fn more(count: usize) -> String {
    format!("and {count} more")
}

pub(crate) fn only_the_name(name: &str) -> String {
    format!("no organisation is named; the entry is called {name}")
}

pub(crate) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Bad => "BAD: listed as harmful there",
        Standing::Doubtful => "doubtful: some of it speaks against it",
        Standing::Neutral => "none: facts only",
        Standing::Common => "common and known; that is not the same as harmless",
    }
}

pub(crate) fn no_data(source: OnlineSource) -> String {
    let text = if source == OnlineSource::ReverseDns {
        "has no name for it"
    } else if source.is_list() {
        "not on the list as it is today; that says nothing of other days"
    } else {
        "knows nothing of it; that does not make it harmless"
    };
    text.to_owned()
}

fn with(text: &str, more: Option<&Text>) -> String {
    match more.filter(|it| !it.is_empty()) {
        Some(more) => format!("{text}: {}", visible(more)),
        None => text.to_owned(),
    }
}

/// A sentence for a person: what happened, and what helps.
pub(crate) fn failed(failure: &Failure) -> String {
    match failure {
        Failure::TimedOut(time) => format!("no answer: nothing came for {}", duration(*time)),
        Failure::AskedTooOften(None) => {
            "no answer: it wants to be asked less often; try again later".to_owned()
        }
        Failure::AskedTooOften(Some(time)) => format!(
            "no answer: it wants to be asked less often; try again in {}",
            duration(*time)
        ),
        Failure::Status(status, why) => with(
            &format!("no answer: it said {status} in its place"),
            why.as_ref(),
        ),
        Failure::Refused(why) => with("no answer: it does not take the key", why.as_ref()),
        Failure::Unreadable(why) => {
            format!("an answer that cannot be read: {}", visible_str(why))
        }
        Failure::TooLarge(most) => format!(
            "an answer of more than {}: not read",
            bytes(u64::try_from(*most).unwrap_or(u64::MAX))
        ),
        Failure::Cut => "no answer: the connection ended in the middle of it".to_owned(),
        Failure::Redirected { to, why } => format!(
            "no answer: it sends on to {}, which was not followed: {}",
            visible_str(to),
            visible_str(why)
        ),
        Failure::Certificate(why) => format!(
            "no answer: its certificate does not show that it is who it should be ({})",
            visible_str(why)
        ),
        Failure::Unreachable(why) => format!("cannot be reached: {}", visible_str(why)),
        Failure::Proxy(why) => format!(
            "cannot be reached through the proxy ({}); it was not asked directly",
            visible_str(why)
        ),
        Failure::NotResolved(why) => format!("its name cannot be resolved: {}", visible_str(why)),
        Failure::NobodyToAsk => "no registry is named for it".to_owned(),
        Failure::NoKey => "not asked: it wants a key (--keys)".to_owned(),
    }
}

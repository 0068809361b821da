//! Names that were asked for: what was answered, and what followed.

use std::fmt::Display;

use super::counted;

// What was answered.

pub(crate) const NO_ANSWER: &str = "no answer seen";
pub(crate) const NO_ADDRESS: &str = "no address";

/// The code of an answer that is no success (RFC 1035, 4.1.1).
pub(crate) fn error(code: u8) -> String {
    match code {
        1 => "question not understood".to_owned(),
        2 => "server failed".to_owned(),
        3 => "no such name".to_owned(),
        4 => "kind of question not known".to_owned(),
        5 => "refused".to_owned(),
        code => format!("error {code}"),
    }
}

/// `203.0.113.9 +2`.
pub(crate) fn first_of(address: impl Display, more: usize) -> String {
    match more {
        0 => address.to_string(),
        more => format!("{address} +{more}"),
    }
}

// What followed.

pub(crate) const NOT_CALLED: &str = "no call";
pub(crate) const ADDRESS_CALLED: &str = "address called";

pub(crate) fn calls(all: u64, failed: u64) -> String {
    let calls = counted(all, "call", "calls");
    match failed {
        0 => calls,
        failed => format!("{calls}, {failed} failed"),
    }
}

// Details.

pub(crate) fn name(name: &str) -> String {
    format!("Name  {name}")
}

pub(crate) fn asked_by(who: &str) -> String {
    format!("Asked for by {who}")
}

/// Over the connections that followed.
pub(crate) const CALLS: &str = "Calls to it after it was asked for";

pub(crate) const NAME: &str = "name";
pub(crate) const WAY: &str = "asked over";
pub(crate) const ASKED: &str = "asked";
pub(crate) const ANSWERS: &str = "answers";

pub(crate) const OVER_DNS: &str = "DNS";
pub(crate) const OVER_RESOLVER: &str = "the resolver of this computer, without a packet";
pub(crate) const OVER_MDNS: &str = "DNS among neighbours (mDNS)";
pub(crate) const OVER_LLMNR: &str = "DNS among neighbours (LLMNR)";

pub(crate) fn times(times: u64) -> String {
    counted(times, "time", "times")
}

pub(crate) fn answers(all: u64, no_such_name: u64, failed: u64, newest: &str) -> String {
    match all {
        0 => NO_ANSWER.to_owned(),
        all => format!(
            "{all}, {no_such_name} of them no such name, {failed} failed; the newest: {newest}"
        ),
    }
}

pub(crate) const NOBODY_CALLED: &str = "no call to this name or to these addresses was seen";
pub(crate) const CALLED_OTHERWISE: &str = "no call to this name was seen after it was asked for; an address of it was called under \
     another name, or before";

//! Whom a person can ask, as plain code over what came so far: what to send next, and what it all says.
//! One file for each source. Nothing here asks; `network` does, where it is built in.

mod abuse_ch;
mod abuseipdb;
mod cymru;
pub(crate) mod dns_message;
mod drop;
mod facts;
mod feodo;
mod gone;
mod greynoise;
mod hashlookup;
mod http;
mod internetdb;
mod ipinfo;
mod learns;
mod link;
mod listed;
mod malware_hashes;
mod members;
mod otx;
mod passive_dns;
mod place;
mod rdap;
mod registries;
mod request;
mod reverse;
mod reverse_dns;
mod threatfox;
mod tor_exits;
mod urlhaus;
mod virustotal;
mod whois;

use model::{Enrichment, OnlineSource, Question, Reply, Said};

pub use self::gone::{GONE, Gone, gone};
pub use self::learns::{Learns, Risk, key_place, learns, needs_key};
pub use self::link::link;
pub use self::request::{Key, KeyPlace, Method, RecordKind, Request};
pub use self::whois::without_asker;

/// A conversation with one source.
#[derive(Clone, Copy, Debug)]
pub struct Conversation<'of> {
    pub question: &'of Question,
    /// What came so far.
    pub replies: &'of [Reply],
    /// Another place than the usual one, as a person has set it: an URL that ends in `/`, for WHOIS
    /// `host:port`.
    pub base: Option<&'of str>,
}

/// What to send to a source next. `None`: it has said all, or such things cannot be asked of it.
pub fn next(source: OnlineSource, conversation: Conversation<'_>) -> Option<Request> {
    let next = match source {
        OnlineSource::Rdap => rdap::next,
        OnlineSource::Whois => whois::next,
        OnlineSource::ReverseDns => reverse_dns::next,
        OnlineSource::Cymru => cymru::next,
        OnlineSource::VirusTotal => virustotal::next,
        OnlineSource::AbuseIpDb => abuseipdb::next,
        OnlineSource::GreyNoise => greynoise::next,
        OnlineSource::Otx => otx::next,
        OnlineSource::ThreatFox => threatfox::next,
        OnlineSource::UrlHaus => urlhaus::next,
        OnlineSource::InternetDb => internetdb::next,
        OnlineSource::Hashlookup => hashlookup::next,
        OnlineSource::PassiveDns => passive_dns::next,
        OnlineSource::MalwareHashes => malware_hashes::next,
        OnlineSource::IpInfo => ipinfo::next,
        OnlineSource::TorExits => tor_exits::next,
        OnlineSource::Drop => drop::next,
        OnlineSource::Feodo => feodo::next,
    };
    next(conversation)
}

/// Whether such a thing can be asked of it.
pub fn takes(source: OnlineSource, question: &Question) -> bool {
    let begin = Conversation {
        question,
        replies: &[],
        base: None,
    };
    next(source, begin).is_some()
}

/// Whether IANA names it as the server of a registry of addresses.
#[cfg(feature = "network")]
pub(crate) fn is_registry(host: &str) -> bool {
    rdap::bootstrap::of_host(host).is_some()
}

/// What a source says by what came from it.
pub fn read(source: OnlineSource, question: &Question, replies: &[Reply]) -> Said {
    let read = match source {
        OnlineSource::Rdap => rdap::read,
        OnlineSource::Whois => whois::read,
        OnlineSource::ReverseDns => reverse_dns::read,
        OnlineSource::Cymru => cymru::read,
        OnlineSource::VirusTotal => virustotal::read,
        OnlineSource::AbuseIpDb => abuseipdb::read,
        OnlineSource::GreyNoise => greynoise::read,
        OnlineSource::Otx => otx::read,
        OnlineSource::ThreatFox => threatfox::read,
        OnlineSource::UrlHaus => urlhaus::read,
        OnlineSource::InternetDb => internetdb::read,
        OnlineSource::Hashlookup => hashlookup::read,
        OnlineSource::PassiveDns => passive_dns::read,
        OnlineSource::MalwareHashes => malware_hashes::read,
        OnlineSource::IpInfo => ipinfo::read,
        OnlineSource::TorExits => tor_exits::read,
        OnlineSource::Drop => drop::read,
        OnlineSource::Feodo => feodo::read,
    };
    read(question, replies)
}

/// What came of it: the answer, or why there is none. What came before a failure counts where it is an
/// answer by itself.
pub fn said(enrichment: &Enrichment) -> Said {
    let Enrichment {
        source,
        question,
        replies,
        failure,
        ..
    } = enrichment;
    let Some(failure) = failure else {
        return read(*source, question, replies);
    };
    if replies.is_empty() {
        return Said::Failed(failure.clone());
    }
    match read(*source, question, replies) {
        Said::NoData | Said::Failed(_) => Said::Failed(failure.clone()),
        said @ (Said::Registration(_) | Said::Announced(_) | Said::Names(_) | Said::Opinion(_)) => {
            said
        }
    }
}

#[cfg(test)]
mod tests;

//! Who learns what when a source is asked, for people to read before they ask; and which of them want
//! a key. To ask with a key is to sign the question.

use model::{OnlineSource, Question};

use super::KeyPlace;
use super::{abuse_ch, abuseipdb, greynoise, ipinfo, otx, passive_dns, virustotal};

/// What asking gives away, in plain words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learns {
    pub receiver: &'static str,
    pub what: &'static str,
    pub risk: Risk,
}

/// How likely it is that somebody learns of it who should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// Somebody who is asked such things all day, and has no part in it.
    Low,
    /// A company and its customers, or somebody in between; many questions together show the case.
    Medium,
    /// Perhaps the attacker.
    High,
}

impl Risk {
    /// The word of the public contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

const LIST: &str = "that somebody at your address fetches this list; not what you look for in it";
const ADDRESS: &str = "the address, and that your address asked";
const ADDRESS_WITH_KEY: &str = "the address, and that the holder of your key asked";
const NAME: &str = "the name, and that your address asked";
const NAME_WITH_KEY: &str = "the name, and that the holder of your key asked";
const HASH: &str = "that this file exists with you; your address. If no other computer has the file, whoever watches for its hash learns that it was found";
const HASH_WITH_KEY: &str = "that this file exists with the holder of your key. If no other computer has the file, whoever watches for its hash learns that it was found";

/// What asking this of them gives away.
pub fn learns(source: OnlineSource, question: &Question) -> Learns {
    let of = |receiver, what, risk| Learns {
        receiver,
        what,
        risk,
    };
    let of_company = |receiver| {
        let what = match (question, needs_key(source)) {
            (Question::Address(_) | Question::Network(_), true) => ADDRESS_WITH_KEY,
            (Question::Address(_) | Question::Network(_), false) => ADDRESS,
            (Question::Name(_), true) => NAME_WITH_KEY,
            (Question::Name(_), false) => NAME,
            (Question::Hash(_), true) => HASH_WITH_KEY,
            (Question::Hash(_), false) => HASH,
        };
        of(receiver, what, Risk::Medium)
    };
    let is_name = matches!(question, Question::Name(_));
    match source {
        OnlineSource::Rdap if is_name => of("the registry of the name", NAME, Risk::Medium),
        OnlineSource::Rdap => of("the registry of the address", ADDRESS, Risk::Low),
        OnlineSource::Whois if is_name => of(
            "the registry of the name, and everybody on the way, for it is not encrypted",
            NAME,
            Risk::Medium,
        ),
        OnlineSource::Whois => of(
            "the registry of the address, and everybody on the way, for it is not encrypted",
            ADDRESS,
            Risk::Low,
        ),
        OnlineSource::ReverseDns => of(
            "your resolver, and whoever runs the reverse zone: often the hoster, perhaps the attacker",
            "the exact address, when, and from which resolver",
            Risk::High,
        ),
        OnlineSource::Cymru => of(
            "your resolver, and Team Cymru through it",
            "the address, and which resolver asked",
            Risk::Low,
        ),
        OnlineSource::MalwareHashes => of(
            "your resolver, Team Cymru through it, and everybody on the way, for it is not encrypted",
            "that this file exists behind that resolver. If no other computer has the file, whoever watches for its hash learns that it was found",
            Risk::Medium,
        ),
        OnlineSource::VirusTotal => of_company("VirusTotal (Google), its partners and customers"),
        OnlineSource::AbuseIpDb => of_company("AbuseIPDB"),
        OnlineSource::GreyNoise => of_company("GreyNoise"),
        OnlineSource::Otx => of_company("LevelBlue (AlienVault OTX)"),
        OnlineSource::ThreatFox | OnlineSource::UrlHaus => of_company("abuse.ch and Spamhaus"),
        OnlineSource::InternetDb => of_company("Shodan"),
        OnlineSource::Hashlookup => of_company("CIRCL, the response team of Luxembourg"),
        OnlineSource::PassiveDns => of_company("CIRCL, the response team of Luxembourg"),
        OnlineSource::IpInfo => of_company("ipinfo"),
        OnlineSource::TorExits => of("the Tor Project", LIST, Risk::Low),
        OnlineSource::Drop => of("Spamhaus", LIST, Risk::Low),
        OnlineSource::Feodo => of("abuse.ch", LIST, Risk::Low),
    }
}

/// Whether it is of no use without one.
pub fn needs_key(source: OnlineSource) -> bool {
    key_place(source).is_some() && source != OnlineSource::GreyNoise
}

/// Where its key goes. `None`: it takes none.
pub fn key_place(source: OnlineSource) -> Option<KeyPlace> {
    match source {
        OnlineSource::VirusTotal => Some(virustotal::KEY),
        OnlineSource::AbuseIpDb => Some(abuseipdb::KEY),
        OnlineSource::GreyNoise => Some(greynoise::KEY),
        OnlineSource::Otx => Some(otx::KEY),
        OnlineSource::ThreatFox | OnlineSource::UrlHaus => Some(abuse_ch::KEY),
        OnlineSource::PassiveDns => Some(passive_dns::KEY),
        OnlineSource::IpInfo => Some(ipinfo::KEY),
        OnlineSource::Rdap
        | OnlineSource::Whois
        | OnlineSource::ReverseDns
        | OnlineSource::Cymru
        | OnlineSource::InternetDb
        | OnlineSource::Hashlookup
        | OnlineSource::MalwareHashes
        | OnlineSource::TorExits
        | OnlineSource::Drop
        | OnlineSource::Feodo => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{begin, question};
    use super::super::{Request, next};
    use super::*;

    const HASH_OF_NOTHING: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

    #[test]
    fn a_key_goes_where_the_request_wants_it() {
        for source in OnlineSource::ALL {
            for asked in ["1.1.1.1", "gist.github.com", HASH_OF_NOTHING] {
                let Some(Request::Http { key, .. }) = next(source, begin(&question(asked))) else {
                    continue;
                };
                assert_eq!(key, key_place(source), "{source:?} {asked}");
            }
        }
    }

    #[test]
    fn everybody_who_learns_something_is_named() {
        for source in OnlineSource::ALL {
            for asked in ["1.1.1.1", "gist.github.com", HASH_OF_NOTHING] {
                let learns = learns(source, &question(asked));
                assert!(!learns.receiver.is_empty() && !learns.what.is_empty());
                let is_signed = learns.what.contains("your key");
                assert_eq!(is_signed, needs_key(source), "{source:?} {asked}");
                assert_eq!(learns.what == LIST, source.is_list(), "{source:?}");
            }
        }
    }

    #[test]
    fn only_who_may_be_the_attacker_is_a_high_risk() {
        for source in OnlineSource::ALL {
            let learns = learns(source, &question("1.1.1.1"));
            let is_high = source == OnlineSource::ReverseDns;
            assert_eq!(learns.risk == Risk::High, is_high, "{source:?}");
        }
    }
}

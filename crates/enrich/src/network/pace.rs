//! How often each source is asked. No clock: the time is passed in.
//!
//! Where a source publishes no number, this one is our own and rather low.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use model::OnlineSource;

/// So many within so long, wherever one begins to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pace {
    most: usize,
    within: Duration,
}

const fn pace(most: usize, seconds: u64) -> Pace {
    Pace {
        most,
        within: Duration::from_secs(seconds),
    }
}

/// What was taken so far.
#[derive(Debug, Default)]
pub(super) struct Paces(BTreeMap<String, VecDeque<Instant>>);

impl Paces {
    /// Takes the next turn; how long to wait for it.
    pub(super) fn take(&mut self, source: OnlineSource, host: &str, now: Instant) -> Duration {
        let (pace, who) = if is_registration(source) {
            (of_host(host), host)
        } else {
            (of_source(source), source.word())
        };
        let turns = self.0.entry(who.to_owned()).or_default();
        let turn = if turns.len() < pace.most {
            now
        } else {
            let oldest = turns.pop_front();
            oldest.map_or(now, |oldest| now.max(oldest + pace.within))
        };
        turns.push_back(turn);
        turn.saturating_duration_since(now)
    }
}

fn is_registration(source: OnlineSource) -> bool {
    matches!(source, OnlineSource::Rdap | OnlineSource::Whois)
}

/// Registries of addresses bear more than those of names and their registrars.
fn of_host(host: &str) -> Pace {
    let is_below = |domain: &str| {
        let above = host.strip_suffix(domain);
        above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if [
        "arin.net",
        "ripe.net",
        "apnic.net",
        "afrinic.net",
        "iana.org",
    ]
    .iter()
    .any(|it| is_below(it))
    {
        pace(5, 5)
    } else if ["lacnic.net", "registro.br"].iter().any(|it| is_below(it)) {
        // It said ten a minute once, and blocks for five minutes.
        pace(6, 60)
    } else {
        pace(1, 10)
    }
}

fn of_source(source: OnlineSource) -> Pace {
    match source {
        OnlineSource::VirusTotal => pace(4, 60),
        OnlineSource::InternetDb | OnlineSource::GreyNoise => pace(1, 1),
        OnlineSource::TorExits | OnlineSource::Drop | OnlineSource::Feodo => pace(1, 10),
        OnlineSource::ReverseDns | OnlineSource::Cymru | OnlineSource::MalwareHashes => pace(10, 5),
        OnlineSource::Rdap
        | OnlineSource::Whois
        | OnlineSource::AbuseIpDb
        | OnlineSource::Otx
        | OnlineSource::ThreatFox
        | OnlineSource::UrlHaus
        | OnlineSource::Hashlookup
        | OnlineSource::PassiveDns
        | OnlineSource::IpInfo => pace(5, 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds from the first to each of many turns that are wanted at once.
    fn turns(source: OnlineSource, host: &str, count: usize) -> Vec<u64> {
        let (mut paces, now) = (Paces::default(), Instant::now());
        let turns = (0..count).map(|_| paces.take(source, host, now).as_secs());
        turns.collect()
    }

    #[test]
    fn nobody_is_asked_more_often_than_it_bears() {
        let expected = [0, 0, 0, 0, 60, 60, 60, 60, 120];
        assert_eq!(turns(OnlineSource::VirusTotal, "any", 9), expected);
        let expected = [0, 0, 0, 0, 0, 0, 60];
        assert_eq!(turns(OnlineSource::Rdap, "rdap.lacnic.net", 7), expected);
        let expected = [0, 0, 0, 0, 0, 5];
        assert_eq!(turns(OnlineSource::Whois, "whois.ripe.net", 6), expected);
        assert_eq!(
            turns(OnlineSource::Rdap, "rdap.registrar.example", 3),
            [0, 10, 20]
        );
        assert_eq!(turns(OnlineSource::Rdap, "notarin.net", 2), [0, 10]);
    }

    #[test]
    fn a_turn_is_free_again_after_its_time() {
        let (mut paces, begin) = (Paces::default(), Instant::now());
        let mut take = |seconds: u64| {
            let now = begin + Duration::from_secs(seconds);
            paces.take(OnlineSource::VirusTotal, "", now).as_secs()
        };
        assert_eq!([take(0), take(10), take(20), take(30)], [0; 4]);
        assert_eq!(take(61), 0);
        assert_eq!(take(62), 8);
        assert_eq!(take(1000), 0);
    }

    #[test]
    fn hosts_do_not_wait_for_each_other() {
        let (mut paces, now) = (Paces::default(), Instant::now());
        for host in ["one.example", "two.example"] {
            assert_eq!(paces.take(OnlineSource::Rdap, host, now), Duration::ZERO);
        }
    }
}

//! Sources that people still look for, and that are no more.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    pub name: &'static str,
    /// Other words that are typed for it, in small letters and digits alone.
    pub aliases: &'static [&'static str],
    pub what_happened: &'static str,
    pub instead: &'static str,
}

pub const GONE: &[Gone] = &[
    Gone {
        name: "RiskIQ PassiveTotal",
        aliases: &["riskiq", "passivetotal", "riskiqpassivetotal"],
        what_happened: "bought by Microsoft; its servers answer no more",
        instead: "Microsoft Defender Threat Intelligence, with a licence and on its own web pages. Here: pdns and rdap for the same questions",
    },
    Gone {
        name: "ThreatMiner",
        aliases: &["threatminer"],
        what_happened: "gives web pages and broken answers instead of data since July 2025",
        instead: "otx and virustotal",
    },
    Gone {
        name: "ThreatCrowd",
        aliases: &["threatcrowd"],
        what_happened: "closed",
        instead: "otx, which its makers point to",
    },
    Gone {
        name: "Webnet77",
        aliases: &["webnet77", "software77"],
        what_happened: "its list of countries is kept no more",
        instead: "the tables within whocalls (lookup without --online), and rdap",
    },
    Gone {
        name: "Spamhaus EDROP",
        aliases: &["edrop", "spamhausedrop"],
        what_happened: "became part of DROP on 2024-04-10",
        instead: "drop",
    },
];

/// What became of a source that a person names. `None`: it is none of these.
pub fn gone(word: &str) -> Option<&'static Gone> {
    let letters = word.chars().filter(char::is_ascii_alphanumeric);
    let word: String = letters.map(|it| it.to_ascii_lowercase()).collect();
    GONE.iter()
        .find(|gone| gone.aliases.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use model::OnlineSource;

    use super::*;

    fn check(word: &str, expected: Option<&str>) {
        assert_eq!(gone(word).map(|it| it.name), expected, "{word}");
    }

    #[test]
    fn they_are_found_however_they_are_typed() {
        check("riskiq", Some("RiskIQ PassiveTotal"));
        check("RiskIQ", Some("RiskIQ PassiveTotal"));
        check("Passive-Total", Some("RiskIQ PassiveTotal"));
        check("threat_miner", Some("ThreatMiner"));
        check("threatcrowd", Some("ThreatCrowd"));
        check("webnet77", Some("Webnet77"));
        check("EDROP", Some("Spamhaus EDROP"));
        check("", None);
        check("virus", None);
    }

    #[test]
    fn what_is_gone_is_none_of_those_that_are_asked() {
        for source in OnlineSource::ALL {
            check(source.word(), None);
            check(source.title(), None);
        }
        for gone in GONE {
            assert!(
                gone.aliases
                    .iter()
                    .all(|alias| super::gone(alias) == Some(gone))
            );
        }
    }
}

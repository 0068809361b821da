//! The page on which a person finds the answer to the same question.

use model::{OnlineSource, Question};

use super::place::encoded;
use super::{hashlookup, otx, takes, urlhaus};

/// `None`: there is none, or such things cannot be asked there; registries name their own page in the
/// answer. To open it asks them, and tells them as much as a look-up does, and more: a browser.
pub fn link(source: OnlineSource, question: &Question) -> Option<String> {
    if !takes(source, question) {
        return None;
    }
    let what = match question {
        Question::Address(address) => encoded(&address.to_canonical().to_string()),
        Question::Network(network) => encoded(&network.to_string()),
        Question::Name(name) => encoded(name),
        Question::Hash(hash) => hash.to_string(),
    };
    Some(match source {
        OnlineSource::VirusTotal => {
            let kind = match question {
                Question::Address(_) | Question::Network(_) => "ip-address",
                Question::Name(_) => "domain",
                Question::Hash(_) => "file",
            };
            format!("https://www.virustotal.com/gui/{kind}/{what}")
        }
        OnlineSource::AbuseIpDb => format!("https://www.abuseipdb.com/check/{what}"),
        OnlineSource::GreyNoise => format!("https://viz.greynoise.io/ip/{what}"),
        OnlineSource::Otx => {
            let (kind, what) = otx::section(question)?;
            let kind = if kind.starts_with("IP") { "ip" } else { kind };
            format!("https://otx.alienvault.com/indicator/{kind}/{what}")
        }
        OnlineSource::ThreatFox => {
            format!("https://threatfox.abuse.ch/browse.php?search=ioc%3A{what}")
        }
        OnlineSource::UrlHaus => {
            let host = urlhaus::host(question)?;
            format!("https://urlhaus.abuse.ch/host/{}/", encoded(&host))
        }
        OnlineSource::InternetDb => format!("https://www.shodan.io/host/{what}"),
        OnlineSource::Hashlookup => {
            format!(
                "https://hashlookup.circl.lu/{}",
                hashlookup::path(question)?
            )
        }
        OnlineSource::IpInfo => format!("https://ipinfo.io/{what}"),
        OnlineSource::TorExits if matches!(question, Question::Address(_)) => {
            format!("https://metrics.torproject.org/rs.html#search/{what}")
        }
        OnlineSource::Drop => format!("https://check.spamhaus.org/results?query={what}"),
        OnlineSource::Feodo if matches!(question, Question::Address(_)) => {
            format!("https://feodotracker.abuse.ch/browse/host/{what}/")
        }
        OnlineSource::Rdap
        | OnlineSource::Whois
        | OnlineSource::ReverseDns
        | OnlineSource::Cymru
        | OnlineSource::PassiveDns
        | OnlineSource::MalwareHashes
        | OnlineSource::TorExits
        | OnlineSource::Feodo => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::question;
    use super::*;

    #[test]
    fn each_link_is_to_the_same_question() {
        let hash = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
        for (source, asked, expected) in [
            (
                OnlineSource::VirusTotal,
                "1.1.1.1",
                Some("https://www.virustotal.com/gui/ip-address/1.1.1.1"),
            ),
            (
                OnlineSource::VirusTotal,
                "gist.github.com",
                Some("https://www.virustotal.com/gui/domain/gist.github.com"),
            ),
            (
                OnlineSource::Hashlookup,
                hash,
                Some(
                    "https://hashlookup.circl.lu/lookup/sha1/da39a3ee5e6b4b0d3255bfef95601890afd80709",
                ),
            ),
            (
                OnlineSource::Otx,
                "2606:4700::1111",
                Some("https://otx.alienvault.com/indicator/ip/2606:4700::1111"),
            ),
            (
                OnlineSource::UrlHaus,
                "gist.github.com",
                Some("https://urlhaus.abuse.ch/host/gist.github.com/"),
            ),
            (OnlineSource::AbuseIpDb, "gist.github.com", None),
            (OnlineSource::GreyNoise, "10.0.0.1", None),
            (OnlineSource::Rdap, "1.1.1.1", None),
        ] {
            let found = link(source, &question(asked));
            assert_eq!(found.as_deref(), expected, "{source:?} {asked}");
        }
    }
}

//! VirusTotal, API version 3: what some ninety engines and lists make of an address, a name or a file
//! (docs.virustotal.com, objects `ip_address`, `domain` and `file`). One request each; who resolved
//! what to what is not asked.

use model::{Failure, FileHash, Question, Reply, Said, Standing};

use super::facts::{Facts, counted};
use super::http::{self, NotFound};
use super::members::{self, Object};
use super::place::{self, encoded};
use super::{Conversation, KeyPlace, Request};

const BASE: &str = "https://www.virustotal.com/api/v3/";
pub(super) const KEY: KeyPlace = KeyPlace::Header("x-apikey");

/// From so many engines on an address or a name is bad. Harmless ones have a few against them: 1.1.1.1
/// had 4 of 94, some of which copy from each other. The worst have 10 to 25: most lists know nothing
/// of most addresses, so that a majority never comes about.
const BAD_FROM: u64 = 10;
/// Files are looked at by engines that judge each of them: it needs more than one in so many, since
/// packers, tools and cheats have a third of them against themselves.
const BAD_FILE_SHARE: u64 = 2;
/// Of the lists of popular names.
const MOST_RANKS: usize = 4;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let rest = match conversation.question {
        Question::Address(_) => {
            format!("ip_addresses/{}", place::address(conversation.question)?)
        }
        Question::Name(_) => {
            let name = place::name(conversation.question)?;
            format!("domains/{}", encoded(name))
        }
        Question::Hash(FileHash::Sha512(_)) | Question::Network(_) => return None,
        Question::Hash(hash) => format!("files/{hash}"),
    };
    place::get(conversation, BASE, &rest, Some(KEY))
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Unknown, |body| {
        let document = members::document(body)?;
        let data = Object::of(&document, "it")?.needed("data")?;
        opinion(question, data)
    })
}

fn opinion(question: &Question, data: Object<'_>) -> Result<Said, Failure> {
    let attributes = data.needed("attributes")?;
    let judged = Judged::of(attributes.object("last_analysis_stats")?);
    let mut facts = Facts::default();
    facts.about(question, data.text("id"));
    facts.add("detections", judged.to_string());
    match attributes.day("last_analysis_date") {
        Some(day) => facts.add("last analysis", day),
        None => facts.add("last change", attributes.day("last_modification_date")),
    }
    facts.add("votes", votes(attributes)?);
    facts.add("reputation", attributes.text("reputation"));
    match question {
        Question::Hash(_) => file(attributes, &mut facts)?,
        Question::Name(_) => name(attributes, &mut facts)?,
        Question::Address(_) | Question::Network(_) => address(attributes, &mut facts),
    }
    facts.add("tags", attributes.line("tags"));
    facts.add("jarm", attributes.text("jarm"));
    let is_distributed = !distributors(attributes)?.is_empty();
    Ok(facts.said(judged.standing(question, is_distributed)))
}

/// How many of those who looked at it said what.
#[derive(Default)]
struct Judged {
    malicious: u64,
    suspicious: u64,
    /// Those who gave an answer, even if it is that they know nothing.
    all: u64,
}

impl Judged {
    fn of(stats: Option<Object<'_>>) -> Self {
        let Some(stats) = stats else {
            return Self::default();
        };
        // Engines that failed or do not take such files did not look at it.
        let words = [
            "harmless",
            "malicious",
            "suspicious",
            "undetected",
            "timeout",
        ];
        let counts = words.iter().filter_map(|word| stats.count(word));
        Self {
            malicious: stats.count("malicious").unwrap_or(0),
            suspicious: stats.count("suspicious").unwrap_or(0),
            all: counts.fold(0, u64::saturating_add),
        }
    }

    fn standing(&self, question: &Question, is_distributed: bool) -> Standing {
        let is_bad = match question {
            Question::Hash(_) => self.malicious > self.all / BAD_FILE_SHARE,
            Question::Address(_) | Question::Network(_) | Question::Name(_) => {
                self.malicious >= BAD_FROM
            }
        };
        if is_bad {
            Standing::Bad
        } else if self.malicious > 0 || self.suspicious > 0 {
            Standing::Doubtful
        } else if is_distributed {
            Standing::Common
        } else {
            Standing::Neutral
        }
    }
}

impl std::fmt::Display for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.all == 0 {
            return f.write_str("nobody has looked at it yet");
        }
        let verb = if self.malicious == 1 { "calls" } else { "call" };
        write!(f, "{} of {} {verb} it malicious", self.malicious, self.all)?;
        match self.suspicious {
            0 => Ok(()),
            suspicious => write!(f, ", {suspicious} suspicious"),
        }
    }
}

fn votes(attributes: Object<'_>) -> Result<Option<String>, Failure> {
    let Some(votes) = attributes.object("total_votes")? else {
        return Ok(None);
    };
    let count = |name| votes.count(name).unwrap_or(0);
    let (harmless, malicious) = (count("harmless"), count("malicious"));
    let said = format!("{harmless} for harmless, {malicious} for malicious");
    Ok((harmless > 0 || malicious > 0).then_some(said))
}

fn address(attributes: Object<'_>, facts: &mut Facts) {
    facts.add("network", attributes.text("network"));
    let parts = [
        attributes.text("asn").map(|asn| format!("AS{asn}")),
        attributes.text("as_owner"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    facts.add("owner", parts.join(" "));
    facts.add("country", attributes.text("country"));
}

fn name(attributes: Object<'_>, facts: &mut Facts) -> Result<(), Failure> {
    facts.add("registrar", attributes.text("registrar"));
    facts.add("created", attributes.day("creation_date"));
    if let Some(categories) = attributes.object("categories")? {
        let mut words: Vec<String> = categories.pairs().map(|(_, word)| word).collect();
        words.sort_unstable();
        words.dedup();
        facts.add("categories", members::in_a_line(&words));
    }
    if let Some(ranks) = attributes.object("popularity_ranks")? {
        let mut ranks: Vec<(u64, &str)> = ranks
            .inner()
            .filter_map(|(list, rank)| Some((rank.count("rank")?, list)))
            .collect();
        ranks.sort_unstable();
        let ranks: Vec<String> = ranks
            .iter()
            .take(MOST_RANKS)
            .map(|(rank, list)| format!("{rank} of {list}"))
            .collect();
        facts.add("rank", members::in_a_line(&ranks));
    }
    Ok(())
}

fn file(attributes: Object<'_>, facts: &mut Facts) -> Result<(), Failure> {
    facts.add("name", attributes.text("meaningful_name"));
    facts.add("type", attributes.text("type_description"));
    let size = attributes.count("size");
    facts.add("size", size.map(|size| counted(size, "byte", "bytes")));
    if let Some(signature) = attributes.object("signature_info")? {
        facts.add("signature", signature.text("verified"));
        facts.add("signers", signature.text("signers"));
        facts.add("product", signature.text("product"));
    }
    let distributors = distributors(attributes)?;
    facts.add("distributed by", members::in_a_line(&distributors));
    facts.add("first sent in", attributes.day("first_submission_date"));
    facts.add("last sent in", attributes.day("last_submission_date"));
    Ok(())
}

/// Makers of software that say that the file is theirs.
fn distributors(attributes: Object<'_>) -> Result<Vec<String>, Failure> {
    let known = attributes.object("known_distributors")?;
    Ok(known.map_or_else(Vec::new, |known| known.texts("distributors")))
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    fn check(asked: &str, attributes: &str, standing: Standing, detections: &str) {
        let body = format!(r#"{{"data":{{"id":"{asked}","attributes":{{{attributes}}}}}}}"#);
        let said = read(&question(asked), &reply(200, &body));
        let (found, facts) = opinion_of(OnlineSource::VirusTotal, said);
        assert_eq!(found, standing, "{asked} {attributes}");
        assert_eq!(
            facts.first(),
            Some(&("detections", detections.to_owned())),
            "{attributes}"
        );
    }

    #[test]
    fn a_few_engines_against_an_address_are_a_doubt_and_many_are_more() {
        let stats = |malicious: u32| {
            format!(
                r#""last_analysis_stats":{{"harmless":{},"malicious":{malicious},"suspicious":0,"undetected":10,"timeout":0}}"#,
                84 - malicious
            )
        };
        let all = "of 94";
        for (malicious, standing, verb) in [
            (0, Standing::Neutral, "call"),
            (1, Standing::Doubtful, "calls"),
            (9, Standing::Doubtful, "call"),
            (10, Standing::Bad, "call"),
        ] {
            let expected = format!("{malicious} {all} {verb} it malicious");
            check("1.1.1.1", &stats(malicious), standing, &expected);
        }
        check(
            "1.1.1.1",
            r#""last_analysis_stats":{"harmless":"80","malicious":0,"suspicious":2}"#,
            Standing::Doubtful,
            "0 of 82 call it malicious, 2 suspicious",
        );
        check(
            "1.1.1.1",
            r#""last_analysis_stats":null"#,
            Standing::Neutral,
            "nobody has looked at it yet",
        );
    }

    #[test]
    fn a_file_is_bad_when_most_engines_say_so() {
        let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for (malicious, undetected, more, standing) in [
            (60, 12, "", Standing::Bad),
            (20, 52, "", Standing::Doubtful),
            (0, 72, "", Standing::Neutral),
            (
                0,
                72,
                r#","known_distributors":{"distributors":["Microsoft"]}"#,
                Standing::Common,
            ),
        ] {
            let attributes = format!(
                r#""last_analysis_stats":{{"malicious":{malicious},"undetected":{undetected},"type-unsupported":4}}{more}"#
            );
            let expected = format!("{malicious} of 72 call it malicious");
            check(hash, &attributes, standing, &expected);
        }
    }
}

//! `URLhaus` of abuse.ch: which URLs on a host gave malware to those who followed them.

use model::{Failure, Question, Reply, Said, Standing};

use super::abuse_ch;
use super::facts::Facts;
use super::http::{self, NotFound};
use super::members::{self, Object};
use super::place::{self, encoded};
use super::{Conversation, Request};

const BASE: &str = "https://urlhaus-api.abuse.ch/v1/";
/// From so many URLs on it is a place where anybody may put files: a server that one gang has for
/// itself gets to some tens before it is closed.
const SHARED_FROM: u64 = 100;
/// Hosts on which anybody may put files: the host says nothing of a file. Those below them, too.
const SHARED: [&str; 16] = [
    "amazonaws.com",
    "anonfiles.com",
    "bitbucket.org",
    "blob.core.windows.net",
    "cdn.discordapp.com",
    "dropbox.com",
    "dropboxusercontent.com",
    "github.com",
    "github.io",
    "githubusercontent.com",
    "gitlab.com",
    "googleapis.com",
    "google.com",
    "mediafire.com",
    "pastebin.com",
    "sharepoint.com",
];

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    let host = host(conversation.question)?;
    let form = (
        "application/x-www-form-urlencoded",
        format!("host={}", encoded(&host)),
    );
    place::post(conversation, BASE, "host/", form, abuse_ch::KEY)
}

/// `None`: it takes no such things.
pub(super) fn host(question: &Question) -> Option<String> {
    let address = place::address(question).map(|it| it.to_string());
    address.or_else(|| place::name(question).map(str::to_owned))
}

pub(super) fn read(question: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Wrong, |body| {
        let document = members::document(body)?;
        let answer = Object::of(&document, "it")?;
        if !abuse_ch::has_data(answer)? {
            return Ok(Said::NoData);
        }
        opinion(question, answer)
    })
}

fn opinion(question: &Question, answer: Object<'_>) -> Result<Said, Failure> {
    let urls = answer.objects("urls")?;
    let listed = u64::try_from(urls.len()).unwrap_or(u64::MAX);
    let count = answer.count("url_count").unwrap_or(listed).max(listed);
    if count == 0 {
        return Ok(Said::NoData);
    }
    let online = urls
        .iter()
        .filter(|url| url.text("url_status").as_deref() == Some("online"))
        .count();
    let mut facts = Facts::default();
    facts.about(question, answer.text("host"));
    facts.add("urls with malware", count.to_string());
    let shown = format!("{online} of the {listed} told of");
    facts.add("still online", (listed > 0).then_some(shown));
    facts.add("first seen", answer.day("firstseen"));
    let last = urls.iter().filter_map(|url| url.day("date_added")).max();
    facts.add("last added", last);
    facts.add("threats", all(&urls, "threat"));
    facts.add("tags", all(&urls, "tags"));
    let mut is_abused = false;
    if let Some(lists) = answer.object("blacklists")? {
        for (name, list) in [("spamhaus dbl", "spamhaus_dbl"), ("surbl", "surbl")] {
            let said = lists.text(list);
            // `abused_legit_malware` and the like: the host belongs to somebody harmless.
            is_abused |= said
                .as_ref()
                .is_some_and(|said| said.starts_with("abused_legit"));
            facts.add(name, said.map(|it| it.replace('_', " ")));
        }
    }
    let is_shared = is_abused || count >= SHARED_FROM || is_shared(question);
    facts.add(
        "shared",
        is_shared.then(|| "others have files there, too".to_owned()),
    );
    let is_over = listed > 0 && online == 0;
    Ok(facts.said(if is_shared || is_over {
        Standing::Doubtful
    } else {
        Standing::Bad
    }))
}

fn is_shared(question: &Question) -> bool {
    let Question::Name(name) = question else {
        return false;
    };
    SHARED.iter().any(|shared| {
        let above = name.strip_suffix(shared);
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    })
}

/// What all of them have under a name, each once.
fn all(urls: &[Object<'_>], name: &str) -> Option<String> {
    let mut texts: Vec<String> = urls.iter().flat_map(|url| url.texts(name)).collect();
    texts.sort_unstable();
    texts.dedup();
    members::in_a_line(&texts)
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    fn check(asked: &str, count: u32, status: &str, blacklists: &str, expected: Standing) {
        let body = format!(
            r#"{{"query_status":"ok","host":"{asked}","url_count":"{count}","blacklists":{blacklists},
            "urls":[{{"url_status":"{status}","threat":"malware_download","tags":["elf"]}},{{"tags":null}}]}}"#
        );
        let said = read(&question(asked), &reply(200, &body));
        let (found, _) = opinion_of(OnlineSource::UrlHaus, said);
        assert_eq!(found, expected, "{body}");
    }

    #[test]
    fn a_host_of_its_own_is_bad_while_it_gives_malware() {
        check("1.1.1.1", 10, "online", "null", Standing::Bad);
        check("1.1.1.1", 10, "offline", "null", Standing::Doubtful);
    }

    #[test]
    fn a_host_that_many_share_is_a_doubt() {
        check("1.1.1.1", 100, "online", "null", Standing::Doubtful);
        check("gist.github.com", 10, "online", "{}", Standing::Doubtful);
        check("notgithub.com", 10, "online", "{}", Standing::Bad);
        let abused = r#"{"spamhaus_dbl":"abused_legit_malware","surbl":"listed"}"#;
        check("files.evil.org", 10, "online", abused, Standing::Doubtful);
    }
}

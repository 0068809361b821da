//! CIRCL hashlookup: files that were published with systems and programs. Known is not harmless: tools
//! of attackers are published, too.

use model::{Failure, FileHash, Question, Reply, Said, Standing};

use super::facts::{Facts, counted};
use super::http::{self, NotFound};
use super::members::{self, Object, unreadable};
use super::place;
use super::{Conversation, Request};

const BASE: &str = "https://hashlookup.circl.lu/";
/// Of 100. It is what a file begins with; sources that vouch for it add to it, others take away.
const NO_OPINION: u64 = 50;

pub(super) fn next(conversation: Conversation<'_>) -> Option<Request> {
    place::get(conversation, BASE, &path(conversation.question)?, None)
}

/// `None`: it takes no such things.
pub(super) fn path(question: &Question) -> Option<String> {
    let Question::Hash(hash) = question else {
        return None;
    };
    let kind = match hash {
        FileHash::Md5(_) => "md5",
        FileHash::Sha1(_) => "sha1",
        FileHash::Sha256(_) => "sha256",
        FileHash::Sha512(_) => return None,
    };
    Some(format!("lookup/{kind}/{hash}"))
}

pub(super) fn read(_: &Question, replies: &[Reply]) -> Said {
    http::read(replies, NotFound::Unknown, |body| {
        let document = members::document(body)?;
        opinion(Object::of(&document, "it")?)
    })
}

fn opinion(answer: Object<'_>) -> Result<Said, Failure> {
    let trust = answer.count("hashlookup:trust");
    let known = ["FileName", "MD5", "SHA-1", "SHA-256", "source"];
    let is_known = trust.is_some() || known.iter().any(|name| answer.line(name).is_some());
    let is_denied = answer.truth("KnownMalicious") == Some(false);
    let malicious = answer.line("KnownMalicious").filter(|_| !is_denied);
    if !is_known && malicious.is_none() {
        let why = answer.text("message").unwrap_or_default();
        return if why.starts_with("Non existing") {
            Ok(Said::NoData)
        } else {
            Err(unreadable("it has neither `FileName` nor a hash"))
        };
    }
    let mut facts = Facts::default();
    facts.add("malicious by", malicious.clone());
    facts.add("name", answer.text("FileName"));
    let size = answer.count("FileSize");
    facts.add("size", size.map(|it| counted(it, "byte", "bytes")));
    let product = match answer.object("ProductCode") {
        Ok(product) => product.and_then(|it| it.text("ProductName")),
        // A bare number elsewhere.
        Err(_) => None,
    };
    facts.add("product", product);
    let package = [answer.text("PackageName"), answer.text("PackageVersion")];
    let package: Vec<String> = package.into_iter().flatten().collect();
    facts.add("package", package.join(" "));
    facts.add(
        "trust",
        trust.map(|trust| format!("{trust} of 100, where {NO_OPINION} is no opinion")),
    );
    let source = answer.line("source").or_else(|| answer.line("db"));
    facts.add("known from", source);
    facts.add("kind", answer.text("mimetype"));
    Ok(facts.said(if malicious.is_some() {
        Standing::Bad
    } else if trust.is_some_and(|trust| trust < NO_OPINION) {
        Standing::Doubtful
    } else {
        Standing::Common
    }))
}

#[cfg(test)]
mod tests {
    use super::super::http::reply;
    use super::super::tests::{opinion_of, question};
    use super::*;
    use model::OnlineSource;

    const HASH: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

    fn check(answer: &str, standing: Standing) {
        let said = read(&question(HASH), &reply(200, answer));
        let (found, _) = opinion_of(OnlineSource::Hashlookup, said);
        assert_eq!(found, standing, "{answer}");
    }

    #[test]
    fn a_known_file_is_common_unless_somebody_says_more() {
        // Made up after the fields of the service.
        check(
            r#"{"FileName":"notepad.exe","FileSize":"201216","hashlookup:trust":100,"source":"NSRL",
            "ProductCode":{"ProductName":"Windows"}}"#,
            Standing::Common,
        );
        check(
            r#"{"FileName":"./usr/bin/nc","hashlookup:trust":50,"ProductCode":7}"#,
            Standing::Common,
        );
        check(
            r#"{"FileName":"a.exe","hashlookup:trust":20}"#,
            Standing::Doubtful,
        );
        check(
            r#"{"FileName":"a.exe","hashlookup:trust":90,"KnownMalicious":"malware-bazaar"}"#,
            Standing::Bad,
        );
        check(r#"{"KnownMalicious":["a","b"]}"#, Standing::Bad);
    }

    #[test]
    fn what_it_does_not_know_is_no_data() {
        let body = r#"{"message":"Non existing SHA-1","query":"DA39"}"#;
        for status in [200, 404] {
            let said = read(&question(HASH), &reply(status, body));
            assert_eq!(said, Said::NoData, "{status}");
        }
    }
}

//! Whether what came over HTTP is an answer, and what it says where it is none.

use model::{Failure, Reply, Said, Text};

use super::facts::shortened;
use super::members::{self, Object};

/// Of the body of one answer. Longer ones are not read: they are hostile input.
pub(super) const LARGEST: usize = 1 << 20;

/// What 404 means to a source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFound {
    /// It knows nothing of what was asked.
    Unknown,
    /// There is no such page, so the source was not asked at all.
    Wrong,
}

/// Hands the body of the last reply to `read` if its status says that it is an answer.
pub(super) fn read(
    replies: &[Reply],
    not_found: NotFound,
    read: impl FnOnce(&[u8]) -> Result<Said, Failure>,
) -> Said {
    let Some(reply) = replies.last() else {
        return failed("nothing came");
    };
    let body = reply.bytes.as_slice();
    if body.len() > LARGEST {
        return Said::Failed(Failure::TooLarge(LARGEST));
    }
    let failure = match reply.status {
        None => return failed("it has no HTTP status"),
        Some(200..=299) => return read(body).unwrap_or_else(Said::Failed),
        // Services of this kind say it as JSON or with no body. A web page comes from somebody else:
        // a proxy, or a server that has another place for it.
        Some(404) if not_found == NotFound::Unknown && !members::is_html(body) => {
            return Said::NoData;
        }
        Some(401 | 403) => Failure::Refused(reason(body)),
        Some(429) => Failure::AskedTooOften(None),
        Some(other) => Failure::Status(other, reason(body)),
    };
    Said::Failed(failure)
}

fn failed(what: &str) -> Said {
    Said::Failed(Failure::Unreadable(what.to_owned()))
}

/// What a body says of an error, in a few words. `None`: nothing that a person could read.
fn reason(body: &[u8]) -> Option<Text> {
    if members::is_html(body) {
        return None;
    }
    let said = match members::document(body) {
        Ok(document) => {
            let object = Object::of(&document, "it").ok()?;
            let error = object.object("error").ok().flatten();
            let first = object.list("errors").ok().and_then(<[_]>::first);
            let first = first.and_then(|it| Object::of(it, "it").ok());
            let places = [error, first, Some(object)];
            let names = [
                "message",
                "detail",
                "title",
                "error",
                "reason",
                "code",
                "query_status",
            ];
            places
                .into_iter()
                .flatten()
                .find_map(|place| names.into_iter().find_map(|name| place.text(name)))?
        }
        Err(_) => String::from_utf8_lossy(body).trim().to_owned(),
    };
    let said = shortened(&without_parameters(&said));
    (!said.is_empty()).then(|| said.into())
}

/// Some services repeat the URL that they were asked, and the key stands in it.
fn without_parameters(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let (before, after) = word.split_once('?').unwrap_or((word, ""));
        if after.contains('=') {
            format!("{before}?…")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
pub(super) fn reply(status: u16, body: &str) -> Vec<Reply> {
    vec![Reply {
        asked: String::new(),
        host: "localhost".to_owned(),
        status: Some(status),
        bytes: body.as_bytes().to_vec(),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, expected: Said) {
        let found = read(&reply(status, body), NotFound::Unknown, |_| {
            Ok(Said::Names(Vec::new()))
        });
        assert_eq!(found, expected, "{status} {body}");
    }

    #[test]
    fn a_status_says_whether_it_is_an_answer() {
        check(200, "", Said::Names(Vec::new()));
        check(404, "", Said::NoData);
        check(404, r#"{"message":"not seen"}"#, Said::NoData);
        check(
            404,
            "<!DOCTYPE html><title>gone</title>",
            Said::Failed(Failure::Status(404, None)),
        );
        check(429, "{}", Said::Failed(Failure::AskedTooOften(None)));
        let refused = |why: &str| Said::Failed(Failure::Refused(Some(why.into())));
        check(
            401,
            r#"{"error":{"code":"WrongCredentialsError","message":"Wrong API key"}}"#,
            refused("Wrong API key"),
        );
        check(401, r#"{"error":"Unauthorized"}"#, refused("Unauthorized"));
        check(
            403,
            "no access to https://api.example/lite/1.1.1.1?token=secret here",
            refused("no access to https://api.example/lite/1.1.1.1?… here"),
        );
        check(403, " \n", Said::Failed(Failure::Refused(None)));
        check(
            422,
            r#"{"errors":[{"detail":"must be an address","status":422}]}"#,
            Said::Failed(Failure::Status(422, Some("must be an address".into()))),
        );
        check(500, "<html>", Said::Failed(Failure::Status(500, None)));
        check(
            302,
            "moved",
            Said::Failed(Failure::Status(302, Some("moved".into()))),
        );
    }

    #[test]
    fn what_means_no_page_is_not_taken_for_not_known() {
        let found = read(&reply(404, ""), NotFound::Wrong, |_| Ok(Said::NoData));
        assert_eq!(found, Said::Failed(Failure::Status(404, None)));
    }

    #[test]
    fn what_never_came_or_is_too_large_is_said() {
        let nothing = read(&[], NotFound::Unknown, |_| Ok(Said::NoData));
        assert_eq!(nothing, failed("nothing came"));
        let large = reply(200, &" ".repeat(LARGEST + 1));
        let found = read(&large, NotFound::Unknown, |_| Ok(Said::NoData));
        assert_eq!(found, Said::Failed(Failure::TooLarge(LARGEST)));
    }
}

#![no_main]
//! What sources elsewhere answer, each read as that source, and what they would be asked next. The first
//! bytes say which source, what it was asked about, and with which status it answered.

use enrich::sources::{Conversation, Request, learns, link, next, read};
use libfuzzer_sys::fuzz_target;
use model::{FileHash, Network, OnlineSource, Question, Reply, Said};

/// Of HTTP, and two of DNS.
const STATUSES: [u16; 8] = [404, 401, 200, 429, 500, 0, 3, 302];

fuzz_target!(|data: &[u8]| {
    let Some((&[source, question, status], bytes)) = data.split_first_chunk() else {
        return;
    };
    let source = OnlineSource::ALL[usize::from(source) % OnlineSource::ALL.len()];
    let question = match question % 5 {
        0 => Question::Address("1.1.1.1".parse().unwrap()),
        1 => Question::Address("2606:4700::1111".parse().unwrap()),
        2 => Question::Name("gist.github.com".to_owned()),
        3 => Question::Hash(FileHash::Sha256([7; 32])),
        _ => Question::Network(Network::new("1.1.1.0".parse().unwrap(), 24).unwrap()),
    };
    let status = STATUSES[usize::from(status) % STATUSES.len()];
    let replies = [Reply {
        asked: String::new(),
        host: "localhost".to_owned(),
        status: Some(status),
        bytes: bytes.to_vec(),
    }];
    match read(source, &question, &replies) {
        Said::Opinion(opinion) => {
            assert_eq!(status, 200);
            assert!(opinion.facts.len() <= 16);
            for (name, text) in opinion.facts {
                assert!(!name.is_empty() && !text.is_empty());
                assert!(text.lossy().chars().count() <= 200);
            }
        }
        Said::Names(names) if source == OnlineSource::PassiveDns => {
            assert!(status == 200 && !names.is_empty() && names.len() <= 64);
        }
        Said::Names(_) | Said::Registration(_) | Said::Announced(_) => {}
        Said::NoData | Said::Failed(_) => {}
    }
    let conversation = Conversation {
        question: &question,
        replies: &replies,
        base: None,
    };
    let more = next(source, conversation);
    assert!(!source.is_list() || more.is_none());
    if let Some(Request::Http { url, .. }) = more {
        assert!(!url.contains(char::is_whitespace));
    }
    assert!(!learns(source, &question).what.is_empty());
    assert!(link(source, &question).is_none_or(|link| link.is_ascii()));
});

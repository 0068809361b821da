#![no_main]
//! Answers of RDAP servers, the cards in them, and what is asked next.

use enrich::sources::{Conversation, Request, next, read};
use libfuzzer_sys::fuzz_target;
use model::{OnlineSource, Question, Reply, Said};

fn reply(bytes: &[u8]) -> Reply {
    Reply {
        asked: String::new(),
        host: "rdap.db.ripe.net".to_owned(),
        status: Some(200),
        bytes: bytes.to_vec(),
    }
}

fuzz_target!(|data: &[u8]| {
    let card = [br#"{"startAddress":"192.0.2.0","entities":[{"roles":["registrant","abuse"],"vcardArray":"#, data, b"}]}"].concat();
    let questions = [
        Question::Address("216.6.0.28".parse().unwrap()),
        Question::Name("www.whoseisit.com".to_owned()),
    ];
    for question in &questions {
        for bytes in [data, &card] {
            let replies = [reply(bytes), reply(bytes)];
            if let Said::Registration(found) = read(OnlineSource::Rdap, question, &replies) {
                assert!(found.remarks.len() <= 65 && found.abuse.len() <= 64 && found.networks.len() <= 256);
                assert!(found.range.is_none_or(|(first, last)| first <= last));
            }
            let asked = next(OnlineSource::Rdap, Conversation { question, replies: &replies[..1], base: Some("http://[::1]/") });
            if let Some(Request::Http { url, .. }) = asked {
                let url = url.to_ascii_lowercase();
                assert!(url.starts_with("http://[::1]/entity/org-"), "{url}");
                assert!(url.len() < 100);
            }
        }
    }
});

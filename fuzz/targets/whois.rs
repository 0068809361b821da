#![no_main]
//! Answers of WHOIS servers, where they send us on to, and what they tell of who asked.

use enrich::sources::{Conversation, Request, next, read, without_asker};
use libfuzzer_sys::fuzz_target;
use model::{OnlineSource, Question, Reply, Said};

fuzz_target!(|data: &[u8]| {
    let kept = without_asker(data);
    assert_eq!(without_asker(&kept), kept);
    let reply = Reply {
        asked: String::new(),
        host: "whois.arin.net".to_owned(),
        status: None,
        bytes: data.to_vec(),
    };
    let replies = [reply.clone(), reply];
    for question in [
        Question::Address("216.6.0.28".parse().unwrap()),
        Question::Address("2a00::1".parse().unwrap()),
        Question::Name("www.whoseisit.com".to_owned()),
    ] {
        if let Said::Registration(found) = read(OnlineSource::Whois, &question, &replies) {
            assert!(found.remarks.len() <= 68 && found.abuse.len() <= 64 && found.networks.len() <= 256);
            assert!(found.range.is_none_or(|(first, last)| first <= last));
        }
        let conversation = Conversation { question: &question, replies: &replies[..1], base: None };
        if let Some(Request::Line { host, line, .. }) = next(OnlineSource::Whois, conversation) {
            assert!(host.len() <= 253 && !line.contains(['\r', '\n']));
            let address = host.parse::<std::net::IpAddr>();
            assert!(address.is_ok() || host.contains('.'));
        }
    }
});

#![no_main]
//! The list of servers for names: whatever is in it, who is asked then is a web server.

use enrich::sources::{Conversation, Request, next, read};
use libfuzzer_sys::fuzz_target;
use model::{OnlineSource, Question, Reply, Said};

fuzz_target!(|data: &[u8]| {
    let question = Question::Name("www.whoseisit.com".to_owned());
    let list = [Reply {
        asked: "https://data.iana.org/rdap/dns.json".to_owned(),
        host: "data.iana.org".to_owned(),
        status: Some(200),
        bytes: data.to_vec(),
    }];
    let conversation = Conversation { question: &question, replies: &list, base: None };
    if let Some(Request::Http { url, .. }) = next(OnlineSource::Rdap, conversation) {
        assert!(url.starts_with("https://") || url.starts_with("http://"));
        assert!(url.ends_with("/domain/whoseisit.com") && !url.contains([' ', '\n', '"']));
    }
    assert!(matches!(read(OnlineSource::Rdap, &question, &list), Said::Failed(_)));
});

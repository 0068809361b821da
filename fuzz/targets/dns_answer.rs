#![no_main]
//! Answers of a resolver: names of an address, who announces it, whether a hash is listed.

use enrich::sources::{Conversation, Request, next, read};
use libfuzzer_sys::fuzz_target;
use model::{FileHash, OnlineSource, Question, Reply, Said};

fuzz_target!(|data: &[u8]| {
    let address = Question::Address("216.6.0.28".parse().unwrap());
    let hash = Question::Hash(FileHash::Md5([0; 16]));
    // With and without the bit of an answer.
    let mut answer = data.to_vec();
    if let Some(flags) = answer.get_mut(2) {
        *flags |= 0x80;
    }
    for bytes in [data.to_vec(), answer] {
        let reply = Reply { asked: String::new(), host: String::new(), status: Some(0), bytes };
        let replies = [reply.clone(), reply];
        if let Said::Names(names) = read(OnlineSource::ReverseDns, &address, &replies) {
            assert!((1..=32).contains(&names.len()));
            assert!(names.iter().all(|it| it.name.bytes().is_ascii()));
        }
        let _ = read(OnlineSource::Cymru, &address, &replies);
        let conversation = Conversation { question: &address, replies: &replies[..1], base: None };
        if let Some(Request::Dns { name, .. }) = next(OnlineSource::Cymru, conversation) {
            assert!(name.starts_with("AS") && name.ends_with(".asn.cymru.com"));
        }
        let _ = read(OnlineSource::MalwareHashes, &hash, &replies);
    }
});

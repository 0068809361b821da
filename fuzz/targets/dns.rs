#![no_main]
//! Questions to name servers, in a packet and in a stream.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

/// The wire form of a query for a name as it is written.
fn encode(id: u16, name: &[u8], kind: u16) -> Vec<u8> {
    let mut labels = vec![Vec::new()];
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' => labels.push(Vec::new()),
            b'\\' => labels.last_mut().unwrap().extend(bytes.next()),
            byte => labels.last_mut().unwrap().push(*byte),
        }
    }
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in labels.iter().filter(|_| name != b".") {
        message.push(label.len().try_into().unwrap());
        message.extend(label);
    }
    message.push(0);
    message.extend(kind.to_be_bytes());
    message.extend([0, 1]);
    message
}

fuzz_target!(|data: &[u8]| {
    let question = parse::dns::question(data);
    if let Some(question) = &question {
        let again = encode(question.id, question.name.bytes(), question.kind);
        assert!(again.len() <= 271);
        assert_eq!(parse::dns::question(&again).as_ref(), Some(question));
    }
    let mut stream = data.len().to_be_bytes()[size_of::<usize>() - 2..].to_vec();
    stream.extend(data);
    assert_eq!(parse::dns::tcp_question(&stream), question);
    parse::dns::tcp_question(data);
});

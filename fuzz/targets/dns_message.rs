#![no_main]
//! Whole messages of DNS, of a server and of neighbours.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    for among_neighbours in [false, true] {
        let mut count = 0;
        parse::dns::message::said(data, among_neighbours, |said| {
            count += 1;
            // A backslash stands before a dot and a backslash in a label.
            assert!(!said.name.is_empty() && said.name.bytes().len() <= 512);
            if let Some(answer) = said.answer {
                assert!(answer.aliases.len() <= 16 && answer.addresses.len() <= 8192);
            }
        });
        assert!(count <= if among_neighbours { 64 } else { 1 });
    }
    if let Some((name, behind)) = parse::dns::name(data, 0) {
        assert!(!name.is_empty() && behind <= data.len());
    }
    if let Some(question) = parse::dns::question(data) {
        let mut first = None;
        parse::dns::message::said(data, false, |said| first = Some(said));
        let first = first.unwrap();
        assert_eq!((first.name, first.kind), (question.name, question.kind));
    }
});

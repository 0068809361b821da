#![no_main]
//! Type information of the kernel, cut down.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fn wanted(name: &[u8]) -> bool {
    name.first().is_some_and(|letter| letter % 2 == 0)
}

fuzz_target!(|data: &[u8]| {
    if let Some(cut) = parse::type_information::cut_down(data, wanted) {
        // Nothing more is there to cut.
        let again = parse::type_information::cut_down(&cut, wanted);
        assert_eq!(again.as_deref(), Some(&*cut));
    }
});

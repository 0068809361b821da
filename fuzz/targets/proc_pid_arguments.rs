#![no_main]
//! `/proc/PID/cmdline`.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|input: (u8, &[u8])| {
    let (most, file) = (usize::from(input.0), input.1);
    let (arguments, more) = parse::proc_pid::arguments(file, most);
    assert!(arguments.len() <= most.max(1));
    assert!(!more || arguments.len() == most);
    assert!(
        arguments
            .iter()
            .all(|argument| !argument.bytes().contains(&0))
    );
    let bytes: usize = arguments
        .iter()
        .map(|argument| argument.bytes().len())
        .sum();
    assert!(bytes <= file.len());
});

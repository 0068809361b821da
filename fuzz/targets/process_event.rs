#![no_main]
//! Events of processes from the BPF programs, with path and arguments.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use model::{NetworkNamespace, PathState, Text};
use observe::parse;
use parse::process_event::{ProcessEventKind, process_event};

fuzz_target!(|data: &[u8]| {
    let Some(event) = process_event(data) else {
        return;
    };
    assert_ne!(event.netns, Some(NetworkNamespace(0)));
    assert!(event.name.bytes().len() <= 16 && !event.name.bytes().contains(&0));
    let ProcessEventKind::Executed(image) = event.kind else {
        return;
    };
    assert_eq!(image.path.is_none(), image.path_state == PathState::Unknown);
    let arguments = image.arguments.unwrap_or_default();
    let told = image.path.iter().chain(&arguments).map(Text::bytes);
    assert!(told.clone().all(|text| !text.contains(&0)));
    // A path has a slash for each NUL.
    assert!(told.map(<[u8]>::len).sum::<usize>() <= data.len());
    assert!(image.path.is_none_or(|path| path.bytes().starts_with(b"/")));
});

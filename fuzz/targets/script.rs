#![no_main]
//! Arguments of interpreters.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;
use parse::{place, proc_pid, script};

// The name of the program's file, then `/proc/PID/cmdline`.
fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == 0);
    let (program, rest) = input.split_at(end.unwrap_or(input.len()));
    let (arguments, _) = proc_pid::arguments(rest.get(1..).unwrap_or_default(), 1024);
    if let Some(called) = script::called(program, &arguments) {
        assert!(called.files.len() <= script::MOST_FILES);
        for file in called.files {
            let path = file.path.bytes();
            assert!(!path.is_empty());
            place::is_temporary(path);
            place::is_hidden(path);
            place::app_image_mount(path);
            assert!(place::folders(path).all(|folder| path.starts_with(folder)));
        }
    }
    // The same as its environment.
    for has_terminal in [false, true] {
        let (loaded, _) = script::environment::loaded(program, &arguments, &arguments, has_terminal);
        assert!(loaded.len() <= script::MOST_FILES);
        for it in loaded {
            place::is_start_file(it.path.bytes());
        }
    }
});

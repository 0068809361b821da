#![no_main]
//! The links of `/proc/PID/ns`, and `/proc/self/mountinfo`.

#[expect(dead_code, reason = "one parser of many")]
#[path = "../../crates/observe/src"]
mod observe {
    pub(crate) mod parse;
}
use libfuzzer_sys::fuzz_target;
use observe::parse;

fuzz_target!(|data: &[u8]| {
    parse::proc_pid::namespace(data);
    parse::proc_pid::conceals_processes(data);
    for line in data.split(|byte| *byte == b'\n') {
        if let Some(path) = parse::mount_info::namespace_mount(line) {
            assert!(path.len() <= line.len());
        }
    }
});

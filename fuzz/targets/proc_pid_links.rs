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
        let namespace = parse::mount_info::namespace_mount(line);
        let groups = parse::mount_info::cgroup2_mount(line);
        assert!(namespace.is_none() || groups.is_none());
        if let Some(path) = namespace.or(groups) {
            assert!(path.len() <= line.len());
        }
        if let Some(found) = parse::mount_info::provenance(line) {
            let mount = parse::mount_info::mount(line);
            assert!(mount.is_some_and(|mount| mount.id == found.id));
        }
    }
});

//! What a watch says when somebody who is root, too, takes away what it sees with.

use std::fs;

use crate::program::Run;
use crate::rights::Watch;
use crate::setting::{Need, command, lacks, skip};

/// Detaches the link with the number that is its argument (bpf(2)).
const DETACH: &str = "
import ctypes, os, platform, struct, sys
number = {'x86_64': 321}.get(platform.machine(), 280)
LINK_GET_FD_BY_ID, LINK_DETACH = 30, 34
library = ctypes.CDLL(None, use_errno=True)
def bpf(command, value):
    room = ctypes.create_string_buffer(struct.pack('I', value).ljust(128, b'\\0'), 128)
    result = library.syscall(number, command, room, 128)
    if result < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    return result
bpf(LINK_DETACH, bpf(LINK_GET_FD_BY_ID, int(sys.argv[1])))
";

#[test]
fn programs_that_are_taken_off_are_told() {
    if lacks(&[Need::Root, Need::Program("python3")]) {
        return;
    }
    let Some(mut watch) = Watch::with_events() else {
        return;
    };
    let links = links_to_groups(watch.pid());
    let [first, second, ..] = links[..] else {
        skip("this kernel does not tell at which control group a program is attached");
        return;
    };
    for number in [first, second] {
        let detached = Run::of(command("python3").args(["-c", DETACH, &number.to_string()]));
        assert_eq!(detached.code, Some(0), "{}", detached.talk());
        let gap = watch.until(|line| line["type"] == "gap" && line["id"] == "programs_taken_off");
        assert_eq!(gap["count"], 1, "{gap}");
        assert_eq!(gap["source"], "ebpf");
        assert!(gap["since"].is_string() && gap["until"].is_null(), "{gap}");
    }
    // Each is told once.
    let before = watch.seen.len();
    for _ in 0..2 {
        watch.until(|line| line["kind"] == "tick");
    }
    let ids = watch.seen.iter().skip(before).map(|line| &line["id"]);
    assert_eq!(ids.filter(|id| *id == "programs_taken_off").count(), 0);
}

/// The numbers of the links by which this very process has attached programs to control groups.
fn links_to_groups(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap();
    let texts = entries.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
    let number = |text: String| {
        let attached = text.lines().any(|line| line.starts_with("cgroup_id:"));
        let mut lines = text.lines().filter(|_| attached);
        let number = lines.find_map(|line| line.strip_prefix("link_id:"))?;
        number.trim().parse().ok()
    };
    texts.filter_map(number).collect()
}

//! What the processes of a recording may still do when it has begun.

use std::collections::BTreeSet;
use std::fs;

use crate::recording::Recording;
use crate::setting::{Need, lacks, skip, wait_for};

const DAC_READ_SEARCH: u64 = 1 << 2;
const SYS_PTRACE: u64 = 1 << 19;
const SYS_ADMIN: u64 = 1 << 21;
const CHECKPOINT_RESTORE: u64 = 1 << 40;
const NET_ADMIN: u64 = 1 << 12;
const NET_RAW: u64 = 1 << 13;

#[test]
fn no_thread_of_it_has_rights() {
    if lacks(&[Need::Root]) {
        return;
    }
    let recording = Recording::start(&[]);
    if recording.processes().len() < 3 {
        skip("there is no full tier here");
        return;
    }
    // All threads are there when the numbers are told.
    let expected = ["whocalls", "events", "disk", "packets", "copies", "fold"];
    let names = wait_for("its threads", || {
        let names: BTreeSet<_> = threads(recording.pid())
            .into_iter()
            .map(|it| it.name())
            .collect();
        expected
            .iter()
            .all(|name| names.contains(*name))
            .then_some(names)
    });
    assert!(!names.is_empty());
    for thread in threads(recording.pid()) {
        thread.has_only(0);
    }
    for thread in threads(recording.process("whocalls-files")) {
        thread.has_only(0);
    }
    // It opens packet sockets in namespaces that come later.
    let helper = threads(recording.process("whocalls-helper"));
    assert_eq!(helper.len(), 1);
    let kept = helper[0].number("CapEff");
    let needed = SYS_PTRACE | DAC_READ_SEARCH | SYS_ADMIN;
    assert_eq!(kept & needed, needed, "{kept:x}");
    assert_eq!(kept & !(needed | NET_ADMIN | NET_RAW), 0, "{kept:x}");
    helper[0].has_only(kept);
    let looking = SYS_PTRACE | DAC_READ_SEARCH | CHECKPOINT_RESTORE;
    for thread in threads(recording.process("whocalls-exam")) {
        thread.has_only(looking);
    }

    // Nobody outside of the case: the process that makes files sees no other folder.
    let files = recording.process("whocalls-files");
    let root = fs::metadata(format!("/proc/{files}/root/.")).unwrap();
    let case = fs::metadata(recording.case()).unwrap();
    use std::os::unix::fs::MetadataExt;
    assert_eq!((root.dev(), root.ino()), (case.dev(), case.ino()));
    recording.stop().went_well();
}

#[test]
fn without_packets_and_by_polling_it_keeps_no_more_than_a_watch() {
    if lacks(&[Need::Root]) {
        return;
    }
    let recording = Recording::start(&["--depth", "events", "--polling"]);
    let most = SYS_PTRACE | DAC_READ_SEARCH | SYS_ADMIN | NET_ADMIN;
    for thread in threads(recording.pid()) {
        let kept = thread.number("CapEff");
        assert_eq!(kept & !most, 0, "{thread:?}");
        thread.has_only(kept);
    }
    recording.stop().went_well();
}

/// `/proc/PID/task/TID/status`
#[derive(Debug)]
struct Thread(String);

fn threads(pid: u32) -> Vec<Thread> {
    let all = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let status = all.filter_map(|it| fs::read_to_string(it.unwrap().path().join("status")).ok());
    status.map(Thread).collect()
}

impl Thread {
    fn text(&self, name: &str) -> &str {
        let mut lines = self.0.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| *key == name).unwrap().1.trim()
    }

    fn number(&self, name: &str) -> u64 {
        u64::from_str_radix(self.text(name), 16).unwrap()
    }

    fn name(&self) -> String {
        self.text("Name").to_owned()
    }

    fn has_only(&self, kept: u64) {
        let sets = ["CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"].map(|it| self.number(it));
        assert_eq!(sets, [kept, kept, 0, 0, 0], "{}", self.0);
        assert_eq!(
            (self.text("NoNewPrivs"), self.text("Seccomp")),
            ("1", "2"),
            "{}",
            self.0
        );
    }
}

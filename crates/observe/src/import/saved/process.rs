//! A process: all that is known of it, or the short form that stands within a connection.

use std::sync::Arc;

use model::{
    Container, FileIdentity, NetworkNamespace, Parent, PathState, Process, ProcessId, Text,
};

use super::super::format::Out;
use super::super::json::Value;
use super::examined::examined;
use super::members::{Members, bytes};

/// As many as whocalls writes.
const MOST_ARGUMENTS: usize = 1024;
const MOST_PARENTS: usize = 64;

/// What whocalls knows.
const ENGINES: [&str; 7] = [
    "docker",
    "podman",
    "containerd",
    "cri-o",
    "kubernetes",
    "lxc",
    "systemd-nspawn",
];

/// `PID-STARTTICKS-BOOT`; the file stands in the place of the boot, as of every import.
pub(super) fn id(value: Value<'_>, out: &Out) -> Option<ProcessId> {
    let mut parts = std::str::from_utf8(value.plain()?).ok()?.split('-');
    let (pid, start_ticks) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    // 0 is nobody.
    (pid != 0).then_some(ProcessId {
        boot: out.source(),
        pid,
        start_ticks,
    })
}

/// `None`: it does not say which process it is. The short form lacks most members.
pub(super) fn process(members: &Members<'_>, out: &Out) -> Option<Process> {
    let id = id(members.value("id"), out)?;
    let states = [PathState::Present, PathState::Deleted, PathState::Memfd];
    let state = |it: PathState| it.word().unwrap_or_default();
    let file = members.object("file");
    Some(Process {
        started: members.time("started", out),
        ended: members.time("ended", out),
        name: members.text("name", "name_hex").unwrap_or_default(),
        path: members.text("path", "path_hex"),
        path_state: members
            .word("path_state", &states, state)
            .unwrap_or(PathState::Unknown),
        file: file.and_then(|file| {
            Some(FileIdentity {
                device: file.number("device")?,
                inode: file.number("inode")?,
            })
        }),
        sha256: members
            .value("sha256")
            .plain()
            .and_then(bytes)
            .and_then(|it| it.try_into().ok()),
        command_line: arguments(members),
        command_line_truncated: members.is_true("command_line_truncated").unwrap_or(false),
        uid: members.number("uid"),
        user: members.text("user", "user_hex"),
        parents: parents(members.value("parents")),
        container: container(members),
        unit: members.text("unit", "unit_hex"),
        netns: members.number("netns").map(NetworkNamespace),
        kernel_thread: members.is_true("kernel_thread").unwrap_or(false),
        examined: examined(members).map(Arc::new),
        ..Process::unknown(id)
    })
}

fn arguments(process: &Members<'_>) -> Option<Vec<Text>> {
    let exact = process.value("command_line_hex");
    if !exact.is_null() {
        let all = exact.items().take(MOST_ARGUMENTS);
        return Some(
            all.filter_map(|it| Some(bytes(it.plain()?)?.into()))
                .collect(),
        );
    }
    let all = process.value("command_line");
    let argument = |it: Value<'_>| Some(Text::from(it.string()?.into_owned()));
    (!all.is_null()).then(|| {
        all.items()
            .take(MOST_ARGUMENTS)
            .filter_map(argument)
            .collect()
    })
}

fn parents(all: Value<'_>) -> Vec<Parent> {
    let parent = |parent: Value<'_>| {
        let parent = Members::of(parent);
        Some(Parent {
            pid: parent.number("pid")?,
            name: parent.text("name", "name_hex").unwrap_or_default(),
            path: parent.text("path", "path_hex"),
        })
    };
    all.items().take(MOST_PARENTS).filter_map(parent).collect()
}

fn container(process: &Members<'_>) -> Option<Container> {
    let container = process.object("container")?;
    Some(Container {
        engine: container
            .word("engine", &ENGINES, |it| it)
            .unwrap_or("container"),
        id: container.text("id", "id_hex").unwrap_or_default(),
    })
}

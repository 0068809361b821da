//! `/proc/PID/cgroup` (cgroups(7)): which systemd unit and which container a process is in.
//!
//! The kernel tells only a path. Engines and systemd name the groups they make in known ways; who
//! may make groups below his own can imitate them there.

use model::{Container, Text};

/// Where a process stands. `None`: in none that can be told from the path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The innermost service or scope, as the path spells it (systemd-escape(1) not undone).
    pub(crate) unit: Option<Text>,
    /// The innermost container.
    pub(crate) container: Option<Container>,
}

/// Reads `/proc/PID/cgroup`. The line of version 2 goes before the one of systemd's own
/// hierarchy, and that before the lines of the controllers of version 1.
pub(crate) fn place(file: &[u8]) -> Place {
    let mut paths: Vec<_> = file.split(|byte| *byte == b'\n').filter_map(path).collect();
    paths.sort_by_key(|(rank, _)| *rank);
    Place {
        unit: paths
            .iter()
            .find_map(|(_, path)| unit(path))
            .map(Text::from),
        container: paths.iter().find_map(|(_, path)| container(path)),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Version2,
    Systemd,
    Controller,
}

/// The path of one line: `HIERARCHY:CONTROLLERS:PATH`.
fn path(line: &[u8]) -> Option<(Rank, &[u8])> {
    let mut fields = line.splitn(3, |byte| *byte == b':');
    let rank = match (fields.next()?, fields.next()?) {
        (b"0", b"") => Rank::Version2,
        (_, b"name=systemd") => Rank::Systemd,
        _ => Rank::Controller,
    };
    let path = fields.next()?;
    // The group is gone, and what is left of the process still in it.
    Some((rank, path.strip_suffix(b" (deleted)").unwrap_or(path)))
}

fn unit(path: &[u8]) -> Option<&[u8]> {
    let mut unit = None;
    for name in path.split(|byte| *byte == b'/') {
        let stem = name
            .strip_suffix(b".service")
            .or_else(|| name.strip_suffix(b".scope"));
        // Each systemd puts itself into an `init.scope`; within another unit that tells nothing.
        if stem.is_some_and(|stem| !stem.is_empty()) && (unit.is_none() || name != b"init.scope") {
            unit = Some(name);
        }
    }
    unit
}

fn container(path: &[u8]) -> Option<Container> {
    let (mut above, mut below) = (path, &b""[..]);
    while !above.is_empty() {
        let name = last(above);
        let length = above.len() - name.len();
        above = above.get(..length.saturating_sub(1)).unwrap_or_default();
        // systemd-nspawn and podman keep their own watchman, who is outside, in this group.
        if below != b"supervisor"
            && let Some((engine, id)) = group(above, name)
        {
            return Some(Container { engine, id });
        }
        below = name;
    }
    None
}

/// The container that a group named `name` within `above` stands for.
fn group(above: &[u8], name: &[u8]) -> Option<(&'static str, Text)> {
    by_prefix(name)
        .or_else(|| by_colons(name))
        .or_else(|| by_parent(above, name))
        .or_else(|| machine(name))
        .or_else(|| pod(above, name))
        .filter(|(_, id)| !id.is_empty())
}

/// What engines put before the id, with and without `.scope`.
fn engine(word: &[u8]) -> Option<&'static str> {
    match word {
        b"docker" => Some("docker"),
        b"libpod" | b"libpod-payload" => Some("podman"),
        b"cri-containerd" | b"nerdctl" => Some("containerd"),
        b"crio" => Some("cri-o"),
        _ => None,
    }
}

/// `docker-ID.scope`, `libpod-ID`, `cri-containerd-ID.scope` ...
fn by_prefix(name: &[u8]) -> Option<(&'static str, Text)> {
    let stem = name.strip_suffix(b".scope").unwrap_or(name);
    let dash = stem.iter().rposition(|byte| *byte == b'-')?;
    let id = stem.get(dash + 1..).filter(|id| is_id(id))?;
    Some((engine(stem.get(..dash)?)?, id.into()))
}

/// `SLICE:ENGINE:ID`: an engine told to work with systemd that did not.
fn by_colons(name: &[u8]) -> Option<(&'static str, Text)> {
    let mut parts = name.rsplitn(3, |byte| *byte == b':');
    let id = parts.next().filter(|id| is_id(id))?;
    Some((engine(parts.next()?)?, id.into()))
}

/// `/docker/ID`, `/lxc/NAME` ...: the group above tells.
fn by_parent(above: &[u8], name: &[u8]) -> Option<(&'static str, Text)> {
    if let Some(name) = name.strip_prefix(b"lxc.payload.") {
        return Some(("lxc", name.into()));
    }
    let engine = match last(above) {
        b"lxc" | b"lxc.payload" => return Some(("lxc", name.into())),
        b"docker" => "docker",
        b"default" | b"k8s.io" => "containerd",
        parent if parent.starts_with(b"pod") && is_in(above, b"kubepods") => "kubernetes",
        _ if is_in(above, b"ecs") => "docker",
        _ => return None,
    };
    is_id(name).then(|| (engine, name.into()))
}

/// Machines of systemd (systemd-machined.service(8)). Those of QEMU are virtual: the process in
/// the group is the emulator, outside.
fn machine(name: &[u8]) -> Option<(&'static str, Text)> {
    if let Some(machine) = name.strip_prefix(b"systemd-nspawn@") {
        return Some((
            "systemd-nspawn",
            unescaped(machine.strip_suffix(b".service")?),
        ));
    }
    let machine = unescaped(name.strip_prefix(b"machine-")?.strip_suffix(b".scope")?);
    if machine.bytes().starts_with(b"qemu-") {
        None
    } else if machine.bytes().starts_with(b"lxc-") {
        Some(("lxc", machine))
    } else {
        Some(("systemd-nspawn", machine))
    }
}

/// A pod, when nothing below it names the container.
fn pod(above: &[u8], name: &[u8]) -> Option<(&'static str, Text)> {
    let id = if let Some(slice) = name.strip_suffix(b".slice") {
        if !slice.starts_with(b"kubepods-") && !slice.starts_with(b"kubelet-kubepods-") {
            return None;
        }
        slice
            .split(|byte| *byte == b'-')
            .next_back()?
            .strip_prefix(b"pod")?
    } else {
        name.strip_prefix(b"pod")
            .filter(|_| is_in(above, b"kubepods"))?
    };
    // In the name of a slice a hyphen would mean "below", so the kubelet writes underscores.
    let id: Vec<u8> = id
        .iter()
        .map(|byte| if *byte == b'_' { b'-' } else { *byte })
        .collect();
    (!id.is_empty()).then(|| ("kubernetes", id.into()))
}

/// 64 hex digits, as all these engines make them.
fn is_id(name: &[u8]) -> bool {
    name.len() == 64
        && name
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

fn is_in(path: &[u8], group: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').any(|name| name == group)
}

/// Undoes `\xNN` (systemd.unit(5), "string escaping"); what is not one stays.
fn unescaped(mut name: &[u8]) -> Text {
    let mut plain = Vec::with_capacity(name.len());
    while let Some((first, rest)) = name.split_first() {
        let escape = match name {
            [b'\\', b'x', high, low, rest @ ..] => hex(*high)
                .zip(hex(*low))
                .map(|(high, low)| (high << 4 | low, rest)),
            _ => None,
        };
        let (byte, rest) = escape.unwrap_or((*first, rest));
        plain.push(byte);
        name = rest;
    }
    plain.into()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `ID` in a path stands for 64 hex digits; expected as `unit|engine id`.
    fn check(file: &str, expected: &str) {
        let id = "298cc39e03c71a06c999e5db591b810b".repeat(2);
        let place = place(file.replace("ID", &id).as_bytes());
        let unit = place.unit.as_ref().map_or("".into(), Text::lossy);
        let container = place.container.map_or(String::new(), |container| {
            format!("{} {}", container.engine, container.id.lossy())
        });
        assert_eq!(
            format!("{unit}|{container}").replace(&id, "ID"),
            expected,
            "{file}"
        );
    }

    #[test]
    fn finds_units() {
        check("0::/system.slice/ssh.service\n", "ssh.service|");
        check("0::/init.scope\n", "init.scope|");
        check(
            "0::/user.slice/user-1000.slice/session-3.scope\n",
            "session-3.scope|",
        );
        check(
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-77.scope\n",
            "app-gnome-firefox-77.scope|",
        );
        check(
            "0::/user.slice/user-1000.slice/user@1000.service/init.scope\n",
            "user@1000.service|",
        );
        check(
            r"0::/system.slice/system-getty.slice/a\x2db@tty1.service/sub",
            r"a\x2db@tty1.service|",
        );
        check("0::/system.slice/old.service (deleted)\n", "old.service|");
        check("0::/user.slice/.service/.scope\n", "|");
        check("0::/\n", "|");
        check("", "|");
    }

    #[test]
    fn chooses_among_the_lines() {
        let old = "4:memory:/m.service\n1:name=systemd:/system.slice/cron.service\n";
        check(old, "cron.service|");
        check(&format!("{old}0::/\n"), "cron.service|");
        check(
            &format!("{old}0::/system.slice/new.service\n"),
            "new.service|",
        );
        check(
            "4:memory:/docker/ID\n1:name=systemd:/docker/ID\n0::/\n",
            "|docker ID",
        );
        check(
            "12:pids:/docker/ID\n0::/system.slice/containerd.service\n",
            "containerd.service|docker ID",
        );
        check(
            "9:name=systemd:/\n4:memory:/process_api/298cc39e03c71a06\n0::/\n",
            "|",
        );
    }

    #[test]
    fn finds_containers_in_scopes() {
        check(
            "0::/system.slice/docker-ID.scope\n",
            "docker-ID.scope|docker ID",
        );
        check(
            "0::/user.slice/user@1000.service/user.slice/libpod-ID.scope/container\n",
            "libpod-ID.scope|podman ID",
        );
        check(
            "0::/system.slice/a.service/libpod-payload-ID\n",
            "a.service|podman ID",
        );
        check(
            "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-ID.scope",
            "cri-containerd-ID.scope|containerd ID",
        );
        check(
            "0::/kubepods.slice/kubepods-pod1.slice/crio-ID.scope/container\n",
            "crio-ID.scope|cri-o ID",
        );
        check(
            r"0::/machine.slice/machine-a\x2db.scope/payload",
            r"machine-a\x2db.scope|systemd-nspawn a-b",
        );
        check(
            r"0::/machine.slice/machine-lxc\x2d7\x2dweb.scope",
            r"machine-lxc\x2d7\x2dweb.scope|lxc lxc-7-web",
        );
        check(
            "0::/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service\n",
            "nginx.service|systemd-nspawn web",
        );
    }

    #[test]
    fn finds_containers_in_paths() {
        check("0::/docker/ID\n", "|docker ID");
        check("0::/docker/ID/init\n", "|docker ID");
        check("0::/ecs/task/ID\n", "|docker ID");
        check("0::/libpod_parent/libpod-ID\n", "|podman ID");
        check("0::/default/ID\n", "|containerd ID");
        check("0::/kubepods/burstable/podaa-bb/ID\n", "|kubernetes ID");
        check("0::/kubepods/besteffort/podaa-bb\n", "|kubernetes aa-bb");
        check(
            "0::/kubepods.slice/kubepods-besteffort-podaa_bb.slice\n",
            "|kubernetes aa-bb",
        );
        check("0::/system.slice:docker:ID\n", "|docker ID");
        check(
            "0::/kubepods-podaa_bb.slice:cri-containerd:ID\n",
            "|containerd ID",
        );
        check("0::/lxc/web\n", "|lxc web");
        check(
            "0::/lxc/101/ns/system.slice/nginx.service\n",
            "nginx.service|lxc 101",
        );
        check("0::/lxc.payload.web/init.scope\n", "init.scope|lxc web");
        check("0::/lxc.payload/web\n", "|lxc web");
    }

    #[test]
    fn takes_the_innermost_container() {
        check("0::/lxc/outer/docker/ID\n", "|docker ID");
        check(
            "0::/system.slice/docker-ID.scope/kubelet/kubepods/podaa/cri-containerd-ID.scope\n",
            "cri-containerd-ID.scope|containerd ID",
        );
        check("0::/../docker-ID.scope\n", "docker-ID.scope|docker ID");
        check("0::/../../../..\n", "|");
    }

    #[test]
    fn leaves_the_engines_outside() {
        check(
            "0::/machine.slice/libpod-conmon-ID.scope\n",
            "libpod-conmon-ID.scope|",
        );
        check(
            "0::/machine.slice/crio-conmon-ID.scope\n",
            "crio-conmon-ID.scope|",
        );
        check(
            "0::/machine.slice/machine-web.scope/supervisor\n",
            "machine-web.scope|",
        );
        check(
            r"0::/machine.slice/machine-qemu\x2d1\x2dvm.scope/libvirt/emulator",
            r"machine-qemu\x2d1\x2dvm.scope|",
        );
        check("0::/lxc.monitor.web\n", "|");
        check("0::/system.slice/docker.service\n", "docker.service|");
        check(
            "0::/system.slice/docker-short.scope\n",
            "docker-short.scope|",
        );
        check("0::/ID\n", "|");
    }

    #[test]
    fn keeps_odd_bytes() {
        let read = place(b"0::/lxc/\xff\x1b[31m: \xe2\x80\xae\n");
        assert_eq!(
            read.container.unwrap().id,
            Text::from(&b"\xff\x1b[31m: \xe2\x80\xae"[..])
        );
        check(
            r"0::/machine-\x2.scope",
            r"machine-\x2.scope|systemd-nspawn \x2",
        );
        check("0\n0:\n0::\n:::\nx:y:z/a.scope\n", "a.scope|");
    }

    proptest! {
        #[test]
        fn never_panics(file: Vec<u8>) {
            place(&file);
        }

        #[test]
        fn never_panics_on_paths(path in r"([/.:\\x2d-]|lxc|pod|docker|machine-|\.scope|\.slice|kubepods-){0,12}") {
            place(format!("0::/{path}\n").as_bytes());
        }
    }
}

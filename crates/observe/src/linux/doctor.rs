//! What can be seen from where whocalls stands, and what would mend the rest.

mod others;

use std::fs;
use std::path::Path;

use model::{Condition, Diagnosis, Doctor, Gap, Look, Tier};
use rustix::fs::StatVfsMountFlags;

use super::bpf::{BpfError, TYPE_INFORMATION};
use super::events::Probes;
use super::watch::no_events;
use super::{capabilities, cgroup, host};
use crate::{Error, LookOptions};

/// Takes a look, and tells what bears on it.
pub(crate) fn doctor() -> Result<Doctor, Error> {
    let options = LookOptions {
        every_process: true,
        ..LookOptions::default()
    };
    let look = super::Observer::open(false)?.look(options)?;
    // Before our own are there.
    let other_programs = others::on_the_network_path();
    let attached = if capabilities::may_use_bpf() {
        Probes::attach(host::in_nested_pid_namespace(), &mut || {})
    } else {
        Err(BpfError::NoRights)
    };
    let mut checks = vec![kernel(), tier(&look), events(&attached)];
    checks.extend(rights());
    checks.extend([
        type_information(),
        lockdown(),
        settings(),
        control_groups(),
        other_programs,
        pid_namespace(),
        network_namespaces(&look),
        hidepid(&look),
        own_file(),
    ]);
    let mut gaps = look.gaps;
    gaps.extend(capabilities::gaps());
    match attached {
        Ok(probes) => gaps.extend(probes.gaps()),
        Err(error) => gaps.push(no_events(&error)),
    }
    Ok(Doctor {
        tier: look.tier,
        checks,
        gaps,
    })
}

fn check(what: &'static str, found: impl Into<String>, condition: Condition) -> Diagnosis {
    Diagnosis {
        what,
        found: found.into(),
        condition,
        help: None,
    }
}

fn kernel() -> Diagnosis {
    let name = rustix::system::uname();
    let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
    let found = format!(
        "{} {} {}",
        text(name.sysname()),
        text(name.release()),
        text(name.machine())
    );
    check("kernel", found, Condition::Neutral)
}

fn tier(look: &Look) -> Diagnosis {
    let why = look
        .gaps
        .iter()
        .find(|gap| gap.id == "no_ebpf")
        .map(|gap| gap.why.as_str());
    match (look.tier, why) {
        (Tier::Full, _) => check(
            "how sockets are read",
            "full: BPF iterators, all processes and network namespaces at once",
            Condition::Good,
        ),
        (Tier::NoBtf | Tier::Polling | Tier::Import, why) => Diagnosis {
            help: Some("start whocalls as root".to_owned())
                .filter(|_| !capabilities::may_use_bpf()),
            ..check(
                "how sockets are read",
                format!(
                    "polling: netlink and /proc ({})",
                    why.unwrap_or("as was asked for")
                ),
                Condition::Limits,
            )
        },
    }
}

/// What `watch` goes by: tried, and taken back at once.
fn events(attached: &Result<Probes, BpfError>) -> Diagnosis {
    let what = "how events are seen";
    match attached {
        Ok(probes) if probes.is_plain() => check(
            what,
            "no-btf: BPF programs tell of connections and attempts, with fewer facts",
            Condition::Limits,
        ),
        Ok(_) => check(
            what,
            "full: BPF programs tell of every attempt, connection, peer and process",
            Condition::Good,
        ),
        Err(why) => Diagnosis {
            help: Some("start whocalls as root".to_owned())
                .filter(|_| !capabilities::may_use_bpf()),
            ..check(
                what,
                format!("polling: one look after the other, and what netlink tells ({why})"),
                Condition::Limits,
            )
        },
    }
}

/// One check for all rights, or one for each that is missing.
fn rights() -> Vec<Diagnosis> {
    let missing = capabilities::missing();
    if missing.is_empty() {
        let names: Vec<_> = capabilities::rights().map(|right| right.name).collect();
        let found = format!("all that whocalls needs: {}", names.join(" "));
        return vec![Diagnosis {
            help: setcap(),
            ..check("rights", found, Condition::Good)
        }];
    }
    let is_missing = |name: &str| missing.iter().any(|right| right.name == name);
    let names = capabilities::rights().map(|right| right.name);
    let present: Vec<_> = names.filter(|name| !is_missing(name)).collect();
    let present = if present.is_empty() {
        "none".to_owned()
    } else {
        present.join(" ")
    };
    let mut checks = vec![check("rights", present, Condition::Neutral)];
    if capabilities::in_nested_user_namespace() {
        let found = "one of its own: rights do not reach beyond it";
        checks.push(check("user namespace", found, Condition::Limits));
    }
    checks.extend(missing.iter().map(|right| {
        check(
            right.name,
            format!("missing: it is there {}", right.purpose),
            Condition::Limits,
        )
    }));
    if let Some(last) = checks.last_mut() {
        let root = "start whocalls as root: sudo whocalls";
        let setcap = setcap().map_or(String::new(), |line| format!("; or {line}"));
        last.help = Some(format!("{root}{setcap}"));
    }
    checks
}

/// `None`: rights that are given to the file would not count, or it is not known where it is.
fn setcap() -> Option<String> {
    if capabilities::in_nested_user_namespace() {
        return None;
    }
    let file = std::env::current_exe().ok()?;
    let flags = rustix::fs::statvfs(&file).ok()?.f_flag;
    let line = capabilities::setcap_line(&file);
    (!flags.contains(StatVfsMountFlags::NOSUID))
        .then(|| format!("to run it without root, for everyone who may start this file: {line}"))
}

fn type_information() -> Diagnosis {
    let path = TYPE_INFORMATION;
    if Path::new(path).exists() {
        check("kernel type information (BTF)", path, Condition::Good)
    } else {
        Diagnosis {
            help: Some("a kernel built with CONFIG_DEBUG_INFO_BTF has it".to_owned()),
            ..check("kernel type information (BTF)", "none", Condition::Limits)
        }
    }
}

fn lockdown() -> Diagnosis {
    // `none [integrity] confidentiality`: the brackets mark what is in force.
    let text = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    let mode = text.split(['[', ']']).nth(1).unwrap_or("none").to_owned();
    if mode == "confidentiality" {
        let found = format!("{mode}: BPF programs may not read all of the kernel's memory");
        return check("kernel lockdown", found, Condition::Limits);
    }
    check("kernel lockdown", mode, Condition::Neutral)
}

/// Settings that are known for keeping others from BPF.
fn settings() -> Diagnosis {
    let number = |name: &str| {
        let text = fs::read_to_string(Path::new("/proc/sys/kernel").join(name));
        text.map_or("not there".to_owned(), |text| text.trim().to_owned())
    };
    let (bpf, perf) = (
        number("unprivileged_bpf_disabled"),
        number("perf_event_paranoid"),
    );
    let found = format!(
        "unprivileged_bpf_disabled {bpf}, perf_event_paranoid {perf}: neither stands in the way of \
         whoever has CAP_BPF and CAP_PERFMON"
    );
    check("kernel settings", found, Condition::Neutral)
}

fn control_groups() -> Diagnosis {
    let what = "control groups (version 2)";
    if cgroup::in_nested_cgroup_namespace() {
        return Diagnosis {
            help: Some("start whocalls on the computer itself, not in a container".to_owned()),
            ..check(
                what,
                "in a namespace of their own, as in a container: attempts and UDP of programs \
                 outside cannot be seen",
                Condition::Limits,
            )
        };
    }
    match cgroup::mounted().first() {
        Some(root) => check(what, root.display().to_string(), Condition::Good),
        None => match cgroup::root() {
            Ok(_) => check(
                what,
                "not mounted; whocalls mounts them for itself",
                Condition::Good,
            ),
            Err(error) => check(what, format!("not mounted: {error}"), Condition::Limits),
        },
    }
}

fn pid_namespace() -> Diagnosis {
    if host::in_nested_pid_namespace() {
        Diagnosis {
            help: Some("start whocalls on the computer itself, not in a container".to_owned()),
            ..check(
                "PID namespace",
                "one of its own, as in a container: processes outside cannot be seen",
                Condition::Limits,
            )
        }
    } else {
        check(
            "PID namespace",
            "the computer's first: all processes",
            Condition::Good,
        )
    }
}

fn network_namespaces(look: &Look) -> Diagnosis {
    let with_sockets: std::collections::BTreeSet<_> = look
        .sockets
        .iter()
        .filter_map(|socket| socket.netns)
        .collect();
    let trouble: Vec<&Gap> = look
        .gaps
        .iter()
        .filter(|gap| matches!(gap.id.as_str(), "namespace_not_entered" | "no_rights"))
        .collect();
    let mut found = format!("{} with sockets", with_sockets.len());
    if trouble.is_empty() {
        return check("network namespaces", found, Condition::Good);
    }
    for gap in trouble {
        found = format!("{found}; {}", gap.why);
    }
    check("network namespaces", found, Condition::Limits)
}

fn hidepid(look: &Look) -> Diagnosis {
    match look.gaps.iter().find(|gap| gap.id == "hidepid") {
        None => check("other users' processes in /proc", "shown", Condition::Good),
        Some(gap) => Diagnosis {
            help: Some("start whocalls as root".to_owned()),
            ..check(
                "other users' processes in /proc",
                gap.why.clone(),
                Condition::Limits,
            )
        },
    }
}

/// Where the program file lies: on a stick that forbids programs it could not have been started,
/// and without set-uid there file capabilities do not count.
fn own_file() -> Diagnosis {
    let Ok(path) = std::env::current_exe() else {
        return check("program file", "not to be found", Condition::Neutral);
    };
    let flags = rustix::fs::statvfs(&path).map(|file_system| file_system.f_flag);
    let flags = flags.unwrap_or(StatVfsMountFlags::empty());
    let mut notes = Vec::new();
    if flags.contains(StatVfsMountFlags::NOEXEC) {
        notes.push("noexec: programs cannot be started from there");
    }
    if flags.contains(StatVfsMountFlags::NOSUID) {
        notes.push("nosuid: rights given with setcap do not count there, sudo does");
    }
    if flags.contains(StatVfsMountFlags::RDONLY) {
        notes.push("read-only");
    }
    let notes = if notes.is_empty() {
        String::new()
    } else {
        format!(" ({})", notes.join("; "))
    };
    check(
        "program file",
        format!("{}{notes}", path.display()),
        Condition::Neutral,
    )
}

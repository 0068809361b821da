//! What can be seen from where whocalls stands, and what would mend the rest.

use std::fs;
use std::path::Path;

use model::{Check, Condition, Doctor, Gap, Look, Tier};
use rustix::fs::StatVfsMountFlags;

use super::capabilities;
use super::host;
use super::iterators::TYPE_INFORMATION;
use crate::{Error, LookOptions};

/// Takes a look, and tells what bears on it.
pub(crate) fn doctor() -> Result<Doctor, Error> {
    let options = LookOptions {
        every_process: true,
        ..LookOptions::default()
    };
    let look = super::Observer::open(false)?.look(options)?;
    let mut checks = vec![kernel(), tier(&look)];
    checks.extend(rights());
    checks.extend([
        type_information(),
        lockdown(),
        pid_namespace(),
        network_namespaces(&look),
        hidepid(&look),
        own_file(),
    ]);
    Ok(Doctor {
        tier: look.tier,
        checks,
        gaps: look.gaps,
    })
}

fn check(what: &'static str, found: impl Into<String>, condition: Condition) -> Check {
    Check {
        what,
        found: found.into(),
        condition,
        help: None,
    }
}

fn kernel() -> Check {
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

fn tier(look: &Look) -> Check {
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
        (Tier::NoBtf | Tier::Polling | Tier::Import, why) => Check {
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

/// One check for all rights, or one for each that is missing.
fn rights() -> Vec<Check> {
    let missing = capabilities::missing();
    if missing.is_empty() {
        let names: Vec<_> = capabilities::RIGHTS
            .iter()
            .map(|right| right.name)
            .collect();
        let found = format!("all that a look needs: {}", names.join(" "));
        return vec![check("rights", found, Condition::Good)];
    }
    let is_missing = |name: &str| missing.iter().any(|right| right.name == name);
    let names = capabilities::RIGHTS.iter().map(|right| right.name);
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
            format!("missing, for: {}", right.without_it),
            Condition::Limits,
        )
    }));
    if let Some(last) = checks.last_mut() {
        last.help = Some("start whocalls as root: sudo whocalls".to_owned());
    }
    checks
}

fn type_information() -> Check {
    let path = TYPE_INFORMATION;
    if Path::new(path).exists() {
        check("kernel type information (BTF)", path, Condition::Good)
    } else {
        Check {
            help: Some("a kernel built with CONFIG_DEBUG_INFO_BTF has it".to_owned()),
            ..check("kernel type information (BTF)", "none", Condition::Limits)
        }
    }
}

fn lockdown() -> Check {
    // `none [integrity] confidentiality`: the brackets mark what is in force.
    let text = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    let mode = text.split(['[', ']']).nth(1).unwrap_or("none").to_owned();
    check("kernel lockdown", mode, Condition::Neutral)
}

fn pid_namespace() -> Check {
    if host::in_nested_pid_namespace() {
        Check {
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

fn network_namespaces(look: &Look) -> Check {
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

fn hidepid(look: &Look) -> Check {
    match look.gaps.iter().find(|gap| gap.id == "hidepid") {
        None => check("other users' processes in /proc", "shown", Condition::Good),
        Some(gap) => Check {
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
fn own_file() -> Check {
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

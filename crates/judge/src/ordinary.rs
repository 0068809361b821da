//! What may be folded away on a screen, and is counted all the same.

use model::{Evidence, Finding, Findings, Ordinary, PackageState, Process, Severity};

use crate::process::{paths, programs};

/// Ordinary is a program that is intact from a package, about which there is no finding above what is
/// only to know of, and which does not do whatever it is told: no interpreter, no shell, no transfer tool,
/// and none that was started with a file or an address of a stranger. Threads of the kernel are, and
/// whocalls itself.
pub(crate) fn ordinary(process: &Process, findings: &Findings) -> Ordinary {
    let mut not = Vec::new();
    if process.kernel_thread {
        return Ordinary { not };
    }
    let package = process
        .examined
        .as_deref()
        .and_then(|it| it.package.as_ref());
    match package.map(|it| it.state) {
        Some(PackageState::ThisTool) => return Ordinary { not },
        Some(PackageState::Intact) => {}
        Some(PackageState::Modified) => not.push("modified"),
        Some(PackageState::Unpackaged) => not.push("of no package"),
        Some(PackageState::NotTestable) | None => not.push("package not known"),
    }
    if findings.iter().any(|finding| is_against(finding, process)) {
        not.push("findings");
    }
    not.extend(told(process));
    Ordinary { not }
}

/// Whether it is made to do whatever it is told: whom it calls is then not its own habit. A browser that
/// was given an address, or a player its file, stays what it is.
pub(crate) fn is_for_anything(process: &Process) -> bool {
    process.command_line.is_none() || made_for(process, &arguments(process)).is_some()
}

/// Why its arguments decide what it does.
fn told(process: &Process) -> Vec<&'static str> {
    let arguments = arguments(process);
    let mut not: Vec<_> = made_for(process, &arguments).into_iter().collect();
    if process.command_line.is_none() || process.command_line_truncated {
        not.push("arguments not known");
    } else if arguments.iter().skip(1).any(|it| is_of_a_stranger(it)) {
        not.push("arguments of a stranger");
    }
    not
}

fn arguments(process: &Process) -> Vec<String> {
    let all = process.command_line.iter().flatten();
    all.map(|it| it.lossy().into_owned()).collect()
}

fn made_for(process: &Process, arguments: &[String]) -> Option<&'static str> {
    let program = process.program().lossy();
    if programs::is_shell(&program, arguments) {
        Some("shell")
    } else if programs::is_interpreter(&program) {
        Some("interpreter")
    } else if programs::is_transfer_tool(&program, arguments) {
        Some("transfer tool")
    } else {
        None
    }
}

/// About this run, or about the program as a whole.
fn is_against(finding: &Finding, process: &Process) -> bool {
    if finding.severity <= Severity::Informational {
        return false;
    }
    if finding.evidence.contains(&Evidence::Process(process.id)) {
        return true;
    }
    match &finding.about.reach {
        model::Reach::Processes(processes) => processes.contains(&process.id),
        model::Reach::Named | model::Reach::Program | model::Reach::Remotes { .. } => {
            finding.about.program.as_ref() == Some(process.program())
        }
    }
}

/// Whether an argument names an address of the internet, or a file in a folder that is not of packages or
/// of the system.
fn is_of_a_stranger(argument: &str) -> bool {
    // `--file=/tmp/x`, `-I/tmp/x`
    let value = argument
        .split_once('=')
        .map_or(argument, |(_, value)| value);
    let at = value.find('/').filter(|_| value.starts_with('-'));
    let value = at.and_then(|at| value.get(at..)).unwrap_or(value);
    if value.contains("://") {
        return !value.starts_with("unix://") && !value.starts_with("fd://");
    }
    let of_system = ["/var/", "/run/", "/proc/", "/sys/", "/dev/"];
    let known = |path: &str| {
        let below_system = of_system.iter().any(|it| path.starts_with(it));
        paths::is_of_root(path) || below_system && !path.contains("/../")
    };
    if value.starts_with('/') {
        return value != "/"
            && (paths::is_temporary(value) && !value.starts_with("/run/") || !known(value));
    }
    value.starts_with("./") || value.starts_with("../") || value.starts_with("~/")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{BootId, Examined, Package, ProcessId, Text};

    use super::*;

    fn process(path: &str, arguments: &[&str], state: PackageState) -> Process {
        let id = ProcessId {
            boot: BootId([0; 16]),
            pid: 7,
            start_ticks: 7,
        };
        let package = Package {
            state,
            name: None,
            version: None,
            manager: None,
        };
        Process {
            path: Some(Text::from(path)),
            command_line: Some(arguments.iter().map(|it| Text::from(*it)).collect()),
            examined: Some(Arc::new(Examined {
                package: Some(package),
                ..Examined::default()
            })),
            ..Process::unknown(id)
        }
    }

    fn check(path: &str, arguments: &[&str], state: PackageState, expected: &[&str]) {
        let ordinary = ordinary(&process(path, arguments, state), &Findings::default());
        assert_eq!(ordinary.not, expected, "{path} {arguments:?}");
    }

    #[test]
    fn who_does_whatever_it_is_told_is_not_ordinary() {
        use PackageState::{Intact, Modified, NotTestable, ThisTool, Unpackaged};
        check("/usr/sbin/sshd", &["sshd", "-D"], Intact, &[]);
        check(
            "/usr/sbin/named",
            &["named", "-c", "/etc/bind/named.conf"],
            Intact,
            &[],
        );
        check("/usr/sbin/sshd", &["sshd"], Modified, &["modified"]);
        check("/opt/x/x", &["x"], Unpackaged, &["of no package"]);
        check("/usr/bin/x", &["x"], NotTestable, &["package not known"]);
        check("/tmp/whocalls", &["x", "/tmp/x"], ThisTool, &[]);
        check("/usr/bin/bash", &["bash"], Intact, &["shell"]);
        check("/usr/bin/curl", &["curl"], Intact, &["transfer tool"]);
        check(
            "/usr/bin/python3.11",
            &["python3", "/tmp/x.py"],
            Intact,
            &["interpreter", "arguments of a stranger"],
        );
        for argument in [
            "/tmp/x",
            "--file=/home/lena/x",
            "-I/dev/shm/x",
            "https://example.test/",
            "./x",
            "/usr/../tmp/x",
        ] {
            let expected = ["arguments of a stranger"];
            check("/usr/bin/vlc", &["vlc", argument], Intact, &expected);
        }
        for argument in [
            "--at=/run/x.sock",
            "-f/etc/x",
            "fd://",
            "unix:///run/x",
            "/",
        ] {
            check("/usr/bin/dockerd", &["dockerd", argument], Intact, &[]);
        }
    }
}

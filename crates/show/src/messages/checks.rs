//! What was found by looking into a process: the short form of a column, and a line for each trace.

use model::{Display, Package, PackageState, Sign, Trace, hex};

use super::counted;
use crate::visible::visible;

/// In the place of how many checks.
pub(crate) const KERNEL: &str = "kernel";

/// Never a tick, never "clean": by how many of all checks nothing was found, or how many found something.
pub(crate) fn in_short(found: usize, nothing: usize, all: usize) -> String {
    match found {
        0 => format!("· {nothing}/{all}"),
        found => format!("{found} found · {nothing}/{all}"),
    }
}

/// `nothing found by 14 checks, 3 not testable`.
pub(crate) fn summary(found: usize, nothing: usize, untested: &[(&str, usize)]) -> String {
    let mut parts = Vec::new();
    if found > 0 {
        parts.push(format!(
            "something found by {}",
            counted(found, "check", "checks")
        ));
    }
    parts.push(format!(
        "nothing found by {}",
        counted(nothing, "check", "checks")
    ));
    let all: usize = untested.iter().map(|(_, count)| count).sum();
    if all > 0 {
        let whys: Vec<_> = untested.iter().map(|(why, _)| *why).collect();
        parts.push(format!("{all} not testable ({})", whys.join(", ")));
    }
    parts.join(", ")
}

/// One thing that was seen, with where it was.
pub(crate) fn trace(trace: &Trace) -> String {
    let mut text = sign(trace.sign).to_owned();
    if let Some(path) = &trace.path {
        text += &format!(": {}", visible(path));
    }
    if let Some(package) = &trace.package {
        text += &format!(" (package {})", visible(package));
    }
    match (&trace.name, trace.pid) {
        (Some(name), Some(pid)) => text += &format!(", {} {pid}", visible(name)),
        (Some(name), None) => text += &format!(", {}", visible(name)),
        (None, Some(pid)) => text += &format!(", process {pid}"),
        (None, None) => {}
    }
    if let Some(length) = trace.length {
        text += &format!(", {}", counted(length, "byte", "bytes"));
    }
    if let Some(address) = trace.address {
        text += &format!(" at {address:#x}");
    }
    if let Some(bytes) = &trace.bytes {
        text += &format!(": {}", hex(bytes));
    }
    if let Some(expected) = &trace.expected {
        text += &format!(" instead of {}", hex(expected));
    }
    text
}

/// `bash 5.2.15-2+b7 (dpkg), intact`.
pub(crate) fn package(package: &Package) -> String {
    let state = match package.state {
        PackageState::Intact => "intact",
        PackageState::Modified => "changed since it was installed",
        PackageState::Unpackaged => "of no package",
        PackageState::NotTestable => "could not be compared",
        PackageState::ThisTool => "this tool",
    };
    let Some(name) = &package.name else {
        return state.to_owned();
    };
    let mut text = visible(name).into_owned();
    if let Some(version) = &package.version {
        text += &format!(" {}", visible(version));
    }
    if let Some(manager) = package.manager {
        text += &format!(" ({manager})");
    }
    format!("{text}, {state}")
}

pub(crate) fn display(display: Display) -> &'static str {
    match display {
        Display::Shown => "it or its family is connected to a display",
        Display::NoWindow => {
            "connected to a display, no window of it or its family can be seen there"
        }
        Display::NoConnection => "no connection to any display",
        Display::NotTestable => "whether it shows anything cannot be tested",
    }
}

/// More traces than are kept.
pub(crate) fn more(count: u32) -> String {
    format!("and {count} more of the kind")
}

fn sign(sign: Sign) -> &'static str {
    match sign {
        Sign::Differs => "code differs from its file",
        Sign::Breakpoints => "breakpoints in code",
        Sign::Restored => "code was written to and is as in its file again",
        Sign::Written => "code was written to, its file could not be read",
        Sign::ByEngine => "code differs from its file, as the engine that is there changes it",
        Sign::OutsideFiles => "system call by code of no file",
        Sign::StartedOutside => "thread began in memory of no file",
        Sign::NotMapped => "its program file is not in its memory",
        Sign::EntryElsewhere => "it began outside of its program file",
        Sign::WritableAndExecutable => "memory of no file, writable and executable",
        Sign::Executable => "executable memory of no file",
        Sign::Engine => "makes code while it runs",
        Sign::ElfInMemory => "a program or library that lives in memory only",
        Sign::CodeInMemory => "code that lives in memory only",
        Sign::PeInMemory => "a program or library that lives in memory only",
        Sign::Memfd => "its program never was in a file system",
        Sign::SealedMemfd => "its program never was in a file system, and is sealed",
        Sign::Deleted => "deleted file",
        Sign::Replaced => "another file has this path now",
        Sign::ReplacedByStranger => "what has this path now is no program of a package",
        Sign::OtherFile => "what is in memory is not the file at this path",
        Sign::TemporaryProgram => "program in a folder for temporary files",
        Sign::TemporaryLibrary => "library in a folder for temporary files",
        Sign::TemporaryScript => "script in a folder for temporary files",
        Sign::HiddenProgram => "program in a hidden folder",
        Sign::HiddenLibrary => "library in a hidden folder",
        Sign::HiddenScript => "script in a hidden folder",
        Sign::OverlongPath => "path longer than Linux takes or shows",
        Sign::Preloaded => "library put before all others (LD_PRELOAD)",
        Sign::Audits => "library that watches all others (LD_AUDIT)",
        Sign::PreloadedEverywhere => "library put into every program (/etc/ld.so.preload)",
        Sign::ByLoader => "started by calling the loader by hand",
        Sign::Tracer => "held by a debugger",
        Sign::LikeKernel => "called like a thread of the kernel",
        Sign::LikeOther => "called like another program",
        Sign::ModifiedProgram => "program changed since it was installed",
        Sign::ModifiedLibrary => "library changed since it was installed",
        Sign::UnpackagedLibrary => "library of no package",
        Sign::NotListed => "not in the list of processes",
        Sign::MountedOver => "its folder in /proc is covered",
        Sign::InputSocket => "standard input is a socket",
        Sign::OutputSocket => "standard output is a socket",
        Sign::ShellOverPipe => "shell over pipes of a program with a connection",
        Sign::PacketSocket => "reads packets",
        Sign::Autostart => "started at login",
        Sign::UserUnit => "started by a unit of the user",
        Sign::SystemUnit => "started by a unit or a script of the system",
        Sign::Cron => "started by cron",
        Sign::ShellStart => "started by each shell",
        Sign::SetUid => "runs with the rights of its owner (setuid)",
        Sign::SetGid => "runs with the rights of its group (setgid)",
        Sign::Capabilities => "file gives rights",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_in_a_line() {
        let differs = Trace {
            length: Some(5),
            address: Some(0x7f00_1000),
            bytes: Some(vec![0xe9, 1]),
            expected: Some(vec![0x55, 0x48]),
            ..Trace::of_file(Sign::Differs, "/usr/lib/libc.so.6")
        };
        assert_eq!(
            trace(&differs),
            "code differs from its file: /usr/lib/libc.so.6, 5 bytes at 0x7f001000: e901 instead of 5548"
        );
        let tracer = Trace {
            pid: Some(7),
            name: Some("gd\u{1b}b".into()),
            ..Trace::new(Sign::Tracer)
        };
        assert!(!trace(&tracer).contains('\u{1b}'));
    }

    #[test]
    fn never_clean() {
        assert_eq!(in_short(0, 14, 17), "· 14/17");
        assert_eq!(in_short(2, 12, 17), "2 found · 12/17");
        assert_eq!(
            summary(0, 14, &[("no rights", 3)]),
            "nothing found by 14 checks, 3 not testable (no rights)"
        );
    }
}

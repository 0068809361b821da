//! Whether it is called like another program of a package.
//!
//! The first argument is whatever who starts a program likes. It tells nothing where it is a script, the
//! name of one program under another one's (links, alternatives, login shells), or another program of the
//! same package.

use std::io::Read;

use model::{Outcome, Package, PackageState, Sign, Text, Trace, Untested};

use super::root::{Found, Root};
use super::{Kept, Subject, package};

/// Services that run nearly everywhere, so that one more is not noticed.
const SERVICES: [&[u8]; 40] = [
    b"accounts-daemon",
    b"agetty",
    b"apache2",
    b"atd",
    b"auditd",
    b"avahi-daemon",
    b"chronyd",
    b"colord",
    b"containerd",
    b"cron",
    b"crond",
    b"cupsd",
    b"dbus-broker",
    b"dbus-daemon",
    b"dhclient",
    b"dockerd",
    b"getty",
    b"httpd",
    b"init",
    b"irqbalance",
    b"login",
    b"ModemManager",
    b"NetworkManager",
    b"nginx",
    b"ntpd",
    b"polkitd",
    b"rsyslogd",
    b"rtkit-daemon",
    b"smartd",
    b"snapd",
    b"sshd",
    b"systemd",
    b"systemd-journald",
    b"systemd-logind",
    b"systemd-networkd",
    b"systemd-resolved",
    b"systemd-timesyncd",
    b"systemd-udevd",
    b"udisksd",
    b"wpa_supplicant",
];
/// Where a program without a path may be (environ(7); what a service gets).
const FOLDERS: [&[u8]; 6] = [
    b"/usr/local/sbin/",
    b"/usr/local/bin/",
    b"/usr/sbin/",
    b"/usr/bin/",
    b"/sbin/",
    b"/bin/",
];
/// Without any list of packages: where packages are.
const OF_PACKAGES: [&[u8]; 9] = [
    b"/usr/", b"/bin/", b"/sbin/", b"/lib", b"/opt/", b"/nix/", b"/gnu/", b"/snap/", b"/app/",
];
const LONGEST_NAME: usize = 4096;

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    match found(subject, kept) {
        Ok(outcome) => outcome,
        Err(why) => Outcome::NotTestable(why),
    }
}

fn found(subject: &Subject, kept: &mut Kept) -> Result<Outcome, Untested> {
    let program = subject.program()?;
    let arguments = subject.arguments()?;
    let first = arguments.first().map(Text::bytes).unwrap_or_default();
    let link = program.link.bytes();
    // Most are called as their file is.
    if first == link || first.len() > LONGEST_NAME {
        return Ok(Outcome::NothingFound);
    }
    if let Some(trace) = like_file(subject, first, kept)? {
        return Ok(Outcome::of(vec![trace]));
    }
    let short = subject.stat().name.bytes();
    for name in [service(first), service(short)].into_iter().flatten() {
        if let Some(trace) = like_service(subject, name, kept)? {
            return Ok(Outcome::of(vec![trace]));
        }
    }
    Ok(Outcome::NothingFound)
}

/// Whether the first argument is the path of another package's program.
fn like_file(subject: &Subject, first: &[u8], kept: &mut Kept) -> Result<Option<Trace>, Untested> {
    // What stands there is each time somebody else's.
    if !first.contains(&b'/') || first.starts_with(b"/proc/") || first.starts_with(b"/dev/") {
        return Ok(None);
    }
    let path = if first.starts_with(b"/") {
        first.to_vec()
    } else {
        let goes_up = first.split(|byte| *byte == b'/').any(|part| part == b"..");
        let folder = match subject.link(c"cwd") {
            // No package has a file below such a folder.
            Err(Untested::TooLarge) if !goes_up => return Ok(None),
            folder => folder?,
        };
        [folder.bytes(), b"/", first].concat()
    };
    let root = Root::of(subject)?;
    let Some(other) = root.find(root.inside(&path))? else {
        return Ok(None);
    };
    if is_program_of(subject, &other)? || !is_elf(&other) {
        return Ok(None);
    }
    let Some(its_package) = package::owner(subject, &other.path, kept)? else {
        return Ok(None);
    };
    let own = package::of_program(subject, kept);
    let is_same = |own: &Package| own.name.as_ref() == Some(&its_package);
    if own.is_some_and(|own| {
        is_same(&own) || (own.state == PackageState::Intact && emulates(subject))
    }) {
        return Ok(None);
    }
    Ok(Some(Trace {
        name: Some(first.into()),
        package: Some(its_package),
        ..Trace::of_file(Sign::LikeOther, other.path)
    }))
}

/// Whether its program runs programs for other computers, and is called as these are.
fn emulates(subject: &Subject) -> bool {
    let name = subject.program().ok().and_then(|program| {
        let mut names = program.link.bytes().split(|byte| *byte == b'/');
        names.next_back()
    });
    let emulators: [&[u8]; 6] = [b"qemu-", b"box86", b"box64", b"FEX", b"wine", b"rosetta"];
    name.is_some_and(|name| emulators.iter().any(|it| name.starts_with(it)))
}

/// Whether a program that is of no package calls itself like a service.
fn like_service(
    subject: &Subject,
    name: &[u8],
    kept: &mut Kept,
) -> Result<Option<Trace>, Untested> {
    let program = subject.program()?;
    let link = program.link.bytes();
    let file = link.split(|byte| *byte == b'/').next_back();
    if file == Some(name) {
        return Ok(None);
    }
    let is_of_package = match package::of_program(subject, kept).map(|it| (it.state, it.name)) {
        // It cannot be said; then the place of the file has to do.
        Some((PackageState::NotTestable, None)) => {
            OF_PACKAGES.iter().any(|folder| link.starts_with(folder))
        }
        Some((state, _)) => state != PackageState::Unpackaged,
        None => return Ok(None),
    };
    if is_of_package {
        return Ok(None);
    }
    // One file may be many programs (busybox), by a link for each.
    let root = Root::of(subject)?;
    let mut path = None;
    for folder in FOLDERS {
        if let Some(other) = root.find(&[folder, name].concat())? {
            if is_program_of(subject, &other)? {
                return Ok(None);
            }
            path = path.or(Some(other.path));
        }
    }
    let its_package = match &path {
        Some(path) => package::owner(subject, path, kept).unwrap_or_default(),
        None => None,
    };
    Ok(Some(Trace {
        name: Some(name.into()),
        package: its_package,
        path: path.map(Text::from),
        ..Trace::new(Sign::LikeOther)
    }))
}

/// The service that a process says it is: `sshd: alice`, `/usr/sbin/cron`, `-sshd`.
fn service(name: &[u8]) -> Option<&'static [u8]> {
    let name = name.split(|byte| *byte == b' ' || *byte == b':').next()?;
    let name = name.split(|byte| *byte == b'/').next_back()?;
    let name = name.strip_prefix(b"-").unwrap_or(name);
    // The short name of a process is cut off, so that 15 bytes may stand for more.
    let is = |service: &&&[u8]| **service == name || service.get(..15) == Some(name);
    SERVICES.iter().find(is).copied()
}

fn is_program_of(subject: &Subject, other: &Found) -> Result<bool, Untested> {
    let program = subject.program()?;
    let seen = &other.seen;
    let device = (seen.stx_dev_major, seen.stx_dev_minor);
    Ok((device, seen.stx_ino) == (program.device, program.inode))
}

/// Whether it begins like a program (ELF, 1-4), and not like a script or a program of Windows.
fn is_elf(found: &Found) -> bool {
    let mut magic = [0; 4];
    let read = found.open().map(|mut file| file.read_exact(&mut magic));
    matches!(read, Ok(Ok(()))) && magic == *b"\x7fELF"
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::Command;

    use super::super::tried::{Folder, Running, skipped};
    use super::*;

    fn has_dpkg() -> bool {
        let has = Path::new("/var/lib/dpkg/info/coreutils.list").exists();
        if !has {
            skipped("no dpkg here");
        }
        has
    }

    /// What is found of a program that is called so; its file has that name.
    fn check_of(program: &Path, called: &str, name: &str) -> Outcome {
        let mut command = Command::new(program);
        let running = Running::start(command.arg0(called).arg("1000"), name).unwrap();
        check(&running.subject().unwrap(), &mut Kept::default())
    }

    fn found_of(outcome: &Outcome) -> Option<(Option<&Text>, Option<&Text>)> {
        match outcome {
            Outcome::Found { traces, .. } => {
                let trace = &traces[0];
                assert_eq!(trace.sign, Sign::LikeOther);
                Some((trace.name.as_ref(), trace.package.as_ref()))
            }
            Outcome::NothingFound => None,
            Outcome::NotTestable(why) => panic!("{why}"),
        }
    }

    #[test]
    fn services_by_what_they_say() {
        let check = |said: &str, expected: Option<&str>| {
            let expected = expected.map(str::as_bytes);
            assert_eq!(service(said.as_bytes()), expected, "{said}");
        };
        check("sshd: alice [priv]", Some("sshd"));
        check("/usr/sbin/cron", Some("cron"));
        check("systemd-journal", Some("systemd-journald"));
        check("-bash", None);
        check("sshd2", None);
        check("", None);
    }

    #[test]
    fn a_program_that_is_called_like_that_of_another_package() {
        if !has_dpkg() {
            return;
        }
        let sleep = Path::new("/bin/sleep");
        let bash = Text::from("/bin/bash");
        let outcome = check_of(sleep, "/bin/bash", "sleep");
        assert_eq!(
            found_of(&outcome),
            Some((Some(&bash), Some(&"bash".into())))
        );
        // The same package; its own path; a script; nothing; a login shell; ours.
        for innocent in [
            "/bin/ls",
            "/bin/sleep",
            "/usr/bin/ldd",
            "/usr/bin/no-such-program",
            "-bash",
            "sleep",
            "/proc/self/exe",
            "",
        ] {
            let outcome = check_of(sleep, innocent, "sleep");
            assert_eq!(found_of(&outcome), None, "{innocent}");
        }
    }

    #[test]
    fn a_stranger_that_is_called_like_a_service() {
        if !has_dpkg() {
            return;
        }
        let folder = Folder::new("other-name");
        let copy = folder.0.join("copy");
        std::fs::copy("/bin/sleep", &copy).unwrap();
        for name in ["sshd: alice", "/usr/sbin/cron", "dbus-daemon"] {
            let outcome = check_of(&copy, name, "copy");
            assert_eq!(
                found_of(&outcome).unwrap().0,
                service(name.as_bytes()).map(Text::from).as_ref()
            );
        }
        assert_eq!(found_of(&check_of(&copy, "copy", "copy")), None);
        // Of a package, and so somebody's title.
        let outcome = check_of(Path::new("/bin/sleep"), "sshd: alice", "sleep");
        assert_eq!(found_of(&outcome), None);
        // Another path to itself.
        let link = folder.0.join("link");
        symlink(&copy, &link).unwrap();
        assert_eq!(
            found_of(&check_of(&copy, link.to_str().unwrap(), "copy")),
            None
        );
    }
}

//! Libraries that were put before all others (ld.so(8)): LD_PRELOAD, LD_AUDIT, /etc/ld.so.preload. Only
//! those that are in the memory of the process: a name that was not found does nothing.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;

use model::{Outcome, Sign, Text, Trace, Untested};
use rustix::fs::{Mode, OFlags};

use super::subject::untested;
use super::within::{Found, Within, plain, without_deleted};
use super::{Kept, Subject};
use crate::parse::memory_map::Region;
use crate::parse::preload::{Listed, MOST, listed, settings};
use crate::parse::script::file_name;

const EVERYWHERE: &[u8] = b"/etc/ld.so.preload";
const MOST_BYTES: u64 = 64 * 1024;

pub(super) fn check(subject: &Subject, _: &mut Kept) -> Outcome {
    match traces(subject) {
        Ok(traces) => Outcome::of(traces),
        Err(why) => Outcome::NotTestable(why),
    }
}

fn traces(subject: &Subject) -> Result<Vec<Trace>, Untested> {
    let regions = subject.regions()?;
    // Its own root may be closed to us where its memory is not.
    let within = Within::of(subject);
    let environment = subject.environment()?;
    let mut wanted: Vec<(Sign, Listed)> = Vec::new();
    let mut is_whole = subject.has_all_environment();
    for setting in environment {
        let before = wanted.len();
        let named = settings(setting.bytes()).map(|(audits, listed)| {
            let sign = if audits {
                Sign::Audits
            } else {
                Sign::Preloaded
            };
            (sign, listed)
        });
        wanted.extend(named);
        is_whole &= wanted.len() - before < MOST;
    }
    let mut not_read = None;
    let text = match &within {
        _ if !regions.iter().any(is_loader) => Ok((Vec::new(), true)),
        Ok(within) => everywhere(subject, within),
        Err(why) => Err(*why),
    };
    match text {
        Ok((text, is_all)) => {
            let before = wanted.len();
            let all = listed(&text).map(|listed| (Sign::PreloadedEverywhere, listed));
            wanted.extend(all);
            is_whole &= is_all && wanted.len() - before < MOST;
        }
        Err(why) => not_read = Some(why),
    }
    let mut traces = Vec::new();
    let mut told = BTreeSet::new();
    for (sign, listed) in wanted {
        let region = match mapped(&listed, regions, within.as_ref().ok()) {
            Ok(Some(region)) => region,
            Ok(None) => continue,
            Err(why) => {
                not_read = Some(why);
                continue;
            }
        };
        let name = region.name.bytes();
        let path = within
            .as_ref()
            .map_or_else(|_| without_deleted(name), |it| it.seen(name));
        if told.insert((sign, path.to_vec())) {
            traces.push(Trace::of_file(sign, Text::from(path)));
        }
    }
    // What was found stands; what was not may be in the rest.
    let not_read = not_read.or((!is_whole).then_some(Untested::TooLarge));
    match not_read {
        Some(why) if traces.is_empty() => Err(why),
        _ => Ok(traces),
    }
}

/// Only the loader of glibc reads the file.
fn is_loader(region: &Region) -> bool {
    let name = file_name(region.name.bytes());
    name.starts_with(b"ld-linux") || name.starts_with(b"ld-2.") || name.starts_with(b"ld64.so")
}

/// Where that library is in memory. `None`: it is not.
///
/// Errors: it is not there by its name, and where that leads to is not known.
fn mapped<'of>(
    listed: &Listed,
    regions: &'of [Region],
    within: Option<&Within>,
) -> Result<Option<&'of Region>, Untested> {
    let name = listed.name.bytes();
    let mut files = regions.iter().filter(|it| it.is_of_file());
    let seen = |region: &'of Region| {
        let name = region.name.bytes();
        within.map_or_else(|| without_deleted(name), |within| within.seen(name))
    };
    if listed.is_whole_path {
        let given = plain(name);
        // Where it leads to, and as it is.
        let found = match within.map(|within| within.find(name)) {
            Some(Found::Here(here)) => Ok(Some(here.path)),
            Some(Found::Nowhere) | None => Ok(None),
            // Also a link that is dated so that whoever follows it has to write when (relatime).
            Some(Found::NotKnown) => Err(Untested::Unreadable),
        };
        let is_it = |path: &[u8]| match &found {
            Ok(Some(found)) => path == found.bytes() || path == given.as_slice(),
            Ok(None) | Err(_) => path == given.as_slice(),
        };
        return match (files.find(|it| is_it(seen(it))), found) {
            (Some(region), _) => Ok(Some(region)),
            (None, Ok(_)) => Ok(None),
            (None, Err(why)) => Err(why),
        };
    }
    // Somewhere in the folders of libraries.
    let name = file_name(name);
    Ok(files.find(|it| !name.is_empty() && file_name(seen(it)) == name))
}

/// The text of `/etc/ld.so.preload`, and whether that is all of it; empty where there is none.
fn everywhere(subject: &Subject, within: &Within) -> Result<(Vec<u8>, bool), Untested> {
    let here = match within.find(EVERYWHERE) {
        Found::Here(here) if here.is_regular() => here,
        Found::Here(_) | Found::Nowhere => return Ok((Vec::new(), true)),
        Found::NotKnown => return Err(Untested::Unreadable),
    };
    if Within::is_elsewhere(subject, &here)? {
        return Err(Untested::Elsewhere);
    }
    let path = format!("/proc/self/fd/{}", here.file.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(untested)?);
    let mut text = Vec::new();
    let read = file.take(MOST_BYTES).read_to_end(&mut text);
    read.map_err(|_| Untested::Unreadable)?;
    let is_all = here.status.stx_size <= MOST_BYTES;
    Ok((text, is_all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::examine::victim::{Folder, Victim, library, skipped};
    use std::process::Command;

    fn seen(command: &mut Command) -> Vec<(Sign, String)> {
        let victim = Victim::start(command.args(["-c", "echo ready; read x"])).unwrap();
        let found = traces(&victim.subject()).unwrap();
        let found = found.into_iter().map(|it| (it.sign, it.path.unwrap()));
        found
            .map(|(sign, path)| (sign, path.lossy().into_owned()))
            .collect()
    }

    #[test]
    fn what_is_put_before_all_others() {
        let folder = Folder::below("/tmp", "whocalls-preload");
        let Some(path) = library(&folder, "x.so") else {
            return;
        };
        let expected = [(Sign::Preloaded, path.clone())];
        let link = format!("{}/link.so", folder.path());
        std::os::unix::fs::symlink(&path, &link).unwrap();
        // Whoever follows it as soon as it is made has to write when that was (relatime).
        std::thread::sleep(std::time::Duration::from_millis(50));
        let set = |value: &str| seen(Command::new("/bin/sh").env("LD_PRELOAD", value));
        assert_eq!(set(&format!("/nowhere/y.so:{path}")), expected);
        assert_eq!(set(&link), expected);
        assert_eq!(
            set(&format!(
                "{}/../{}/x.so ",
                folder.path(),
                &folder.path()[5..]
            )),
            expected
        );
        // Whoever follows this one has to write when each time, and we do not write.
        let times = ["-h", "-d", "+1 day", &link];
        let touched = Command::new("touch").args(times).status();
        assert!(touched.unwrap().success());
        let mut dated = Command::new("/bin/sh");
        let dated = dated.env("LD_PRELOAD", &link);
        let victim = Victim::start(dated.args(["-c", "echo ready; read x"])).unwrap();
        match traces(&victim.subject()) {
            Ok(found) => assert_eq!(found.len(), 1),
            Err(why) => assert_eq!(why, Untested::Unreadable),
        }
        let mut by_name = Command::new("/bin/sh");
        by_name
            .env("LD_PRELOAD", "x.so")
            .env("LD_LIBRARY_PATH", folder.path());
        assert_eq!(seen(&mut by_name), expected);
        // A library cannot audit that does not say so (la_version): it is taken away again.
        assert_eq!(seen(Command::new("/bin/sh").env("LD_AUDIT", &path)), []);
    }

    /// One that has so many settings of 100 KB before that of the library.
    fn behind(settings: usize, path: &str) -> Victim {
        let long = "y".repeat(100_000);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo ready; read x"]).env_clear();
        command.envs((0..settings).map(|number| (format!("A{number:02}"), &long)));
        Victim::start(command.env("LD_PRELOAD", path)).unwrap()
    }

    #[test]
    fn what_stands_behind_much_else() {
        let folder = Folder::below("/tmp", "whocalls-preload");
        let Some(path) = library(&folder, "x.so") else {
            return;
        };
        let found = traces(&behind(9, &path).subject()).unwrap();
        assert_eq!(found, [Trace::of_file(Sign::Preloaded, path.as_str())]);
        let check = |settings, path: &str, expected| {
            let victim = behind(settings, path);
            assert_eq!(traces(&victim.subject()), expected, "{settings}");
        };
        check(15, &path, Err(Untested::TooLarge));
        // Nothing is there to be found, and nobody can know; and the twin that has room enough.
        check(15, "", Err(Untested::TooLarge));
        check(9, "", Ok(Vec::new()));
    }

    #[test]
    fn what_stands_behind_many_names() {
        let folder = Folder::below("/tmp", "whocalls-preload");
        let Some(path) = library(&folder, "x.so") else {
            return;
        };
        let list = |names: usize| format!("{}{path}", "/n/o:".repeat(names));
        let set = |value: &str| seen(Command::new("/bin/sh").env("LD_PRELOAD", value));
        assert_eq!(set(&list(100)), [(Sign::Preloaded, path.clone())]);
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "echo ready; read x"])
            .env("LD_PRELOAD", list(MOST));
        let victim = Victim::start(&mut command).unwrap();
        assert_eq!(traces(&victim.subject()), Err(Untested::TooLarge));
    }

    #[test]
    fn what_audits() {
        let folder = Folder::below("/tmp", "whocalls-preload");
        let source = folder.file("a.c", b"unsigned la_version(unsigned v) { return v; }\n");
        let path = format!("{}/a.so", folder.path());
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o", &path, &source])
            .status();
        if !built.is_ok_and(|status| status.success()) {
            return skipped("no compiler here");
        }
        let found = seen(Command::new("/bin/sh").env("LD_AUDIT", &path));
        assert_eq!(found, [(Sign::Audits, path)]);
    }

    #[test]
    fn what_is_not_there_does_nothing() {
        let set = |value: &str| seen(Command::new("/bin/sh").env("LD_PRELOAD", value));
        assert_eq!(set("/nowhere/libc.so.6"), []);
        assert_eq!(set(""), []);
        let later = "export LD_PRELOAD=/tmp/x.so; echo ready; read x";
        let victim = Victim::start(Command::new("/bin/sh").args(["-c", later])).unwrap();
        assert_eq!(traces(&victim.subject()), Ok(Vec::new()));
    }
}

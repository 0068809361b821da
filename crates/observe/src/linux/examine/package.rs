//! The program and its libraries against the lists of their packages.
//!
//! What is hashed is what runs: the file that the kernel holds, not what lies at its path. The lists are
//! ours where the process has our root folder, else those of its own, as in a container.

mod apk;
mod bundle;
mod digests;
mod dpkg;
mod lists;
mod merged;
mod names;
mod pacman;
mod rpm;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::ffi::CString;
use std::sync::Arc;

use model::{Outcome, Package, PackageManager, PackageState, Sign, Text, Trace, Untested};
use rustix::fs::{Mode, OFlags, Statx};

use self::digests::{Digests, Kind};
use self::lists::AllLists;
use super::root::{Found, Mounts, Root, Version, status};
use super::subject::untested;
use super::{Kept, Ran, Subject, mounted_alone};
use crate::parse::memory_map::Region;
use crate::parse::package_list::Digest;

/// What the kernel puts behind the path of a file whose name is gone (fs/d_path.c).
const DELETED: &[u8] = b" (deleted)";
const MOST_ANSWERS: usize = 16_384;
/// Times of files go by the ticks of the kernel, and starts of processes by hundredths of a second.
/// In nanoseconds.
const COARSE: i128 = 1_000_000_000;

/// What the lists of packages have, and the files that were compared with them.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    lists: AllLists,
    digests: Digests,
    answers: HashMap<Asked, Answer>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Asked {
    root: (u32, u32, u64),
    /// The reading of its lists.
    number: u64,
    path: Vec<u8>,
    file: Version,
}

/// Where a file comes from; why not, where that is not testable.
#[derive(Clone, Debug)]
struct Answer {
    package: Package,
    why: Option<Untested>,
}

/// What a package says of a file.
#[derive(Debug)]
struct Listed {
    name: Vec<u8>,
    version: Vec<u8>,
    /// `None`: not what is in it, as with configuration files.
    digest: Option<Digest>,
}

/// What is needed of the process for all its files.
struct Scene<'a> {
    subject: &'a Subject,
    own: Root,
    /// That of the process. `None`: it is ours.
    other: Result<Option<Root>, Untested>,
    /// What it sees mounted itself.
    mounts: Mounts,
}

pub(super) fn check(subject: &Subject, kept: &mut Kept) -> Outcome {
    match found(subject, &mut kept.packages) {
        Ok(outcome) => outcome,
        Err(why) => Outcome::NotTestable(why),
    }
}

/// `None`: it has no program file.
pub(super) fn of_program(subject: &Subject, kept: &mut Kept) -> Option<Package> {
    let answer = Scene::of(subject).and_then(|scene| {
        kept.packages.refresh(&scene);
        kept.packages.program(&scene)
    });
    match answer {
        Ok(answer) => Some(answer.package),
        Err(Untested::KernelThread | Untested::Ended) => None,
        Err(why) => Some(Answer::not_testable(why).package),
    }
}

/// The same, where it is whocalls itself: what that is asked for cannot wait until all files are read.
pub(super) fn of_this_tool(subject: &Subject, kept: &mut Kept) -> Option<Package> {
    let scene = Scene::of(subject).ok()?;
    let program = subject.program().ok()?;
    let found = scene.held("exe", program.link.bytes()).ok()?;
    let is_it = kept.packages.is_this_tool(&found);
    is_it.then(|| Answer::of(PackageState::ThisTool).package)
}

/// Where the program file of a process comes from that has ended. Only that file will do, as it was when the
/// process began: whatever is done to a file or with its names, the kernel sets the time of its change,
/// and nobody else can, as long as nobody turns back the clock. What was in other root folders is not found.
///
/// Errors: `Ended`: it is gone, or another by now.
pub(super) fn of_ended(ran: &Ran, kept: &mut Kept) -> Result<Package, Untested> {
    let machine = Arc::clone(&kept.machine);
    let own = Subject::find(machine.proc(), std::process::id())?;
    let scene = Scene::of(&own)?;
    kept.packages.refresh(&scene);
    let found = scene.own.find(ran.path.bytes())?.ok_or(Untested::Ended)?;
    if !is_what_ran(&found.seen, ran) {
        return Err(Untested::Ended);
    }
    if kept.packages.is_this_tool(&found) {
        return Ok(Answer::of(PackageState::ThisTool).package);
    }
    let answer = kept.packages.answer(&scene, found)?;
    answer.why.map_or(Ok(answer.package), Err)
}

fn is_what_ran(seen: &Statx, ran: &Ran) -> bool {
    let device = rustix::fs::makedev(seen.stx_dev_major, seen.stx_dev_minor);
    let changed = i128::from(seen.stx_ctime.tv_sec) * 1_000_000_000;
    let changed = changed + i128::from(seen.stx_ctime.tv_nsec);
    let started = i128::from(ran.started.unix_nanos());
    (device, seen.stx_ino) == (ran.file.device, ran.file.inode) && changed + COARSE < started
}

/// The name of the package that lists a path, as the process sees it. `None`: none does.
pub(super) fn owner(
    subject: &Subject,
    path: &[u8],
    kept: &mut Kept,
) -> Result<Option<Text>, Untested> {
    let root = Root::of(subject)?;
    let lists = kept.packages.lists.of(&root)?;
    if lists.is_empty() {
        return Err(Untested::NoDatabase);
    }
    let listed = lists.listed(&root, root.inside(path))?;
    let first = listed.and_then(|(_, listed)| listed.into_iter().next());
    Ok(first.map(|listed| listed.name.into()))
}

/// Where the regular file comes from that lies at a path now, as the kernel shows it for the process.
///
/// Errors: `Ended`: there is none.
pub(super) fn state_at(
    subject: &Subject,
    path: &[u8],
    kept: &mut Kept,
) -> Result<PackageState, Untested> {
    let scene = Scene::of(subject)?;
    kept.packages.refresh(&scene);
    let root = scene.root()?;
    let found = root.find(root.inside(path))?.ok_or(Untested::Ended)?;
    let answer = kept.packages.answer(&scene, found)?;
    Ok(answer.package.state)
}

fn found(subject: &Subject, packages: &mut Packages) -> Result<Outcome, Untested> {
    let scene = Scene::of(subject)?;
    packages.refresh(&scene);
    let program = packages.program(&scene)?;
    if program.package.state == PackageState::ThisTool {
        return Ok(Outcome::NothingFound);
    }
    let mut traces = Vec::new();
    let mut untested = program.why;
    if program.package.state == PackageState::Modified {
        let path = subject.program()?.link.clone();
        traces.push(of_package(Sign::ModifiedProgram, path, &program.package));
    }
    let link = &subject.program()?.link;
    let mut seen = HashSet::new();
    for region in subject.regions()?.iter().filter(|it| is_library(it)) {
        if !seen.insert((region.device, region.inode)) || region.name == *link {
            continue;
        }
        let answer = packages.library(&scene, region);
        let path = region.name.clone();
        match answer.package.state {
            PackageState::Modified => {
                traces.push(of_package(Sign::ModifiedLibrary, path, &answer.package));
            }
            PackageState::Unpackaged if program.package.name.is_some() => {
                traces.push(of_package(Sign::UnpackagedLibrary, path, &program.package));
            }
            PackageState::NotTestable => untested = untested.or(answer.why),
            PackageState::Unpackaged | PackageState::Intact | PackageState::ThisTool => {}
        }
    }
    Ok(match untested {
        Some(why) if traces.is_empty() => Outcome::NotTestable(why),
        Some(_) | None => Outcome::of(traces),
    })
}

fn of_package(sign: Sign, path: Text, package: &Package) -> Trace {
    Trace {
        package: package.name.clone(),
        ..Trace::of_file(sign, path)
    }
}

/// Whether code of a file that has a path is in it. What was deleted is another check's.
fn is_library(region: &Region) -> bool {
    let name = region.name.bytes();
    region.executable && region.is_of_file() && name.starts_with(b"/") && !name.ends_with(DELETED)
}

impl<'a> Scene<'a> {
    fn of(subject: &'a Subject) -> Result<Self, Untested> {
        let own = Root::own()?;
        Ok(Self {
            subject,
            other: Root::other(subject, &own),
            own,
            mounts: Mounts::of(subject.folder())?,
        })
    }

    /// The root folder of the process.
    fn root(&self) -> Result<&Root, Untested> {
        let other = self.other.as_ref().map_err(|why| *why)?;
        Ok(other.as_ref().unwrap_or(&self.own))
    }

    /// The root folders whose lists may have a file: ours, if it is what we see at its path, then that of
    /// the process.
    fn roots(&self, found: &Found) -> Result<Vec<&Root>, Untested> {
        let is_ours = || {
            let own = self.own.find(&found.path);
            own.is_ok_and(|own| own.is_some_and(|own| is_same(&own, found)))
        };
        match &self.other {
            Ok(None) => Ok(vec![&self.own]),
            Ok(Some(other)) if is_ours() => Ok(vec![&self.own, other]),
            Ok(Some(other)) => Ok(vec![other]),
            Err(_) if is_ours() => Ok(vec![&self.own]),
            Err(why) => Err(*why),
        }
    }

    /// A file that the kernel holds for the process.
    fn held(&self, link: &str, path: &[u8]) -> Result<Found, Untested> {
        let link = CString::new(link).map_err(|_| Untested::Unreadable)?;
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.subject.folder(), link, flags, Mode::empty());
        let file = file.map_err(untested)?;
        let seen = status(&file).map_err(untested)?;
        let path = path.to_vec();
        Ok(Found { file, seen, path })
    }

    /// The file of a region. Without the right to ask the kernel for it, that at its path, if it is the same.
    fn mapped(&self, region: &Region) -> Result<Found, Untested> {
        let path = region.name.bytes();
        let link = format!("map_files/{:x}-{:x}", region.start, region.end);
        let why = match self.held(&link, path) {
            Err(why @ (Untested::NoRights | Untested::Unreadable)) => why,
            found => return found,
        };
        let root = self.root()?;
        let found = root.find(root.inside(path))?;
        let same = |found: &Found| {
            let version = Version::of(&found.seen);
            (version.device, version.inode) == (region.device, region.inode)
        };
        let found = found.filter(same).ok_or(why)?;
        let path = path.to_vec();
        Ok(Found { path, ..found })
    }
}

impl Packages {
    /// Reads lists again that have changed. To be called before anything is asked of a process.
    fn refresh(&mut self, scene: &Scene<'_>) {
        let other = scene.other.as_ref().ok().and_then(Option::as_ref);
        for root in [Some(&scene.own), other].into_iter().flatten() {
            // Those of others only when a file lies there.
            if root.is_own() || self.lists.known(root).is_some() {
                // What cannot be read any more is said when it is asked.
                if self.lists.of(root).is_err() {
                    self.lists.forget(root);
                }
            }
        }
    }

    fn program(&mut self, scene: &Scene<'_>) -> Result<Answer, Untested> {
        let program = scene.subject.program()?;
        let mut found = scene.held("exe", program.link.bytes())?;
        if self.is_this_tool(&found) {
            return Ok(Answer::of(PackageState::ThisTool));
        }
        if mounted_alone::is_shown(&found.path) {
            let mut places = mounted_alone::places(scene.subject).into_iter();
            let own = places.find(|place| {
                let there = scene.own.find(place).unwrap_or(None);
                there.is_some_and(|there| is_same(&there, &found))
            });
            found.path = own.unwrap_or(found.path);
        }
        Ok(self
            .answer(scene, found)
            .unwrap_or_else(Answer::not_testable))
    }

    fn library(&mut self, scene: &Scene<'_>, region: &Region) -> Answer {
        let found = scene.mapped(region);
        let answer = found.and_then(|found| self.answer(scene, found));
        answer.unwrap_or_else(Answer::not_testable)
    }

    /// Decided by the file or what is in it, never by its name.
    fn is_this_tool(&mut self, found: &Found) -> bool {
        let own = rustix::fs::open(
            c"/proc/self/exe",
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
        );
        let Some(own) = own.ok().and_then(|file| {
            let seen = status(&file).ok()?;
            let path = Vec::new();
            Some(Found { file, seen, path })
        }) else {
            return false;
        };
        let (own_version, version) = (Version::of(&own.seen), Version::of(&found.seen));
        if (own_version.device, own_version.inode) == (version.device, version.inode) {
            return true;
        }
        own_version.size == version.size
            && self.digests.digest(&own, Kind::Sha256).is_ok_and(|own| {
                let other = self.digests.digest(found, Kind::Sha256);
                other == Ok(own)
            })
    }

    /// Where a file comes from that is held open.
    fn answer(&mut self, scene: &Scene<'_>, found: Found) -> Result<Answer, Untested> {
        if found.path.starts_with(b"/memfd:") {
            return Ok(Answer::of(PackageState::Unpackaged));
        }
        if !found.is_file() {
            return Err(Untested::Unreadable);
        }
        let provenance = scene.mounts.provenance(&found.seen);
        if let Some(answer) = bundle::answer(&found, provenance, scene.subject) {
            return Ok(answer);
        }
        let mut answer = Err(Untested::NoDatabase);
        for root in scene.roots(&found)? {
            let next = self.answer_in(scene, root, &found);
            if next
                .as_ref()
                .is_ok_and(|next| next.package.manager.is_some())
            {
                return next;
            }
            // That a file is of no package says more than that nobody knows.
            let is_known = |it: &Answer| it.package.state == PackageState::Unpackaged;
            if !answer.as_ref().is_ok_and(is_known) {
                answer = next;
            }
        }
        answer
    }

    /// What the lists of that root folder say of it.
    fn answer_in(
        &mut self,
        scene: &Scene<'_>,
        root: &Root,
        found: &Found,
    ) -> Result<Answer, Untested> {
        let lists = match self.lists.known(root) {
            Some(lists) => lists,
            None => self.lists.of(root)?,
        };
        let asked = Asked {
            root: root.identity(),
            number: lists.number,
            path: found.path.clone(),
            file: Version::of(&found.seen),
        };
        if let Some(answer) = self.answers.get(&asked) {
            return Ok(answer.clone());
        }
        let (path, was_deleted) = path(root, found)?;
        // Where a part of it is mounted under another name, as in sandboxes, links to it are none there.
        let same = root
            .find(path)
            .unwrap_or(None)
            .filter(|it| is_same(it, found));
        let path = same.as_ref().map_or(path, |it| &it.path);
        let Some((manager, listed)) = lists.listed(root, path)? else {
            let is_nix = || root.find(b"/nix/store").is_ok_and(|store| store.is_some());
            if let Some((manager, why)) = lists.unread(root) {
                return Ok(Answer::not_testable(why).by(manager));
            }
            let answer = if lists.is_empty() && !is_nix() {
                Answer::not_testable(Untested::NoDatabase)
            } else {
                Answer::of(PackageState::Unpackaged)
            };
            return Ok(self.keep(asked, answer));
        };
        if scene.mounts.is_elsewhere(&found.seen) {
            return Ok(Answer::not_testable(Untested::Elsewhere).of_listed(manager, listed.first()));
        }
        let (compared, listed) = compared(&mut self.digests, found, listed)?;
        let answer = match compared {
            Some(true) => Answer::of(PackageState::Intact),
            // What was replaced is of an older package, whose list is gone.
            Some(false) if was_deleted => Answer::not_testable(Untested::NoDatabase),
            Some(false) if lists::is_working(root, manager) => {
                let answer = Answer::not_testable(Untested::NotFinished);
                return Ok(answer.of_listed(manager, listed.as_ref()));
            }
            Some(false) => Answer::of(PackageState::Modified),
            None => Answer::not_testable(Untested::NoDatabase),
        };
        Ok(self.keep(asked, answer.of_listed(manager, listed.as_ref())))
    }

    fn keep(&mut self, asked: Asked, answer: Answer) -> Answer {
        if self.answers.len() >= MOST_ANSWERS {
            self.answers.clear();
        }
        self.answers.insert(asked, answer.clone());
        answer
    }
}

fn is_same(one: &Found, other: &Found) -> bool {
    let (one, other) = (Version::of(&one.seen), Version::of(&other.seen));
    (one.device, one.inode) == (other.device, other.inode)
}

/// The path of a file that is held open, below that root folder, and whether its name is gone.
fn path<'a>(root: &Root, found: &'a Found) -> Result<(&'a [u8], bool), Untested> {
    let path = root.inside(&found.path);
    match path.strip_suffix(DELETED) {
        // A file may be called so.
        Some(stripped) if root.find(path)?.is_none() => Ok((stripped, true)),
        Some(_) | None => Ok((path, false)),
    }
}

/// Whether a file is what one of the packages says, and which one. `None`: none of them says.
fn compared(
    digests: &mut Digests,
    found: &Found,
    listed: Vec<Listed>,
) -> Result<(Option<bool>, Option<Listed>), Untested> {
    let mut differs = None;
    let mut says_nothing = None;
    for listed in listed {
        let Some(digest) = listed.digest else {
            says_nothing = Some(listed);
            continue;
        };
        if digests.digest(found, Kind::of(&digest))? == digest {
            return Ok((Some(true), Some(listed)));
        }
        differs = Some(listed);
    }
    Ok(match differs {
        Some(listed) => (Some(false), Some(listed)),
        None => (None, says_nothing),
    })
}

impl Answer {
    fn of(state: PackageState) -> Self {
        let package = Package {
            state,
            name: None,
            version: None,
            manager: None,
        };
        Self { package, why: None }
    }

    fn not_testable(why: Untested) -> Self {
        Self {
            why: Some(why),
            ..Self::of(PackageState::NotTestable)
        }
    }

    fn by(mut self, manager: PackageManager) -> Self {
        self.package.manager = Some(manager);
        self
    }

    fn named(mut self, name: &[u8], version: &[u8]) -> Self {
        let text = |text: &[u8]| (!text.is_empty()).then(|| Text::from(text));
        self.package.name = text(name);
        self.package.version = text(version);
        self
    }

    fn of_listed(self, manager: PackageManager, listed: Option<&Listed>) -> Self {
        match listed {
            Some(listed) => self.named(&listed.name, &listed.version).by(manager),
            None => self.by(manager),
        }
    }
}

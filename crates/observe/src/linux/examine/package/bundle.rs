//! Packages that are not lists of files: a file system of their own (snap, AppImage), or a folder that
//! is named after them (flatpak, nix).

use model::{PackageManager, PackageState, Untested};

use super::super::Subject;
use super::super::root::Found;
use super::Answer;
use crate::parse::mount_info::Provenance;
use crate::parse::package_list::flatpak::id_and_commit;

const STORE: &[u8] = b"/nix/store/";
/// Of a path in the store, in base 32.
const STORE_HASH: usize = 32;
const LONGEST_PATH: usize = 4096;

/// `None`: the file is of none of these.
pub(super) fn answer(
    found: &Found,
    provenance: Option<&Provenance>,
    subject: &Subject,
) -> Option<Answer> {
    provenance
        .and_then(|mount| app_image(mount, subject).or_else(|| snap(found, mount)))
        .or_else(|| provenance.and_then(flatpak))
        // Whoever has a root folder of his own may have such a path in it.
        .or_else(|| nix(&found.path).filter(|_| found.seen.stx_uid == 0))
}

/// A program of its own answers for its files, so that they are not read.
fn app_image(mount: &Provenance, subject: &Subject) -> Option<Answer> {
    let is_fuse = mount.kind == b"fuse" || mount.kind.starts_with(b"fuse.");
    let folder = mount.point.split(|byte| *byte == b'/').next_back()?;
    if !is_fuse || !folder.starts_with(b".mount_") {
        return None;
    }
    // The mount has the name of the file; where it lies, its environment says.
    let environment = subject.environment().unwrap_or_default().iter();
    let path = environment
        .filter_map(|setting| setting.bytes().strip_prefix(b"APPIMAGE="))
        .find(|path| path.split(|byte| *byte == b'/').next_back() == Some(&mount.source));
    let answer = Answer::not_testable(Untested::Elsewhere).by(PackageManager::AppImage);
    Some(answer.named(path.unwrap_or(&mount.source), b""))
}

/// `NAME_REVISION.snap` is what the kernel has mounted: nobody can write into that.
fn snap(found: &Found, mount: &Provenance) -> Option<Answer> {
    if mount.kind == b"squashfs" {
        let (major, minor) = mount.device;
        let path = format!("/sys/dev/block/{major}:{minor}/loop/backing_file");
        let backing = std::fs::read(path).unwrap_or_default();
        if let Some((name, revision)) = snap_file(backing.trim_ascii_end()) {
            let answer = Answer::of(PackageState::Intact).by(PackageManager::Snap);
            return Some(answer.named(name, revision));
        }
    }
    // Within containers a program answers for the files of snaps.
    let (name, revision) = snap_path(&found.path)?;
    let is_fuse = mount.kind == b"fuse" || mount.kind.starts_with(b"fuse.");
    let why = if is_fuse {
        Untested::Elsewhere
    } else {
        Untested::Unreadable
    };
    let answer = Answer::not_testable(why).by(PackageManager::Snap);
    (is_fuse || mount.kind == b"squashfs").then(|| answer.named(name, revision))
}

/// Name and revision, where it is a file that snapd keeps.
fn snap_file(path: &[u8]) -> Option<(&[u8], &[u8])> {
    const FOLDER: &[u8] = b"/var/lib/snapd/snaps/";
    if path.len() > LONGEST_PATH {
        return None;
    }
    let at = path.windows(FOLDER.len()).position(|it| it == FOLDER)?;
    // On a system of snaps alone that folder lies below another one of the system.
    let known = at == 0 || path.get(..at)? == b"/writable/system-data";
    let file = path.get(at + FOLDER.len()..)?.strip_suffix(b".snap")?;
    let between = file.iter().rposition(|byte| *byte == b'_')?;
    let (name, revision) = (file.get(..between)?, file.get(between + 1..)?);
    (known && !name.is_empty() && !file.contains(&b'/')).then_some((name, revision))
}

/// Name and revision of a path below `/snap`.
fn snap_path(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = path
        .strip_prefix(b"/snap/")
        .or_else(|| path.strip_prefix(b"/var/lib/snapd/snap/"))?;
    let mut parts = rest.split(|byte| *byte == b'/');
    let (name, revision) = (parts.next()?, parts.next()?);
    parts.next()?;
    (!name.is_empty() && !revision.is_empty()).then_some((name, revision))
}

/// What is in its files, its commit says, which would have to be read whole.
fn flatpak(mount: &Provenance) -> Option<Answer> {
    let (id, commit) = id_and_commit(&mount.root)?;
    let answer = Answer::not_testable(Untested::NoDatabase).by(PackageManager::Flatpak);
    Some(answer.named(id, commit))
}

/// `/nix/store/HASH-NAME/...`: the hash is that of how it was made, not that of the file.
fn nix(path: &[u8]) -> Option<Answer> {
    let entry = path
        .strip_prefix(STORE)?
        .split(|byte| *byte == b'/')
        .next()?;
    let (hash, name) = entry.split_at_checked(STORE_HASH)?;
    let name = name.strip_prefix(b"-")?;
    if !hash.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    // The version begins at the first part that begins with a digit.
    let begin = name
        .windows(2)
        .position(|it| matches!(it, [b'-', digit] if digit.is_ascii_digit()));
    let (name, version) = match begin {
        Some(at) => (name.get(..at)?, name.get(at + 1..)?),
        None => (name, &b""[..]),
    };
    let answer = Answer::not_testable(Untested::NoDatabase).by(PackageManager::Nix);
    Some(answer.named(name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_snaps() {
        let check = |path: &str, expected: Option<(&str, &str)>| {
            let expected = expected.map(|(name, of)| (name.as_bytes(), of.as_bytes()));
            assert_eq!(snap_file(path.as_bytes()), expected, "{path}");
        };
        check(
            "/var/lib/snapd/snaps/firefox_4173.snap",
            Some(("firefox", "4173")),
        );
        check("/var/lib/snapd/snaps/my_x_x1.snap", Some(("my_x", "x1")));
        check(
            "/writable/system-data/var/lib/snapd/snaps/core_1.snap",
            Some(("core", "1")),
        );
        check("/home/u/var/lib/snapd/snaps/firefox_4173.snap", None);
        check("/var/lib/snapd/snaps/../../x_1.snap", None);
        check("/var/lib/snapd/snaps/firefox.snap", None);
        check("", None);
    }

    #[test]
    fn paths_of_snaps() {
        let found = snap_path(b"/snap/firefox/4173/usr/lib/firefox/firefox");
        assert_eq!(found, Some((&b"firefox"[..], &b"4173"[..])));
        assert_eq!(snap_path(b"/snap/firefox"), None);
        assert_eq!(snap_path(b"/usr/snap/firefox/1/x"), None);
    }

    #[test]
    fn paths_of_nix() {
        let check = |path: &str, expected: Option<(&str, Option<&str>)>| {
            let answer = nix(path.as_bytes());
            let found = answer.map(|answer| (answer.package.name, answer.package.version));
            let expected = expected.map(|(name, of)| (Some(name.into()), of.map(Into::into)));
            assert_eq!(found, expected, "{path}");
        };
        let hash = "0c7zcp1kd1ah3h8d8q7n6s5r4w3v2b1a";
        check(
            &format!("/nix/store/{hash}-gtk+3-3.24.1/bin/x"),
            Some(("gtk+3", Some("3.24.1"))),
        );
        check(&format!("/nix/store/{hash}-bash"), Some(("bash", None)));
        check("/nix/store/short-bash/bin/x", None);
        check("/nix/other/x", None);
    }

    #[test]
    fn mounts_of_flatpak() {
        let mount = |root: &str| Provenance {
            id: 1,
            device: (8, 1),
            root: root.into(),
            point: b"/app".to_vec(),
            kind: b"ext4".to_vec(),
            source: b"/dev/sda1".to_vec(),
        };
        let commit = "0123456789abcdef".repeat(4);
        let of = format!("/var/lib/flatpak/app/org.x.Y/x86_64/stable/{commit}/files");
        let package = flatpak(&mount(&of)).unwrap().package;
        assert_eq!(package.name, Some("org.x.Y".into()));
        assert_eq!(package.version, Some("0123456789ab".into()));
        assert_eq!(package.state, PackageState::NotTestable);
        assert!(flatpak(&mount("/home/u/org.x.Y")).is_none());
    }
}

//! Where flatpak puts its applications and runtimes: `.../flatpak/app/ID/ARCHITECTURE/BRANCH/COMMIT/files`
//! and `.../flatpak/runtime/...` (flatpak(1)), as a mount shows it.

/// Application or runtime and the beginning of its commit, out of the folder that is mounted.
pub(crate) fn id_and_commit(folder: &[u8]) -> Option<(&[u8], &[u8])> {
    let parts: Vec<_> = folder.split(|byte| *byte == b'/').collect();
    parts.windows(7).find_map(|part| match part {
        &[
            b"flatpak",
            kind,
            id,
            _architecture,
            _branch,
            commit,
            b"files",
        ] => {
            let known = kind == b"app" || kind == b"runtime";
            let commit = commit.get(..12)?;
            let sound = known && !id.is_empty() && commit.iter().all(u8::is_ascii_hexdigit);
            sound.then_some((id, commit))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_mounted() {
        let commit = "0123456789ab".repeat(5);
        let folder = format!("/lib/flatpak/app/org.x.Y/x86_64/stable/{commit}0123/files");
        let expected = Some((&b"org.x.Y"[..], &b"0123456789ab"[..]));
        assert_eq!(id_and_commit(folder.as_bytes()), expected);
        let folder = format!("/flatpak/other/org.x.Y/x86_64/stable/{commit}/files");
        assert_eq!(id_and_commit(folder.as_bytes()), None);
        assert_eq!(id_and_commit(b"/flatpak/app/x/y/z/w/files"), None);
        assert_eq!(id_and_commit(b"/"), None);
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = id_and_commit(&bytes);
        }
    }
}

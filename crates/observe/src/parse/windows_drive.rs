//! Drives of Windows: whether a path lies on one, and what its letter stands for. A letter may stand for a
//! folder of another computer.

/// File systems of other computers, as objects of the kernel, in small letters; others of their kind are known
/// by a `;` before the letter (`\Device\hgfs\;Z:0000000000012345\vmware-host`).
const REDIRECTORS: [&str; 5] = [
    r"\device\mup",
    r"\device\lanmanredirector",
    r"\device\webdavredirector",
    r"\device\windfs",
    r"\device\rdpdr",
];

/// What `QueryDosDevice` tells of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Device {
    /// A device that is none of the above.
    Own,
    /// A folder of another drive (`subst`).
    Drive(u8),
    /// Of another computer, or nobody can tell.
    Elsewhere,
}

/// `\Device\HarddiskVolume2`, `\??\C:\folder`, `\Device\LanmanRedirector\;Z:00000000000\server\share`.
pub(crate) fn device(told: &str) -> Device {
    let told = told.to_lowercase();
    if let Some(path) = told.strip_prefix(r"\??\") {
        return on_drive(path).map_or(Device::Elsewhere, |it| Device::Drive(it.letter));
    }
    let is_redirector = REDIRECTORS.iter().any(|it| told.starts_with(it));
    match told.starts_with(r"\device\") && !is_redirector && !told.contains(';') {
        true => Device::Own,
        false => Device::Elsewhere,
    }
}

/// A whole path on a drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OnDrive {
    /// `A` to `Z`.
    pub(crate) letter: u8,
    /// `C:\Windows\explorer.exe`.
    pub(crate) path: String,
}

/// `None`: it is a share, a device, or not whole.
pub(crate) fn on_drive(path: &str) -> Option<OnDrive> {
    let path = path.strip_prefix(r"\\?\").unwrap_or(path);
    let path = path.replace('/', r"\");
    let [letter, b':', b'\\', ..] = *path.as_bytes() else {
        return None;
    };
    let letter = letter.to_ascii_uppercase();
    let is_one = letter.is_ascii_uppercase() && !path.contains('\0');
    is_one.then_some(OnDrive { letter, path })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_letter_stands_for() {
        for (told, expected) in [
            (r"\Device\HarddiskVolume2", Device::Own),
            (r"\Device\CdRom0", Device::Own),
            (r"\??\c:\folder", Device::Drive(b'C')),
            (r"\??\UNC\server\share", Device::Elsewhere),
            (r"\Device\Mup\server\share", Device::Elsewhere),
            (
                r"\Device\LanmanRedirector\;Z:000000000001\server\share",
                Device::Elsewhere,
            ),
            (r"\Device\VBoxMiniRdr\;E:\vboxsvr\share", Device::Elsewhere),
            ("", Device::Elsewhere),
        ] {
            assert_eq!(device(told), expected, "{told}");
        }
    }

    #[test]
    fn whole_paths_on_drives() {
        let check = |path, expected: Option<&str>| {
            let found = on_drive(path).map(|it| it.path);
            assert_eq!(found.as_deref(), expected, "{path}");
        };
        check(r"C:\Windows\a.exe", Some(r"C:\Windows\a.exe"));
        check(r"\\?\C:\a.exe. ", Some(r"C:\a.exe. "));
        check("c:/a.exe", Some(r"c:\a.exe"));
        for path in [
            r"\\server\share\a.exe",
            r"\\?\UNC\server\share\a.exe",
            r"\\.\C:\a.exe",
            r"\Device\Mup\server\share\a.exe",
            r"UNC\server\share\a.exe",
            r"//server/share/a.exe",
            "C:a.exe",
            r"é:\a.exe",
            "C:\\a\0.exe",
            "",
        ] {
            check(path, None);
        }
    }

    proptest! {
        #[test]
        fn never_panics(text: String) {
            device(&text);
            on_drive(&text);
        }
    }
}

//! What the path of a program or script of Windows tells: whether it lies where temporary files and
//! downloads do, and whether it is called like a program of the system without lying there.

/// Parts of paths, small letters.
const TEMPORARY: [&str; 6] = [
    r"\appdata\local\temp\",
    r"\windows\temp\",
    r"\$recycle.bin\",
    r"\users\public\",
    r"\perflogs\",
    r"\windows\debug\",
];
/// Files lie there, and no programs: those have folders of their own below it.
const WITHOUT_PROGRAMS: [&str; 2] = [r"\programdata", r"\users"];

/// Programs of the system, and their folders below that of Windows (Windows Internals, "System processes").
const OF_SYSTEM: [(&str, &[&str]); 24] = [
    ("svchost.exe", &["system32", "syswow64"]),
    ("lsass.exe", &["system32"]),
    ("lsaiso.exe", &["system32"]),
    ("csrss.exe", &["system32"]),
    ("smss.exe", &["system32"]),
    ("wininit.exe", &["system32"]),
    ("winlogon.exe", &["system32"]),
    ("services.exe", &["system32"]),
    ("spoolsv.exe", &["system32"]),
    ("taskhost.exe", &["system32"]),
    ("taskhostw.exe", &["system32"]),
    ("taskeng.exe", &["system32"]),
    ("dwm.exe", &["system32"]),
    ("conhost.exe", &["system32"]),
    ("sihost.exe", &["system32"]),
    ("fontdrvhost.exe", &["system32"]),
    ("runtimebroker.exe", &["system32"]),
    ("ctfmon.exe", &["system32", "syswow64"]),
    ("dllhost.exe", &["system32", "syswow64"]),
    ("rundll32.exe", &["system32", "syswow64"]),
    ("regsvr32.exe", &["system32", "syswow64"]),
    ("mshta.exe", &["system32", "syswow64"]),
    ("wscript.exe", &["system32", "syswow64"]),
    ("explorer.exe", &["", "syswow64"]),
];

/// Where anybody may write, or what was loaded down lies.
pub(crate) fn is_temporary(path: &str) -> bool {
    let path = plain(path);
    let is_there = |part: &&str| path.contains(*part);
    let folder = path.rsplit_once('\\').map_or("", |(folder, _)| folder);
    let is_bare = WITHOUT_PROGRAMS.iter().any(|it| is_at_root(folder, it));
    TEMPORARY.iter().any(is_there) || is_bare || is_download(&path)
}

/// `C:\Users\NAME\Downloads`.
fn is_download(path: &str) -> bool {
    let mut parts = path.split('\\').skip(1);
    parts.next() == Some("users") && parts.nth(1) == Some("downloads")
}

fn is_at_root(folder: &str, name: &str) -> bool {
    folder.get(1..2) == Some(":") && folder.get(2..) == Some(name)
}

/// The path of the program of the system that it is called like, from another folder. `windows`: the
/// folder of Windows.
pub(crate) fn like_system(path: &str, windows: &str) -> Option<String> {
    let path = plain(path);
    let (folder, name) = path.rsplit_once('\\')?;
    let (known, folders) = OF_SYSTEM.iter().find(|(known, _)| *known == name)?;
    let as_written = windows.trim_end_matches('\\');
    let windows = plain(as_written);
    let windows = windows.as_str();
    let is_its = folders.iter().any(|it| {
        let below = folder.strip_prefix(windows);
        below.is_some_and(|below| below.trim_start_matches('\\') == *it)
    });
    // Copies that Windows keeps for repairs and updates run now and then.
    let is_kept = folder
        .strip_prefix(windows)
        .is_some_and(|below| below.starts_with(r"\winsxs\"));
    let usual = folders.first().copied().unwrap_or_default();
    let parts = [as_written, usual, known].into_iter();
    let parts: Vec<_> = parts.filter(|it| !it.is_empty()).collect();
    (!is_its && !is_kept).then(|| parts.join(r"\"))
}

fn plain(path: &str) -> String {
    let path = path.strip_prefix(r"\\?\").unwrap_or(path);
    path.replace('/', r"\").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_where_anybody_writes() {
        for path in [
            r"C:\Users\lena\AppData\Local\Temp\a.exe",
            r"c:\windows\TEMP\a.exe",
            r"C:\Users\lena\Downloads\invoice.exe",
            r"C:\Users\Public\Libraries\a.exe",
            r"C:\ProgramData\a.exe",
            r"\\?\D:\$Recycle.Bin\S-1-5-21\a.exe",
        ] {
            assert!(is_temporary(path), "{path}");
        }
        for path in [
            r"C:\Program Files\Mozilla Firefox\firefox.exe",
            r"C:\ProgramData\Microsoft\Windows Defender\MsMpEng.exe",
            r"C:\Users\lena\AppData\Local\Programs\a\a.exe",
            r"C:\Windows\explorer.exe",
            r"C:\Downloads of work\a.exe",
        ] {
            assert!(!is_temporary(path), "{path}");
        }
    }

    #[test]
    fn names_of_the_system() {
        let check = |path, expected| {
            let found = like_system(path, r"C:\Windows");
            assert_eq!(found.as_deref(), expected, "{path}");
        };
        check(r"C:\Windows\System32\svchost.exe", None);
        check(r"C:\Windows\explorer.exe", None);
        check(r"C:\WINDOWS\SysWOW64\rundll32.exe", None);
        check(
            r"C:\Windows\svchost.exe",
            Some(r"C:\Windows\system32\svchost.exe"),
        );
        check(
            r"C:\Users\lena\svchost.exe",
            Some(r"C:\Windows\system32\svchost.exe"),
        );
        check(
            r"C:\Windows\System32\sub\lsass.exe",
            Some(r"C:\Windows\system32\lsass.exe"),
        );
        check(
            r"C:\Windows\System32\explorer.exe",
            Some(r"C:\Windows\explorer.exe"),
        );
        check(r"C:\Program Files\a\a.exe", None);
    }
}

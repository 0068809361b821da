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

/// Below the folder of Windows, and anybody may write there (as Windows 7 to 11 install it).
const OPEN: [&str; 10] = [
    r"temp\",
    r"tasks\",
    r"tracing\",
    r"registration\crmlog\",
    r"system32\tasks\",
    r"system32\spool\drivers\color\",
    r"system32\spool\printers\",
    r"system32\com\dmp\",
    r"system32\microsoft\crypto\rsa\machinekeys\",
    r"syswow64\tasks\",
];

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
    let place = below(folder, &plain(as_written));
    let is_its = place.is_some_and(|place| folders.contains(&place));
    // Copies that Windows keeps for repairs and updates run now and then.
    let is_kept = place.is_some_and(|place| place.starts_with(r"winsxs\"));
    let usual = folders.first().copied().unwrap_or_default();
    let parts = [as_written, usual, known].into_iter();
    let parts: Vec<_> = parts.filter(|it| !it.is_empty()).collect();
    (!is_its && !is_kept).then(|| parts.join(r"\"))
}

/// Whether it lies in the folder of Windows, where only the system and administrators may write.
pub(crate) fn is_of_windows(path: &str, windows: &str) -> bool {
    let path = plain(path);
    let windows = plain(windows.trim_end_matches('\\'));
    let place = below(&path, &windows).filter(|it| !it.is_empty());
    let is_open = |place: &str| OPEN.iter().any(|it| place.starts_with(it));
    place.is_some_and(|place| !is_open(place) && !is_temporary(&path))
}

/// Where in the folder it lies; the folder itself lies at "". `None`: elsewhere.
fn below<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder)?;
    match rest {
        "" => Some(""),
        _ => rest.strip_prefix('\\'),
    }
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
        check(
            r"C:\Windowssystem32\svchost.exe",
            Some(r"C:\Windows\system32\svchost.exe"),
        );
        check(
            r"C:\Windows\\system32\svchost.exe",
            Some(r"C:\Windows\system32\svchost.exe"),
        );
        check(r"C:\Program Files\a\a.exe", None);
    }

    #[test]
    fn files_of_windows() {
        let is_one = |path: &str| is_of_windows(path, r"C:\WINDOWS\");
        for path in [
            r"C:\Windows\explorer.exe",
            r"\\?\c:\windows\System32\svchost.exe",
        ] {
            assert!(is_one(path), "{path}");
        }
        for path in [
            r"C:\Windows",
            r"C:\Windows.old\explorer.exe",
            r"C:\WindowsX\a.exe",
            r"C:\Windows\Temp\a.exe",
            r"C:\Windows\Tasks\a.exe",
            r"C:\Windows\System32\spool\drivers\color\a.dll",
            r"D:\Windows\a.exe",
        ] {
            assert!(!is_one(path), "{path}");
        }
    }
}

//! What the place of a file tells. Paths are compared as they are written; a path of another system
//! is none of these places.

/// Folders in which anybody may write.
const TEMPORARY: [&str; 6] = [
    "/tmp/",
    "/var/tmp/",
    "/dev/shm/",
    "/run/shm/",
    "/run/user/",
    "/run/lock/",
];

/// Folders of packages and of those who have all rights: nobody else can put a file there.
const OF_ROOT: [&str; 16] = [
    "/usr/",
    "/bin/",
    "/sbin/",
    "/lib/",
    "/lib32/",
    "/lib64/",
    "/libx32/",
    "/etc/",
    "/opt/",
    "/boot/",
    "/snap/",
    "/app/",
    "/nix/store/",
    "/gnu/store/",
    "/var/lib/flatpak/",
    "/var/lib/snapd/",
];

/// Folders below a home in which programs are put by people and their tools, though their names begin
/// with a dot.
const CUSTOMARY: [&str; 21] = [
    ".local",
    ".cargo",
    ".rustup",
    ".nvm",
    ".pyenv",
    ".rbenv",
    ".rvm",
    ".asdf",
    ".sdkman",
    ".volta",
    ".deno",
    ".bun",
    ".npm",
    ".venv",
    ".virtualenvs",
    ".tox",
    ".nox",
    ".vscode",
    ".vscode-server",
    ".oh-my-zsh",
    ".steam",
];

pub(crate) fn is_temporary(path: &str) -> bool {
    TEMPORARY.iter().any(|folder| path.starts_with(folder))
}

pub(crate) fn is_of_root(path: &str) -> bool {
    OF_ROOT.iter().any(|folder| path.starts_with(folder)) && !path.contains("/../")
}

/// The part of a path that is below the home of a person. `None`: it is in none.
pub(crate) fn below_home(path: &str) -> Option<&str> {
    if let Some(below) = path.strip_prefix("/root/") {
        return Some(below);
    }
    let homes = ["/home/", "/var/home/"];
    let below = homes.iter().find_map(|it| path.strip_prefix(it))?;
    below.split_once('/').map(|(_, below)| below)
}

/// Whether the file is hidden where people do not usually keep programs: its own name begins with a
/// dot, or a folder's that is none of the customary ones.
pub(crate) fn is_oddly_hidden(path: &str) -> bool {
    let name = file_name(path);
    let folders = path.strip_suffix(name).unwrap_or(path);
    let odd = |folder: &str| folder.starts_with('.') && !CUSTOMARY.contains(&folder);
    name.starts_with('.') || folders.split('/').any(odd)
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    let separator = if is_windows(path) { '\\' } else { '/' };
    path.rsplit(separator).next().unwrap_or(path)
}

/// Whether it is written as Windows does: from a drive or a share on.
pub(crate) fn is_windows(path: &str) -> bool {
    let mut first = path.chars();
    let is_drive = first.next().is_some_and(|it| it.is_ascii_alphabetic());
    is_drive && first.as_str().starts_with(r":\") || path.starts_with(r"\\")
}

/// Whether it lies where only an administrator of Windows can put it, as its own programs do. `C:\Windows\Temp` and
/// its like are none of that.
pub(crate) fn is_of_windows(path: &str) -> bool {
    const OPEN: [&str; 3] = ["temp", "debug", "tasks"];
    let small = path.to_ascii_lowercase();
    let below = small.split_once(r":\windows\");
    below.is_some_and(|(drive, below)| {
        let first = below.split('\\').next().unwrap_or_default();
        drive.len() == 1 && !OPEN.contains(&first) && !below.contains(r"\..\")
    })
}

/// The folder that a file is in, with a slash at its end. Empty: the path has none.
pub(crate) fn folder(path: &str) -> &str {
    path.strip_suffix(file_name(path)).unwrap_or_default()
}

/// What a path is without the mark that the kernel puts behind that of a file which is gone.
pub(crate) fn without_mark(path: &str) -> &str {
    path.strip_suffix(" (deleted)").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_files() {
        assert!(is_temporary("/dev/shm/x") && is_temporary("/tmp/a/b"));
        assert!(!is_temporary("/home/lena/tmp/x") && !is_temporary("/tmpfiles/x"));
        assert!(is_of_root("/usr/bin/ssh") && is_of_root("/opt/x/y"));
        assert!(!is_of_root("/home/usr/bin/ssh") && !is_of_root("/usr/../tmp/x"));
        assert_eq!(below_home("/home/lena/bin/x"), Some("bin/x"));
        assert_eq!(below_home("/root/x"), Some("x"));
        assert_eq!(below_home("/home/lena"), None);
        assert_eq!(below_home("/srv/x"), None);
        assert_eq!((folder("/a/b"), file_name("/a/b")), ("/a/", "b"));
        assert_eq!(folder("b"), "");
        assert_eq!(without_mark("/a (deleted)"), "/a");
    }

    #[test]
    fn paths_of_windows() {
        assert_eq!(file_name(r"C:\Windows\explorer.exe"), "explorer.exe");
        assert_eq!(file_name(r"/home/lena/a\b"), r"a\b");
        assert!(is_windows(r"\\server\share\a.exe") && !is_windows("c:/a"));
        assert!(is_of_windows(r"C:\WINDOWS\System32\svchost.exe"));
        for path in [
            r"C:\Windows\Temp\a.exe",
            r"C:\Users\lena\D:\Windows\a.exe",
            r"C:\Windows\System32\..\..\a.exe",
            "/home/lena/x",
        ] {
            assert!(!is_of_windows(path), "{path}");
        }
    }

    #[test]
    fn customary_folders_hide_nothing() {
        for (path, hidden) in [
            ("/home/lena/.local/bin/tool", false),
            ("/home/lena/.cache/updater", true),
            ("/home/lena/.local/share/.x/updater", true),
            ("/home/lena/bin/.updater", true),
            ("/home/lena/bin/tool", false),
            ("/tmp/.../x", true),
        ] {
            assert_eq!(is_oddly_hidden(path), hidden, "{path}");
        }
    }
}

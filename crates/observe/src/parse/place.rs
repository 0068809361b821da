//! What the path of a program, a library or a script tells: whether it lies where temporary files do, or
//! where a person does not see it.

/// Folders for temporary files (hier(7), file-hierarchy(7)). What lies below is of anybody, or gone after
/// the next start.
const TEMPORARY: [&[u8]; 8] = [
    b"/tmp",
    b"/var/tmp",
    b"/usr/tmp",
    b"/dev/shm",
    b"/dev/mqueue",
    b"/run/shm",
    b"/run/user",
    b"/run/lock",
];

/// Folders below a home that begin with a dot, and in which programs are kept by tools for that.
/// Not `.config` and not `.cache`: what is kept there is no program, but for the names further below.
const OF_TOOLS: [&[u8]; 90] = [
    b".arduino15",
    b".asdf",
    b".bun",
    b".cabal",
    b".cargo",
    b".codeium",
    b".composer",
    b".conan",
    b".conan2",
    b".conda",
    b".cpan",
    b".cursor",
    b".cursor-server",
    b".deno",
    b".docker",
    b".dotnet",
    b".dropbox-dist",
    b".elan",
    b".electron-gyp",
    b".emacs.d",
    b".espressif",
    b".fly",
    b".fnm",
    b".foundry",
    b".fzf",
    b".gem",
    b".ghcup",
    b".goenv",
    b".gradle",
    b".gvm",
    b".itch",
    b".java",
    b".jdks",
    b".jenv",
    b".julia",
    b".juliaup",
    b".krew",
    b".linuxbrew",
    b".lmstudio",
    b".local",
    b".luarocks",
    b".m2",
    b".mamba",
    b".micromamba",
    b".minecraft",
    b".mozilla",
    b".nix-defexpr",
    b".nix-profile",
    b".nodenv",
    b".npm",
    b".npm-global",
    b".npm-packages",
    b".nuget",
    b".nvm",
    b".oh-my-zsh",
    b".ollama",
    b".opam",
    b".p2",
    b".perl5",
    b".phpbrew",
    b".phpenv",
    b".pixi",
    b".platformio",
    b".plenv",
    b".poetry",
    b".proto",
    b".pub-cache",
    b".pulumi",
    b".pyenv",
    b".rbenv",
    b".rustup",
    b".rvm",
    b".rye",
    b".sbt",
    b".sdkman",
    b".stack",
    b".steam",
    b".swiftly",
    b".terraform.d",
    b".thunderbird",
    b".var",
    b".vim",
    b".vnc",
    b".volta",
    b".vscode",
    b".vscode-insiders",
    b".vscode-oss",
    b".vscode-server",
    b".vscodium",
    b".wine",
];

/// What is below `.local`; else anything could be called so.
const OF_LOCAL: [&[u8]; 6] = [b"bin", b"lib", b"lib64", b"libexec", b"opt", b"share"];

/// Programs that keep parts of themselves in `.config` or `.cache` of a home.
const BELOW: [(&[u8], &[&[u8]]); 2] = [
    (
        b".config",
        &[
            b"BraveSoftware",
            b"Code",
            b"Code - Insiders",
            b"Cursor",
            b"Signal",
            b"Slack",
            b"VSCodium",
            b"chromium",
            b"discord",
            b"discordcanary",
            b"discordptb",
            b"google-chrome",
            b"google-chrome-beta",
            b"microsoft-edge",
            b"nvm",
            b"opera",
            b"spotify",
            b"vivaldi",
            b"yarn",
        ],
    ),
    (
        b".cache",
        &[
            b"JetBrains",
            b"bazel",
            b"bazelisk",
            b"ms-playwright",
            b"node",
            b"pnpm",
            b"pre-commit",
            b"puppeteer",
            b"pypoetry",
            b"selenium",
            b"torch_extensions",
            b"uv",
            b"yarn",
        ],
    ),
];

/// Folders of projects, wherever these are.
const OF_PROJECTS: [&[u8]; 20] = [
    b".bin",
    b".build",
    b".build-id",
    b".bundle",
    b".devenv",
    b".direnv",
    b".eggs",
    b".libs",
    b".meteor",
    b".next",
    b".nox",
    b".nuxt",
    b".output",
    b".pnpm",
    b".svelte-kit",
    b".terraform",
    b".tox",
    b".venv",
    b".virtualenv",
    b".yarn",
];

/// Scripts of a home that start what a person sees.
const OF_SESSIONS: [&[u8]; 4] = [b".xinitrc", b".xprofile", b".xsession", b".xsessionrc"];

/// Scripts that a manager of packages puts into each project, and has every program load.
const FILES_OF_PROJECTS: [&[u8]; 3] = [b".pnp.cjs", b".pnp.js", b".pnp.loader.mjs"];

/// Where only packages are, each file with a name that its tools have made: `.firefox-wrapped`.
const STORES: [&[u8]; 2] = [b"/nix/store/", b"/gnu/store/"];

/// Below a folder for temporary files. `path`: without links, `.` and `..`.
pub(crate) fn is_temporary(path: &[u8]) -> bool {
    TEMPORARY.iter().any(|folder| {
        let rest = path.strip_prefix(*folder);
        rest.is_some_and(|rest| rest.starts_with(b"/"))
    })
}

/// Whether a part of it begins with a dot, and is none that programs are kept in by habit.
pub(crate) fn is_hidden(path: &[u8]) -> bool {
    if STORES.iter().any(|store| path.starts_with(store)) {
        return false;
    }
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    parts.iter().enumerate().any(|(at, part)| {
        let hides = part.starts_with(b".") && !matches!(*part, b"." | b"..");
        // The last one is the file itself: no folder of a tool.
        let is_usual = if at + 1 < parts.len() {
            is_usual(&parts, at)
        } else {
            FILES_OF_PROJECTS.contains(part)
                || OF_SESSIONS.contains(part) && parts.get(..at).is_some_and(is_home)
        };
        hides && !is_usual
    })
}

/// Whether people have files there which a shell or an interpreter reads first: of any name in a home
/// (`.shrc`, `.pythonrc.py`), or anywhere below its `.config`.
pub(crate) fn is_start_file(path: &[u8]) -> bool {
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    let Some((_, folders)) = parts.split_last() else {
        return false;
    };
    let hidden = folders.iter().position(|part| part.starts_with(b"."));
    match hidden {
        None => is_home(folders),
        Some(at) => {
            let (above, below) = folders.split_at(at);
            let further = below.get(1..).unwrap_or_default();
            is_home(above)
                && below.first() == Some(&&b".config"[..])
                && !further.iter().any(|part| part.starts_with(b"."))
        }
    }
}

/// Where an AppImage mounts itself: `/tmp/.mount_NAMExxxxxx`. Anybody can make a folder of that name.
pub(crate) fn app_image_mount(path: &[u8]) -> Option<&[u8]> {
    const FOLDER: &[u8] = b"/tmp/";
    let rest = path.strip_prefix(FOLDER)?;
    rest.starts_with(b".mount_").then_some(())?;
    let end = rest.iter().position(|byte| *byte == b'/')?;
    path.get(..FOLDER.len() + end)
}

/// The folders above a file, the nearest first, without the root.
pub(crate) fn folders(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut left = path;
    std::iter::from_fn(move || {
        let slash = left.iter().rposition(|byte| *byte == b'/')?;
        left = left.get(..slash).filter(|folder| !folder.is_empty())?;
        Some(left)
    })
}

fn is_usual(parts: &[&[u8]], at: usize) -> bool {
    let (above, rest) = parts.split_at(at);
    let Some((part, below)) = rest.split_first() else {
        return false;
    };
    if OF_PROJECTS.contains(part) {
        return true;
    }
    if !is_home(above) {
        return false;
    }
    let below = below.first();
    if *part == b".local" {
        return below.is_some_and(|below| OF_LOCAL.contains(below));
    }
    let kept = BELOW.iter().find(|(folder, _)| folder == part);
    match kept {
        Some((_, programs)) => below.is_some_and(|below| programs.contains(below)),
        None => OF_TOOLS.contains(part),
    }
}

/// `/root`, `/home/alice`, `/home/office/alice`, `/var/home/alice`, `/var/lib/jenkins` and the like.
fn is_home(parts: &[&[u8]]) -> bool {
    matches!(
        parts,
        [b"", b"root"]
            | [b"", b"var", b"roothome"]
            | [b"", b"home", _]
            | [b"", b"home", _, _]
            | [b"", b"var", b"home" | b"lib", _]
            | [
                b"",
                b"usr" | b"export" | b"data" | b"mnt" | b"srv",
                b"home",
                _
            ]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(path: &str, temporary: bool, hidden: bool) {
        let path = path.as_bytes();
        assert_eq!(
            (is_temporary(path), is_hidden(path)),
            (temporary, hidden),
            "{}",
            path.escape_ascii()
        );
    }

    #[test]
    fn where_temporary_files_lie() {
        check("/tmp/x", true, false);
        check("/tmp/a/b/x", true, false);
        check("/dev/shm/.x", true, true);
        check("/run/user/1000/x", true, false);
        check("/var/tmp/.../x", true, true);
        check("/tmpx/x", false, false);
        check("/tmp", false, false);
        check("/home/a/tmp/x", false, false);
        check("/home/a/Downloads/x", false, false);
    }

    #[test]
    fn what_hides() {
        for path in [
            "/home/a/.x",
            "/home/a/.config/.x/y",
            "/home/a/.config/systemd/y",
            "/home/a/.cache/a",
            "/home/a/.local/x",
            "/home/a/.local/share/.x/y",
            "/home/a/.ssh/x",
            "/home/a/bin/.x",
            "/home/a/.cargo",
            "/usr/lib/.x/y",
            "/opt/.cargo/bin/x",
            "/.x",
            "/var/lib/.x/y",
            "/home/a/.. /x",
        ] {
            check(path, false, true);
        }
    }

    #[test]
    fn where_programs_live_by_habit() {
        for path in [
            "/home/a/.local/bin/x",
            "/home/a/.local/share/torbrowser/tbb/x",
            "/home/a/.cargo/bin/x",
            "/root/.pyenv/versions/3.11/bin/python3.11",
            "/home/office/a/.vscode-server/bin/node",
            "/home/a/.config/google-chrome/WidevineCdm/x.so",
            "/home/a/.cache/ms-playwright/chromium/chrome",
            "/srv/app/.venv/lib/x.so",
            "/home/a/p/node_modules/.pnpm/x/x.node",
            "/nix/store/x-firefox/bin/.firefox-wrapped",
            "/home/a/.xsession",
            "/home/a/p/.pnp.cjs",
            "/home/a/.config/Code/User/workspaceStorage/x/bootloader.js",
            "/usr/bin/x",
        ] {
            check(path, false, false);
        }
    }

    #[test]
    fn start_files_of_a_person() {
        for path in [
            "/home/a/.shrc",
            "/root/.pythonrc.py",
            "/home/a/startup",
            "/home/a/.config/python/.startup",
        ] {
            assert!(is_start_file(path.as_bytes()), "{path}");
        }
        for path in [
            "/home/a/.cache/x",
            "/home/a/.config/.x/y",
            "/home/a/.x/.shrc",
            "/opt/.shrc",
            "/home/a/b/.shrc/c",
            "",
        ] {
            assert!(!is_start_file(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn mounts_of_app_images() {
        let check =
            |path: &[u8], expected: Option<&[u8]>| assert_eq!(app_image_mount(path), expected);
        check(b"/tmp/.mount_abcXYZ/usr/bin/x", Some(b"/tmp/.mount_abcXYZ"));
        check(b"/tmp/.mount_abcXYZ", None);
        check(b"/tmp/mount_a/x", None);
    }

    #[test]
    fn folders_above() {
        let found: Vec<_> = folders(b"/a/b/c").collect();
        assert_eq!(found, [&b"/a/b"[..], b"/a"]);
        assert_eq!(
            folders(b"/a").count() + folders(b"").count() + folders(b"a").count(),
            0
        );
    }

    proptest! {
        #[test]
        fn never_panics(path: Vec<u8>) {
            is_temporary(&path);
            is_hidden(&path);
            is_start_file(&path);
            app_image_mount(&path);
            prop_assert!(folders(&path).count() <= path.len());
        }
    }
}

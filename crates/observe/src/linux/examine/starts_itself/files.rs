//! The files that start programs, and what they name.

use std::collections::HashSet;

use model::{Sign, Untested};

use super::super::root::{Found, Root, Version};
use super::Started;
use crate::parse::passwd::homes;
use crate::parse::script::{file_name, runs_others};
use crate::parse::start_file::{Word, crontab, desktop_entry, shell, unit};

const MOST_FILE_BYTES: u64 = 1024 * 1024;
const MOST_PASSWD_BYTES: u64 = 16 * 1024 * 1024;
const MOST_HOMES: usize = 1000;
/// In one folder.
const MOST_FILES: usize = 1000;
/// Of all files together, for each user and for the computer.
const MOST_OF_ONE: usize = 4000;
const MOST_WORDS: usize = 10_000;
/// A folder of programs has some thousand.
const MOST_IN_FOLDER: usize = 20_000;
/// Words that were looked for as files.
const MOST_ASKED: usize = 100_000;

/// How to read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    DesktopEntry,
    Unit,
    /// With a user in each line.
    CrontabOfAll,
    Crontab,
    Shell,
    /// It is started itself, and may be a script.
    Script,
}

/// Where they are: a file, or a folder whose files count if they end so.
struct Place {
    path: &'static str,
    ending: &'static str,
    sign: Sign,
    form: Form,
}

const fn place(path: &'static str, ending: &'static str, sign: Sign, form: Form) -> Place {
    Place {
        path,
        ending,
        sign,
        form,
    }
}

/// Below each home. `*` is any folder.
const OF_USERS: [Place; 43] = {
    use Form::*;
    use Sign::{Autostart, ShellStart, UserUnit};
    [
        place(".config/autostart", ".desktop", Autostart, DesktopEntry),
        place(".config/autostart-scripts", "", Autostart, Script),
        place(".config/plasma-workspace/env", "", Autostart, Script),
        place(".config/*/autostart", "", Autostart, Shell),
        place(".config/lxsession/*/autostart", "", Autostart, Shell),
        place(".config/*/autostart.sh", "", Autostart, Shell),
        place(".config/i3/config", "", Autostart, Shell),
        place(".i3/config", "", Autostart, Shell),
        place(".config/sway/config", "", Autostart, Shell),
        place(".config/hypr/hyprland.conf", "", Autostart, Shell),
        place(".config/bspwm/bspwmrc", "", Autostart, Shell),
        place(".xprofile", "", Autostart, Shell),
        place(".xinitrc", "", Autostart, Shell),
        place(".xsession", "", Autostart, Shell),
        place(".xsessionrc", "", Autostart, Shell),
        place(".config/systemd/user", "", UserUnit, Unit),
        place(".config/systemd/user/*", "", UserUnit, Unit),
        place(".local/share/systemd/user", "", UserUnit, Unit),
        place(".local/share/systemd/user/*", "", UserUnit, Unit),
        place(".bashrc", "", ShellStart, Shell),
        place(".bash_aliases", "", ShellStart, Shell),
        place(".bash_login", "", ShellStart, Shell),
        place(".bash_logout", "", ShellStart, Shell),
        place(".bash_profile", "", ShellStart, Shell),
        place(".bashrc.d", "", ShellStart, Shell),
        place(".profile", "", ShellStart, Shell),
        place(".kshrc", "", ShellStart, Shell),
        place(".mkshrc", "", ShellStart, Shell),
        place(".cshrc", "", ShellStart, Shell),
        place(".tcshrc", "", ShellStart, Shell),
        place(".login", "", ShellStart, Shell),
        place(".zshenv", "", ShellStart, Shell),
        place(".zprofile", "", ShellStart, Shell),
        place(".zshrc", "", ShellStart, Shell),
        place(".zlogin", "", ShellStart, Shell),
        place(".zlogout", "", ShellStart, Shell),
        place(".config/zsh/.zshenv", "", ShellStart, Shell),
        place(".config/zsh/.zshrc", "", ShellStart, Shell),
        place(".config/zsh/.zprofile", "", ShellStart, Shell),
        place(".config/fish/config.fish", "", ShellStart, Shell),
        place(".config/fish/conf.d", ".fish", ShellStart, Shell),
        place(".config/environment.d", ".conf", UserUnit, Shell),
        place(".ssh/rc", "", ShellStart, Shell),
    ]
};

const OF_COMPUTER: [Place; 42] = {
    use Form::*;
    use Sign::{Autostart, Cron, ShellStart, SystemUnit, UserUnit};
    [
        place("/etc/xdg/autostart", ".desktop", Autostart, DesktopEntry),
        place(
            "/usr/local/etc/xdg/autostart",
            ".desktop",
            Autostart,
            DesktopEntry,
        ),
        place("/etc/X11/Xsession.d", "", Autostart, Shell),
        place("/etc/X11/xinit/xinitrc.d", "", Autostart, Script),
        place("/etc/systemd/user", "", UserUnit, Unit),
        place("/etc/systemd/user/*", "", UserUnit, Unit),
        place("/usr/local/lib/systemd/user", "", UserUnit, Unit),
        place("/usr/local/lib/systemd/user/*", "", UserUnit, Unit),
        place("/etc/systemd/system", "", SystemUnit, Unit),
        place("/etc/systemd/system/*", "", SystemUnit, Unit),
        place("/usr/local/lib/systemd/system", "", SystemUnit, Unit),
        place("/usr/local/lib/systemd/system/*", "", SystemUnit, Unit),
        place("/run/systemd/system", "", SystemUnit, Unit),
        place("/etc/init.d", "", SystemUnit, Script),
        place("/etc/rc.d/init.d", "", SystemUnit, Script),
        place("/etc/local.d", ".start", SystemUnit, Script),
        place("/etc/sv/*/run", "", SystemUnit, Script),
        place("/etc/service/*/run", "", SystemUnit, Script),
        place("/etc/rc.local", "", SystemUnit, Script),
        place("/etc/rc.d/rc.local", "", SystemUnit, Script),
        place("/etc/crontab", "", Cron, CrontabOfAll),
        place("/etc/anacrontab", "", Cron, Shell),
        place("/etc/cron.d", "", Cron, CrontabOfAll),
        place("/etc/cron.hourly", "", Cron, Script),
        place("/etc/cron.daily", "", Cron, Script),
        place("/etc/cron.weekly", "", Cron, Script),
        place("/etc/cron.monthly", "", Cron, Script),
        place("/etc/periodic/*", "", Cron, Script),
        place("/etc/crontabs", "", Cron, Crontab),
        place("/var/spool/cron/crontabs", "", Cron, Crontab),
        place("/var/spool/cron", "", Cron, Crontab),
        place("/etc/profile", "", ShellStart, Shell),
        place("/etc/profile.d", ".sh", ShellStart, Shell),
        place("/etc/bash.bashrc", "", ShellStart, Shell),
        place("/etc/bashrc", "", ShellStart, Shell),
        place("/etc/zsh/zshenv", "", ShellStart, Shell),
        place("/etc/zsh/zprofile", "", ShellStart, Shell),
        place("/etc/zsh/zshrc", "", ShellStart, Shell),
        place("/etc/zsh/zlogin", "", ShellStart, Shell),
        place("/etc/zshenv", "", ShellStart, Shell),
        place("/etc/fish/config.fish", "", ShellStart, Shell),
        place("/etc/fish/conf.d", ".fish", ShellStart, Shell),
    ]
};

/// Units of packages, which others link to when they are switched on.
const OF_PACKAGES: [&[u8]; 2] = [b"/usr/lib/systemd/", b"/lib/systemd/"];
/// Where a command without a path is looked for.
const FOLDERS: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];
/// Of these, where a word in a start file of a shell is: most of these words are the shell's own.
const OF_SHELLS: usize = 2;

#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) started: Started,
    /// The starting files.
    pub(super) files: Vec<Vec<u8>>,
    /// Why it is not whole.
    pub(super) untested: Option<Untested>,
    /// Everything that was looked at, and how it was then.
    looked: Vec<(Vec<u8>, Option<Version>)>,
}

/// What is known only while reading.
struct Reader<'a> {
    root: &'a Root,
    index: Index,
    /// Of [`FOLDERS`], with what is in them.
    folders: Vec<(Vec<u8>, HashSet<Vec<u8>>)>,
    asked: usize,
}

/// Whose files are read.
struct Of<'a> {
    /// `None`: those of the computer.
    home: Option<&'a [u8]>,
    folders: Vec<(Vec<u8>, HashSet<Vec<u8>>)>,
    files: usize,
}

impl Index {
    pub(super) fn read(root: &Root) -> Result<Self, Untested> {
        let mut reader = Reader {
            root,
            index: Self::default(),
            folders: FOLDERS
                .iter()
                .map(|it| folder(root, it.as_bytes()))
                .collect(),
            asked: 0,
        };
        let mut of = Of {
            home: None,
            folders: Vec::new(),
            files: 0,
        };
        for place in &OF_COMPUTER {
            reader.place(place.path.as_bytes(), place, &mut of);
        }
        reader.look(b"/etc/passwd");
        let passwd = root
            .read(b"/etc/passwd", MOST_PASSWD_BYTES)?
            .unwrap_or_default();
        let homes = homes(&passwd);
        let length = u64::try_from(passwd.len()).unwrap_or(u64::MAX);
        if homes.len() > MOST_HOMES || length >= MOST_PASSWD_BYTES {
            reader.is_cut();
        }
        for home in homes.into_iter().take(MOST_HOMES) {
            // What else is put into it makes nothing start.
            match root.find(home) {
                Ok(Some(found)) if found.is_folder() => {}
                Ok(_) => {
                    reader.index.looked.push((home.to_vec(), None));
                    continue;
                }
                Err(why) => {
                    reader.index.untested.get_or_insert(why);
                    continue;
                }
            }
            let programs = [&b".local/bin"[..], b"bin"].map(|it| [home, b"/", it].concat());
            let mut of = Of {
                home: Some(home),
                folders: programs.iter().map(|it| folder(root, it)).collect(),
                files: 0,
            };
            for place in &OF_USERS {
                reader.place(
                    &[home, b"/", place.path.as_bytes()].concat(),
                    place,
                    &mut of,
                );
            }
        }
        Ok(reader.index)
    }

    /// Whether all that was looked at is as it was.
    pub(super) fn is_current(&self, root: &Root) -> bool {
        self.looked.iter().all(|(path, before)| {
            let found = root.find(path).unwrap_or(None);
            found.map(|found| Version::of(&found.seen)) == *before
        })
    }
}

impl Reader<'_> {
    /// `None`: there is none, or it cannot be told.
    fn look(&mut self, path: &[u8]) -> Option<Found> {
        let found = self.root.find(path).unwrap_or_else(|why| {
            self.index.untested.get_or_insert(why);
            None
        });
        let version = found.as_ref().map(|found| Version::of(&found.seen));
        self.index.looked.push((path.to_vec(), version));
        found
    }

    fn place(&mut self, path: &[u8], place: &Place, of: &mut Of<'_>) {
        let star = path.windows(2).position(|it| it == b"/*");
        if let Some(at) = star {
            let (above, below) = path.split_at_checked(at).unwrap_or_default();
            let below = below.get(2..).unwrap_or_default();
            let Some(folder) = self.look(above).filter(Found::is_folder) else {
                return;
            };
            for name in self.names(&folder) {
                let path = [above, b"/", &name, below].concat();
                // What is no folder is read as one of those above.
                let found = self.root.find(&[above, b"/", &name].concat());
                if found.is_ok_and(|it| it.is_some_and(|it| it.is_folder())) {
                    self.place(&path, place, of);
                }
            }
            return;
        }
        let Some(found) = self.look(path) else {
            return;
        };
        if !found.is_folder() {
            return self.file(path, &found, place, of);
        }
        for name in self.names(&found) {
            if !name.ends_with(place.ending.as_bytes()) {
                continue;
            }
            let path = [path, b"/", &name].concat();
            if let Some(found) = self.root.find(&path).unwrap_or(None)
                && found.is_file()
                && !(place.form == Form::Unit && is_of_package(&found))
            {
                self.index
                    .looked
                    .push((path.clone(), Some(Version::of(&found.seen))));
                self.file(&path, &found, place, of);
            }
        }
    }

    fn names(&mut self, folder: &Found) -> Vec<Vec<u8>> {
        let names = folder.names(MOST_FILES).unwrap_or_else(|why| {
            self.index.untested.get_or_insert(why);
            Vec::new()
        });
        if names.len() >= MOST_FILES {
            self.is_cut();
        }
        names
    }

    /// Something was not read that may start anything.
    fn is_cut(&mut self) {
        self.index.untested.get_or_insert(Untested::TooLarge);
    }

    fn file(&mut self, path: &[u8], found: &Found, place: &Place, of: &mut Of<'_>) {
        if !found.is_file() {
            return;
        }
        of.files += 1;
        if of.files > MOST_OF_ONE || self.asked > MOST_ASKED {
            return self.is_cut();
        }
        let bytes = match found.read(MOST_FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(why) => {
                self.index.untested.get_or_insert(why);
                return;
            }
        };
        if found.seen.stx_size > MOST_FILE_BYTES {
            self.is_cut();
        }
        let words = match place.form {
            Form::DesktopEntry => desktop_entry(&bytes, MOST_WORDS),
            Form::Unit => unit(&bytes, MOST_WORDS),
            Form::CrontabOfAll => crontab(&bytes, true, MOST_WORDS),
            Form::Crontab => crontab(&bytes, false, MOST_WORDS),
            Form::Shell => shell(&bytes, MOST_WORDS),
            Form::Script if bytes.starts_with(b"\x7fELF") => Vec::new(),
            Form::Script => shell(&bytes, MOST_WORDS),
        };
        if words.len() >= MOST_WORDS {
            self.is_cut();
        }
        let mut started: Vec<_> = words
            .iter()
            .filter_map(|word| self.program(word, place.form, of))
            .collect();
        if place.form == Form::Script {
            started.push(found.path.clone());
        }
        let number = self.index.files.len();
        self.index.files.push(path.to_vec());
        for path in started {
            let by = self.index.started.entry(path).or_default();
            if by.last() != Some(&(place.sign, number)) {
                by.push((place.sign, number));
            }
        }
    }

    /// The file that a word names, if there is one.
    fn program(&mut self, word: &Word, form: Form, of: &Of<'_>) -> Option<Vec<u8>> {
        let text = word.text.bytes();
        let path = if text.starts_with(b"/") {
            text.to_vec()
        } else if text.contains(&b'/') {
            let below = [&b"~/"[..], b"$HOME/", b"${HOME}/", b"%h/"];
            let below = below.iter().find_map(|start| text.strip_prefix(*start));
            [of.home?, b"/", below?].concat()
        } else {
            let of_shells = matches!(form, Form::Shell | Form::Script);
            let most = if of_shells { OF_SHELLS } else { FOLDERS.len() };
            let all = of.folders.iter().chain(self.folders.iter().take(most));
            let (folder, _) = all.into_iter().find(|(_, names)| names.contains(text))?;
            [folder, &b"/"[..], text].concat()
        };
        self.asked += 1;
        if self.asked > MOST_ASKED {
            self.is_cut();
            return None;
        }
        let found = self.root.find(&path).unwrap_or(None)?;
        // What runs scripts is started by everything.
        (found.is_file() && !runs_others(file_name(&found.path))).then_some(found.path)
    }
}

/// What is in a folder; nothing where there is none.
fn folder(root: &Root, path: &[u8]) -> (Vec<u8>, HashSet<Vec<u8>>) {
    let found = root.list(path, MOST_IN_FOLDER).unwrap_or(None);
    let names = found.map(|(_, names)| names).unwrap_or_default();
    (path.to_vec(), names.into_iter().collect())
}

fn is_of_package(found: &Found) -> bool {
    OF_PACKAGES
        .iter()
        .any(|folder| found.path.starts_with(folder))
}

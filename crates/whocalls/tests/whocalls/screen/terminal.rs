//! whocalls in a terminal that tmux is: keys go in, and what stands there comes out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::setting::{Folder, Need, PATIENCE, command, wait_for};

/// What is typed where the screen asks for a filter or a name that stands there already.
pub(super) const CLEAR: &str = "C-u";

/// Of the terminal, in columns and lines. Everything that is asked for fits.
pub(super) const SIZE: (usize, usize) = (140, 40);

pub(crate) const TMUX: Need = Need::Program("tmux");

/// Before and after it the terminal says how it is. The last line keeps it open.
pub(super) const SESSION: &str = r#"
cd "$1" && shift
stty -a > before
sh -c 'echo $$ > pid.new && mv pid.new pid && exec "$@"' sh "$@"
code=$?
stty -a > after
echo $code > code.new && mv code.new code
exec cat
"#;

/// whocalls in a terminal. Both end when this is dropped.
pub(crate) struct Screen {
    server: Child,
    pub(super) folder: Folder,
    /// Where whocalls was started.
    pub(super) work: PathBuf,
}

impl Screen {
    /// Starts whocalls by the command, after `before`, which changes its rights, and waits until it
    /// shows something.
    pub(super) fn start(before: &[&str], whocalls: &[&str]) -> Self {
        let screen = Self::begin(before, whocalls);
        screen.until("the first picture", |shown| shown.contains("NOT SEEN"));
        screen
    }

    /// The same, without waiting.
    pub(crate) fn begin(before: &[&str], whocalls: &[&str]) -> Self {
        let folder = Folder::new();
        let work = folder.file("work");
        fs::create_dir(&work).unwrap();
        let server = client(folder.path()).arg("-D").spawn().unwrap();
        let screen = Self {
            server,
            folder,
            work,
        };
        wait_for("tmux", || {
            let sessions = client(screen.folder.path()).arg("list-sessions").output();
            sessions.unwrap().status.success().then_some(())
        });
        let work = screen.work.to_str().unwrap();
        let (width, height) = (SIZE.0.to_string(), SIZE.1.to_string());
        let session = ["new-session", "-d", "-x", &width, "-y", &height];
        let script = ["sh", "-c", SESSION, "sh", work];
        screen.tmux(&[&session, &script[..], before, whocalls].concat());
        screen
    }

    pub(super) fn tmux(&self, arguments: &[&str]) -> String {
        let output = client(self.folder.path()).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tmux {arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Keys by their names in tmux.
    pub(crate) fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    pub(super) fn write(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    pub(super) fn shown(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits for a picture, and gives it.
    pub(crate) fn until(&self, what: &str, is_there: impl Fn(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let shown = self.shown();
            if is_there(&shown) {
                return shown;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "waited in vain for {what}:\n{shown}"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Filters by this, whatever the filter was.
    pub(super) fn filter(&self, text: &str) {
        self.press(&["/", CLEAR]);
        self.write(text);
        let line = format!("filter {text}");
        self.until("the filter", |shown| {
            shown.contains("Enter keep") && shown.contains(&line)
        });
        self.press(&["Enter"]);
        self.until("the end of writing", |shown| !shown.contains("Enter keep"));
    }

    /// Chooses the entry that begins so in the menu of the first row.
    pub(super) fn menu(&self, entry: &str) {
        self.press(&["g", "."]);
        let shown = self.until("the menu", |shown| shown.contains(entry));
        let mut lines = shown.lines();
        let first = lines.position(|line| line.contains("all that is known of it"));
        assert!(first.is_some(), "{shown}");
        let below = lines.position(|line| line.contains(entry)).unwrap() + 1;
        self.press(&vec!["Down"; below]);
        self.press(&["Enter"]);
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(pid_of(self.pid()), signal).unwrap();
    }

    /// Of whocalls, or of what becomes it.
    pub(super) fn pid(&self) -> u32 {
        wait_for("the start of whocalls", || self.told("pid"))
    }

    pub(super) fn told(&self, name: &str) -> Option<u32> {
        let text = fs::read_to_string(self.work.join(name)).ok()?;
        text.trim().parse().ok()
    }

    /// Whether the alternate screen, the cursor and the mouse are in use.
    pub(super) fn modes(&self) -> String {
        let format = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}";
        let said = self.tmux(&["display-message", "-p", format]);
        said.trim().to_owned()
    }

    /// Waits until whocalls has ended; the terminal is then as it was before. Gives what it shows.
    pub(crate) fn has_been_left(&self) -> String {
        self.has_been_left_with(0)
    }

    /// The same, where it ends with this code.
    pub(crate) fn has_been_left_with(&self, expected: u32) -> String {
        let code = wait_for("the end of whocalls", || self.told("code"));
        assert_eq!(code, expected, "{}", self.shown());
        self.until("the screen from before", |_| self.modes() == "0 1 0");
        // Without the speed and the size, which the terminal's owner sets.
        let stty = |name| {
            let text = fs::read_to_string(self.work.join(name)).unwrap();
            let (_, settings) = text.split_once('\n').unwrap();
            settings.to_owned()
        };
        assert_eq!(stty("after"), stty("before"));
        let shown = self.shown();
        assert!(!shown.contains("Overview"), "{shown}");
        shown
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = client(self.folder.path()).arg("kill-server").output();
        let _ = self.server.kill();
        let _ = self.server.wait();
        // It ends by itself without a terminal; that it does is a test of its own.
        if let (Some(pid), None) = (self.told("pid"), self.told("code")) {
            let _ = kill_process(pid_of(pid), Signal::KILL);
        }
    }
}

/// tmux with a server of its own, and without a person's settings.
pub(super) fn client(folder: &Path) -> Command {
    let mut tmux = command("tmux");
    tmux.arg("-u").arg("-S").arg(folder.join("tmux"));
    tmux.args(["-f", "/dev/null"])
        .stdin(Stdio::null())
        .env("LC_ALL", "C.UTF-8")
        .env_remove("TMUX")
        .env_remove("NO_COLOR")
        .env_remove("COLORFGBG");
    tmux
}

/// What stands between the views and the lines at the bottom, which name the filter.
pub(super) fn rows(shown: &str) -> String {
    let lines: Vec<&str> = shown.lines().collect();
    let end = lines.len().saturating_sub(2);
    lines.get(2..end).unwrap_or_default().join("\n")
}

/// A text that was broken into lines, in a box.
pub(super) fn in_one_line(shown: &str) -> String {
    let words = shown.split(|it: char| it.is_whitespace() || it == '│');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

pub(super) fn pid_of(pid: u32) -> Pid {
    let pid = i32::try_from(pid).unwrap();
    Pid::from_raw(pid).unwrap()
}

/// Whether there is such a process that has not ended yet.
pub(super) fn runs(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

//! Each situation is a process of its own: it gives up rights, or has others.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by a panic and says so"
)]

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use model::{ProcessId, Tier};
use observe::folder::{Folder, FolderError};
use observe::{ProgramCopy, Watch, WatchOptions};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal, geteuid, kill_process};

const PATIENCE: Duration = Duration::from_secs(60);
/// No user of any computer has these numbers.
const USER: (u32, u32) = (3_999_999_001, 3_999_999_002);

/// A name, what it needs, how it is started, and what it does in a folder.
type Situation = (
    &'static str,
    fn() -> Option<String>,
    &'static str,
    fn(&Path),
);

const SITUATIONS: [Situation; 6] = [
    ("made", nothing, "SELF FOLDER", made),
    (
        "of_sudo",
        not_root,
        "SUDO_UID=3999999001 SUDO_GID=3999999002 SELF FOLDER",
        of_sudo,
    ),
    (
        "after_rights_are_gone",
        nothing,
        "SELF FOLDER",
        after_rights_are_gone,
    ),
    (
        "without_events",
        nothing,
        "SELF FOLDER polling",
        after_rights_are_gone,
    ),
    (
        "on_exfat",
        no_exfat,
        "mkfs.exfat IMAGE >/dev/null && { mount -t exfat -o loop IMAGE FOLDER 2>/dev/null || \
         { loop=$(losetup --find --show IMAGE) && { mount.exfat-fuse $loop FOLDER >/dev/null; \
         losetup --detach $loop; }; }; } && SELF FOLDER; code=$?; umount FOLDER; exit $code",
        on_a_stick,
    ),
    (
        "on_vfat",
        no_vfat,
        "mkfs.vfat IMAGE >/dev/null && mount -t vfat -o loop IMAGE FOLDER && SELF FOLDER; \
         code=$?; umount FOLDER; exit $code",
        on_a_stick,
    ),
];

pub(crate) fn main() -> ExitCode {
    if let Some(code) = observe::helped() {
        return code;
    }
    let arguments: Vec<_> = env::args().collect();
    // Those that are handed on to every test are none of them.
    if let [_, mark, name, folder, ..] = &arguments[..]
        && mark == "--situation"
    {
        let (_, _, _, situation) = SITUATIONS.iter().find(|it| it.0 == name).unwrap();
        situation(Path::new(folder));
        return ExitCode::SUCCESS;
    }
    let mut has_failed = false;
    for (name, needs, script, _) in SITUATIONS {
        if let Some(missing) = needs() {
            eprintln!("skipped: {name}: {missing}");
            continue;
        }
        let ok = run(name, script);
        println!(
            "test folder::{name} ... {}",
            if ok { "ok" } else { "FAILED" }
        );
        has_failed |= !ok;
    }
    if has_failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// In a mount namespace of its own where there is the right to, which takes its mounts with it.
fn run(name: &str, script: &str) -> bool {
    let own = env::temp_dir().join(format!("whocalls-folder-{name}-{}", std::process::id()));
    let (folder, image) = (own.join("in"), own.join("image"));
    fs::create_dir_all(&folder).unwrap();
    File::create(&image).unwrap().set_len(32 << 20).unwrap();
    let program = env::current_exe().unwrap();
    let program = format!("{} --situation {name}", program.display());
    let script = script
        .replace("SELF", &program)
        .replace("FOLDER", folder.to_str().unwrap())
        .replace("IMAGE", image.to_str().unwrap());
    let mut command = Command::new("sh");
    if geteuid().is_root() && has("unshare") {
        command = Command::new("unshare");
        command.args(["--mount", "sh"]);
    }
    command.args(["-c", &script]);
    let mut path = env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    command.env("PATH", path);
    command.env_remove("SUDO_UID").env_remove("SUDO_GID");
    let output = command.output().unwrap();
    let ok = output.status.success();
    let said = String::from_utf8_lossy(&output.stderr);
    let is_skipped = said.lines().any(|line| line.starts_with("skipped: "));
    if !ok || is_skipped {
        eprintln!("{said}");
    }
    fs::remove_dir_all(own).unwrap();
    ok
}

fn nothing() -> Option<String> {
    None
}

fn not_root() -> Option<String> {
    (!geteuid().is_root()).then(|| "it needs root".to_owned())
}

fn no_exfat() -> Option<String> {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let kernel = known.contains("\texfat\n");
    let missing = |name| (!has(name)).then(|| format!("there is no {name} here"));
    let driver = || (!kernel).then(|| missing("mount.exfat-fuse")).flatten();
    not_root().or_else(|| missing("mkfs.exfat")).or_else(driver)
}

fn no_vfat() -> Option<String> {
    let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let driver = || (!known.contains("\tvfat\n")).then(|| "this kernel has no vfat".to_owned());
    let tool = || (!has("mkfs.vfat")).then(|| "there is no mkfs.vfat here".to_owned());
    not_root().or_else(driver).or_else(tool)
}

fn has(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders
        .into_iter()
        .any(|folder| folder.join(program).is_file())
}

fn made(parent: &Path) {
    let folder = Folder::make(parent, "case").unwrap();
    assert_eq!(folder.path(), parent.join("case"));
    assert!(folder.keeps_permissions());
    assert_eq!(mode(folder.path()), 0o700);
    let process = Made::of(&folder);
    let root = process.root();
    if geteuid().is_root() {
        assert_eq!(root.as_deref(), Some(folder.path()), "it is not shut in");
    }
    let (user, group) = (geteuid().as_raw(), rustix::process::getegid().as_raw());
    process.check((user, group));
    write_a_case(&folder);
    assert_eq!(mode(&folder.path().join("events/1.ndjson")), 0o600);
    // A service that is stopped is asked as a whole to end.
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        kill_process(process.pid, signal).unwrap();
    }
    thread::sleep(Duration::from_millis(50));
    folder.create("still.part").unwrap();

    links_are_not_followed(&folder, parent);
    nothing_is_made_twice(parent);
    drop(folder);
    let start = Instant::now();
    while !process.has_ended() {
        assert!(start.elapsed() < PATIENCE, "it does not end with us");
        thread::sleep(Duration::from_millis(5));
    }
}

fn nothing_is_made_twice(parent: &Path) {
    symlink(parent, parent.join("link")).unwrap();
    fs::write(parent.join("file"), "").unwrap();
    for name in ["case", "link", "file"] {
        let refused = Folder::make(parent, name);
        assert!(matches!(refused, Err(FolderError::Exists(_))), "{name}");
    }
    for name in ["../case", "", ".", ".."] {
        let refused = Folder::make(parent, name);
        assert!(matches!(refused, Err(FolderError::Name(_))), "{name}");
    }
    let nowhere = Folder::make(&parent.join("nowhere"), "case");
    assert!(matches!(nowhere, Err(FolderError::Make { .. })));
}

fn links_are_not_followed(folder: &Folder, parent: &Path) {
    let aim = parent.join("aim");
    fs::create_dir(&aim).unwrap();
    symlink(&aim, folder.path().join("programs")).unwrap();
    symlink(aim.join("x"), folder.path().join("log.ndjson")).unwrap();
    assert!(folder.create("programs/a").is_err());
    let exists = folder.create("log.ndjson").unwrap_err();
    assert_eq!(exists.kind(), ErrorKind::AlreadyExists);
    assert_eq!(fs::read_dir(&aim).unwrap().count(), 0);
}

fn of_sudo(parent: &Path) {
    let folder = Folder::make(parent, "case").unwrap();
    Made::of(&folder).check(USER);
    write_a_case(&folder);
    for path in [folder.path(), &folder.path().join("events/1.ndjson")] {
        let owner = fs::metadata(path).unwrap();
        assert_eq!((owner.uid(), owner.gid()), USER, "{}", path.display());
    }
}

/// The file system is the same for whoever mounted it: there is no owner to be.
fn on_a_stick(parent: &Path) {
    let folder = Folder::make(parent, "case").unwrap();
    assert!(!folder.keeps_permissions());
    let owner = fs::metadata(folder.path()).unwrap();
    Made::of(&folder).check((owner.uid(), owner.gid()));
    write_a_case(&folder);
}

/// What a case does with its folder.
fn write_a_case(folder: &Folder) {
    let text = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    folder.make_folder("events").unwrap();
    folder.make_folder("events").unwrap();
    let mut file = folder.create("events/1.ndjson.part").unwrap();
    file.write_all(b"one\n").unwrap();
    file.sync_data().unwrap();
    let exists = folder.create("events/1.ndjson.part").unwrap_err();
    assert_eq!(exists.kind(), ErrorKind::AlreadyExists);
    folder
        .rename("events/1.ndjson.part", "events/1.ndjson")
        .unwrap();
    // Its descriptor is still good.
    file.write_all(b"two\n").unwrap();
    assert_eq!(text("events/1.ndjson"), "one\ntwo\n");
    for number in ["1", "2"] {
        let mut file = folder.create("manifest.sha256.new").unwrap();
        file.write_all(number.as_bytes()).unwrap();
        file.sync_all().unwrap();
        folder
            .replace("manifest.sha256.new", "manifest.sha256")
            .unwrap();
        assert_eq!(text("manifest.sha256"), number);
    }
    folder.create("events/2.ndjson.part").unwrap();
    let exists = folder.rename("events/2.ndjson.part", "events/1.ndjson");
    assert_eq!(exists.unwrap_err().kind(), ErrorKind::AlreadyExists);
    folder.remove("events/2.ndjson.part").unwrap();
    let reserve = folder.create("reserve").unwrap();
    reserve.set_len(4096).unwrap();
    reserve.set_len(0).unwrap();
    folder.remove("reserve").unwrap();
    folder.sync().unwrap();
    let space = folder.space().unwrap();
    assert!(
        space.free_bytes > 0 && space.free_bytes <= space.total_bytes,
        "{space:?}"
    );
    for name in ["../out", "/tmp/out", "events/../../out", ".hidden"] {
        let refused = folder.create(name).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{name}");
    }
    let refused = folder.remove("manifest.sha256").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

/// What goes on when this process may do nothing any more: files, settings, copies of programs.
fn after_rights_are_gone(parent: &Path) {
    let polling = env::args().any(|argument| argument == "polling");
    let folder = Folder::make(parent, "case").unwrap();
    let hidden = Hidden::start();
    let before = observe::system();
    let options = WatchOptions {
        polling,
        ..WatchOptions::default()
    };
    let mut watch = Watch::start(options).unwrap();
    if !polling && watch.tier() == Tier::Polling {
        eprintln!("skipped: after_rights_are_gone: there is no full tier here");
    }
    assert!(
        File::create(parent.join("x")).is_err(),
        "it may still make files"
    );

    // Not the text of files that we may not read any more.
    let mut file = folder.create("case.json").unwrap();
    file.write_all(b"{}").unwrap();
    file.sync_data().unwrap();
    file.sync_all().unwrap();
    file.set_len(1).unwrap();
    folder.create("1.part").unwrap();
    folder.rename("1.part", "1").unwrap();
    folder.sync().unwrap();
    assert!(folder.space().unwrap().total_bytes > 0);

    let after = observe::system();
    assert_eq!(after.interfaces, before.interfaces);
    assert_eq!((after.rules, after.netns), (before.rules, before.netns));
    assert_eq!(after.resolver, before.resolver);
    assert_eq!((after.os, after.hardware), (before.os, before.hardware));
    assert_eq!(after.clock.offset_seconds, before.clock.offset_seconds);
    assert_eq!(after.clock.is_synchronized, before.clock.is_synchronized);
    assert!(!after.interfaces.is_empty());

    let of = |pid, start_ticks| ProcessId {
        boot: watch.host().boot,
        pid,
        start_ticks,
    };
    let (wanted, gone) = (
        of(hidden.pid(), hidden.start_ticks),
        of(hidden.pid(), hidden.start_ticks + 1),
    );
    assert!(watch.want_program(wanted) && watch.want_program(gone));
    let start = Instant::now();
    let mut copies: Vec<ProgramCopy> = Vec::new();
    while copies.len() < 2 {
        assert!(start.elapsed() < PATIENCE, "{copies:?}");
        watch
            .next(Duration::from_millis(50), &mut Vec::new())
            .unwrap();
        copies.extend(watch.programs());
    }
    assert_eq!((copies[0].process, copies[1].process), (wanted, gone));
    let mut bytes = Vec::new();
    let file = copies[0].file.as_mut().expect("a program without a name");
    file.read_to_end(&mut bytes).unwrap();
    assert!(bytes == hidden.program);
    let maps = String::from_utf8(copies[0].maps.clone().unwrap()).unwrap();
    assert!(maps.contains("/memfd:hidden (deleted)"), "{maps}");
    let why = copies[1].file.as_ref().unwrap_err();
    assert_eq!(why, "the process has ended");
    assert_eq!(copies[1].maps, None);
}

/// A program that has no file.
struct Hidden {
    /// It ends when we do, with its standard input: to end it we have no right any more.
    child: Child,
    start_ticks: u64,
    program: Vec<u8>,
}

impl Hidden {
    fn start() -> Self {
        let program = fs::read("/bin/cat").unwrap();
        let memory = memfd_create(c"hidden", MemfdFlags::CLOEXEC).unwrap();
        let path = format!("/proc/{}/fd/{}", std::process::id(), memory.as_raw_fd());
        File::from(memory.try_clone().unwrap())
            .write_all(&program)
            .unwrap();
        let child = Command::new(path).stdin(Stdio::piped()).spawn().unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let mut fields = stat.rsplit(')').next().unwrap().split_ascii_whitespace();
        let start_ticks = fields.nth(19).unwrap().parse().unwrap();
        Self {
            child,
            start_ticks,
            program,
        }
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }
}

/// The process that makes the files.
struct Made {
    pid: Pid,
    folder: PathBuf,
}

impl Made {
    /// The only child that there is.
    fn of(folder: &Folder) -> Self {
        let us = std::process::id();
        let children = fs::read_to_string(format!("/proc/self/task/{us}/children")).unwrap();
        let [pid] = children.split_ascii_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{children}");
        };
        let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
        let folder = folder.path().to_owned();
        Self { pid, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.pid.as_raw_nonzero()))
    }

    fn root(&self) -> Option<PathBuf> {
        fs::read_link(self.file("root")).ok()
    }

    fn has_ended(&self) -> bool {
        // Whoever inherits it may take its time to fetch it.
        fs::read_to_string(self.file("stat")).map_or(true, |stat| stat.contains(") Z "))
    }

    /// It is that user, and may do next to nothing.
    fn check(&self, (user, group): (u32, u32)) {
        let status = fs::read_to_string(self.file("status")).unwrap();
        let value = |name: &str| {
            let mut lines = status.lines().filter_map(|line| line.split_once(":\t"));
            lines
                .find(|(key, _)| *key == name)
                .unwrap()
                .1
                .trim()
                .to_owned()
        };
        assert!(value("Name").ends_with("-files"));
        for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
            assert_eq!(value(set), "0000000000000000", "{set}");
        }
        assert_eq!(
            (value("NoNewPrivs"), value("Seccomp")),
            ("1".into(), "2".into())
        );
        assert_eq!(value("Threads"), "1");
        assert_eq!(value("Uid"), vec![user.to_string(); 4].join("\t"));
        assert_eq!(value("Gid"), vec![group.to_string(); 4].join("\t"));
        let Ok(open) = fs::read_dir(self.file("fd")) else {
            // As an ordinary user it is closed to us, too.
            return;
        };
        let mut open: Vec<_> = open
            .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
            .map(|path| path.to_string_lossy().split(':').next().unwrap().to_owned())
            .collect();
        open.sort();
        let folder = self.folder.to_str().unwrap();
        let mut expected = ["/dev/null", "/dev/null", "socket", folder];
        expected.sort_unstable();
        assert_eq!(open, expected);
        assert_eq!(fs::read(self.file("environ")).unwrap(), b"");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

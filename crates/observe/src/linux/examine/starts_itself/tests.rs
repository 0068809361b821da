use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;

use super::super::tried::{Folder, Running};
use super::super::victim::{Victim, skipped};
use super::*;

/// What starts that file, in a folder as if it were `/`.
fn check(folder: &Folder, path: &str, expected: &[(Sign, &str)]) {
    let index = Index::read(&Root::at(&folder.0)).unwrap();
    let mut traces = Vec::new();
    index.add(path.as_bytes(), &mut traces);
    let mut found: Vec<_> = traces
        .iter()
        .map(|trace| (trace.sign, trace.path.as_ref().unwrap().as_utf8().unwrap()))
        .collect();
    found.sort();
    assert_eq!(found, expected, "{path}: {:?}", index.started);
}

fn computer() -> Folder {
    let folder = Folder::new("starts");
    let passwd = "root:x:0:0::/root:/bin/sh\nu:x:1000:1000::/home/u:/bin/bash\n\
        v:x:1001:1001::/home/none:/bin/sh\n";
    folder.write("etc/passwd", passwd);
    for program in [
        "home/u/.cache/run",
        "home/u/.local/bin/helper",
        "home/u/.x/a b.py",
        "opt/tool/tool",
        "usr/bin/python3.11",
        "usr/bin/ls",
        "usr/bin/sync",
    ] {
        folder.write(program, "x");
    }
    folder
}

#[test]
fn every_way_to_be_started() {
    use Sign::*;
    let folder = computer();
    let entry = "[Desktop Entry]\nExec=/home/u/.cache/run -x\n";
    folder.write("home/u/.config/autostart/x.desktop", entry);
    let unit = "[Service]\nExecStart=-%h/.cache/run\n";
    folder.write("home/u/.config/systemd/user/x.service", unit);
    let unit = "[Service]\nExecStart=\nExecStart=/usr/bin/sync\n";
    folder.write("etc/systemd/system/tool.service.d/x.conf", unit);
    folder.write(
        "var/spool/cron/crontabs/u",
        "@reboot python3.11 '/home/u/.x/a b.py'\n",
    );
    folder.write("etc/cron.d/x", "0 1 * * * root /opt/tool/tool\n");
    folder.write("home/u/.bashrc", "PATH=$PATH:x\n(setsid helper &)\nls\n");
    folder.write("etc/profile.d/x.sh", "/opt/tool/tool &\n");
    folder.write("etc/rc.local", "#!/bin/sh\nT=/opt/tool/tool\n$T &\n");
    folder.write("etc/cron.daily/job", "#!/bin/sh\n");
    folder.write("home/u/.config/openbox/autostart", "~/.cache/run &\n");
    let of = "/home/u/.config";
    check(
        &folder,
        "/home/u/.cache/run",
        &[
            (Autostart, &format!("{of}/autostart/x.desktop")),
            (Autostart, &format!("{of}/openbox/autostart")),
            (UserUnit, &format!("{of}/systemd/user/x.service")),
        ],
    );
    let unit = "/etc/systemd/system/tool.service.d/x.conf";
    check(&folder, "/usr/bin/sync", &[(SystemUnit, unit)]);
    let table = "/var/spool/cron/crontabs/u";
    check(&folder, "/home/u/.x/a b.py", &[(Cron, table)]);
    check(
        &folder,
        "/home/u/.local/bin/helper",
        &[(ShellStart, "/home/u/.bashrc")],
    );
    check(
        &folder,
        "/opt/tool/tool",
        &[
            (SystemUnit, "/etc/rc.local"),
            (Cron, "/etc/cron.d/x"),
            (ShellStart, "/etc/profile.d/x.sh"),
        ],
    );
    check(
        &folder,
        "/etc/cron.daily/job",
        &[(Cron, "/etc/cron.daily/job")],
    );
    // Commands of a shell, and what runs scripts, say nothing.
    check(&folder, "/usr/bin/ls", &[]);
    check(&folder, "/usr/bin/python3.11", &[]);
}

#[test]
fn services_without_units() {
    use Sign::SystemUnit;
    let folder = computer();
    let script = "#!/bin/sh\nDAEMON=/opt/tool/tool\nstart-stop-daemon --start --exec $DAEMON\n";
    folder.write("etc/init.d/tool", script);
    folder.write("etc/local.d/x.start", "/home/u/.cache/run &\n");
    folder.write("etc/local.d/README", "/home/u/.local/bin/helper\n");
    folder.write("etc/sv/x/run", "#!/bin/sh\nexec /home/u/.x/'a b.py'\n");
    let of = |path| [(SystemUnit, path)];
    check(&folder, "/opt/tool/tool", &of("/etc/init.d/tool"));
    check(&folder, "/etc/init.d/tool", &of("/etc/init.d/tool"));
    check(&folder, "/home/u/.cache/run", &of("/etc/local.d/x.start"));
    check(&folder, "/home/u/.local/bin/helper", &[]);
    check(&folder, "/home/u/.x/a b.py", &of("/etc/sv/x/run"));
}

#[test]
fn services_of_packages_are_left_out() {
    let service = Trace::of_file(Sign::SystemUnit, "/etc/init.d/tool");
    let cron = Trace::of_file(Sign::Cron, "/etc/cron.d/tool");
    let all = || vec![service.clone(), cron.clone()];
    assert_eq!(without_services(all(), || false), all());
    assert_eq!(
        without_services(all(), || true),
        std::slice::from_ref(&cron)
    );
    // Nobody needs to be asked.
    let of_cron = without_services(vec![cron.clone()], || panic!("asked"));
    assert_eq!(of_cron, [cron]);
}

#[test]
fn what_is_too_long_to_be_read() {
    let folder = computer();
    let long = |length: usize| format!("{}\n/opt/tool/tool &\n", "#".repeat(length));
    let untested = |path: &str, text: String| {
        folder.write(path, text);
        let index = Index::read(&Root::at(&folder.0)).unwrap();
        fs::remove_file(folder.0.join(path)).unwrap();
        (
            index.started.contains_key(&b"/opt/tool/tool"[..]),
            index.untested,
        )
    };
    assert_eq!(untested("home/u/.bashrc", long(300_000)), (true, None));
    let cut = Some(Untested::TooLarge);
    assert_eq!(untested("home/u/.bashrc", long(1_100_000)), (false, cut));
    let words = "/opt/x\n".repeat(10_000) + "/opt/tool/tool\n";
    assert_eq!(untested("home/u/.profile", words), (false, cut));
}

#[test]
fn units_of_packages_are_left_out() {
    let folder = computer();
    folder.write(
        "usr/lib/systemd/system/tool.service",
        "[Service]\nExecStart=/opt/tool/tool\n",
    );
    let wants = folder.0.join("etc/systemd/system/multi-user.target.wants");
    fs::create_dir_all(&wants).unwrap();
    let link = wants.join("tool.service");
    std::os::unix::fs::symlink("/usr/lib/systemd/system/tool.service", &link).unwrap();
    check(&folder, "/opt/tool/tool", &[]);
    // A link to anywhere else counts.
    fs::remove_file(&link).unwrap();
    folder.write(
        "home/u/tool.service",
        "[Service]\nExecStart=/opt/tool/tool\n",
    );
    std::os::unix::fs::symlink("/home/u/tool.service", &link).unwrap();
    let path = "/etc/systemd/system/multi-user.target.wants/tool.service";
    check(&folder, "/opt/tool/tool", &[(Sign::SystemUnit, path)]);
}

#[test]
fn what_is_switched_off_starts_nothing() {
    let folder = computer();
    let entry = "[Desktop Entry]\nExec=/opt/tool/tool\nHidden=true\n";
    folder.write("etc/xdg/autostart/tool.desktop", entry);
    check(&folder, "/opt/tool/tool", &[]);
}

#[test]
fn what_changes_is_read_again() {
    let folder = computer();
    let root = Root::at(&folder.0);
    folder.write("home/u/.profile", "# nothing\n");
    let before = Index::read(&root).unwrap();
    assert!(before.is_current(&root));
    folder.write("home/u/.profile", "/opt/tool/tool &\n");
    assert!(!before.is_current(&root));
    let index = Index::read(&root).unwrap();
    assert!(index.started.contains_key(&b"/opt/tool/tool"[..]));
    // A file where there was none.
    folder.write("home/u/.zshrc", "");
    assert!(!index.is_current(&root));
    let index = Index::read(&root).unwrap();
    folder.write("home/u/.config/autostart/y.desktop", "");
    assert!(!index.is_current(&root));
}

#[test]
fn a_fifo_makes_nobody_wait() {
    let folder = computer();
    let fifo = folder.0.join("home/u/.bashrc");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    check(&folder, "/opt/tool/tool", &[]);
}

#[test]
fn a_script_behind_many_options() {
    let folder = Folder::new("many-options");
    folder.write("x.pl", "$|=1; print qq(ready\\n); <STDIN>");
    let script = folder.0.join("x.pl");
    let root = Root::own().unwrap();
    let check = |options: usize, expected: Result<Vec<Vec<u8>>, Untested>| {
        let mut command = Command::new("perl");
        command
            .args(std::iter::repeat_n("-w", options))
            .arg(&script);
        let Some(victim) = Victim::start(&mut command) else {
            return skipped("no perl here");
        };
        assert_eq!(script::of(&victim.subject(), &root), expected, "{options}");
    };
    let path = script.canonicalize().unwrap().into_os_string().into_vec();
    check(3000, Ok(vec![path]));
    check(70_000, Err(Untested::TooLarge));
}

#[test]
fn what_an_interpreter_runs() {
    let folder = Folder::new("runs");
    let code = "print('ready', flush=True); input()";
    folder.write("a/b.py", code);
    folder.write("moved.py", format!("import os; os.chdir('/')\n{code}"));
    let at = folder.0.canonicalize().unwrap();
    let root = Root::own().unwrap();
    let check = |arguments: &[&str], expected: &[&str]| {
        let mut command = Command::new("python3");
        command.args(arguments).current_dir(&at).env("PWD", &at);
        let Some(victim) = Victim::start(&mut command) else {
            return skipped("no python3 here");
        };
        let expected = expected.iter().map(|it| at.join(it).into_os_string());
        let expected: Vec<_> = expected.map(OsStringExt::into_vec).collect();
        assert_eq!(
            script::of(&victim.subject(), &root),
            Ok(expected),
            "{arguments:?}"
        );
    };
    check(&["-u", "a/b.py"], &["a/b.py"]);
    check(&["./moved.py"], &["moved.py"]);
    check(&["-m", "a.b"], &["a/b.py"]);
    // The twin: a text, with a file as its argument.
    check(&["-c", code, "a/b.py"], &[]);
}

#[test]
fn a_process_that_nothing_starts() {
    let folder = Folder::new("started");
    let copy = folder.0.join("copy");
    fs::copy("/bin/sleep", &copy).unwrap();
    let running = Running::start(Command::new(copy).arg("1000"), "copy").unwrap();
    let outcome = super::check(&running.subject().unwrap(), &mut Kept::default());
    match outcome {
        Outcome::NothingFound => {}
        Outcome::NotTestable(why) => assert_eq!(why, Untested::NoRights),
        Outcome::Found { .. } => panic!("{outcome:?}"),
    }
}

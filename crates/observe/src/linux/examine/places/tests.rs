//! Programs, scripts and libraries in all kinds of places.

use std::process::Command;

use model::{Check, Outcome, Sign, Trace, Untested};

use super::check;
use crate::linux::examine::victim::{Folder, Victim, library, skipped};
use crate::linux::examine::{Depth, Kept, examine};

const SHELL: &str = "echo ready; read x";
const PYTHON: &str = "print('ready', flush=True); input()";
const PERL: &str = "$|=1; print qq(ready\\n); <STDIN>";
const NODE: &str = "console.log('ready'); setTimeout(() => 1, 1e6)";
const RUBY: &str = "puts 'ready'; STDOUT.flush; STDIN.gets";
const PHP: &str = "echo \"ready\\n\"; fgets(STDIN);";
const LUA: &str = "print('ready') io.stdout:flush() io.read()";

fn seen(victim: &Victim) -> Vec<(Sign, String)> {
    match check(&victim.subject(), &mut Kept::default()) {
        Outcome::NothingFound => Vec::new(),
        Outcome::Found { traces, .. } => traces
            .into_iter()
            .map(|it| (it.sign, it.path.unwrap().lossy().into_owned()))
            .collect(),
        Outcome::NotTestable(why) => panic!("{why}"),
    }
}

/// What is seen of a command line; nothing is asked where it does not start.
fn check_line(line: &str, code: &str, expected: &[(Sign, &str)]) {
    if let Some(victim) = Victim::of(line, code) {
        let expected = expected
            .iter()
            .map(|(sign, path)| (*sign, (*path).to_owned()));
        assert_eq!(seen(&victim), expected.collect::<Vec<_>>(), "{line}");
    }
}

fn temporary() -> Folder {
    Folder::below("/tmp", "whocalls-places")
}

#[test]
fn scripts_in_a_temporary_folder() {
    let folder = temporary();
    for (interpreter, file, code) in [
        ("sh", "x.sh", SHELL),
        ("bash", "x", SHELL),
        ("python3 -u", "x.py", PYTHON),
        ("perl -w", "x.pl", PERL),
        ("node", "x.js", NODE),
        ("ruby", "x.rb", RUBY),
        ("luajit", "x.lua", LUA),
    ] {
        let path = folder.file(file, code.as_bytes());
        check_line(
            &format!("{interpreter} {path}"),
            "",
            &[(Sign::TemporaryScript, &path)],
        );
        // The twin: the same as text, with a file of that place as its argument.
        let option = if interpreter.starts_with(['p', 's', 'b']) && !interpreter.starts_with("perl")
        {
            "-c"
        } else {
            "-e"
        };
        // Lua runs both.
        let path = if interpreter == "luajit" { "-v" } else { &path };
        check_line(&format!("{interpreter} {option} CODE {path}"), code, &[]);
    }
    let path = folder.file("x.php", format!("<?php {PHP}").as_bytes());
    check_line(
        &format!("php -d error_reporting=1 {path}"),
        "",
        &[(Sign::TemporaryScript, &path)],
    );
    check_line(&format!("php -r CODE {path}"), PHP, &[]);
}

#[test]
fn scripts_that_are_started_by_themselves() {
    let folder = temporary();
    let shell = folder.file("a", format!("#!/bin/sh\n{SHELL}\n").as_bytes());
    check_line(&shell, "", &[(Sign::TemporaryScript, &shell)]);
    let python = folder.file(
        "b",
        format!("#!/usr/bin/env python3\n{PYTHON}\n").as_bytes(),
    );
    check_line(&python, "", &[(Sign::TemporaryScript, &python)]);
}

#[test]
fn scripts_by_a_relative_path() {
    let folder = temporary();
    let path = folder.file("x.py", PYTHON.as_bytes());
    let gone_elsewhere = format!("import os; os.chdir('/')\n{PYTHON}");
    let moved = folder.file("moved.py", gone_elsewhere.as_bytes());
    for (argument, expected) in [("x.py", &path), ("./moved.py", &moved)] {
        let mut command = Command::new("python3");
        command
            .arg(argument)
            .current_dir(folder.path())
            .env("PWD", folder.path());
        let Some(victim) = Victim::start(&mut command) else {
            return skipped("no python3 here");
        };
        assert_eq!(seen(&victim), [(Sign::TemporaryScript, expected.clone())]);
    }
}

#[test]
fn scripts_behind_many_options() {
    let folder = temporary();
    let path = folder.file("x.pl", PERL.as_bytes());
    let behind = |options: usize| {
        let mut command = Command::new("perl");
        command.args(std::iter::repeat_n("-w", options)).arg(&path);
        Victim::start(&mut command)
    };
    let (Some(some), Some(many)) = (behind(3000), behind(70_000)) else {
        return skipped("no perl here");
    };
    assert_eq!(seen(&some), [(Sign::TemporaryScript, path.clone())]);
    let outcome = check(&many.subject(), &mut Kept::default());
    assert_eq!(outcome, Outcome::NotTestable(Untested::TooLarge));
    // Where what runs stands in front, the rest does not matter.
    let mut command = Command::new("perl");
    command.arg(&path).args(std::iter::repeat_n("x", 70_000));
    let first = Victim::start(&mut command).unwrap();
    assert_eq!(seen(&first), [(Sign::TemporaryScript, path)]);
    let mut command = Command::new("perl");
    command
        .args(["-e", PERL])
        .args(std::iter::repeat_n("x", 70_000));
    assert_eq!(seen(&Victim::start(&mut command).unwrap()), []);
}

/// What is seen of a program with one setting more; nothing is asked where it does not start.
fn check_set(line: &[&str], setting: &str, value: &str, expected: &[(Sign, &str)]) {
    let (program, arguments) = line.split_first().unwrap();
    let mut command = Command::new(program);
    let Some(victim) = Victim::start(command.args(arguments).env(setting, value)) else {
        return skipped(&format!("{program}: it does not start here"));
    };
    let expected = expected.iter().map(|(sign, path)| Trace {
        name: Some(setting.into()),
        ..Trace::of_file(*sign, *path)
    });
    let expected = Outcome::of(expected.collect());
    let found = check(&victim.subject(), &mut Kept::default());
    assert_eq!(found, expected, "{program} {setting}={value}");
}

#[test]
fn what_the_environment_makes_it_load() {
    let folder = temporary();
    let empty = folder.file("empty", b"");
    let module = folder.file("Nothing.pm", b"package Nothing; 1;\n");
    let (shell, perl) = (["bash", "-c", SHELL], ["perl", "-e", PERL]);
    let found = [(Sign::TemporaryScript, empty.as_str())];
    check_set(&shell, "BASH_ENV", &empty, &found);
    check_set(&["dash", "-i", "-c", SHELL], "ENV", &empty, &found);
    let modules = format!("-I{} -MNothing", folder.path());
    let of_perl = [(Sign::TemporaryScript, module.as_str())];
    check_set(&perl, "PERL5OPT", &modules, &of_perl);
    let (node, options) = (["node", "-e", NODE], format!("--require {empty}"));
    check_set(&node, "NODE_OPTIONS", &options, &found);
    let ruby = folder.file("x.rb", b"");
    let option = format!("-r{ruby}");
    let of_ruby = [(Sign::TemporaryScript, ruby.as_str())];
    check_set(&["ruby", "-e", RUBY], "RUBYOPT", &option, &of_ruby);
    let init = format!("@{empty}");
    check_set(&["luajit", "-e", LUA], "LUA_INIT", &init, &found);
    // The twins: nobody reads it, and nothing lies there.
    check_set(&shell, "ENV", &empty, &[]);
    check_set(&["dash", "-c", SHELL], "ENV", &empty, &[]);
    check_set(&perl, "NODE_OPTIONS", &options, &[]);
    check_set(&shell, "BASH_ENV", &format!("{empty}-gone"), &[]);
    check_set(&perl, "PERL5OPT", "-w", &[]);
}

#[test]
fn start_files_of_a_person() {
    let Some(home) = home() else {
        return;
    };
    let folder = Folder::below(&home, "whocalls-places");
    let hidden = folder.file(".x/start", b"");
    check_set(
        &["bash", "-c", SHELL],
        "BASH_ENV",
        &hidden,
        &[(Sign::HiddenScript, &hidden)],
    );
    let own = folder.file("start", b"");
    check_set(&["bash", "-c", SHELL], "BASH_ENV", &own, &[]);
}

#[test]
fn an_environment_that_is_too_large() {
    let long = "y".repeat(100_000);
    let check_of = |line: &[&str], expected| {
        let (program, arguments) = line.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(arguments);
        command.envs((0..15).map(|number| (format!("A{number:02}"), &long)));
        let Some(victim) = Victim::start(&mut command) else {
            return skipped(&format!("no {program} here"));
        };
        let found = check(&victim.subject(), &mut Kept::default());
        assert_eq!(found, expected, "{line:?}");
    };
    let large = Outcome::NotTestable(Untested::TooLarge);
    check_of(&["perl", "-e", PERL], large);
    // Nobody's environment makes it load anything.
    let folder = temporary();
    let line = folder.file("line", b"ready\n");
    check_of(&["cat", &line, "-"], Outcome::NothingFound);
}

#[test]
fn scripts_that_are_gone() {
    let folder = temporary();
    for (interpreter, code) in [("sh", SHELL), ("bash", SHELL), ("python3", PYTHON)] {
        let path = folder.file("gone.x", code.as_bytes());
        let Some(victim) = Victim::start(Command::new(interpreter).arg(&path)) else {
            skipped(&format!("no {interpreter} here"));
            continue;
        };
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            seen(&victim),
            [(Sign::TemporaryScript, path)],
            "{interpreter}"
        );
    }
}

#[test]
fn a_program_in_a_temporary_or_hidden_folder() {
    let folder = temporary();
    let shell = std::fs::read("/bin/sh").unwrap();
    let program = folder.file("p", &shell);
    check_line(
        &format!("{program} -c CODE"),
        SHELL,
        &[(Sign::TemporaryProgram, &program)],
    );
    check_line("/bin/sh -c CODE", SHELL, &[]);
    // By the loader, of which the kernel knows only that.
    if std::path::Path::new("/lib64/ld-linux-x86-64.so.2").exists() {
        let line = format!("/lib64/ld-linux-x86-64.so.2 {program} -c CODE");
        check_line(&line, SHELL, &[(Sign::TemporaryProgram, &program)]);
        check_line("/lib64/ld-linux-x86-64.so.2 /bin/sh -c CODE", SHELL, &[]);
    }
}

/// A folder of a person. `None`: there is none where only that person may write.
fn home() -> Option<String> {
    let root = std::env::var("HOME").unwrap_or_default();
    let usable = std::fs::metadata(&root).is_ok_and(|it| {
        std::os::unix::fs::MetadataExt::mode(&it) & 0o002 == 0 && !root.starts_with("/tmp")
    });
    if !usable || crate::parse::place::is_hidden(root.as_bytes()) {
        skipped("no home of its own here");
        return None;
    }
    Some(root)
}

#[test]
fn a_program_where_anybody_may_write() {
    let Some(root) = home() else {
        return;
    };
    let folder = Folder::below(&root, "whocalls-places");
    let shell = std::fs::read("/bin/sh").unwrap();
    let program = folder.file("sub/p", &shell);
    let hidden = folder.file(".x/p", &shell);
    check_line(&format!("{program} -c CODE"), SHELL, &[]);
    check_line(
        &format!("{hidden} -c CODE"),
        SHELL,
        &[(Sign::HiddenProgram, &hidden)],
    );
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o1777);
    std::fs::set_permissions(folder.path(), all).unwrap();
    check_line(
        &format!("{program} -c CODE"),
        SHELL,
        &[(Sign::TemporaryProgram, &program)],
    );
}

/// Makes folders of so many bytes together, and starts `last` in the deepest.
fn deep(folder: &Folder, depth: usize, last: &str) -> Option<Victim> {
    let script = format!(
        "d=$(printf %0250d 0); i=0; while [ $i -lt {depth} ]; do i=$((i + 1)); \
         mkdir $d && cd -P ./$d 2>/dev/null || exit; done; {last}"
    );
    let mut command = Command::new("sh");
    command
        .args(["-c", &script])
        .current_dir(folder.path())
        .env_remove("PWD");
    let victim = Victim::start(&mut command);
    if victim.is_none() {
        skipped("this shell goes no deeper");
    }
    victim
}

#[test]
fn a_program_of_an_overlong_path() {
    let last = format!("cp /bin/sh x; exec ./x -c '{SHELL}'");
    let folder = temporary();
    let Some(victim) = deep(&folder, 17, &last) else {
        return;
    };
    let mut kept = Kept::default();
    let Outcome::Found { traces, more: 0 } = check(&victim.subject(), &mut kept) else {
        panic!("not found");
    };
    let signs: Vec<_> = traces.iter().map(|it| it.sign).collect();
    assert_eq!(signs, [Sign::OverlongPath, Sign::TemporaryProgram]);
    let begin = traces[0].path.as_ref().unwrap().bytes();
    assert!(begin.starts_with(b"/tmp/whocalls-places-") && begin.len() == 1024);
    assert!(traces[0].length.unwrap() > 17 * 251);
    assert_eq!(traces[0].name, None);
    // What else is asked of its file works as well.
    let examined = examine(&victim.subject(), Depth::Whole, &mut kept);
    for made in &examined.checks {
        let unread = [Untested::Unreadable, Untested::TooLarge].map(Outcome::NotTestable);
        assert!(!unread.contains(&made.outcome), "{made:?}");
    }
    assert_eq!(
        examined.outcome(Check::ProgramFile),
        Some(&Outcome::NothingFound)
    );
}

#[test]
fn a_program_of_an_overlong_path_that_is_gone() {
    let last = format!("cp /bin/sh x; exec ./x -c 'rm x; {SHELL}'");
    let folder = temporary();
    let Some(victim) = deep(&folder, 17, &last) else {
        return;
    };
    let examined = examine(&victim.subject(), Depth::Cheap, &mut Kept::default());
    let traces = examined.traces(Check::ProgramFile);
    assert_eq!(traces[0].sign, Sign::Deleted);
    assert!(traces[0].path.as_ref().unwrap().bytes().ends_with(b"/x"));
    assert_eq!(examined.signs(Check::Places, Sign::OverlongPath).count(), 1);
}

#[test]
fn a_script_of_an_overlong_path() {
    for shell in ["sh", "bash", "perl"] {
        let code = if shell == "perl" { PERL } else { SHELL };
        let last = format!("echo '{code}' >x; exec {shell} ./x");
        let folder = temporary();
        let Some(victim) = deep(&folder, 17, &last) else {
            continue;
        };
        let Outcome::Found { traces, more: 0 } = check(&victim.subject(), &mut Kept::default())
        else {
            panic!("{shell}: not found");
        };
        let overlong = |it: &&Trace| {
            it.sign == Sign::OverlongPath
                && it.name.as_ref().is_some_and(|it| *it == "script".into())
        };
        assert!(traces.iter().any(|it| overlong(&it)), "{shell} {traces:?}");
    }
}

/// Deep, and not too deep for anybody.
#[test]
fn a_program_of_a_long_path() {
    let last = format!("cp /bin/sh x; exec ./x -c '{SHELL}'");
    let folder = temporary();
    let Some(victim) = deep(&folder, 15, &last) else {
        return;
    };
    let [(sign, path)] = seen(&victim).try_into().unwrap();
    assert_eq!(sign, Sign::TemporaryProgram);
    assert!(path.len() > 15 * 251 && path.len() < 4096);
}

#[test]
fn a_library_in_a_temporary_folder() {
    let folder = temporary();
    let Some(path) = library(&folder, "x.so") else {
        return;
    };
    let code = format!("import ctypes; a = ctypes.CDLL('{path}'); {PYTHON}");
    check_line("python3 -c CODE", &code, &[(Sign::TemporaryLibrary, &path)]);
}

#[test]
fn what_a_script_writes_to_is_none() {
    let folder = temporary();
    for (shell, number) in [("bash", 255), ("sh", 10)] {
        let lock = format!("{}/lock", folder.path());
        let code = format!("eval 'exec {number}>{lock}'; {SHELL}");
        check_line(&format!("{shell} -c CODE"), &code, &[]);
    }
    // What is read from standard input is.
    let path = folder.file("x.sh", b"echo ready; sleep 30");
    let code = format!("exec sh < {path}");
    check_line("sh -c CODE", &code, &[(Sign::TemporaryScript, &path)]);
}

//! What looking into processes finds, while whocalls watches and in one look. What each check finds is
//! tested where it is made.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::program::{Run, WHOCALLS, copy_to};
use crate::rights::{Watch, as_nobody, watching};
use crate::setting::{Folder, Need, command, lacks, run};

/// A program that does nothing, and ends with this value.
struct Sleep(Child);

impl Sleep {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_about(line: &Value, pid: u32) -> bool {
    let id = line["process_id"].as_str().unwrap_or_default();
    id.split('-').next() == Some(&pid.to_string())
}

fn is_examined(line: &Value, pid: u32) -> bool {
    line["kind"] == "process_examined" && is_about(line, pid)
}

#[test]
fn who_was_there_and_who_starts_meanwhile_is_looked_into() {
    if lacks(&[Need::Root]) {
        return;
    }
    for polling in [&[][..], &["--polling"]] {
        let before = Sleep::start(Command::new("sleep").arg("1000"));
        let mut watch = Watch::start(&mut watching(Path::new(WHOCALLS), polling));
        watch.until(|line| is_examined(line, before.pid()));
        let later = Sleep::start(Command::new("sleep").arg("1000"));
        watch.until(|line| is_examined(line, later.pid()));
        let known = watch.seen.iter().position(|line| {
            line["type"] == "process" && line["pid"].as_u64() == Some(later.pid().into())
        });
        let examined = watch
            .seen
            .iter()
            .position(|it| is_examined(it, later.pid()));
        assert!(known.unwrap() < examined.unwrap());
    }
}

/// Its own processes, that is; and nothing is said to hide that is only of others.
#[test]
fn an_ordinary_user_looks_into_its_own() {
    if lacks(&[Need::Root, Need::Program("setpriv")]) {
        return;
    }
    let folder = Folder::new();
    let program = copy_to(folder.path());
    let own = Sleep::start(as_nobody(Path::new("sleep")).arg("1000"));
    let mut watch = Watch::start(as_nobody(&program).args(["watch", "--ndjson"]));
    watch.until(|line| is_examined(line, own.pid()));
    let gap = watch
        .seen
        .iter()
        .find(|line| line["id"] == "examiner_ended");
    assert_eq!(gap, None);
}

#[test]
fn whom_only_others_may_see_does_not_hide() {
    let needs = ["setpriv", "unshare", "mount"].map(Need::Program);
    if lacks(&[Need::Root]) || lacks(&needs) {
        return;
    }
    let folder = Folder::new();
    let program = copy_to(folder.path());
    let line = format!(
        "mount -t proc -o hidepid=2 proc /proc && exec setpriv --reuid 65534 --regid 65534 \
         --clear-groups --inh-caps=-all {} list --processes --json",
        program.display()
    );
    let mut apart = command("unshare");
    let listed = Run::of(apart.args(["--mount", "sh", "-c", &line])).json();
    let pids = listed["processes"].as_array().unwrap().len();
    assert!((1..20).contains(&pids), "{listed:#}");
    let without_name = |it: &&Value| it["name"] == "";
    let all = listed["processes"].as_array().unwrap();
    assert_eq!(all.iter().find(without_name), None);
}

/// Others see in its place what was mounted there.
#[test]
fn who_is_covered_is_found_and_named() {
    if lacks(&[Need::Root]) || lacks(&["unshare", "mount"].map(Need::Program)) {
        return;
    }
    let covered = Sleep::start(Command::new("sleep").arg("1000"));
    let pid = covered.pid();
    let mounted = format!("mount -t tmpfs none /proc/{pid} && exec {WHOCALLS}");
    let apart = |words: &str| {
        let mut apart = command("unshare");
        apart.args(["--mount", "sh", "-c", &format!("{mounted} {words}")]);
        apart
    };
    if let Err(why) = run("unshare", &["--mount", "true"]) {
        crate::setting::skip(&format!("no mount namespace can be made here: {why}"));
        return;
    }
    let mut watch = Watch::start(&mut apart("watch --ndjson"));
    watch.until(|line| is_examined(line, pid));
    let is_it =
        |line: &&Value| line["type"] == "process" && line["pid"].as_u64() == Some(pid.into());
    let process = watch.seen.iter().find(is_it).unwrap();
    assert_eq!(process["name"], "sleep");
    let listed = Run::of(&mut apart("list --processes --json")).json();
    let all = listed["processes"].as_array().unwrap();
    let found = all.iter().find(|it| it["pid"].as_u64() == Some(pid.into()));
    assert_eq!(found.unwrap()["name"], "sleep");
}

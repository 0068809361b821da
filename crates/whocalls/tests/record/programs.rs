//! Program files that are copied into the case: those that no package has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::recording::{Recorded, Recording, lines};
use crate::setting::{Need, command, find, lacks, skip, unique, wait_for};

/// A folder that is neither temporary nor hidden, removed at the end.
struct Elsewhere(PathBuf);

impl Elsewhere {
    fn new() -> Self {
        let path = Path::new("/opt").join(format!("whocalls-test-{}", unique()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program that does nothing, and ends with this value.
struct Sleep(Child);

impl Sleep {
    fn start(program: &Path) -> Self {
        let child = Command::new(program)
            .arg("1000")
            .stdin(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    fn is(&self, line: &Value, member: &str) -> bool {
        let id = line[member].as_str().unwrap_or_default();
        id.split('-').next() == Some(&self.0.id().to_string())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn programs_that_no_package_has_are_copied() {
    if lacks(&[Need::Root]) {
        return;
    }
    let folder = Elsewhere::new();
    let packaged = fs::canonicalize(find("sleep").unwrap()).unwrap();
    let program = folder.0.join("tool");
    let copied = command("cp").arg(&packaged).arg(&program).status();
    assert!(copied.unwrap().success());
    let unpackaged = [Sleep::start(&program), Sleep::start(&program)];
    let innocent = Sleep::start(&packaged);
    let recording = Recording::start(&["--depth", "events", "--copy-programs", "suspect"]);
    let log = recording.case().join("log.ndjson");
    let state = wait_for("all to be looked into", || {
        let events = recording.case().join("events/000001.ndjson.part");
        let events = complete(&fs::read_to_string(events).unwrap_or_default());
        let state = |sleep: &Sleep| {
            let of_it = |line: &&Value| {
                sleep.is(line, "process_id") && line["examined"]["package"].is_object()
            };
            let line = events.iter().find(of_it);
            line.map(|it| it["examined"]["package"]["state"].clone())
        };
        unpackaged.iter().try_for_each(|it| state(it).map(drop))?;
        state(&innocent)
    });
    if state != "intact" && skip("there is no list of packages here") {
        return;
    }
    wait_for("the copies", || {
        let log = complete(&fs::read_to_string(&log).unwrap_or_default());
        unpackaged
            .iter()
            .all(|it| log.iter().any(|line| it.is(line, "process")))
            .then_some(())
    });
    let recorded = recording.stop();
    recorded.went_well();
    let lines = of_programs(&recorded);
    for sleep in &unpackaged {
        let line = lines.iter().find(|it| sleep.is(it, "process")).unwrap();
        assert_eq!(line["what"], "program_copied", "{line}");
        let copy = recorded.case.join(line["file"].as_str().unwrap());
        assert!(fs::read(copy).unwrap() == fs::read(&program).unwrap());
    }
    let of_innocent = lines.iter().find(|it| innocent.is(it, "process"));
    assert_eq!(of_innocent, None);
}

/// Without a line that is just being written.
fn complete(text: &str) -> Vec<Value> {
    let end = text.rfind('\n').map_or(0, |at| at + 1);
    lines(&text[..end])
}

fn of_programs(recorded: &Recorded) -> Vec<Value> {
    let of_program = |line: &Value| {
        let what = line["what"].as_str().unwrap_or_default();
        what.starts_with("program_")
    };
    recorded.log().into_iter().filter(of_program).collect()
}

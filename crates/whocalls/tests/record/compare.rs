//! Two recordings of one computer, compared: what came in between is told, and what did not change is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::actor::{Actor, python};
use crate::network::Namespace;
use crate::program::{Run, WHOCALLS, whocalls};
use crate::recording::Recording;
use crate::room::Room;
use crate::setting::{Need, lacks, skip};

/// Waits for calls, and calls itself there.
const STEADY: &str = "both(('127.0.0.1', 8384))
both(('192.0.2.7', 7000))
ready()";

/// The same, where others can reach it.
const WIDENED: &str = "both(('0.0.0.0', 8384))
both(('192.0.2.7', 7000))
ready()";

const NEW: &str = "waiting = listener(('192.0.2.8', 4444))
keep(listener(('0.0.0.0', 31337)))
for _ in range(3):
    caller(('192.0.2.8', 4444))
    keep(waiting.accept())
ready()";

/// Programs of this test, where nobody else has one.
struct Programs(Room);

impl Programs {
    /// `None`: this interpreter does not run from another place; that has been said.
    fn new() -> Option<Self> {
        let programs = Self(Room::new());
        let copy = programs.make("tool", b"");
        let mut tried = Command::new(copy);
        if Run::of(tried.args(["-I", "-c", "import socket"])).code != Some(0) {
            skip("a copy of the interpreter does not run");
            return None;
        }
        Some(programs)
    }

    /// An interpreter of another name, with these bytes behind it. Puts it in the place of an earlier one.
    fn make(&self, name: &str, behind: &[u8]) -> PathBuf {
        let (path, made) = (self.0.file(name), self.0.file("made"));
        // Not by ourselves: a file that is being written cannot be started.
        let script =
            "cp \"$1\" \"$2\" && printf %s \"$3\" >>\"$2\" && chmod 755 \"$2\" && mv \"$2\" \"$4\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(python()).arg(&made);
        let behind = String::from_utf8_lossy(behind).into_owned();
        let status = shell.arg(behind).arg(&path).status().unwrap();
        assert!(status.success());
        path
    }
}

fn start(namespace: &Namespace, program: &Path, script: &str) -> Actor {
    Actor::start_as(namespace.command(program), script).0
}

/// What is told of the programs of this test, each in a line.
fn told(comparison: &Value, programs: &Programs) -> Vec<String> {
    let folder = programs.0.path().to_str().unwrap();
    let differences = comparison["differences"].as_array().unwrap().iter();
    let own = differences.filter(|it| {
        it["program"]
            .as_str()
            .is_some_and(|it| it.starts_with(folder))
            && it["kind"] != "finding"
    });
    let word = |it: &Value, name: &str| it[name].as_str().unwrap_or_default().to_owned();
    let line = |it: &Value| {
        let program = word(it, "program");
        let name = program.rsplit('/').next().unwrap().to_owned();
        let words = [
            word(it, "change"),
            word(it, "kind"),
            name,
            word(it, "thing"),
        ];
        words.join(" ").trim_end().to_owned()
    };
    let mut told: Vec<_> = own.map(line).collect();
    told.sort();
    told
}

fn diff(arguments: &[&str]) -> Value {
    let run = whocalls(&[&["diff", "--json"], arguments].concat());
    assert!([Some(0), Some(3)].contains(&run.code), "{}", run.talk());
    serde_json::from_slice(&run.out).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_came_between_two_recordings_is_told() {
    if lacks(&[Need::Root, Need::Program("sh")]) {
        return;
    }
    let (Some(namespace), Some(programs)) = (Namespace::new(), Programs::new()) else {
        return;
    };
    for ip in ["192.0.2.7/32", "192.0.2.8/32"] {
        namespace.ip(&["addr", "add", ip, "dev", "lo"]);
    }
    let tool = programs.make("tool", b"");
    let steady = programs.make("steady", b"");
    let record = || Recording::start(&["--depth", "events"]);

    let recording = record();
    let first = [
        start(&namespace, &tool, STEADY),
        start(&namespace, &steady, "both(('127.0.0.1', 8385))\nready()"),
    ];
    let looked = Run::of(Command::new(WHOCALLS).args(["list", "-a", "--processes", "--json"]));
    let look = programs.0.file("look.json");
    fs::write(&look, &looked.out).unwrap();
    let before = recording.stop();
    before.went_well();
    drop(first);

    // Between the two: the file is another one, it waits for others, and there is a new program.
    programs.make("tool", b"changed");
    let new = programs.make("implant", b"");
    let recording = record();
    let _second = [
        start(&namespace, &tool, WIDENED),
        start(&namespace, &steady, "both(('127.0.0.1', 8385))\nready()"),
        start(&namespace, &new, NEW),
    ];
    let after = recording.stop();
    after.went_well();
    if after.run.talk().contains("Much will be missed") {
        skip("there are no events here");
        return;
    }

    let (before, after) = (text(&before.case).to_owned(), text(&after.case).to_owned());
    let expected = [
        "changed program_file tool",
        "gone listener tool tcp 8384 loopback",
        "new listener implant tcp 31337 outside",
        "new listener implant tcp 4444 outside",
        "new listener tool tcp 8384 outside",
        "new program implant",
    ];
    let comparison = diff(&[&before, &after]);
    assert_eq!(told(&comparison, &programs), expected);
    assert_eq!(comparison["before"]["kind"], "case");
    let turned = diff(&[&after, &before]);
    let expected = [
        "changed program_file tool",
        "gone listener implant tcp 31337 outside",
        "gone listener implant tcp 4444 outside",
        "gone listener tool tcp 8384 outside",
        "gone program implant",
        "new listener tool tcp 8384 loopback",
    ];
    assert_eq!(told(&turned, &programs), expected);
    let alike = diff(&[&after, &after]);
    assert_eq!(alike["differences"].as_array().unwrap().len(), 0);

    // A look that was saved tells the same of what stood then; it has no hashes, and so the file is told by
    // its number.
    let of_look = diff(&[text(&look), &after]);
    assert_eq!(of_look["before"]["kind"], "look");
    assert_eq!(told(&of_look, &programs), told(&comparison, &programs));

    // And of this computer as it is now, where the second three still run.
    let now = diff(&[&before]);
    assert_eq!(now["after"]["kind"], "now");
    assert_eq!(told(&now, &programs), told(&comparison, &programs));

    let failing = whocalls(&["diff", &before, &after, "--fail-on", "medium", "-q"]);
    assert_eq!(failing.code, Some(10), "{}", failing.talk());
    let shown = failing.text();
    assert!(shown.contains("implant was not seen before."), "{shown}");
    assert!(shown.contains("Other computers can call it now"), "{shown}");
}

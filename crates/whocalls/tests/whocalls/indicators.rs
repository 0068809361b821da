//! `whocalls indicators`: lists that are added, told and removed.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::program::{Run, WHOCALLS};
use crate::setting::Folder;

fn indicators(arguments: &[&str], folder: &Path) -> Run {
    let mut command = Command::new(WHOCALLS);
    Run::of(command.arg("indicators").args(arguments).arg(folder))
}

/// The list of that name, of `indicators list --json`.
fn told(folder: &Path, name: &str) -> Option<Value> {
    let document = indicators(&["list", "--json", "--from"], folder).json();
    let mut lists = document["lists"].as_array().unwrap().iter();
    lists.find(|list| list["name"] == name).cloned()
}

#[test]
fn a_list_is_added_told_and_removed() {
    let folder = Folder::new();
    let kept = folder.path().join("kept");
    let file = folder.path().join("my list.csv");
    let text = "domain,app\nevil.example,Spy\nnonsense,Spy\n";
    fs::write(&file, text).unwrap();
    let file_name = file.to_str().unwrap();
    let add = |arguments: &[&str]| {
        let all = [&["add", file_name], arguments, &["--into"]].concat();
        indicators(&all, &kept)
    };
    let added = add(&["--publisher", "CERT", "--licence", "CC0-1.0"]);
    // A line of it was skipped.
    assert_eq!(added.code, Some(3), "{}", added.talk());
    assert_eq!(added.text(), "my_list.csv: 1 name\n");
    assert!(
        added
            .talk()
            .contains("line 3: it holds no value that is known")
    );
    // A list that is not read is not added in silence.
    assert!(
        added
            .talk()
            .contains("watch, record, list and open read only"),
        "{}",
        added.talk()
    );
    let place = kept.join("my_list.csv");
    assert_eq!(fs::read_to_string(place.join("original")).unwrap(), text);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    let list = told(&kept, "my_list.csv").unwrap();
    assert_eq!(list["publisher"], "CERT");
    assert_eq!(list["licence"], "CC0-1.0");
    assert_eq!(list["file"], "my list.csv");
    assert_eq!(list["meaning"], "known_bad");
    assert_eq!(list["embedded"], false);
    assert_eq!(
        (&list["skipped"], &list["counts"][0]["count"]),
        (&1.into(), &1.into())
    );
    // Not twice, and nothing else is left behind.
    let again = add(&[]);
    assert_eq!(again.code, Some(2));
    assert!(
        again
            .talk()
            .contains("there is a list 'my_list.csv' already"),
        "{}",
        again.talk()
    );
    let left: Vec<_> = fs::read_dir(&kept).unwrap().collect();
    assert_eq!(left.len(), 1);
    let added = add(&["--name", "echo", "--meaning", "address-echo"]);
    assert_eq!(added.code, Some(3), "{}", added.talk());
    assert_eq!(told(&kept, "echo").unwrap()["meaning"], "address_echo");
    let removed = indicators(&["remove", "echo", "--from"], &kept);
    assert_eq!(removed.code, Some(0), "{}", removed.talk());
    assert!(told(&kept, "echo").is_none());
    assert_eq!(
        indicators(&["remove", "../kept", "--from"], &kept).code,
        Some(2)
    );
    assert_eq!(
        indicators(&["remove", "Pegasus", "--from"], &kept).code,
        Some(2)
    );
    assert!(place.is_dir() && file.is_file());
}

#[test]
fn a_list_that_was_changed_is_left_out_and_named() {
    let folder = Folder::new();
    let kept = folder.path().join("kept");
    let file = folder.path().join("list.txt");
    fs::write(&file, "evil.example\n").unwrap();
    let added = indicators(&["add", file.to_str().unwrap(), "--into"], &kept);
    assert_eq!(added.code, Some(0), "{}", added.talk());
    fs::write(kept.join("list.txt/original"), "innocent.example\n").unwrap();
    let listed = indicators(&["list", "--from"], &kept);
    assert_eq!(listed.code, Some(4));
    assert!(
        listed
            .talk()
            .contains("list.txt: its file is not as it was"),
        "{}",
        listed.talk()
    );
    assert!(!listed.text().contains("list.txt"));
}

#[test]
fn what_lies_among_the_lists_and_was_never_added_is_named() {
    let folder = Folder::new();
    let check = |said: &[&str]| {
        let listed = indicators(&["list", "--from"], folder.path());
        assert_eq!(listed.code, Some(0), "{}", listed.talk());
        for said in said {
            assert!(listed.talk().contains(said), "{}", listed.talk());
        }
    };
    check(&["holds no list"]);
    fs::write(folder.path().join(".hidden"), "of the system").unwrap();
    check(&["holds no list"]);
    for number in 0..7 {
        let name = format!("by-hand-{number}.txt");
        fs::write(folder.path().join(name), "evil.example\n").unwrap();
    }
    check(&["by-hand-0.txt", "and 2 more", "whocalls indicators add"]);
}

#[test]
fn what_is_no_list_is_refused_and_nothing_is_kept() {
    let folder = Folder::new();
    let kept = folder.path().join("kept");
    for (name, bytes, said) in [
        ("page", &b"<!DOCTYPE html>"[..], "it is a web page or XML"),
        ("zip", b"PK\x03\x04", "it is a ZIP archive"),
        (
            "words",
            b"hello\n",
            "read as plain list, it holds no indicator",
        ),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        let added = indicators(&["add", file.to_str().unwrap(), "--into"], &kept);
        assert_eq!(added.code, Some(1));
        assert!(
            added.talk().contains(said) && added.talk().contains("help: "),
            "{}",
            added.talk()
        );
    }
    assert!(!kept.exists());
}

#[test]
fn where_lists_go_is_never_guessed() {
    let folder = Folder::new();
    let file = folder.path().join("list.txt");
    fs::write(&file, "evil.example\n").unwrap();
    let added = Run::of(
        Command::new(WHOCALLS)
            .args(["indicators", "add"])
            .arg(&file),
    );
    assert_eq!(added.code, Some(2), "{}", added.talk());
    assert!(added.talk().contains("--into FOLDER"));
}

#[test]
fn sets_in_the_program_are_told_with_their_publishers() {
    let folder = Folder::new();
    for (name, publisher, licence) in [
        ("Pegasus", "Amnesty International Security Lab", "CC-BY-2.0"),
        ("Coruna", "MVT project", "MIT"),
        ("Stalkerware", "Echap", "CC-BY-4.0"),
    ] {
        let list = told(folder.path(), name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(
            (&list["publisher"], &list["licence"]),
            (&publisher.into(), &licence.into())
        );
        assert_eq!(list["embedded"], true);
    }
}

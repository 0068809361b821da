//! `whocalls lookup`: what the tables and the lists know of an item, and of all that a case has.

use std::fs;
use std::path::Path;
use std::process::Command;

use model::IndicatorValue;
use serde_json::Value;

use crate::program::{Run, WHOCALLS};
use crate::setting::Folder;

const STORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/story");
const HOLDER: &str = "Holder of this address: not known here. It may have been passed on to someone else; ask \
                      WHOIS/RDAP from another computer.";

fn lookup(arguments: &[&str]) -> Run {
    Run::of(Command::new(WHOCALLS).arg("lookup").args(arguments))
}

/// A folder with a list of these lines, as `indicators add` keeps it.
fn with_list(folder: &Folder, lines: &str) -> String {
    let (file, kept) = (folder.file("bad.txt"), folder.file("kept"));
    fs::write(&file, lines).unwrap();
    let mut add = Command::new(WHOCALLS);
    add.args([
        "indicators",
        "add",
        "--publisher",
        "CERT of X",
        "--licence",
        "CC0-1.0",
        "--into",
    ]);
    let added = Run::of(add.arg(&kept).arg(&file));
    assert_eq!(added.code, Some(0), "{}", added.talk());
    kept.to_str().unwrap().to_owned()
}

fn item<'a>(document: &'a Value, name: &str) -> &'a Value {
    let mut items = document["items"].as_array().unwrap().iter();
    items.find(|it| it["item"] == name).expect(name)
}

#[test]
fn lists_that_were_added_are_asked_and_so_are_those_in_the_program() {
    let folder = Folder::new();
    let hash = "ab".repeat(32);
    let kept = with_list(&folder, &format!("evil.example\n203.0.113.0/24\n{hash}\n"));
    let lists = enrich::embedded::lists();
    let indicators = lists.iter().flat_map(|list| &list.indicators);
    let embedded = indicators
        .map(|it| &it.value)
        .find(|value| matches!(value, IndicatorValue::Name { .. }))
        .unwrap()
        .to_string();
    let asked = [
        "--indicators",
        &kept,
        "sub.evil.example",
        "203.0.113.7:443",
        &hash,
        &embedded,
    ];
    let document = lookup(&[&["--json"], &asked[..]].concat()).json();
    for (name, by, indicator) in [
        ("sub.evil.example", "registered_domain", "evil.example"),
        ("203.0.113.7:443", "in_network", "203.0.113.0/24"),
        (&hash, "hash", &hash),
    ] {
        let known = &item(&document, name)["known"][0];
        assert_eq!(known["list"], "bad.txt", "{name}");
        assert_eq!(known["publisher"], "CERT of X");
        assert_eq!(known["date"], Value::Null);
        assert_eq!(known["kind"], "known_bad");
        assert_eq!(
            (&known["matched_by"], &known["indicator"]),
            (&by.into(), &indicator.into())
        );
    }
    let known = &item(&document, &embedded)["known"][0];
    assert_eq!(known["matched_by"], "name");
    assert!(
        known["publisher"].is_string() && known["date"].is_string(),
        "{known}"
    );

    let said = lookup(&asked).text();
    assert!(
        said.contains(
            "known_bad: bad.txt (CERT of X, when is not told): below the domain evil.example"
        ),
        "{said}"
    );
    assert!(said.contains("is a sign and no proof"), "{said}");
    // Without the folder nothing of it is known.
    let document = lookup(&["--json", "sub.evil.example"]).json();
    assert_eq!(document["items"][0]["known"], Value::Array(Vec::new()));
}

#[test]
fn a_list_that_was_changed_is_left_out_and_said() {
    let folder = Folder::new();
    let kept = with_list(&folder, "evil.example\n");
    fs::write(Path::new(&kept).join("bad.txt/original"), "good.example\n").unwrap();
    let run = lookup(&["--indicators", &kept, "evil.example"]);
    assert_eq!(run.code, Some(4), "{}", run.talk());
    assert!(run.talk().contains("bad.txt"), "{}", run.talk());
    assert!(!run.text().contains("known_bad"));
}

#[test]
fn all_that_a_case_has_is_looked_up() {
    let folder = Folder::new();
    let kept = with_list(&folder, "216.6.0.28\n");
    let run = lookup(&["--json", "--indicators", &kept, "--case", STORY]);
    let document = run.json();
    let items = document["items"].as_array().unwrap();
    let kinds: Vec<_> = items
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    for kind in ["address", "name", "hash"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    assert!(
        kinds.is_sorted_by_key(|kind| ["address", "name", "hash"].iter().position(|it| it == kind))
    );
    let mut once: Vec<_> = items.iter().map(|it| it["item"].to_string()).collect();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), items.len());
    let carrier = item(&document, "216.6.0.28");
    assert_eq!(carrier["known"][0]["list"], "bad.txt");
    assert_eq!(carrier["not_known"][0], "holder");
    assert_eq!(carrier["address"]["holder"], Value::Null);
    let program = "987b3b9e6ce29e7209c183f741aebd12efb10a3c95d62d18e6842b9586c866ec";
    assert_eq!(item(&document, program)["hash"]["algorithm"], "sha256");

    // Items and a case together; each answer on an address ends with its holder.
    let said = lookup(&["192.0.2.7", "--case", STORY]).text();
    assert!(said.starts_with("192.0.2.7\n"), "{said}");
    let answers = said
        .split("\n\n")
        .filter(|it| it.starts_with(|first: char| first.is_ascii_digit()));
    let addresses = answers.filter(|it| {
        it.lines()
            .next()
            .unwrap()
            .parse::<std::net::IpAddr>()
            .is_ok()
    });
    let mut count = 0;
    for answer in addresses {
        assert_eq!(
            answer.trim_end().lines().last().unwrap().trim(),
            HOLDER,
            "{answer}"
        );
        let country = answer.lines().find(|line| line.contains("block country"));
        assert!(country.is_none_or(|line| line.contains("where the large block was allocated")));
        count += 1;
    }
    assert!(count > 4, "{said}");
}

#[test]
fn what_is_no_case_is_said() {
    let folder = Folder::new();
    let file = folder.file("packed.zip");
    fs::write(&file, "x").unwrap();
    for (case, code, said) in [
        ("/nowhere", 1, "there is no case"),
        (file.to_str().unwrap(), 2, "unpack it first"),
        (WHOCALLS, 1, "is no case"),
    ] {
        let run = lookup(&["--case", case]);
        assert_eq!(run.code, Some(code), "{}", run.talk());
        assert!(run.talk().contains(said), "{}", run.talk());
    }
    assert_eq!(lookup(&[]).code, Some(2));
}

/// A country stands nowhere but with what it does not mean: in `lookup`, in the details of the screen,
/// and in JSON under a name that says it. Other programs get none.
#[test]
fn no_country_without_its_mark() {
    let run = |arguments: &[&str]| {
        let run = Run::of(Command::new(WHOCALLS).args(arguments));
        assert_eq!(run.code, Some(0), "{arguments:?}: {}", run.talk());
        run.text()
    };
    let is_told = |text: &str| {
        let mut words = text.split(|it: char| !it.is_ascii_alphanumeric());
        words.any(|word| ["US", "USA"].contains(&word))
    };
    let all: [&[&str]; 9] = [
        &["list", STORY],
        &["list", STORY, "--group", "remote"],
        &["list", STORY, "--csv"],
        &["export", STORY, "--csv"],
        &["export", STORY, "--zeek"],
        &["export", STORY, "--zeek=dns"],
        &["export", STORY, "--ecs"],
        &["export", STORY, "--ocsf"],
        &["export", STORY, "--ndjson"],
    ];
    for arguments in all {
        let text = run(arguments);
        assert!(
            text.contains("216.6.0.28") || text.contains("example"),
            "{arguments:?}"
        );
        assert!(
            !is_told(&text.replace("\"block_country\":\"US\"", "")),
            "{arguments:?}: {text}"
        );
        let exported = arguments.first() == Some(&"export") && !arguments.contains(&"--ndjson");
        assert!(
            !exported || !text.contains("block_country"),
            "{arguments:?}"
        );
    }
    let document: Value = serde_json::from_str(&run(&["list", STORY, "--json"])).unwrap();
    let mut countries = 0;
    for connection in document["connections"].as_array().unwrap() {
        let address = &connection["address"];
        countries += usize::from(address["block_country"] == "US");
        assert_eq!(address["holder"], Value::Null, "{address}");
    }
    assert!(countries > 0);
    // Many places at once, or computers elsewhere.
    for ip in [
        "1.1.1.1",
        "8.8.8.8",
        "104.16.0.1",
        "2606:4700::1",
        "104.28.28.1",
    ] {
        let document = lookup(&["--json", ip]).json();
        let item = &document["items"][0];
        assert_eq!(item["address"]["block_country"], Value::Null, "{item}");
        assert!(!lookup(&[ip]).text().contains("block country"), "{ip}");
    }
    let network = lookup(&["--json", "216.6.0.0/24"]).json();
    assert_eq!(network["items"][0]["address"], Value::Null);
    assert!(
        lookup(&["216.6.0.0/24"])
            .text()
            .trim_end()
            .ends_with(HOLDER)
    );
}

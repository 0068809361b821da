//! Tables from a few lines.

use std::io::Write;
use std::net::IpAddr;

use super::*;

fn given(file: &'static str, text: &str) -> Given {
    Given {
        file,
        bytes: text.as_bytes().to_vec(),
        date: Some("2026-11-01".to_owned()),
    }
}

fn sample() -> Vec<Given> {
    vec![
        given(
            "offline/asn-ipv4.csv",
            "8.0.0.0,8.0.0.255,64500,\"One, Inc.\"\n8.0.0.128,8.0.1.255,64501,Two\n\
             8.0.2.0,8.0.2.255,64501,Two\n255.255.255.0,255.255.255.255,64500,One\nbroken\n",
        ),
        given("offline/asn-ipv6.csv", "2a00::,2a00::7,64501,Two\n"),
        given(
            "offline/ipverse-country.csv",
            "8.0.0.0/8,US\n2a00::/12,NL\n",
        ),
        given(
            "psl/public_suffix_list.dat",
            "// x\ncom\n*.jp\n!a.jp\n// ===BEGIN PRIVATE DOMAINS===\ngithub.io\n",
        ),
        given("ip-lists/vpn-ipv4.txt", "8.0.0.0/30\n8.0.0.1\n"),
        given("ip-lists/datacenter-ipv4.txt", "8.0.0.0/16\n"),
        given(
            "misp-warninglists/dynamic-dns.json",
            r#"{"name":"x","type":"hostname","version":2,"list":[".dyn.example"]}"#,
        ),
        given(
            "misp-warninglists/fastly.json",
            r#"{"name":"x","type":"cidr","version":20261001,"list":["8.1.0.0/16"]}"#,
        ),
    ]
}

#[test]
fn what_overlaps_is_an_exception() {
    let built = build(&sample()).unwrap();
    assert_eq!(
        built.exceptions,
        [
            "offline/asn-ipv4.csv: not read: broken",
            "8.0.0.128: AS64501 in the source, AS64500 in the tables",
        ]
    );
    assert!(
        built
            .missing
            .contains(&"ip-lists/ranges-vultr-ipv4_merged.txt")
    );
    let kinds = |ip: &str| {
        let facts = built.tables.address(ip.parse::<IpAddr>().unwrap());
        let words: Vec<_> = facts.kinds.iter().map(|it| it.word()).collect();
        words.join(" ")
    };
    assert_eq!(kinds("8.0.0.3"), "hosting vpn");
    assert_eq!(kinds("8.0.0.4"), "hosting");
    assert_eq!(kinds("8.1.0.4"), "cdn");
    assert_eq!(kinds("8.2.0.0"), "");
    let announced = built.tables.find("255.255.255.255".parse().unwrap());
    assert_eq!(announced.announced_by.map(|it| it.0), Some(64500));
}

#[test]
fn the_same_files_give_the_same_bytes() {
    let mut turned = sample();
    turned.reverse();
    assert_eq!(build(&sample()).unwrap().file, build(&turned).unwrap().file);
}

#[test]
fn what_is_not_there_is_said() {
    let failure = |files: Vec<Given>| build(&files).err().unwrap().to_string();
    let without = |name: &str| sample().into_iter().filter(|it| it.file != name).collect();
    assert!(failure(without("offline/asn-ipv6.csv")).contains("asn-ipv6.csv"));
    let mut dateless = sample();
    dateless[0].date = None;
    assert!(failure(dateless).contains("--date offline/asn-ipv4.csv="));
    let mut empty = sample();
    empty[4].bytes.clear();
    assert!(failure(empty).contains("nothing that can be read"));
    let mut odd = sample();
    odd[6].bytes = b"[".repeat(100_000);
    assert!(failure(odd).contains("dynamic-dns"));
}

/// The committed tables are those that the files of their publishers give, where these are there.
#[test]
fn the_tables_in_the_program_are_those_of_the_files() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/intel");
    let folder = std::path::Path::new(folder);
    if !folder.exists() {
        let name = "the_tables_in_the_program_are_those_of_the_files";
        let line = format!("skipped: {name}: there is no ../shared here\n");
        // Not eprintln, which `cargo test` keeps to itself when a test passes.
        let _ = std::io::stderr().write_all(line.as_bytes());
        return;
    }
    let mut given = Vec::new();
    for wanted in wanted() {
        let packed = folder.join(format!("{}.zst", wanted.file));
        let bytes = std::fs::read(folder.join(wanted.file)).or_else(|_| std::fs::read(packed));
        given.extend(bytes.ok().map(|bytes| Given {
            file: wanted.file,
            bytes,
            date: None,
        }));
    }
    let built = build(&given).unwrap();
    assert_eq!(built.tables.hash(), Tables::embedded().hash());
    assert_eq!(
        built.exceptions,
        ["215.0.0.0: AS721 in the source, AS749 in the tables"]
    );
}

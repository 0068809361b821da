//! Real lists of indicators, as their publishers write them. They are not kept in the project:
//! WHOCALLS_CORPUS names the folder that they lie in, and without it these tests say that they are
//! skipped.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test is a panic, and a skipped one says so"
)]

#[path = "../examples/embed/sets.rs"]
mod sets;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use enrich::files::{Content, Format, Loaded, Said, read};
use enrich::matching::Matcher;
use model::{Confidence, IndicatorKind, ListMeaning, ListOrigin, MatchedBy};

fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("WHOCALLS_CORPUS").map(|it| PathBuf::from(it).join("intel"));
    if folder.is_none() {
        let test = std::thread::current();
        let name = test.name().unwrap_or("a test");
        let line =
            format!("skipped: {name}: WHOCALLS_CORPUS does not name the folder of real lists\n");
        // Past what the harness keeps of a test that succeeds.
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    folder
}

fn content(file: &Path) -> Content {
    let said = Said {
        file: file.file_name().unwrap().to_string_lossy().into_owned(),
        kind: None,
    };
    match read(fs::File::open(file).unwrap(), &said) {
        Ok(Loaded::Indicators(content)) => content,
        other => panic!("{}: {other:?}", file.display()),
    }
}

/// How many there are of each kind, by the words of the contract.
fn counts(content: &Content) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for indicator in &content.indicators {
        *counts.entry(indicator.value.kind().word()).or_insert(0) += 1;
    }
    counts
}

fn check(file: &Path, format: Format, expected: &[(&str, usize)], skipped: u64) -> Content {
    let content = content(file);
    let name = file.display();
    assert_eq!(content.format, format, "{name}");
    let expected: BTreeMap<&str, usize> = expected.iter().copied().collect();
    assert_eq!(counts(&content), expected, "{name}");
    assert_eq!(
        content.skipped.count, skipped,
        "{name}: {:?}",
        content.skipped
    );
    content
}

#[test]
fn bundles_of_mvt_and_amnesty_give_what_their_readme_says() {
    let Some(corpus) = corpus() else { return };
    let bundles = corpus.join("stix2");
    for (file, expected) in [
        (
            "amnesty-cytrox",
            &[("name", 336), ("path", 6), ("profile", 1)][..],
        ),
        // Its seven names are addresses.
        (
            "amnesty-novispy",
            &[("address", 7), ("app", 4), ("certificate", 3), ("hash", 4)],
        ),
        (
            "amnesty-pegasus",
            &[
                ("name", 1438),
                ("process_name", 81),
                ("file_name", 1),
                ("email", 29),
            ],
        ),
        ("amnesty-wintego_helios", &[("name", 175)]),
        // One of its 177 names has a path behind it, and one of its 12 paths no beginning.
        (
            "mvt-coruna",
            &[
                ("name", 176),
                ("url", 1),
                ("hash", 20),
                ("path", 11),
                ("part", 1),
                ("file_name", 7),
            ],
        ),
        (
            "mvt-darksword",
            &[
                ("name", 10),
                ("address", 3),
                ("hash", 1),
                ("path", 22),
                ("file_name", 7),
            ],
        ),
        (
            "mvt-eaglemsgspy",
            &[("name", 13), ("address", 13), ("hash", 25)],
        ),
        (
            "mvt-kingspawn",
            &[("name", 164), ("path", 2), ("process_name", 1)],
        ),
        (
            "mvt-operation_triangulation",
            &[("name", 75), ("process_name", 1), ("email", 36)],
        ),
        (
            "mvt-residentbat",
            &[("address", 24), ("app", 8), ("certificate", 8), ("hash", 8)],
        ),
        (
            "mvt-wyrmspy_dragonegg",
            &[("name", 7), ("address", 5), ("hash", 34), ("app", 7)],
        ),
    ] {
        let file = bundles.join(format!("{file}.stix2"));
        let content = check(&file, Format::Stix, expected, 0);
        assert!(content.name.is_some() && content.published.is_some());
        assert!(content.indicators.iter().all(|it| it.about.is_some()));
    }
    let index = fs::read(bundles.join("mvt-indicators-index.yaml")).unwrap();
    let error = read(index.as_slice(), &Said::default()).unwrap_err();
    assert!(error.to_string().contains("an index"), "{error}");
}

#[test]
fn lists_of_amnesty_are_read_line_by_line() {
    let Some(corpus) = corpus() else { return };
    let mut files = 0;
    for entry in fs::read_dir(corpus.join("lists/amnesty")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        files += 1;
        let kind = match () {
            () if name.contains("domains") => "name",
            () if name.contains("ips") => "address",
            () if name.contains("processes") => "process_name",
            () if name.ends_with("sha256.txt") => "hash",
            () if name.ends_with("sha256.csv") => {
                check(&file, Format::Csv, &[("hash", lines - 1)], 0);
                continue;
            }
            () => {
                // A name and an address on each line below the headings.
                check(
                    &file,
                    Format::Csv,
                    &[("name", lines - 1), ("address", lines - 1)],
                    0,
                );
                continue;
            }
        };
        check(&file, Format::List, &[(kind, lines)], 0);
    }
    assert_eq!(files, 17);
}

#[test]
fn stalkerware_is_read_in_all_its_forms() {
    let Some(corpus) = corpus() else { return };
    let folder = corpus.join("stalkerware");
    let generated = folder.join("generated");
    let content = content(&folder.join("ioc.yaml"));
    assert_eq!(
        (content.format, content.skipped.count),
        (Format::Stalkerware, 0)
    );
    // Of the same project, made from it: what apps talk to, and where they are fetched from.
    let of = |content: &Content, kind: IndicatorKind, least: Confidence| {
        let found = content.indicators.iter();
        let found = found.filter(|it| it.value.kind() == kind && it.confidence >= least);
        found
            .map(|it| it.value.to_string())
            .collect::<BTreeSet<_>>()
    };
    let network = check(
        &generated.join("network.csv"),
        Format::Csv,
        &[("name", 966), ("url", 2), ("address", 66)],
        0,
    );
    for (kind, not_in_table) in [
        (IndicatorKind::Name, 0),
        // `ip:` instead of `ips:` is read here, and not by what made the table.
        (IndicatorKind::Address, 3),
    ] {
        let table = of(&network, kind, Confidence::Low);
        assert!(table.is_subset(&of(&content, kind, Confidence::Low)));
        let sure = of(&content, kind, Confidence::High);
        assert_eq!(sure.difference(&table).count(), not_in_table, "{kind:?}");
    }
    let vendor = content
        .indicators
        .iter()
        .find(|it| it.value.to_string() == "mobidad.app");
    assert_eq!(vendor.map(|it| it.confidence), Some(Confidence::Low));
    let watchware = self::content(&folder.join("watchware.yaml"));
    assert_eq!(
        (watchware.format, watchware.skipped.count),
        (Format::Stalkerware, 0)
    );
    let lines = |file: &Path| fs::read_to_string(file).unwrap().lines().count();
    for file in ["hosts", "hosts_full", "quad9_blocklist.txt"] {
        let file = generated.join(file);
        let content = self::content(&file);
        assert_eq!(content.indicators.len(), lines(&file), "{}", file.display());
        assert_eq!(content.skipped.count, 0);
    }
    check(
        &generated.join("indicators-for-tinycheck.json"),
        Format::TinyCheck,
        &[("name", 1590), ("url", 2), ("address", 66)],
        0,
    );
    check(
        &generated.join("suricata.rules"),
        Format::Suricata,
        &[("name", 925), ("address", 65)],
        0,
    );
    check(
        &generated.join("misp_event.json"),
        Format::MispEvent,
        &[
            ("hash", 3262),
            ("name", 1000),
            ("app", 650),
            ("certificate", 490),
        ],
        0,
    );
    let samples = lines(&folder.join("samples.csv")) - 1;
    let content = self::content(&folder.join("samples.csv"));
    assert_eq!((content.format, content.skipped.count), (Format::Csv, 0));
    assert_eq!(counts(&content)["hash"], samples);
}

#[test]
fn warninglists_are_read_to_the_last_entry() {
    let Some(corpus) = corpus() else { return };
    let mut files = 0;
    let mut meanings = BTreeMap::new();
    for entry in fs::read_dir(corpus.join("misp-warninglists")).unwrap() {
        let file = entry.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
        let entries = whole["list"].as_array().unwrap().len();
        let content = content(&file);
        assert_eq!(
            content.format,
            Format::MispWarninglist,
            "{}",
            file.display()
        );
        assert_eq!(
            content.indicators.len(),
            entries,
            "{}: {:?}",
            file.display(),
            content.skipped
        );
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        meanings.insert(name, content.meaning.unwrap());
        files += 1;
    }
    assert_eq!(files, 66);
    for (list, meaning) in [
        ("sinkholes", ListMeaning::Sinkhole),
        ("dynamic-dns", ListMeaning::DynamicDns),
        ("whats-my-ip", ListMeaning::AddressEcho),
        ("findip-host", ListMeaning::AddressEcho),
        ("vpn-ipv4", ListMeaning::Vpn),
        ("icloud-private-relay", ListMeaning::Vpn),
        ("lots-project", ListMeaning::SharedPlatform),
        ("amazon-aws", ListMeaning::Hosting),
        ("microsoft-azure", ListMeaning::Hosting),
        ("rfc1918", ListMeaning::Ordinary),
        ("microsoft-office365", ListMeaning::Ordinary),
    ] {
        assert_eq!(meanings[list], meaning, "{list}");
    }
}

#[test]
fn netsets_are_read_line_by_line() {
    let Some(corpus) = corpus() else { return };
    let mut files = 0;
    for entry in fs::read_dir(corpus.join("ip-lists")).unwrap() {
        let file = entry.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        let content = content(&file);
        assert_eq!(content.format, Format::List, "{}", file.display());
        assert_eq!(content.indicators.len(), lines, "{}", file.display());
        assert_eq!(content.skipped.count, 0, "{}", file.display());
        files += 1;
    }
    assert_eq!(files, 20);
}

#[test]
fn shared_platforms_are_only_met_whole() {
    let Some(corpus) = corpus() else { return };
    let content = content(&corpus.join("stalkerware/ioc.yaml"));
    let list = content.into_list("stalkerware".to_owned(), ListOrigin::Embedded);
    let matcher = Matcher::new(vec![list]);
    let found = matcher.of("1ca43.appspot.com");
    assert!(found.iter().any(|it| it.by == MatchedBy::Name));
    for name in ["x.1ca43.appspot.com", "appspot.com", "other.appspot.com"] {
        assert!(matcher.of(name).is_empty(), "{name}");
    }
    let found = matcher.of("deeper.media-sync-a.copy9.com");
    assert!(found.iter().all(|it| it.by == MatchedBy::RegisteredDomain) && !found.is_empty());
}

#[test]
fn what_is_embedded_is_what_its_publishers_wrote() {
    let Some(corpus) = corpus() else { return };
    let lists = sets::of_folder(&corpus).unwrap();
    let packed = enrich::embedded::pack(&lists).unwrap();
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/src/embedded/sets.zlib");
    assert!(
        packed == fs::read(committed).unwrap(),
        "run the example `embed`, and look at what changed"
    );
    let values = |lists: &[model::IndicatorList]| -> Vec<_> {
        let all = lists.iter().flat_map(|list| &list.indicators);
        all.map(|it| (it.value.clone(), it.about.clone(), it.confidence))
            .collect()
    };
    assert_eq!(values(&enrich::embedded::lists()), values(&lists));
}

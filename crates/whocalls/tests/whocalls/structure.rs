//! The shape of the workspace: who imports whom, and who may do what.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::process::Command;

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, TargetKind};

/// A verb turns one noun of `model` into another; the program joins them.
const VERBS: [&str; 7] = [
    "observe", "record", "track", "enrich", "judge", "show", "whocalls",
];

/// Libraries that open connections for whoever uses them.
const NETWORK_CLIENTS: [&str; 14] = [
    "attohttpc",
    "curl",
    "hickory-client",
    "hickory-resolver",
    "hyper",
    "isahc",
    "native-tls",
    "openssl",
    "reqwest",
    "rustls",
    "surf",
    "ureq",
    "webpki-roots",
    "whois-rust",
];

#[test]
fn a_verb_imports_only_the_nouns() {
    let workspace = workspace();
    let own: BTreeSet<&str> = members(&workspace).map(|it| it.name.as_str()).collect();
    for package in members(&workspace) {
        let imported: BTreeSet<&str> = package
            .dependencies
            .iter()
            .filter(|it| it.kind == DependencyKind::Normal && own.contains(it.name.as_str()))
            .map(|it| it.name.as_str())
            .collect();
        let allowed: BTreeSet<&str> = match package.name.as_str() {
            "model" => BTreeSet::new(),
            "whocalls" => own.iter().copied().filter(|it| *it != "whocalls").collect(),
            verb => {
                assert!(VERBS.contains(&verb), "{verb} is not in DESIGN");
                BTreeSet::from(["model"])
            }
        };
        assert!(
            imported.is_subset(&allowed),
            "{} imports {imported:?}, may import {allowed:?}",
            package.name
        );
    }
}

#[test]
fn unsafe_code_lives_in_observe_only() {
    let workspace = workspace();
    for package in members(&workspace).filter(|it| it.name.as_str() != "observe") {
        for target in &package.targets {
            let is_code = [TargetKind::Lib, TargetKind::Bin]
                .iter()
                .any(|kind| target.kind.contains(kind));
            let text = fs::read_to_string(&target.src_path).unwrap();
            assert!(
                !is_code || text.contains("#![forbid(unsafe_code)]"),
                "{} does not forbid unsafe code",
                target.src_path
            );
        }
    }
}

#[test]
fn only_enrich_can_reach_the_network() {
    let workspace = workspace();
    for package in members(&workspace) {
        // What `enrich` brings into the program is its own affair.
        let reached = normal_dependencies(&workspace, package, Some("enrich"));
        let clients: Vec<_> = NETWORK_CLIENTS
            .iter()
            .filter(|client| reached.contains(**client))
            .collect();
        let allowed = ["enrich", "whocalls"].contains(&package.name.as_str());
        assert!(
            clients.is_empty() || allowed,
            "{}: {clients:?}",
            package.name
        );
    }
}

/// The program that is built without the feature `network`, with all that is in it.
#[test]
fn without_the_network_there_is_no_way_to_it() {
    let workspace = workspace_with(CargoOpt::NoDefaultFeatures);
    for package in members(&workspace) {
        let reached = normal_dependencies(&workspace, package, None);
        let clients: Vec<_> = NETWORK_CLIENTS
            .iter()
            .filter(|client| reached.contains(**client))
            .collect();
        assert!(clients.is_empty(), "{}: {clients:?}", package.name);
    }
    let workspace = workspace_with(CargoOpt::AllFeatures);
    let mut all = members(&workspace).filter(|it| it.name.as_str() == "whocalls");
    let reached = normal_dependencies(&workspace, all.next().unwrap(), None);
    assert!(reached.contains("rustls"), "no list would be noticed");
}

/// Names of all that is linked into a package, but for what `without` and nobody else brings in.
fn normal_dependencies<'a>(
    workspace: &'a Metadata,
    package: &'a Package,
    without: Option<&str>,
) -> BTreeSet<&'a str> {
    let nodes = &workspace.resolve.as_ref().unwrap().nodes;
    let mut reached = BTreeSet::new();
    let mut next = VecDeque::from([&package.id]);
    while let Some(id) = next.pop_front() {
        let name = workspace[id].name.as_str();
        if Some(name) == without || !reached.insert(name) {
            continue;
        }
        let node = nodes.iter().find(|node| node.id == *id).unwrap();
        let linked = node.deps.iter().filter(|dependency| {
            let mut kinds = dependency.dep_kinds.iter();
            kinds.any(|kind| kind.kind == DependencyKind::Normal)
        });
        next.extend(linked.map(|dependency| &dependency.pkg));
    }
    reached
}

fn members(workspace: &Metadata) -> impl Iterator<Item = &Package> {
    workspace.workspace_packages().into_iter()
}

fn workspace() -> Metadata {
    workspace_with(CargoOpt::AllFeatures)
}

fn workspace_with(features: CargoOpt) -> Metadata {
    MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .features(features)
        // What other platforms need has not been fetched for this one.
        .other_options(["--locked", "--filter-platform", &platform()].map(str::to_owned))
        .exec()
        .unwrap()
}

/// What the compiler compiles for by itself.
fn platform() -> String {
    let said = Command::new("rustc").arg("-vV").output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let line = said.lines().find_map(|line| line.strip_prefix("host: "));
    line.unwrap().to_owned()
}

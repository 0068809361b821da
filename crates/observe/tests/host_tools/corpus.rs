//! Real lists, which lie outside of the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use super::read;

#[test]
fn every_list_of_the_corpus_gives_its_counts() {
    let corpus = std::env::var_os("WHOCALLS_CORPUS").map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../../shared/corpus"
            ))
        },
        PathBuf::from,
    );
    let folder = corpus.join("imports/hosttools");
    if !folder.is_dir() {
        eprintln!("skipped: the corpus is not here");
        return;
    }
    for (file, kind, rows, processes) in [
        ("netstat-anob-win32.txt", "netstat output", 6, 5),
        ("netstat-anp-linux.txt", "netstat output", 14, 3),
        ("netstat-lnp-centos.txt", "netstat output", 8, 5),
        ("ss-tulpen-ubuntu.txt", "ss output", 73, 39),
        ("lsof-sudo-centos.txt", "lsof output", 9, 6),
    ] {
        let list = read(&fs::read(folder.join(file)).unwrap()).expect(file);
        let ids: BTreeSet<_> = list
            .connections
            .iter()
            .map(|connection| connection.id)
            .collect();
        let seen = (list.kind, list.connections.len(), list.processes.len());
        assert_eq!(seen, (kind, rows, processes), "{file}: {:?}", list.skipped);
        assert_eq!(ids.len(), rows, "{file}");
        assert_eq!(list.skipped.count, 0, "{file}: {:?}", list.skipped);
    }
    let readme = fs::read(corpus.join("imports/README.md")).unwrap();
    assert!(read(&readme).is_none());
}

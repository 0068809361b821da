//! The case in examples/story, for whoever has just got whocalls: sealed, small, and to be read without
//! any rights; and the story itself, played from the recording to the answer of a registry.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Look, Run, WHOCALLS, copy_to, whocalls};
use crate::setting::{Folder, Need, command, is_root, lacks, run, skip};

const MOST_BYTES: u64 = 300_000;
const CALLED: &str = "216.6.0.28:880";

/// ETIMEDOUT and ENETUNREACH.
const TIMED_OUT: u64 = 110;
const UNREACHABLE: u64 = 101;

#[test]
fn it_has_the_seal_that_stands_beside_it() {
    let text = fs::read_to_string(examples().join("README.md")).unwrap();
    let seal = text.lines().find_map(|line| line.strip_prefix("Seal: `"));
    let seal = seal.and_then(|seal| seal.strip_suffix('`')).unwrap();
    let verified = whocalls(&["verify", story().to_str().unwrap(), "--seal", seal]);
    assert_eq!(verified.code, Some(0), "{}", verified.talk());
    assert!(verified.text().contains(seal), "{}", verified.text());
}

#[test]
fn it_is_small_and_tells_nothing_of_whoever_made_it() {
    let workspace = examples().parent().unwrap().to_path_buf();
    let (mut bytes, mut told) = (0_u64, Vec::new());
    for file in files(&story()) {
        let content = fs::read(&file).unwrap();
        bytes += content.len() as u64;
        for foreign in ["/tmp/", "/target/", ".cargo", workspace.to_str().unwrap()] {
            if content
                .windows(foreign.len())
                .any(|it| it == foreign.as_bytes())
            {
                told.push((file.clone(), foreign.to_owned()));
            }
        }
        let homes = String::from_utf8_lossy(&content).into_owned();
        let mut homes = homes.split("/home/").skip(1);
        if homes.any(|home| !home.starts_with("lena")) {
            told.push((file, "/home/".to_owned()));
        }
    }
    assert!(told.is_empty(), "{told:#?}");
    assert!(bytes < MOST_BYTES, "{bytes}");
}

#[test]
fn it_shows_who_calls() {
    check(&Look(
        whocalls(&["list", story().to_str().unwrap(), "--json"]).json(),
    ));
}

#[test]
fn anybody_can_read_it_where_nothing_can_be_written() {
    if lacks(&[Need::Program("cp"), Need::Program("setpriv")]) {
        return;
    }
    let folder = Folder::new();
    let program = copy_to(folder.path());
    let case = folder.file("story");
    run(
        "cp",
        &["-r", story().to_str().unwrap(), case.to_str().unwrap()],
    )
    .unwrap();
    permit(&case, 0o555, 0o444);
    let mut list = if is_root() {
        let mut list = command("setpriv");
        list.args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--inh-caps=-all",
        ]);
        list.arg(program);
        list
    } else {
        Command::new(program)
    };
    list.arg("list").arg(&case).arg("--json").current_dir("/");
    let look = Run::of(&mut list);
    permit(&case, 0o755, 0o644);
    check(&Look(look.json()));
}

/// Found, explained, packed, opened elsewhere, verified, looked up, shown in tshark: what each step has to
/// say to go on stands in the script. Here: that all of it was said, in this order, and of nobody else.
#[test]
fn the_whole_story_is_told() {
    let tools = ["cc", "ip", "unshare", "nsenter", "age", "age-keygen"];
    let tools = tools
        .into_iter()
        .chain(["unzip", "tshark", "python3", "ldd"]);
    let needs: Vec<_> = [Need::Root]
        .into_iter()
        .chain(tools.map(Need::Program))
        .collect();
    if lacks(&needs) || (cfg!(not(target_arch = "x86_64")) && skip("it needs x86-64")) {
        return;
    }
    let own_network = Path::new(WHOCALLS).with_file_name("examples/own_network");
    if !own_network.is_file() {
        skip("no own_network is built: cargo build -p record --example own_network");
        return;
    }
    let mut demonstrate = Command::new("sh");
    demonstrate
        .arg(examples().join("demonstrate.sh"))
        .arg("20")
        .env("WHOCALLS", WHOCALLS)
        .env("OWN_NETWORK", own_network);
    let told = Run::of(&mut demonstrate);
    assert_eq!(told.code, Some(0), "{}{}", told.text(), told.talk());
    let text = told.text();
    let mut rest = text.as_str();
    for said in [
        "whocalls record --into /media/stick",
        "This is the computer under examination. Asking from here tells others, perhaps the attacker, \
         that someone is looking. Take the case to another computer, or add --from-this-computer.",
        "Recorded. Write this seal down on paper",
        "look first: Call from no file\n  program    iexplore ",
        "harmless?",
        "rule foreign_system_call",
        "whocalls pack case --recipient age1",
        "age --decrypt",
        "Unchanged since it was sealed",
        "Holder of this address: not known here.",
        "Nothing was sent. --online asks, from another computer.",
        "Its answer is made up",
        "NetRange:       216.6.0.0 - 216.6.1.255\nCIDR:           216.6.0.0/23\n",
        "Country:        SY",
        "{'216.6.0.28': 'STE (Syrian Telecommunications Establishment)'}",
        "216.6.0.28\t880\twhocalls/1 name=iexplore pid=",
        "That is all.",
    ] {
        let Some((_, after)) = rest.split_once(said) else {
            panic!("not said, or not then: {said}\n{text}");
        };
        rest = after;
    }
    let injected: Vec<_> = text
        .split("\n\n")
        .filter(|finding| finding.contains("rule foreign_system_call"))
        .collect();
    assert!(
        matches!(injected.as_slice(), [one] if !one.contains("firefox") && !one.contains("thunderbird")),
        "the others are as they were started: {injected:#?}"
    );
}

/// One program without a window calls, again and again: first nobody answers, then there is no way.
fn check(look: &Look) {
    let calls: Vec<_> = look
        .connections()
        .filter(|seen| seen.remote() == CALLED)
        .collect();
    let failed = |errno: u64| {
        let failed = calls.iter().filter(|seen| seen.word("state") == "failed");
        failed
            .filter(|seen| seen.0["error"]["errno"] == errno)
            .count()
    };
    assert!(failed(TIMED_OUT) >= 10, "{calls:#?}");
    assert!(failed(UNREACHABLE) >= 10, "{calls:#?}");
    // The last may have been under way when the recording ended.
    assert!(
        failed(TIMED_OUT) + failed(UNREACHABLE) + 1 >= calls.len(),
        "{calls:#?}"
    );
    for call in &calls {
        assert_eq!(call.0["process"]["path"], "/opt/iexplore/iexplore");
        assert_eq!(call.0["process"]["user"], "lena");
    }
    let mut others = look
        .connections()
        .map(|seen| seen.0["process"]["name"].clone());
    assert!(others.any(|name| name == "thunderbird"));
    assert!(
        look.connections().all(|seen| seen.why().is_none()),
        "all have an owner"
    );
}

fn examples() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    workspace.canonicalize().unwrap().join("examples")
}

fn story() -> PathBuf {
    examples().join("story")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

fn permit(folder: &Path, folders: u32, others: u32) {
    let mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(folder, 0o755);
    for file in files(folder) {
        mode(&file, others);
        mode(file.parent().unwrap(), folders);
    }
    mode(folder, folders);
}

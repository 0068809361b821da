//! What capturing tools write beside packets of the processes that they belong to: comments, each
//! tool in its own manner. A comment goes in; what it tells comes out. Nothing here is proof: the
//! comment says what its tool believed.
//!
//! | tool | comment |
//! |---|---|
//! | whocalls | `whocalls/1 name=curl pid=1234 ...`, values percent-encoded |
//! | ptcpdump | several: `PID: 1\nCmd: /bin/x\nArgs: x y`, `UserId: 1000`, `ParentPID: ...` |
//! | rustnet | `rustnet process=curl pid=1 ...` |
//! | pymobiledevice3 | `PID: 1, ProcName: x, EPID: 1, EProcName: x, SVC: 0` |
//! | etl2pcapng | `PID=1`; by its own account often the wrong process |

use model::{Container, Parent, PathState, Text, Timestamp};

use super::processes::Facts;

/// What a comment tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Note {
    /// Of a process.
    Process(Facts),
    /// More of the process of another comment of the packet.
    More(Facts),
    /// Of a process, and the tool that wrote it says itself that it is often wrong.
    Doubtful(u32),
}

/// What a packet's comment tells. `None`: nothing of a process.
pub(super) fn of_packet(comment: &[u8]) -> Option<Note> {
    if let Some(rest) = comment.strip_prefix(b"PID=") {
        let digits = rest.split(|byte| !byte.is_ascii_digit()).next()?;
        return Some(Note::Doubtful(number(digits)?));
    }
    if comment.starts_with(b"whocalls/1") {
        let facts = of_whocalls(comment)?;
        return Some(Note::Process(facts));
    }
    if let Some(rest) = comment.strip_prefix(b"rustnet ") {
        return of_rustnet(rest).map(Note::Process);
    }
    if comment.starts_with(b"PID: ") {
        let first_line = comment.split(|byte| *byte == b'\n').next()?;
        if let Some(facts) = of_pymobiledevice(first_line) {
            return Some(Note::Process(facts));
        }
    }
    of_ptcpdump(comment)
}

/// What the comment of a process tells, of whocalls' own captures.
pub(super) fn of_whocalls(comment: &[u8]) -> Option<Facts> {
    let rest = comment.strip_prefix(b"whocalls/1 ")?;
    let mut facts = Facts::default();
    let mut pid = None;
    for (key, value) in pairs(rest) {
        let value = decoded(value);
        let text = || Some(Text::from(value.as_slice()));
        match key {
            b"pid" => pid = number(&value),
            b"name" => facts.name = text(),
            b"start" => facts.started = started(&value),
            b"exe" => facts.path = text(),
            // Its arguments are joined by blanks.
            b"cmd" => facts.command_line = Some(arguments(&value)),
            b"user" => (facts.user, facts.uid) = user(&value),
            b"ppid" => facts.parent = parent(&value),
            b"unit" => facts.unit = text(),
            b"container" => facts.container = container(&value),
            b"sha256" => facts.sha256 = sha256(&value),
            b"deleted" => {
                facts.path_state = match value.as_slice() {
                    b"0" => Some(PathState::Present),
                    b"1" => Some(PathState::Deleted),
                    _ => None,
                };
            }
            b"memfd" => facts.path_state = Some(PathState::Memfd),
            _ => {}
        }
    }
    facts.pid = pid?;
    Some(facts)
}

fn of_rustnet(rest: &[u8]) -> Option<Facts> {
    let mut facts = Facts::default();
    let mut pid = None;
    let (mut pod, mut container) = (None, None);
    for (key, value) in pairs(rest) {
        match key {
            b"pid" => pid = pid.or(number(value)),
            b"process" => facts.name = Some(Text::from(value)),
            b"ppid" => {
                facts.parent = number(value).map(|pid| Parent {
                    pid,
                    name: Text::default(),
                    path: None,
                });
            }
            b"uid" => facts.uid = number(value),
            b"pod" => pod = Some(Text::from(value)),
            b"container_id" => container = Some(Text::from(value)),
            _ => {}
        }
    }
    facts.container = container.or(pod).map(|id| Container {
        engine: "kubernetes",
        id,
    });
    facts.pid = pid?;
    Some(facts)
}

/// `PID: 1, ProcName: x, EPID: 2, EProcName: y, SVC: 0`
fn of_pymobiledevice(line: &[u8]) -> Option<Facts> {
    let rest = line.strip_prefix(b"PID: ")?;
    let comma = rest.iter().position(|byte| *byte == b',')?;
    let (pid, rest) = rest.split_at_checked(comma)?;
    let name = rest.strip_prefix(b", ProcName: ")?;
    // A name may have commas in it.
    let end = find(name, b", EPID: ").unwrap_or(name.len());
    let name = name.get(..end)?;
    Some(Facts {
        pid: number(pid)?,
        name: (!name.is_empty()).then(|| Text::from(name)),
        ..Facts::default()
    })
}

/// One of its comments. The last value goes to the end of the comment: arguments may have lines.
fn of_ptcpdump(comment: &[u8]) -> Option<Note> {
    let values = |keys: [&[u8]; 3]| -> Option<[&[u8]; 3]> {
        let [first, second, third] = keys;
        let rest = comment.strip_prefix(first)?;
        let Some(at) = find(rest, second) else {
            return Some([rest, &[], &[]]);
        };
        let (one, rest) = (rest.get(..at)?, rest.get(at + second.len()..)?);
        let Some(at) = find(rest, third) else {
            return Some([one, rest, &[]]);
        };
        Some([one, rest.get(..at)?, rest.get(at + third.len()..)?])
    };
    let known = |value: &[u8]| (!value.is_empty()).then(|| Text::from(value));
    if let Some([pid, path, args]) = values([b"PID: ", b"\nCmd: ", b"\nArgs: "]) {
        return Some(Note::Process(Facts {
            pid: number(pid)?,
            name: known(base_name(path)),
            path: known(path),
            command_line: (!args.is_empty()).then(|| arguments(args)),
            ..Facts::default()
        }));
    }
    if let Some([pid, path, _]) = values([b"ParentPID: ", b"\nParentCmd: ", b"\nParentArgs: "]) {
        let parent = Parent {
            pid: number(pid)?,
            name: Text::from(base_name(path)),
            path: known(path),
        };
        return Some(Note::More(Facts {
            parent: Some(parent),
            ..Facts::default()
        }));
    }
    if let Some([uid, ..]) = values([b"UserId: ", b"\nGroupId: ", b"\n"]) {
        return Some(Note::More(Facts {
            uid: Some(number(uid)?),
            ..Facts::default()
        }));
    }
    if let Some([name, id, _]) = values([
        b"ContainerName: ",
        b"\nContainerId: ",
        b"\nContainerImage: ",
    ]) {
        let id = Text::from(if id.is_empty() { name } else { id });
        return Some(Note::More(Facts {
            container: Some(Container {
                engine: "container",
                id,
            }),
            ..Facts::default()
        }));
    }
    None
}

/// `key=value key=value`
fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|byte| *byte == b' ').filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        Some((pair.get(..equals)?, pair.get(equals + 1..)?))
    })
}

/// `%20` into a blank; what is no such code stays.
fn decoded(value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let byte = behind
            .split_first_chunk::<2>()
            .filter(|_| *first == b'%')
            .and_then(|(digits, behind)| Some((hexadecimal(digits)?, behind)));
        match byte {
            Some((byte, behind)) => {
                decoded.push(byte);
                rest = behind;
            }
            None => decoded.push(*first),
        }
    }
    decoded
}

fn hexadecimal(digits: &[u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let [high, low] = *digits;
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn arguments(joined: &[u8]) -> Vec<Text> {
    joined.split(|byte| *byte == b' ').map(Text::from).collect()
}

/// `2026-11-22T10:15:00.123Z`
fn started(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let time = Timestamp::parse(&format!("{text}000000Z"))?;
    Some(time.unix_nanos())
}

/// `alice(1000)`, `1000`
fn user(text: &[u8]) -> (Option<Text>, Option<u32>) {
    match named(text) {
        Some((name, uid)) => (Some(Text::from(name)), number(uid)),
        None => (None, number(text)),
    }
}

/// `1(systemd)`
fn parent(text: &[u8]) -> Option<Parent> {
    let inner = text.strip_suffix(b")")?;
    let open = inner.iter().position(|byte| *byte == b'(')?;
    Some(Parent {
        pid: number(inner.get(..open)?)?,
        name: Text::from(inner.get(open + 1..)?),
        path: None,
    })
}

/// `name(1000)`
fn named(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = text.strip_suffix(b")")?;
    let open = inner.iter().rposition(|byte| *byte == b'(')?;
    Some((inner.get(..open)?, inner.get(open + 1..)?))
}

/// `docker:abc123`
fn container(text: &[u8]) -> Option<Container> {
    const ENGINES: [&str; 7] = [
        "docker",
        "podman",
        "containerd",
        "cri-o",
        "kubernetes",
        "lxc",
        "systemd-nspawn",
    ];
    let colon = text.iter().position(|byte| *byte == b':')?;
    let (engine, id) = (text.get(..colon)?, text.get(colon + 1..)?);
    let engine = ENGINES.iter().find(|known| known.as_bytes() == engine);
    Some(Container {
        engine: engine.copied().unwrap_or("container"),
        id: Text::from(id),
    })
}

fn sha256(text: &[u8]) -> Option<[u8; 32]> {
    let (digits, rest) = text.as_chunks::<2>();
    let bytes: Option<Vec<u8>> = digits.iter().map(hexadecimal).collect();
    bytes?.try_into().ok().filter(|_| rest.is_empty())
}

/// As Linux and as Windows separate them.
fn base_name(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|byte| matches!(byte, b'/' | b'\\')).next();
    name.unwrap_or(path)
}

fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn process(comment: &str) -> Facts {
        match of_packet(comment.as_bytes()) {
            Some(Note::Process(facts)) => facts,
            other => panic!("{comment:?}: {other:?}"),
        }
    }

    fn text(text: &str) -> Option<Text> {
        Some(Text::from(text))
    }

    #[test]
    fn whocalls() {
        let facts = process(
            "whocalls/1 name=my%20curl pid=1234 start=2026-11-22T10:00:00.123Z exe=/usr/bin/curl \
             cmd=curl%20-s user=alice(1000) ppid=1(systemd) unit=a.service \
             container=docker:abc123 deleted=1 conf=exact",
        );
        assert_eq!((facts.pid, facts.name), (1234, text("my curl")));
        assert_eq!(facts.started, Some(1_795_341_600_123_000_000));
        assert_eq!(facts.path, text("/usr/bin/curl"));
        assert_eq!(facts.path_state, Some(PathState::Deleted));
        assert_eq!(facts.command_line, Some(vec!["curl".into(), "-s".into()]));
        assert_eq!((facts.user, facts.uid), (text("alice"), Some(1000)));
        let parent = facts.parent.expect("a parent");
        assert_eq!((parent.pid, parent.name), (1, "systemd".into()));
        let container = facts.container.expect("a container");
        assert_eq!(
            (container.engine, container.id),
            ("docker", "abc123".into())
        );
        assert_eq!(facts.unit, text("a.service"));
        assert_eq!(of_packet(b"whocalls/1 owner=none why=kernel"), None);
    }

    #[test]
    fn ptcpdump() {
        let facts = process("PID: 7\nCmd: /usr/bin/curl\nArgs: curl -s https://x\nUserId: 0");
        assert_eq!((facts.pid, facts.name), (7, text("curl")));
        assert_eq!(facts.path, text("/usr/bin/curl"));
        assert_eq!(facts.uid, None, "an argument with a line in it");
        let more = |comment: &str| match of_packet(comment.as_bytes()) {
            Some(Note::More(facts)) => facts,
            other => panic!("{comment:?}: {other:?}"),
        };
        assert_eq!(more("UserId: 1000\nGroupId: 5").uid, Some(1000));
        assert_eq!(more("UserId: 1000").uid, Some(1000));
        let parent = more("ParentPID: 5\nParentCmd: /usr/bin/bash\nParentArgs: -bash").parent;
        let parent = parent.expect("a parent");
        assert_eq!((parent.pid, parent.name), (5, "bash".into()));
        let container = more("ContainerName: web\nContainerId: 0ff\nContainerImage: i").container;
        assert_eq!(container.expect("a container").id, "0ff".into());
        assert_eq!(of_packet(b"ThreadId: 7\nThreadName: curl"), None);
    }

    #[test]
    fn others() {
        let facts = process("rustnet process=curl pid=12 ppid=3 uid=0 attr=exact app=HTTPS");
        assert_eq!((facts.pid, facts.name), (12, text("curl")));
        assert_eq!(facts.uid, Some(0));
        assert_eq!(process("rustnet pid=9 process=x").pid, 9);
        assert_eq!(of_packet(b"rustnet direction=outgoing"), None);
        let facts = process("PID: 88, ProcName: a, b, EPID: 88, EProcName: a, b, SVC: 0");
        assert_eq!((facts.pid, facts.name), (88, text("a, b")));
        assert_eq!(of_packet(b"PID=4711"), Some(Note::Doubtful(4711)));
        assert_eq!(of_packet(b"PID=4711 more"), Some(Note::Doubtful(4711)));
        for nothing in ["", "PID", "PID: x", "PID=", "hello", "PID: -1, ProcName: x"] {
            assert_eq!(of_packet(nothing.as_bytes()), None, "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(kind in 0_usize..8, rest: Vec<u8>) {
            let begin = [
                "", "whocalls/1 ", "rustnet ", "PID: 1", "PID: 1, ProcName: ", "PID=",
                "ParentPID: ", "whocalls/1 pid=1 sha256=",
            ];
            let begin = begin.get(kind).copied().unwrap_or_default();
            let _ = of_packet(&[begin.as_bytes(), &rest].concat());
        }
    }
}

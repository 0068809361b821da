//! The processes that act, and write, for a watch which has no rights any more.

use super::*;

const KILL: u64 = 1 << 5;
const NET_ADMIN: u64 = 1 << 12;
const SYS_PTRACE: u64 = 1 << 19;
const SYS_ADMIN: u64 = 1 << 21;
const DAC_READ_SEARCH: u64 = 1 << 2;
const CHECKPOINT_RESTORE: u64 = 1 << 40;

#[test]
fn only_with_actions_allowed_somebody_keeps_the_rights() {
    if lacks(&[Need::Root]) {
        return;
    }
    let reading = SYS_PTRACE | DAC_READ_SEARCH | SYS_ADMIN;
    let acting = KILL | NET_ADMIN | SYS_ADMIN | SYS_PTRACE;
    for (arguments, expected) in [
        (&[][..], &[("whocalls-helper", reading)][..]),
        (
            &["--allow-actions"],
            &[("whocalls-helper", reading), ("whocalls-acts", acting)],
        ),
        (&["--polling"], &[]),
        (
            &["--polling", "--allow-actions"],
            &[("whocalls-acts", acting)],
        ),
    ] {
        let watch = Watch::start(arguments);
        let is_full = watch.start["tier"] == "full";
        let mut expected: Vec<_> = expected.to_vec();
        if !is_full && arguments.first() != Some(&"--polling") {
            skip("there is no full tier here");
            continue;
        }
        let mut found: Vec<_> = watch.children().into_iter().map(status).collect();
        // Where there is a display, it has no rights.
        found.retain(|it| *it != ("whocalls-seats".to_owned(), 0, true, true));
        found.sort();
        // The one that looks into processes is always there.
        expected.push((
            "whocalls-exam",
            SYS_PTRACE | DAC_READ_SEARCH | CHECKPOINT_RESTORE,
        ));
        expected.sort_unstable();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(name, rights)| (name.to_owned(), rights, true, true))
            .collect();
        assert_eq!(found, expected, "{arguments:?}");
        if is_full {
            let (_, rights, _, filtered) = status(watch.child.id());
            assert_eq!((rights, filtered), (0, true));
        }
    }
}

#[test]
fn whoever_acts_answers_a_closed_list() {
    if lacks(&[Need::Root, Need::Program("python3")]) {
        return;
    }
    let Some(namespace) = Namespace::new() else {
        return;
    };
    let mut acting = Apart::start("--close-and-end", Path::new("/"), &[]);
    // It ends the run that was meant, not the one that asks and not the first of all.
    let mut asleep = Asleep::start();
    let (id, _) = asleep.seen();
    let ticks = ticks(&id);
    for (pid, ticks, status) in [
        (asleep.pid(), ticks + 1, 20),
        (std::process::id(), ticks, 22),
        (1, ticks, 21),
        (acting.child.id(), ticks, 22),
    ] {
        assert_eq!(
            acting.ask(&end_request(pid, ticks, 2))[..4],
            u32::to_ne_bytes(status)
        );
    }
    assert!(asleep.runs());
    let answer = acting.ask(&end_request(asleep.pid(), ticks, 1));
    assert_eq!(answer[..4], 2_u32.to_ne_bytes());
    assert!(!asleep.runs());

    // It closes a connection of another network namespace.
    let (mut actor, words) = Actor::start(Place::Inside(&namespace), TWO);
    let seen = look(None);
    let inside = seen.inside(&namespace);
    let meant = inside.iter().find(|seen| seen.local() == words[0]).unwrap();
    let cookie = meant.0["socket"]["cookie"].as_u64().unwrap();
    let netns = u32::try_from(namespace.number).unwrap();
    let request = |cookie| close_request(netns, cookie, &meant.local(), &meant.remote());
    let refused = acting.ask(&request(cookie + 1));
    assert_eq!(refused[..4], 18_u32.to_ne_bytes());
    let closed = acting.ask(&request(cookie));
    if closed[..4] == 28_u32.to_ne_bytes() {
        skip("this kernel cannot close connections");
    } else {
        assert_eq!(closed[..4], 1_u32.to_ne_bytes());
        assert_eq!(actor.go_on(), ["over", "over", "open", "open"]);
    }

    // Whoever asks something else has nobody any more.
    for asked in [
        b"/etc/shadow".to_vec(),
        end_request(asleep.pid(), ticks, 9).to_vec(),
        [&end_request(asleep.pid(), ticks, 1)[..], &[0]].concat(),
    ] {
        let mut acting = Apart::start("--close-and-end", Path::new("/"), &[]);
        acting.send(&asked);
        let code = wait_for("its end", || acting.child.try_wait().unwrap());
        assert_eq!(code.code(), Some(1));
    }
}

#[test]
fn the_writer_makes_new_files_in_its_folder_only() {
    let folder = Folder::new();
    let mut writer = Apart::start("--write-files", folder.path(), &[]);
    let ready = writer.receive();
    assert_eq!(ready[..8], [0; 8]);
    let path = folder.path().to_str().unwrap();
    assert_eq!(ready[8..], *path.as_bytes());

    let (_, rights, _, filtered) = status(writer.child.id());
    assert_eq!((rights, filtered), (0, true));
    if crate::setting::is_root() {
        let root = fs::read_link(format!("/proc/{}/root", writer.child.id()));
        assert_eq!(root.unwrap(), folder.path());
    }

    assert_eq!(writer.save("a.csv", b"one,two\n"), 0);
    let file = folder.file("a.csv");
    assert_eq!(fs::read(&file).unwrap(), b"one,two\n");
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let outside = std::env::temp_dir().join(format!("{}.csv", std::process::id()));
    for (name, status) in [
        ("a.csv", 7),
        (outside.to_str().unwrap(), 3),
        (&format!("../{}.csv", std::process::id()), 3),
        (".hidden.csv", 4),
        ("a\n.csv", 5),
        ("a.sh", 6),
    ] {
        assert_eq!(writer.save(name, b"other"), status, "{name:?}");
    }
    assert_eq!(fs::read(&file).unwrap(), b"one,two\n");
    assert!(!outside.exists());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    drop(writer);
}

#[test]
fn under_sudo_files_belong_to_who_called_it() {
    if lacks(&[Need::Root]) {
        return;
    }
    let folder = Folder::new();
    let (user, group) = (12_345, 54_321);
    let sudo = [("SUDO_UID", "12345"), ("SUDO_GID", "54321")];
    // It may do what that user may, and this is another's folder.
    let mut writer = Apart::start("--write-files", folder.path(), &sudo);
    writer.receive();
    assert_eq!(writer.save("a.csv", b"x"), 9);

    chown(folder.path(), Some(user), Some(group)).unwrap();
    assert_eq!(writer.save("a.csv", b"x"), 0);
    let file = fs::metadata(folder.file("a.csv")).unwrap();
    assert_eq!((file.uid(), file.gid()), (user, group));
}

/// A watch that has begun.
struct Watch {
    child: Child,
    start: Value,
}

impl Watch {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(WHOCALLS)
            .args(["watch", "--ndjson"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let mut watch = Self {
            child,
            start: Value::Null,
        };
        loop {
            let line = lines.recv_timeout(PATIENCE).expect("lines");
            let line: Value = serde_json::from_str(&line).unwrap();
            if line["type"] == "start" {
                watch.start = line;
            } else if line["kind"] == "tick" {
                return watch;
            }
        }
    }

    fn children(&self) -> Vec<u32> {
        let pid = self.child.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let pids = children.split_whitespace();
        pids.map(|pid| pid.parse().unwrap()).collect()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Name, rights, whether it is a user of its own, and whether its system calls are filtered.
fn status(pid: u32) -> (String, u64, bool, bool) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = |name: &str| {
        let mut lines = status.lines().filter_map(|line| line.split_once(":\t"));
        let found = lines.find(|(key, _)| *key == name);
        found.unwrap_or_else(|| panic!("{name}: {status}")).1.trim()
    };
    let rights = ["CapEff", "CapPrm"].map(|set| u64::from_str_radix(value(set), 16).unwrap());
    assert_eq!(rights[0], rights[1], "{status}");
    assert_eq!(value("NoNewPrivs"), "1", "{status}");
    let own = (0x7100_0000 + pid).to_string();
    let is_own = value("Uid").split('\t').all(|user| user == own);
    (
        value("Name").to_owned(),
        rights[0],
        is_own,
        value("Seccomp") == "2",
    )
}

/// One of the processes that do something apart from a watch, started by this test in the place of
/// a watch that was taken over.
struct Apart {
    child: Child,
    socket: OwnedFd,
}

impl Apart {
    fn start(mark: &str, folder: &Path, environment: &[(&str, &str)]) -> Self {
        let flags = SocketFlags::CLOEXEC;
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
        let (socket, there) = pair.unwrap();
        let child = Command::new(WHOCALLS)
            .arg(mark)
            .env_clear()
            .envs(environment.iter().copied())
            .current_dir(folder)
            .process_group(0)
            .stdin(there)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, socket }
    }

    fn send(&self, packet: &[u8]) {
        send(&self.socket, packet, SendFlags::empty()).unwrap();
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut packet = vec![0; 8192];
        let (length, _) = recv(&self.socket, &mut packet[..], RecvFlags::empty()).unwrap();
        assert!(length >= 8, "it has ended: {:?}", self.child.wait());
        packet.truncate(length);
        packet
    }

    fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        self.send(request);
        self.receive()
    }

    /// Gives the last answer: 0 when all is saved.
    fn save(&mut self, name: &str, bytes: &[u8]) -> u32 {
        let length = u64::try_from(bytes.len()).unwrap();
        let code = |answer: &[u8]| u32::from_ne_bytes(answer[..4].try_into().unwrap());
        let accepted = self.ask(&[&length.to_ne_bytes(), name.as_bytes()].concat());
        match code(&accepted) {
            0 => code(&self.ask(bytes)),
            refused => refused,
        }
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As the main process writes it: kind, pid, start, nothing about a connection, how.
fn end_request(pid: u32, ticks: u64, how: u32) -> [u8; 56] {
    let parts: [&[u8]; 5] = [
        &2_u32.to_ne_bytes(),
        &pid.to_ne_bytes(),
        &ticks.to_ne_bytes(),
        &[0; 36],
        &how.to_ne_bytes(),
    ];
    parts.concat().try_into().unwrap()
}

/// Kind, namespace, cookie, both addresses, both ports.
fn close_request(netns: u32, cookie: u64, local: &str, remote: &str) -> [u8; 56] {
    let ends = [local, remote].map(|end| end.parse::<std::net::SocketAddrV4>().unwrap());
    let ips = ends.map(|end| end.ip().to_ipv6_mapped().octets());
    let ports = ends.map(|end| end.port().to_ne_bytes());
    let parts: [&[u8]; 6] = [
        &1_u32.to_ne_bytes(),
        &netns.to_ne_bytes(),
        &cookie.to_ne_bytes(),
        &ips.concat(),
        &ports.concat(),
        &[0; 4],
    ];
    parts.concat().try_into().unwrap()
}

//! The process that still may read program files: what it answers, and whom.

use super::*;

/// So deep that the kernel's event does not tell its path.
#[test]
fn the_helper_tells_of_a_program_far_below() {
    let Some(mut watch) = Watch::with_events() else {
        return;
    };
    let folder = Folder::new();
    let below = folder.path().join("x/".repeat(70));
    fs::create_dir_all(&below).unwrap();
    let program = below.join("sleep");
    // By another process: what another test starts just now would keep our copy open for writing.
    run("cp", &["/bin/sleep", program.to_str().unwrap()]).unwrap();
    let mut deep = Command::new(&program).arg("1000").spawn().unwrap();
    let pid = deep.id();
    let told = watch.until(|line| {
        line["type"] == "process" && line["pid"] == pid && line["path"] == program.to_str().unwrap()
    });
    let before = watch
        .seen
        .iter()
        .find(|line| line["name"] == "sleep" && line["pid"] == pid);
    deep.kill().unwrap();
    deep.wait().unwrap();
    assert_eq!(told["id"], before.unwrap()["id"]);
    assert_eq!(
        before.unwrap()["path"],
        Value::Null,
        "it is not deep enough"
    );
}

#[test]
fn the_helper_answers_a_closed_list() {
    if lacks(&[Need::Root, Need::Program("sha256sum")]) {
        return;
    }
    let mut helper = Helper::start();
    let mut asleep = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = asleep.id();
    wait_for("its program", || {
        let path = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        path.to_str()?.contains("sleep").then_some(())
    });
    let ticks = start_ticks(pid);
    let path = fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    let (device, inode) = identity(&path);

    let hash = helper.ask(&request(1, pid, [ticks, device, inode]));
    let hex: String = hash[8..].iter().map(|byte| format!("{byte:02x}")).collect();
    let said = run("sha256sum", &[path.to_str().unwrap()]).unwrap().stdout;
    assert_eq!(hex, String::from_utf8_lossy(&said)[..64]);

    let program = helper.ask(&request(2, pid, [ticks, 0, 0]));
    assert_eq!(&program[32..], path.to_str().unwrap().as_bytes());
    assert_eq!(
        program[8..24],
        [device.to_ne_bytes(), inode.to_ne_bytes()].concat()
    );

    let own = fs::metadata(format!("/proc/{pid}/ns/net")).unwrap();
    let number = std::os::unix::fs::MetadataExt::ino(&own);
    let namespace = helper.ask(&request(3, pid, [0; 3]));
    assert_eq!(namespace[8..], u32::try_from(number).unwrap().to_ne_bytes());

    // Another run, another file, no such process: 1 is gone, 2 is another file.
    for (asked, why) in [
        (request(1, pid, [ticks + 1, device, inode]), 1),
        (request(1, pid, [ticks, device, inode + 1]), 2),
        (request(2, pid, [ticks + 1, 0, 0]), 1),
        (request(3, 0x7fff_fff0, [0; 3]), 1),
    ] {
        assert_eq!(helper.ask(&asked)[..4], u32::to_ne_bytes(why));
    }
    assert!(helper.child.try_wait().unwrap().is_none());
    asleep.kill().unwrap();
    asleep.wait().unwrap();
}

#[test]
fn whoever_asks_something_else_has_no_helper_any_more() {
    let good = request(2, std::process::id(), [1, 0, 0]);
    for (what, asked) in [
        ("an unknown question", request(4, 1, [0; 3])),
        ("no question", request(0, 1, [0; 3])),
        ("no process", request(2, 0, [1, 0, 0])),
        ("a process group", request(2, u32::MAX, [1, 0, 0])),
        ("too little", good[..31].to_vec()),
        ("too much", [&good[..], b"\0"].concat()),
        ("far too much", vec![0; 4096]),
        ("more than the question has", request(3, 1, [1, 0, 0])),
        ("a path", b"/etc/shadow".to_vec()),
    ] {
        let mut helper = Helper::start();
        send(&helper.socket, &asked, SendFlags::empty()).unwrap();
        let code = wait_for(what, || helper.child.try_wait().unwrap());
        assert_eq!(code.code(), Some(1), "{what}");
        let (length, _) = recv(&helper.socket, &mut [0_u8; 64], RecvFlags::empty()).unwrap();
        assert_eq!(length, 0, "{what} was answered");
    }
}

#[test]
fn the_helper_takes_no_descriptors() {
    let mut helper = Helper::start();
    let file = fs::File::open("/dev/null").unwrap();
    let files = [file.as_fd()];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&files));
    let asked = request(2, std::process::id(), [1, 0, 0]);
    sendmsg(
        &helper.socket,
        &[IoSlice::new(&asked)],
        &mut control,
        SendFlags::empty(),
    )
    .unwrap();
    helper.receive();
    let open = fs::read_dir(format!("/proc/{}/fd", helper.child.id()));
    // As an ordinary user it is closed to us, too.
    if let Ok(open) = open {
        assert_eq!(open.count(), 4);
    } else {
        skip("the helper can only be looked into as root");
    }
}

#[test]
fn nobody_is_helped_who_did_not_start_it() {
    for stdin in [Stdio::null(), Stdio::piped()] {
        let mut command = Command::new(WHOCALLS);
        let mut child = command.arg(HELPING).stdin(stdin).spawn().unwrap();
        let code = wait_for("its end", || child.try_wait().unwrap());
        assert_eq!(code.code(), Some(1));
    }
}

/// The argument by which the program knows that it is to help.
const HELPING: &str = "--answer-about-processes";

/// A helper that this test has started, in the place of a watch that was taken over.
struct Helper {
    child: Child,
    socket: OwnedFd,
}

impl Helper {
    fn start() -> Self {
        let flags = SocketFlags::CLOEXEC;
        let pair = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None);
        let (socket, there) = pair.unwrap();
        let mut command = Command::new(WHOCALLS);
        command.arg(HELPING).process_group(0);
        command
            .stdin(there)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self {
            child: command.spawn().unwrap(),
            socket,
        }
    }

    fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        send(&self.socket, request, SendFlags::empty()).unwrap();
        self.receive()
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut answer = vec![0; 8192];
        let (length, _) = recv(&self.socket, &mut answer[..], RecvFlags::empty()).unwrap();
        assert!(length >= 8, "the helper has ended: {:?}", self.child.wait());
        answer.truncate(length);
        answer
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// As the main process writes it.
fn request(kind: u32, pid: u32, numbers: [u64; 3]) -> Vec<u8> {
    let mut bytes = [kind.to_ne_bytes(), pid.to_ne_bytes()].concat();
    bytes.extend(numbers.iter().flat_map(|number| number.to_ne_bytes()));
    bytes
}

fn identity(path: &Path) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    let file = fs::metadata(path).unwrap();
    (file.dev(), file.ino())
}

fn start_ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let mut fields = stat.rsplit(')').next().unwrap().split_ascii_whitespace();
    fields.nth(19).unwrap().parse().unwrap()
}

//! A real X server without a screen, with a cookie and without.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;

use super::*;
use crate::linux::examine::victim::skipped;
use crate::parse::x11;

const COOKIE_OF_TEST: [u8; COOKIE] = [0x5a; COOKIE];

/// It ends with its test.
struct Xvfb {
    server: Child,
    number: u16,
    file: std::path::PathBuf,
}

impl Xvfb {
    /// `None`: there is none here.
    fn start(name: &str, has_cookie: bool) -> Option<Self> {
        let own = format!("whocalls-{name}-{}", std::process::id());
        let file = std::env::temp_dir().join(own);
        let mut entry = vec![0xff, 0xff, 0, 0, 0, 0, 0, 18];
        entry.extend(b"MIT-MAGIC-COOKIE-1");
        entry.extend([0, 16]);
        entry.extend(COOKIE_OF_TEST);
        fs::write(&file, entry).unwrap();
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "640x480x8", "-noreset"]);
        if has_cookie {
            command.arg("-auth").arg(&file);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().ok()?;
        let mut said = BufReader::new(server.stdout.take().unwrap());
        let mut number = String::new();
        said.read_line(&mut number).unwrap();
        let number = number.trim().parse().unwrap();
        Some(Self {
            server,
            number,
            file,
        })
    }
}

impl Drop for Xvfb {
    fn drop(&mut self) {
        // It removes its sockets when it is asked to end.
        let pid = rustix::process::Pid::from_child(&self.server);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.server.wait();
        let _ = fs::remove_file(&self.file);
    }
}

fn display(number: u16) -> XDisplay {
    let all = displays().into_iter();
    let mut all = all.filter_map(|it| match it {
        Display::X(display) => Some(display),
        Display::Other => None,
    });
    all.find(|it| it.number == number).expect("the display")
}

#[test]
fn a_server_says_since_when_nobody_has_used_it() {
    for (name, has_cookie) in [("cookie", true), ("open", false)] {
        let Some(xvfb) = Xvfb::start(name, has_cookie) else {
            return skipped("no Xvfb here");
        };
        let number = xvfb.number;
        let is_abstract = display(number).is_abstract;
        assert!(!display(number).is_used);
        let servers = Servers::find();
        let idle = || servers.idle(number, is_abstract);
        let first = idle().expect("an answer");
        thread::sleep(Duration::from_millis(50));
        let later = idle().expect("an answer");
        assert!(
            later >= first + Duration::from_millis(40),
            "{first:?} {later:?}"
        );
        // Somebody is connected, as programs are, and a key is pressed.
        let server = Server::connect(number, is_abstract).unwrap();
        let cookie = has_cookie.then_some(&COOKIE_OF_TEST);
        let mut client = server.greet(cookie).unwrap();
        assert!(display(number).is_used);
        // On a busy computer the answer may come late.
        let is_noticed = (0..50).any(|_| {
            client.press_a_key();
            idle().expect("an answer") < later
        });
        assert!(is_noticed, "{later:?}");
        // Whoever has no cookie hears nothing where one is asked for.
        let strange = Servers::default().idle(number, is_abstract);
        assert_eq!(strange.is_none(), has_cookie);
    }
}

#[test]
fn a_cookie_is_shown_to_its_own_server_only() {
    let Some(xvfb) = Xvfb::start("own", true) else {
        return skipped("no Xvfb here");
    };
    let mut servers = Servers::find();
    servers.0.retain(|it| it.number == xvfb.number);
    let [known] = &mut servers.0[..] else {
        panic!("one server: {servers:?}");
    };
    let (number, pid) = (known.number, xvfb.server.id());
    assert_eq!(known.process.pid, pid);
    known.user = 1000;
    let shown = |number, peer| servers.cookie(number, peer).is_some();
    assert!(shown(number, (pid, 1000)) && shown(number, (pid, 0)));
    assert!(!shown(number, (pid, 1001)), "another user's file");
    assert!(
        !shown(number, (std::process::id(), 1000)),
        "another process"
    );
    assert!(!shown(number + 1, (pid, 1000)), "another display");
    servers.0[0].process.start_ticks += 1;
    assert!(servers.cookie(number, (pid, 1000)).is_none(), "another run");
}

#[test]
fn who_is_no_server_is_not_waited_for() {
    // The one says nothing, and the other nonsense.
    for said in [&b""[..], &[1; 4096]] {
        let number = 900 + u16::try_from(said.len() / 64).unwrap();
        let name = format!("/tmp/.X11-unix/X{number}");
        let address = rustix::net::SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap();
        let (family, kind) = (
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
        );
        let listener = rustix::net::socket(family, kind, None).unwrap();
        if rustix::net::bind(&listener, &address).is_err() {
            return skipped("somebody has that display");
        }
        rustix::net::listen(&listener, 4).unwrap();
        let talks = thread::spawn(move || {
            let taken = rustix::net::accept(&listener).unwrap();
            let flags = rustix::net::SendFlags::NOSIGNAL;
            let _ = rustix::net::send(&taken, said, flags);
            thread::sleep(Duration::from_secs(3));
        });
        assert_eq!(Servers::default().idle(number, true), None);
        talks.join().unwrap();
    }
    assert_eq!(Servers::default().idle(999, true), None);
    assert_eq!(x11::length_of_about([1; 8]), None);
}

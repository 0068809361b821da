//! Who is connected to a display and shows nothing there, and whoever looks like it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::sync::Arc;

use super::*;
use crate::linux::seats;

const CLIENT: &str = include_str!("client.py");

/// Shows one window in a corner.
const WINDOW: &str = "/10,10,80,80,1,0";

/// Who is to be looked at, and the process that ends with its test.
struct Client {
    shown: u32,
    _victim: Victim,
}

impl Client {
    /// `what`, `places`: as client.py has them; the display stands in front of each place.
    fn start(what: &str, places: &[(&Server, &str)]) -> Option<Self> {
        let places = places
            .iter()
            .map(|(server, place)| format!("{}{place}", &server.name[1..]));
        let mut command = Command::new("python3");
        command.args(["-c", CLIENT, what]).args(places);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut victim = Victim(command.spawn().ok()?);
        let mut line = String::new();
        let mut said = BufReader::new(victim.0.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        Some(Self {
            shown: line.trim().parse().expect("client.py says who it is"),
            _victim: victim,
        })
    }

    fn display(&self) -> Option<Display> {
        display_of(self.shown, Duration::ZERO)
    }
}

fn display_of(pid: u32, settles: Duration) -> Option<Display> {
    let machine = Machine::default().asking(seats::of_test());
    let mut kept = Kept::of(Arc::new(machine));
    kept.displays.settles = settles;
    of(&subject(pid), &mut kept)
}

fn check(what: &str, places: &[(&Server, &str)], expected: Display) {
    let client = Client::start(what, places).expect("python3");
    let mut found = client.display();
    // A busy server may be too slow once.
    for _ in 0..20 {
        if found == Some(expected) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
        found = client.display();
    }
    assert_eq!(found, Some(expected), "{what} {:?}", places[0].1);
}

/// `None`: there is none here.
fn server() -> Option<Server> {
    let server = Server::start();
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    if server.is_none() || !has_python {
        skipped("no Xvfb or no python3 here");
    }
    server.filter(|_| has_python)
}

#[test]
fn a_connection_without_a_window() {
    let Some(server) = server() else { return };
    let server = &server;
    check("", &[(server, WINDOW)], Display::Shown);
    check("", &[(server, "")], Display::NoWindow);
    // Not mapped, of one pixel, and beside the screen.
    for hidden in [
        "/10,10,80,80,0,0",
        "/10,10,1,1,1,0",
        "/10,10,1,80,1,0",
        "/-32000,-32000,80,80,1,0",
        "/640,0,80,80,1,0",
        "/639,479,80,80,1,0",
    ] {
        check("", &[(server, hidden)], Display::NoWindow);
    }
    check("", &[(server, "/600,470,80,80,1,0")], Display::Shown);
}

#[test]
fn what_a_person_has_put_aside_is_a_window() {
    let Some(server) = server() else { return };
    let server = &server;
    check("", &[(server, "/10,10,80,80,0,3")], Display::Shown);
    // On another desktop of a window manager that moves windows away.
    check("", &[(server, "/-1280,0,80,80,1,1")], Display::Shown);
    check("framed", &[(server, "")], Display::Shown);
    // One that the program itself has taken away: the manager writes that it is withdrawn, or nothing.
    check("", &[(server, "/10,10,80,80,0,1")], Display::NoWindow);
}

#[test]
fn a_family_has_the_windows_of_each() {
    let Some(server) = server() else { return };
    let server = &server;
    check("parent", &[(server, WINDOW)], Display::Shown);
    check("parent", &[(server, "")], Display::NoWindow);
}

#[test]
fn on_two_displays() {
    let (Some(one), Some(other)) = (server(), server()) else {
        return;
    };
    check("", &[(&one, ""), (&other, WINDOW)], Display::Shown);
    check("", &[(&one, ""), (&other, "")], Display::NoWindow);
}

/// Where it cannot be known, nobody is said to have none.
#[test]
fn where_it_cannot_be_known() {
    let Some(server) = server() else { return };
    let server = &server;
    // The display knows whoever has connected, and that one is no more.
    check("handed", &[(server, "")], Display::Shown);
    let client = Client::start("", &[(server, "")]).unwrap();
    assert_eq!(client.display(), Some(Display::NoWindow));
    // It may be about to show one.
    let young = display_of(client.shown, Duration::from_secs(3600));
    assert_eq!(young, Some(Display::Shown));
    // Nobody asks displays.
    let mut kept = Kept::default();
    kept.displays.settles = Duration::ZERO;
    let unasked = of(&subject(client.shown), &mut kept);
    assert_eq!(unasked, Some(Display::Shown));
    // Another program has more windows than are looked at.
    let _many = Client::start("", &[(server, "/0,0,9,9,0,0,5000")]).unwrap();
    assert_eq!(client.display(), Some(Display::Shown));
}

#[test]
fn a_display_that_asks_for_a_cookie() {
    let file = std::env::temp_dir().join(format!("whocalls-window-{}", std::process::id()));
    let mut entry = vec![0xff, 0xff, 0, 0, 0, 0, 0, 18];
    entry.extend(b"MIT-MAGIC-COOKIE-1");
    entry.extend([0, 16]);
    entry.extend([0x5a; 16]);
    std::fs::write(&file, entry).unwrap();
    let server = Server::start_as(Command::new("Xvfb").arg("-auth").arg(&file));
    let Some(server) = server else {
        return skipped("no Xvfb here");
    };
    check("cookie", &[(&server, WINDOW)], Display::Shown);
    check("cookie", &[(&server, "")], Display::NoWindow);
    // Without its file nobody is let in who asks.
    let client = Client::start("cookie", &[(&server, "")]).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(client.display(), Some(Display::Shown));
}

/// What a server of somebody else says of our processes proves nothing.
#[test]
fn a_server_of_somebody_else() {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can be somebody else");
    }
    let Some(server) = Server::start_as(Command::new("Xvfb").uid(NOBODY).gid(NOBODY)) else {
        return skipped("no Xvfb here");
    };
    check("", &[(&server, "")], Display::Shown);
}

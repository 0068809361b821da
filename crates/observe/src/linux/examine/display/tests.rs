//! Real programs on a display without a screen.

mod without_window;

use std::process::{Child, Command, Stdio};

use super::*;
use crate::linux::examine::Machine;
use crate::linux::examine::victim::{Victim, skipped, subject};

/// An X server of our own, that ends with its test.
struct Server {
    server: Child,
    name: String,
}

impl Server {
    /// `None`: there is none here.
    fn start() -> Option<Self> {
        Self::start_as(&mut Command::new("Xvfb"))
    }

    fn start_as(command: &mut Command) -> Option<Self> {
        command.args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "640x480x8",
            "-nolisten",
            "tcp",
        ]);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = command.spawn().ok()?;
        let mut number = String::new();
        let mut said = std::io::BufReader::new(server.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut said, &mut number).unwrap();
        let name = format!(":{}", number.trim());
        Some(Self { server, name })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It removes its sockets when it is asked to end.
        let pid = rustix::process::Pid::from_child(&self.server);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.server.wait();
    }
}

fn check(victim: &Victim, expected: Display) {
    let mut seen = None;
    for _ in 0..200 {
        seen = of(&subject(victim.0.id()), &mut Kept::default());
        if seen == Some(expected) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(seen, Some(expected));
}

fn start(program: &str, display: &str) -> Option<Victim> {
    let mut command = Command::new(program);
    command
        .env("DISPLAY", display)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().ok().map(Victim)
}

#[test]
fn a_clock_on_a_display() {
    let Some(server) = Server::start() else {
        return skipped("no Xvfb here");
    };
    let Some(clock) = start("xclock", &server.name) else {
        return skipped("no xclock here");
    };
    check(&clock, Display::Shown);
    // Its twin has the same settings, and shows nothing.
    let mut sleep = Command::new("sleep");
    let sleep = Victim(
        sleep
            .arg("1000")
            .env("DISPLAY", &server.name)
            .spawn()
            .unwrap(),
    );
    check(&sleep, Display::NoConnection);
}

#[test]
fn the_family_of_one_that_is_connected() {
    let Some(server) = Server::start() else {
        return skipped("no Xvfb here");
    };
    // One process is connected and says so; the one below it of the same program is not.
    let code = format!(
        "import os, socket, sys, time\n\
         s = socket.socket(socket.AF_UNIX); s.connect('/tmp/.X11-unix/X{}')\n\
         if os.fork() == 0:\n\
         \u{20}   s.close(); os.setsid(); print('ready', flush=True); time.sleep(1000)\n\
         import subprocess; p = subprocess.Popen(['sleep', '1000']); input()\n\
         p.kill(); os.kill(0, 9)",
        &server.name[1..]
    );
    let Some(victim) = Victim::of("python3 -c CODE", &code) else {
        return;
    };
    check(&victim, Display::Shown);
    let below = || {
        let pid = victim.0.id();
        let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let text = text.unwrap_or_default();
        text.split_whitespace()
            .map(|it| it.parse::<u32>().unwrap())
            .collect::<Vec<_>>()
    };
    let mut children = below();
    for _ in 0..200 {
        if children.len() == 2 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
        children = below();
    }
    let shown = |pid: u32| of(&subject(pid), &mut Kept::default());
    if let [same, other] = children[..] {
        assert_eq!(shown(same), Some(Display::Shown));
        // Another program below it does not belong to it.
        for _ in 0..200 {
            if shown(other) == Some(Display::NoConnection) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(shown(other), Some(Display::NoConnection));
        for pid in [same, other] {
            let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    } else {
        skipped("the kernel does not tell children");
    }
}

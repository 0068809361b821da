//! Asks for names through the C library, as nearly every program does, in three set-ups. Files in
//! /etc are covered within a mount namespace of our own.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::path::Path;

use crate::lab::{DNS, FAR, Lab, PAUSE, at};
use crate::server::dns;
use crate::sys;
use crate::truth::{Act, End, Outcome};

/// Without a name server the C library asks 127.0.0.1 (resolv.conf(5)); nobody is there.
pub fn offline(lab: &Lab) -> io::Result<()> {
    ask(lab, Ipv4Addr::LOCALHOST, "", "offline.whocalls.example")
}

/// As systemd-resolved, dnsmasq and others do: the stub is another process of this case.
pub fn stub(lab: &Lab) -> io::Result<()> {
    let stub = Ipv4Addr::new(127, 0, 0, 53);
    let server = sys::fork(|| {
        let socket = UdpSocket::bind((stub, DNS))?;
        socket.set_read_timeout(Some(PAUSE * 100))?;
        let mut room = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut room) {
            if let Some(answer) = dns::answer(&room[..length]) {
                socket.send_to(&answer, from)?;
            }
        }
        Ok(())
    })?;
    std::thread::sleep(PAUSE);
    ask(
        lab,
        stub,
        "nameserver 127.0.0.53\n",
        "stub.whocalls.example",
    )?;
    sys::wait(server)
}

pub fn online(lab: &Lab) -> io::Result<()> {
    ask(
        lab,
        FAR,
        &format!("nameserver {FAR}\n"),
        "online.whocalls.example",
    )
}

fn ask(lab: &Lab, server: Ipv4Addr, resolv_conf: &str, name: &str) -> io::Result<()> {
    sys::unshare(libc::CLONE_NEWNS)?;
    sys::keep_mounts_private()?;
    cover("/etc/resolv.conf", resolv_conf)?;
    cover("/etc/nsswitch.conf", "hosts: dns\n")?;
    let mut act = Act::begin("udp", Some(End::new(at(server, DNS))))?;
    // The C library has the socket and does not tell.
    (act.bytes_sent, act.bytes_received) = (None, None);
    act.result = Outcome::Any;
    act.asked = Some(name.to_owned());
    let found = (name, 80)
        .to_socket_addrs()
        .map(Iterator::collect::<Vec<SocketAddr>>);
    let answered = found.is_ok_and(|addresses| !addresses.is_empty());
    if answered == resolv_conf.is_empty() {
        return Err(io::Error::other(format!("{name}: answered: {answered}")));
    }
    lab.record(act)
}

/// Puts a file with this content over another one.
fn cover(path: &str, content: &str) -> io::Result<()> {
    let stand_in = std::env::temp_dir().join(format!("situations-{}", std::process::id()));
    std::fs::write(&stand_in, content)?;
    let covered = sys::mount_over(&stand_in, Path::new(path));
    // It stays as long as it is mounted.
    std::fs::remove_file(&stand_in)?;
    covered
}

//! Programs that are not where the watcher is.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use super::bulk;
use crate::exchange::{connect, connect_for, echo, finish, tcp_socket};
use crate::lab::{BOX, ECHO, FAR_FROM_ASIDE, FAR_FROM_BOX, Lab, at, not_offered};
use crate::sys;
use crate::truth::{Act, End, Identity};

const BYTES: usize = 100_000;

/// First the whole program is elsewhere; then only its socket is.
pub fn other(lab: &Lab) -> io::Result<()> {
    let aside = namespace(lab.aside.as_deref(), "--aside")?;
    let home = File::open("/proc/thread-self/ns/net")?;
    let remote = at(FAR_FROM_ASIDE, ECHO);
    sys::enter_network(&aside)?;
    bulk::echo(lab, remote, BYTES)?;

    // The socket stays in the namespace that it was made in.
    let act = Act::begin("tcp", Some(End::new(remote)))?;
    let socket = tcp_socket(remote)?;
    sys::enter_network(&home)?;
    let (mut act, socket) = connect_for(act, socket, remote)?;
    echo(&mut act, &socket, BYTES)?;
    finish(&mut act, &socket)?;
    drop(socket);
    lab.record(act)
}

/// A process with PID, network and mount namespaces of its own, on a cable to the server.
pub fn container(lab: &Lab) -> io::Result<()> {
    let far = namespace(lab.far.as_deref(), "--far")?;
    let (ours, theirs) = UnixStream::pair()?;
    let child = sys::fork(|| {
        sys::unshare(libc::CLONE_NEWNET | libc::CLONE_NEWNS)?;
        sys::keep_mounts_private()?;
        (&theirs).write_all(b"!")?;
        (&theirs).read_exact(&mut [0])?;
        ip(&["link", "set", "lo", "up"])?;
        ip(&["address", "add", BOX, "dev", "box0"])?;
        ip(&["link", "set", "box0", "up"])?;
        sys::unshare(libc::CLONE_NEWPID)?;
        sys::wait(sys::fork(|| contained(lab))?)
    })?;
    drop(theirs);
    (&ours).read_exact(&mut [0])?;
    let carrier = sys::fork(|| {
        sys::enter_network(&far)?;
        let inside = child.to_string();
        ip(&[
            "link", "add", "far-box", "type", "veth", "peer", "name", "box0", "netns", &inside,
        ])?;
        ip(&["address", "add", FAR_FROM_BOX, "dev", "far-box"])?;
        ip(&["link", "set", "far-box", "up"])
    })?;
    sys::wait(carrier)?;
    (&ours).write_all(b"!")?;
    sys::wait(child)
}

fn contained(lab: &Lab) -> io::Result<()> {
    // While the /proc of outside is still there, which knows this process as the watcher does.
    let identity = Identity::own()?;
    sys::mount_proc()?;
    if std::process::id() != 1 {
        return Err(io::Error::other("not the first process of its namespace"));
    }
    let ip = FAR_FROM_BOX
        .split('/')
        .next()
        .and_then(|ip| ip.parse().ok());
    let remote = std::net::SocketAddr::new(ip.ok_or_else(|| not_offered("no address"))?, ECHO);

    let (mut act, socket) = connect(remote)?;
    act.process = identity.clone();
    echo(&mut act, &socket, BYTES)?;
    finish(&mut act, &socket)?;
    drop(socket);
    lab.record(act)?;

    let mut act = Act::begin_as(identity, "udp", Some(End::new(remote)));
    let socket = crate::exchange::udp_socket(remote)?;
    crate::exchange::echo_datagrams(&mut act, &socket, Some(remote), 100, 1000)?;
    drop(socket);
    lab.record(act)
}

fn namespace(path: Option<&Path>, option: &str) -> io::Result<File> {
    File::open(path.ok_or_else(|| not_offered(&format!("{option} PATH was not given")))?)
}

/// ip(8), in the network namespace of the calling process.
fn ip(words: &[&str]) -> io::Result<()> {
    match Command::new("ip").args(words).status()?.success() {
        true => Ok(()),
        false => Err(io::Error::other(format!("ip {} failed", words.join(" ")))),
    }
}

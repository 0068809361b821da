//! A socket goes from one process to another while it is in use.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use socket2::{Domain, Protocol, Socket, Type};

use super::processes::go_on;
use crate::exchange::{connect, drain, finish, patient, receive, send};
use crate::lab::{CALL_BACK, Lab, PAUSE, SINK, far};
use crate::sys;
use crate::truth::{Act, Direction, End, Identity, now};

const PIECE: usize = 1000;
const WORKERS: usize = 4;

/// Opens connections, uses each, and gives it to another program over a Unix socket.
pub fn passing(lab: &Lab) -> io::Result<()> {
    if lab.part.is_some() {
        return heir(lab);
    }
    let path = std::env::temp_dir().join(format!("situations-{}", std::process::id()));
    let way = UnixListener::bind(&path)?;
    let mut heir = lab.program("heir")?;
    let child = heir.arg("--told").arg(&path).spawn();
    let passed = child.and_then(|mut child| {
        let (way, _) = way.accept()?;
        for _ in 0..lab.times(1) {
            let (mut act, socket) = connect(far(SINK))?;
            let from = now();
            send(&mut act, &socket, PIECE)?;
            thread::sleep(PAUSE);
            act.hand_on(from);
            sys::pass(&way, &socket, &serde_json::to_vec(&act)?)?;
            // The heir says when it has done with it: one message at a time.
            drop(socket);
            io::Read::read_exact(&mut &way, &mut [0])?;
        }
        drop(way);
        match child.wait()?.success() {
            true => Ok(()),
            false => Err(io::Error::other("the heir ended badly")),
        }
    });
    std::fs::remove_file(&path)?;
    passed
}

fn heir(lab: &Lab) -> io::Result<()> {
    let way = UnixStream::connect(lab.told.as_deref().unwrap_or_default())?;
    loop {
        let (socket, act) = match sys::take(&way, 8192) {
            Ok(taken) => taken,
            // The other end has closed.
            Err(_) => return Ok(()),
        };
        go_on(lab, serde_json::from_slice(&act)?, socket.into())?;
        (&way).write_all(b".")?;
    }
}

/// Listens, forks workers that accept, and has the server call.
pub fn pre_fork(lab: &Lab) -> io::Result<()> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    listener.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)).into())?;
    listener.listen(128)?;
    let port = listener
        .local_addr()?
        .as_socket()
        .map_or(0, |address| address.port());

    let calls = lab.times(20);
    let shares = (0..WORKERS).map(|worker| calls / WORKERS + usize::from(worker < calls % WORKERS));
    let workers =
        shares.map(|share| sys::fork(|| (0..share).try_for_each(|_| accept(lab, &listener))));
    let workers = workers.collect::<io::Result<Vec<_>>>()?;
    drop(listener);

    let (mut act, socket) = connect(far(CALL_BACK))?;
    let mut request = port.to_be_bytes().to_vec();
    request.extend((calls as u32).to_be_bytes());
    request.extend((PIECE as u32).to_be_bytes());
    (&socket).write_all(&request)?;
    act.sent(request.len());
    drain(&mut act, &socket)?;
    drop(socket);
    lab.record(act)?;
    workers.into_iter().try_for_each(sys::wait)
}

fn accept(lab: &Lab, listener: &Socket) -> io::Result<()> {
    let (socket, from) = listener.accept()?;
    let socket = patient(socket)?;
    let from = from.as_socket().map(End::new);
    let mut act = Act::begin_as(Identity::own()?, "tcp", from);
    act.direction = Direction::Inbound;
    act.local_of(&socket);
    let from = now();
    receive(&mut act, &socket, PIECE)?;
    send(&mut act, &socket, PIECE)?;
    finish(&mut act, &socket)?;
    thread::sleep(PAUSE);
    act.hand_on(from);
    drop(socket);
    lab.record(act)
}

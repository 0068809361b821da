//! Plain exchanges over TCP and UDP that many cases share: each fills in what it does on its act.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use crate::lab::{ANSWER_BYTES, Lab, PATIENCE};
use crate::sys;
use crate::truth::{Act, End};

/// What goes over the cable; that it is no zeros shows in captures.
pub static CONTENT: [u8; 65_536] = [b'w'; 65_536];
pub const MIB: usize = 1 << 20;

/// A TCP socket that does not wait for ever.
pub fn tcp_socket(remote: SocketAddr) -> io::Result<Socket> {
    patient(Socket::new(
        Domain::for_address(remote),
        Type::STREAM,
        Some(Protocol::TCP),
    )?)
}

pub fn patient(socket: Socket) -> io::Result<Socket> {
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// Opens a TCP connection, and an act with it.
pub fn connect(remote: SocketAddr) -> io::Result<(Act, Socket)> {
    let act = Act::begin("tcp", Some(End::new(remote)))?;
    connect_for(act, tcp_socket(remote)?, remote)
}

/// The same with an act and a socket that are already there.
pub fn connect_for(mut act: Act, socket: Socket, remote: SocketAddr) -> io::Result<(Act, Socket)> {
    socket.connect(&remote.into())?;
    act.local_of(&socket);
    Ok((act, socket))
}

pub fn send(act: &mut Act, mut socket: &Socket, bytes: usize) -> io::Result<()> {
    let mut left = bytes;
    while left > 0 {
        let sent = socket.write(&CONTENT[..left.min(CONTENT.len())])?;
        act.sent(sent);
        left -= sent;
    }
    Ok(())
}

/// Asks `SOURCE` for so many bytes.
pub fn ask(act: &mut Act, mut socket: &Socket, bytes: usize) -> io::Result<()> {
    let request = (bytes as u64).to_be_bytes();
    socket.write_all(&request)?;
    act.sent(request.len());
    Ok(())
}

/// Reads so many bytes.
pub fn receive(act: &mut Act, mut socket: &Socket, bytes: usize) -> io::Result<()> {
    let (mut left, mut room) = (bytes, [0; 65_536]);
    while left > 0 {
        let received = socket.read(&mut room[..left.min(CONTENT.len())])?;
        if received == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        act.received(received);
        left -= received;
    }
    Ok(())
}

/// Reads until the other end closes.
pub fn drain(act: &mut Act, mut socket: &Socket) -> io::Result<()> {
    let mut room = [0; 65_536];
    loop {
        match socket.read(&mut room)? {
            0 => return Ok(()),
            received => act.received(received),
        }
    }
}

/// Says that nothing more comes, and waits until the other end has read all of it.
pub fn finish(act: &mut Act, socket: &Socket) -> io::Result<()> {
    socket.shutdown(std::net::Shutdown::Write)?;
    drain(act, socket)
}

/// Sends to `ECHO` and reads what comes back, a piece at a time.
pub fn echo(act: &mut Act, socket: &Socket, bytes: usize) -> io::Result<()> {
    let mut left = bytes;
    while left > 0 {
        let piece = left.min(CONTENT.len());
        send(act, socket, piece)?;
        receive(act, socket, piece)?;
        left -= piece;
    }
    Ok(())
}

/// One short connection to `ANSWER`, written down.
pub fn short(lab: &Lab, remote: SocketAddr) -> io::Result<()> {
    let (mut act, socket) = connect(remote)?;
    send(&mut act, &socket, ANSWER_BYTES)?;
    drain(&mut act, &socket)?;
    drop(socket);
    lab.record(act)
}

/// A UDP socket of the family of `remote`, bound to nothing.
pub fn udp_socket(remote: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(remote),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    // A datagram that is lost shall not hold up the rest for long.
    socket.set_read_timeout(Some(PATIENCE / 20))?;
    sys::set_receive_room(&socket, 4 << 20)?;
    Ok(socket.into())
}

/// Sends datagrams to an echo and counts what comes back, some at a time. Without `to` the socket
/// is connected.
pub fn echo_datagrams(
    act: &mut Act,
    socket: &UdpSocket,
    to: Option<SocketAddr>,
    count: usize,
    size: usize,
) -> io::Result<()> {
    const AT_ONCE: usize = 8;
    let mut room = [0; 2048];
    for first in (0..count).step_by(AT_ONCE) {
        let some = AT_ONCE.min(count - first);
        for _ in 0..some {
            act.sent(match to {
                Some(to) => socket.send_to(&CONTENT[..size], to)?,
                None => socket.send(&CONTENT[..size])?,
            });
        }
        for _ in 0..some {
            match socket.recv(&mut room) {
                Ok(received) => act.received(received),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
    }
    act.local_of(socket);
    Ok(())
}

/// What UDP `SOURCE` is asked with.
pub fn request(count: usize, size: usize) -> [u8; 8] {
    let mut request = [0; 8];
    request[..4].copy_from_slice(&(count as u32).to_be_bytes());
    request[4..].copy_from_slice(&(size as u32).to_be_bytes());
    request
}

//! The other end: answers on the ports that `lab` names, until it is ended. Says `ready` when all
//! of them are open.

pub mod dns;

use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::exchange::{CONTENT, tcp_socket};
use crate::lab::{
    ANSWER, ANSWER_BYTES, CALL_BACK, DNS, ECHO, EXPERIMENT, FAST_ECHO, MULTIPATH_ECHO, PATIENCE,
    QUIC, SINK, SOURCE,
};
use crate::sys;

pub fn run() -> io::Result<()> {
    serve(SINK, Protocol::TCP, sink)?;
    serve(SOURCE, Protocol::TCP, source)?;
    serve(ECHO, Protocol::TCP, echo)?;
    serve(FAST_ECHO, Protocol::TCP, echo)?;
    serve(CALL_BACK, Protocol::TCP, call_back)?;
    // Kernels without it still run the other cases.
    if let Err(error) = serve(MULTIPATH_ECHO, Protocol::MPTCP, echo) {
        eprintln!("server: no MPTCP: {error}");
    }
    for port in ANSWER {
        let listener = listen(port, Protocol::TCP)?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // One at a time: there are many ports, and a thread each would cost more.
                let _ = answer(stream);
            }
        });
    }
    datagrams(SINK, |_, _, _| Ok(()))?;
    datagrams(SOURCE, stream_datagrams)?;
    datagrams(ECHO, |socket, content, from| {
        socket.send_to(content, from).map(drop)
    })?;
    datagrams(QUIC, |socket, content, from| {
        socket.send_to(content, from).map(drop)
    })?;
    datagrams(DNS, |socket, content, from| match dns::answer(content) {
        Some(answer) => socket.send_to(&answer, from).map(drop),
        None => Ok(()),
    })?;
    experiment()?;
    println!("ready");
    loop {
        thread::park();
    }
}

fn listen(port: u16, protocol: Protocol) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, Some(protocol))?;
    socket.set_only_v6(false)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
    if port == FAST_ECHO {
        sys::accept_fast(&socket)?;
    }
    socket.listen(4096)?;
    Ok(socket.into())
}

/// A thread a connection.
fn serve(port: u16, protocol: Protocol, with: fn(TcpStream) -> io::Result<()>) -> io::Result<()> {
    let listener = listen(port, protocol)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                with(stream)
            });
        }
    });
    Ok(())
}

fn sink(mut stream: TcpStream) -> io::Result<()> {
    io::copy(&mut stream, &mut io::sink()).map(drop)
}

fn source(mut stream: TcpStream) -> io::Result<()> {
    let mut request = [0; 8];
    stream.read_exact(&mut request)?;
    io::copy(
        &mut io::repeat(b'd').take(u64::from_be_bytes(request)),
        &mut stream,
    )
    .map(drop)
}

fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut room = [0; 65_536];
    loop {
        match stream.read(&mut room)? {
            0 => return Ok(()),
            length => stream.write_all(&room[..length])?,
        }
    }
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let mut room = [0; ANSWER_BYTES];
    stream.read_exact(&mut room)?;
    stream.write_all(&room)
}

fn call_back(mut stream: TcpStream) -> io::Result<()> {
    let (mut port, mut count, mut bytes) = ([0; 2], [0; 4], [0; 4]);
    stream.read_exact(&mut port)?;
    stream.read_exact(&mut count)?;
    stream.read_exact(&mut bytes)?;
    let remote = SocketAddr::new(
        stream.peer_addr()?.ip().to_canonical(),
        u16::from_be_bytes(port),
    );
    let bytes = u32::from_be_bytes(bytes) as usize;
    for _ in 0..u32::from_be_bytes(count) {
        let mut socket = tcp_socket(remote)?;
        socket.connect(&remote.into())?;
        socket.write_all(&CONTENT[..bytes])?;
        let mut room = vec![0; bytes];
        socket.read_exact(&mut room)?;
    }
    Ok(())
}

fn datagrams(
    port: u16,
    with: impl Fn(&UdpSocket, &[u8], SocketAddr) -> io::Result<()> + Send + 'static,
) -> io::Result<()> {
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, port))?;
    sys::set_receive_room(&socket, 8 << 20)?;
    thread::spawn(move || {
        let mut room = [0; 65_536];
        loop {
            // An error here belongs to a peer that is gone.
            if let Ok((length, from)) = socket.recv_from(&mut room) {
                let _ = with(&socket, &room[..length], from);
            }
        }
    });
    Ok(())
}

fn stream_datagrams(socket: &UdpSocket, request: &[u8], to: SocketAddr) -> io::Result<()> {
    let Ok(&[a, b, c, d, e, f, g, h]) = <&[u8; 8]>::try_from(request) else {
        return Ok(());
    };
    let count = u32::from_be_bytes([a, b, c, d]);
    let size = u32::from_be_bytes([e, f, g, h]) as usize;
    for number in 0..count {
        socket.send_to(&CONTENT[..size.min(CONTENT.len())], to)?;
        if number % 16 == 15 {
            // Not faster than the other end can read.
            thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}

/// Sends back what comes under the IP protocol for experiments.
fn experiment() -> io::Result<()> {
    let protocol = Protocol::from(i32::from(EXPERIMENT));
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(protocol))?;
    thread::spawn(move || {
        let mut room = [0; 65_536];
        loop {
            let Ok(length) = (&socket).read(&mut room) else {
                continue;
            };
            // The IPv4 header comes with it (raw(7)); its first byte tells its length, bytes 12
            // to 15 are the sender (RFC 791, 3.1).
            let start = usize::from(room[0] & 15) * 4;
            let from = [room[12], room[13], room[14], room[15]];
            let _ = socket.send_to(&room[start..length], &SocketAddr::from((from, 0)).into());
        }
    });
    Ok(())
}

//! Sends so many bytes or datagrams a second, evenly, or takes them; says how much that was. Built by
//! `capture.sh` with nothing but the standard library.
//!
//!     load take tcp|udp ADDRESS              until the sender ends, or nothing has come for 2 s
//!     load send tcp ADDRESS BYTES SECONDS    BYTES a second
//!     load send udp ADDRESS DATAGRAMS SECONDS SIZE
//!
//! An amount of 0 is as fast as it goes.

use std::env;
use std::io::{self, Error, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

const PIECE: usize = 64 * 1024;
const SILENCE: Duration = Duration::from_secs(2);
const BEGIN: Duration = Duration::from_secs(30);
/// Sleeping for less costs more than it gives.
const PAUSE: Duration = Duration::from_micros(200);

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (what, count) = match words[..] {
        ["take", "tcp", address] => ("bytes", take_tcp(address)?),
        ["take", "udp", address] => ("datagrams", take_udp(address)?),
        ["send", "tcp", address, rate, seconds] => (
            "bytes",
            send_tcp(address, &Pace::new(number(rate)?, number(seconds)?))?,
        ),
        ["send", "udp", address, rate, seconds, size] => {
            let pace = Pace::new(number(rate)?, number(seconds)?);
            (
                "datagrams",
                send_udp(
                    address,
                    &pace,
                    usize::try_from(number(size)?).map_err(Error::other)?,
                )?,
            )
        }
        _ => return Err(Error::other("usage: see the first lines of load.rs")),
    };
    println!("{count} {what}");
    Ok(())
}

fn number(text: &str) -> io::Result<u64> {
    text.parse()
        .map_err(|_| Error::other(format!("{text} is no number")))
}

/// How much may have been sent by now.
struct Pace {
    a_second: u64,
    seconds: u64,
    begun: Instant,
}

impl Pace {
    fn new(a_second: u64, seconds: u64) -> Self {
        Self {
            a_second,
            seconds,
            begun: Instant::now(),
        }
    }

    /// Waits until there is something to send, and says how much. `None`: the time is over.
    fn due(&self, sent: u64, at_once: u64) -> Option<u64> {
        loop {
            let since = self.begun.elapsed();
            if since.as_secs() >= self.seconds {
                // What a busy computer was late with is sent all the same, but not for ever.
                let left = (self.a_second * self.seconds)
                    .saturating_sub(sent)
                    .min(at_once);
                return Some(left).filter(|left| *left > 0 && since.as_secs() < 2 * self.seconds);
            }
            if self.a_second == 0 {
                return Some(at_once);
            }
            let until_now = self.a_second as u128 * since.as_nanos() / 1_000_000_000;
            let due = u64::try_from(until_now)
                .unwrap_or(u64::MAX)
                .saturating_sub(sent);
            if due >= at_once.min(self.a_second / 1000).max(1) {
                return Some(due.min(at_once));
            }
            thread::sleep(PAUSE);
        }
    }
}

fn send_tcp(address: &str, pace: &Pace) -> io::Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    let piece = vec![0x5a; PIECE];
    let mut sent = 0;
    let pace = Pace {
        begun: Instant::now(),
        ..*pace
    };
    while let Some(due) = pace.due(sent, PIECE as u64) {
        let due = usize::try_from(due).unwrap_or(PIECE).min(PIECE);
        stream.write_all(&piece[..due])?;
        sent += due as u64;
    }
    Ok(sent)
}

fn send_udp(address: &str, pace: &Pace, size: usize) -> io::Result<u64> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(address)?;
    let datagram = vec![0x5a; size];
    let mut sent = 0;
    while let Some(due) = pace.due(sent, 64) {
        for _ in 0..due {
            socket.send(&datagram)?;
        }
        sent += due;
    }
    Ok(sent)
}

fn take_tcp(address: &str) -> io::Result<u64> {
    let listener = TcpListener::bind(address)?;
    eprintln!("ready");
    let (mut stream, _) = listener.accept()?;
    stream.set_read_timeout(Some(SILENCE))?;
    let (mut room, mut taken) = (vec![0; 4 * PIECE], 0);
    loop {
        match stream.read(&mut room) {
            Ok(0) | Err(_) => return Ok(taken),
            Ok(count) => taken += count as u64,
        }
    }
}

fn take_udp(address: &str) -> io::Result<u64> {
    let socket = UdpSocket::bind(address)?;
    eprintln!("ready");
    socket.set_read_timeout(Some(BEGIN))?;
    let (mut room, mut taken) = (vec![0; PIECE], 0);
    while socket.recv(&mut room).is_ok() {
        if taken == 0 {
            socket.set_read_timeout(Some(SILENCE))?;
        }
        taken += 1;
    }
    Ok(taken)
}

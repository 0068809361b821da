//! One connection that keeps to its time, with or without encryption.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::deadline::Deadline;

/// A connection of which no reading and no writing lasts longer than it may.
pub(super) struct Wire<'of> {
    stream: TcpStream,
    pub(super) deadline: Deadline<'of>,
}

/// What is sent through it may be encrypted.
pub(super) trait Channel: Read + Write {}

impl<T: Read + Write> Channel for T {}

impl<'of> Wire<'of> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is enrich, and a person wants it"
    )]
    pub(super) fn connect(to: SocketAddr, deadline: Deadline<'of>) -> io::Result<Self> {
        let left = deadline.left().map_err(|_| io::ErrorKind::TimedOut)?;
        let stream = TcpStream::connect_timeout(&to, left)?;
        // What is sent is short and waited for.
        stream.set_nodelay(true)?;
        Ok(Self { stream, deadline })
    }

    /// The same with another time.
    pub(super) fn until(self, deadline: Deadline<'of>) -> Self {
        Self { deadline, ..self }
    }

    fn patiently<T>(&self, mut once: impl FnMut(&TcpStream) -> io::Result<T>) -> io::Result<T> {
        loop {
            let slice = Some(self.deadline.slice()?);
            self.stream.set_read_timeout(slice)?;
            self.stream.set_write_timeout(slice)?;
            match once(&self.stream) {
                Err(error) if is_no_error_yet(&error) => {}
                done => return done,
            }
        }
    }
}

/// The slice was over, or a signal came.
fn is_no_error_yet(error: &io::Error) -> bool {
    [
        io::ErrorKind::WouldBlock,
        io::ErrorKind::TimedOut,
        io::ErrorKind::Interrupted,
    ]
    .contains(&error.kind())
}

impl Read for Wire<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.patiently(|mut stream| stream.read(into))
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.patiently(|mut stream| stream.write(from))
    }

    fn flush(&mut self) -> io::Result<()> {
        (&self.stream).flush()
    }
}

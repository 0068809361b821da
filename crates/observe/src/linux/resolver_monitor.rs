//! Names that programs asked systemd-resolved for, also where no packet carried the question. It
//! tells them to root only, and only the names: not who asked.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};

use crate::parse::resolver_monitor::{Beginnings, Message, SUBSCRIPTION, message};

pub(crate) use crate::parse::resolver_monitor::AskedName;

const RESOLVED: &str = "/run/systemd/resolve/io.systemd.Resolve";
const MONITOR: &str = "/run/systemd/resolve/io.systemd.Resolve.Monitor";
const BUFFER: usize = 64 * 1024;
/// How often the buffer is filled in one go.
const MOST_AT_ONCE: usize = 32;

/// Hears what the resolver of this computer is asked.
pub(crate) struct ResolverMonitor {
    socket: UnixStream,
    beginnings: Beginnings,
    buffer: Vec<u8>,
}

impl ResolverMonitor {
    /// Subscribes, without waiting. `None`: there is no such resolver.
    ///
    /// Errors: `PermissionDenied`; `Unsupported`, the resolver is older than version 252.
    pub(crate) fn open() -> io::Result<Option<Self>> {
        Self::open_at(Path::new(MONITOR), Path::new(RESOLVED))
    }

    fn open_at(monitor: &Path, resolved: &Path) -> io::Result<Option<Self>> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket =
            rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&socket, &SocketAddrUnix::new(monitor)?) {
            Ok(()) => {}
            Err(Errno::NOENT) if resolved.exists() => {
                return Err(io::Error::new(
                    io::ErrorKind::Unsupported,
                    "systemd-resolved tells what it was asked since version 252; this one is older",
                ));
            }
            // Its file may still be there when it is gone.
            Err(Errno::NOENT | Errno::CONNREFUSED) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let sent = rustix::net::send(&socket, SUBSCRIPTION, SendFlags::NOSIGNAL)?;
        if sent != SUBSCRIPTION.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(Some(Self {
            socket: UnixStream::from(socket),
            beginnings: Beginnings::default(),
            buffer: vec![0; BUFFER],
        }))
    }

    /// Readable when something was asked.
    #[cfg(test)]
    pub(crate) fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.socket)
    }

    /// Appends what was asked, at the time when the answer came or was given up; after much, the
    /// rest waits for the next call.
    ///
    /// Errors: `UnexpectedEof`, the resolver is gone, to be opened anew when it is back; or it
    /// refuses.
    pub(crate) fn read(&mut self, out: &mut Vec<AskedName>) -> io::Result<()> {
        for _ in 0..MOST_AT_ONCE {
            let length = match self.socket.read(&mut self.buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut refused = None;
            let bytes = self.buffer.get(..length).unwrap_or_default();
            self.beginnings.take(bytes, |bytes| match message(bytes) {
                Message::Asked(names) => out.extend(names),
                Message::Other => {}
                Message::Refused(error) => refused = Some(error),
            });
            if let Some(error) = refused {
                return Err(io::Error::other(format!(
                    "systemd-resolved refused: {error}"
                )));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;
    use std::time::{Duration, Instant};

    /// A place for sockets; gone with this value.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let name = format!("whocalls-{name}-{}", std::process::id());
            let place = Self(std::env::temp_dir().join(name));
            fs::create_dir(&place.0).unwrap();
            place
        }

        fn open(&self) -> io::Result<Option<ResolverMonitor>> {
            ResolverMonitor::open_at(&self.0.join("monitor"), &self.0.join("resolved"))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn read(monitor: &mut ResolverMonitor) -> io::Result<Vec<(String, u16)>> {
        let mut asked = Vec::new();
        monitor.read(&mut asked)?;
        let pair = |asked: AskedName| (asked.name.lossy().into_owned(), asked.kind);
        Ok(asked.into_iter().map(pair).collect())
    }

    #[test]
    fn computers_without_it_have_none() {
        let place = Place::new("none");
        assert!(place.open().unwrap().is_none());
        // It is gone, its file is not.
        drop(UnixListener::bind(place.0.join("monitor")).unwrap());
        assert!(place.open().unwrap().is_none());
    }

    #[test]
    fn an_older_one_cannot_tell() {
        let place = Place::new("older");
        let _resolved = UnixListener::bind(place.0.join("resolved")).unwrap();
        let error = place.open().err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }

    #[test]
    fn hears_what_is_asked() {
        let place = Place::new("heard");
        let listener = UnixListener::bind(place.0.join("monitor")).unwrap();
        let mut monitor = place.open().unwrap().unwrap();
        let flags = rustix::fs::fcntl_getfl(monitor.fd()).unwrap();
        assert!(flags.contains(rustix::fs::OFlags::NONBLOCK));
        let (mut resolved, _) = listener.accept().unwrap();
        let mut subscription = vec![0; SUBSCRIPTION.len()];
        resolved.read_exact(&mut subscription).unwrap();
        assert_eq!(subscription, SUBSCRIPTION);

        assert_eq!(read(&mut monitor).unwrap(), []);
        let asked = br#"{"parameters":{"question":[{"type":28,"name":"a.example"}]}}"#;
        resolved.write_all(&asked[..20]).unwrap();
        assert_eq!(read(&mut monitor).unwrap(), []);
        resolved.write_all(&asked[20..]).unwrap();
        resolved.write_all(b"\0").unwrap();
        assert_eq!(read(&mut monitor).unwrap(), [("a.example".to_owned(), 28)]);

        resolved.write_all(b"{\"error\":\"some.Error\"}\0").unwrap();
        let error = read(&mut monitor).unwrap_err().to_string();
        assert!(error.contains("some.Error"), "{error}");
        drop(resolved);
        let error = read(&mut monitor).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn hears_what_the_real_one_is_asked() {
        let skipped = |why: &str| eprintln!("skipped: hears_what_the_real_one_is_asked: {why}");
        let mut monitor = match ResolverMonitor::open() {
            Ok(Some(monitor)) => monitor,
            Ok(None) => return skipped("no systemd-resolved runs here"),
            Err(error) => return skipped(&error.to_string()),
        };
        // It answers that itself.
        let question = "{\"method\":\"io.systemd.Resolve.ResolveHostname\",\
            \"parameters\":{\"name\":\"whocalls-test.localhost\"}}\0";
        let begin = Instant::now();
        let mut names = Vec::new();
        while !names.contains(&("whocalls-test.localhost".to_owned(), 28)) {
            // The first may be asked before it has taken our subscription.
            let mut socket = UnixStream::connect(RESOLVED).unwrap();
            socket.write_all(question.as_bytes()).unwrap();
            assert!(socket.read(&mut [0; 4096]).unwrap() > 0);
            names.extend(read(&mut monitor).unwrap());
            assert!(begin.elapsed() < Duration::from_secs(10), "{names:?}");
        }
        assert!(names.contains(&("whocalls-test.localhost".to_owned(), 1)));
    }
}

//! Where data goes: standard output, or a file in its place.

use std::fs::File;
use std::io::{self, Write};

/// Without a buffer of its own: what is written is already in large pieces.
#[derive(Debug)]
pub(crate) struct Out(Target);

#[derive(Debug)]
enum Target {
    File(File),
    /// A console of Windows takes bytes for letters of its own table. The standard library hands it text.
    #[cfg(windows)]
    Console(io::Stdout),
}

impl Out {
    pub(super) fn standard() -> io::Result<Self> {
        #[cfg(unix)]
        let copy = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?;
        #[cfg(windows)]
        if io::IsTerminal::is_terminal(&io::stdout()) {
            return Ok(Self(Target::Console(io::stdout())));
        }
        #[cfg(windows)]
        let copy = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned()?;
        Ok(Self::from(File::from(copy)))
    }

    /// Whether whoever read this has gone: known before anything is written.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_closed(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let Target::File(file) = &self.0;
        let mut ends = [PollFd::new(file, PollFlags::empty())];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        poll(&mut ends, Some(&at_once)).is_ok_and(|count| count > 0)
    }

    /// Not known here before something is written.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn is_closed(&self) -> bool {
        false
    }
}

impl From<File> for Out {
    fn from(file: File) -> Self {
        Self(Target::File(file))
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Target::File(file) => file.write(bytes),
            #[cfg(windows)]
            Target::Console(console) => console.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Target::File(file) => file.flush(),
            #[cfg(windows)]
            Target::Console(console) => console.flush(),
        }
    }
}

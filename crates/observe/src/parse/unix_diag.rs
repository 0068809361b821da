//! Answers of the kernel about Unix sockets (sock_diag(7), include/uapi/linux/unix_diag.h).

use model::Text;

use super::attributes::{attributes, u32_at};

/// Length of `struct unix_diag_msg`.
const UNIX_DIAG_MSG: usize = 16;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_PEER: u16 = 2;
const TCP_LISTEN: u8 = 10;

/// One Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnixSocket {
    pub(crate) inode: u32,
    pub(crate) listens: bool,
    /// Its path; an abstract name (unix(7)) begins with NUL. An accepted socket has that of its
    /// listener. Empty: none.
    pub(crate) name: Text,
    /// The inode of the socket that it is connected to.
    pub(crate) peer: Option<u32>,
}

/// `None` when it is cut short.
pub(crate) fn unix_entry(message: &[u8]) -> Option<UnixSocket> {
    let state = *message.get(2)?;
    let mut socket = UnixSocket {
        inode: u32_at(message, 4)?,
        listens: state == TCP_LISTEN,
        name: Text::default(),
        peer: None,
    };
    for (kind, value) in attributes(message.get(UNIX_DIAG_MSG..)?) {
        match kind {
            UNIX_DIAG_NAME => socket.name = without_end(value).into(),
            UNIX_DIAG_PEER => socket.peer = u32_at(value, 0).filter(|inode| *inode != 0),
            _ => {}
        }
    }
    Some(socket)
}

/// A line of `/proc/PID/net/unix` (kernel: net/unix/af_unix.c, unix_seq_show), which tells no peer; `@`
/// stands for NUL. `None`: the heading, or not such a line.
pub(crate) fn unix_line(line: &[u8]) -> Option<UnixSocket> {
    /// __SO_ACCEPTCON
    const LISTENS: u32 = 1 << 16;
    let mut rest = line;
    let mut fields = [&b""[..]; 7];
    for field in &mut fields {
        rest = rest.trim_ascii_start();
        let end = rest
            .iter()
            .position(|byte| *byte == b' ')
            .unwrap_or(rest.len());
        (*field, rest) = rest.split_at(end);
    }
    let [_, _, _, flags, _, _, inode] = fields;
    let flags = u32::from_str_radix(std::str::from_utf8(flags).ok()?, 16).ok()?;
    let mut name = rest.strip_prefix(b" ").unwrap_or(rest).to_vec();
    if let Some(first @ b'@') = name.first_mut() {
        *first = 0;
    }
    Some(UnixSocket {
        inode: super::proc_pid::decimal(inode)?,
        listens: flags & LISTENS != 0,
        name: name.into(),
        peer: None,
    })
}

/// Whether a socket of that name belongs to a display: X (`/tmp/.X11-unix/X0`, abstract as well) or
/// Wayland (`wayland-0` below `$XDG_RUNTIME_DIR`, or in a folder that a sandbox has made for it).
pub(crate) fn is_of_display(name: &[u8]) -> bool {
    let name = name.strip_prefix(&[0]).unwrap_or(name);
    let mut parts = name.rsplit(|byte| *byte == b'/');
    let (file, folder) = (parts.next().unwrap_or_default(), parts.next());
    let numbered = |prefix: &[u8]| {
        let number = file.strip_prefix(prefix);
        number.is_some_and(|it| !it.is_empty() && it.iter().all(u8::is_ascii_digit))
    };
    let is_x = folder == Some(b".X11-unix") && numbered(b"X");
    let is_wayland = folder.is_some() && (file.starts_with(b"wayland-") || numbered(b"gamescope-"));
    is_x || is_wayland || (folder == Some(b"wayland") && !file.is_empty())
}

/// A path ends in NUL; an abstract name begins with one.
fn without_end(name: &[u8]) -> &[u8] {
    match name.split_last() {
        Some((0, path)) if name.first() != Some(&0) => path,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// An answer for the socket with this inode.
    pub(super) fn message(state: u8, inode: u32, name: &[u8], peer: Option<u32>) -> Vec<u8> {
        let mut message = vec![1, 1, state, 0];
        message.extend(inode.to_ne_bytes());
        message.extend([0; 8]);
        let mut attribute = |kind: u16, value: &[u8]| {
            message.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            message.extend(kind.to_ne_bytes());
            message.extend(value);
            message.resize(message.len().next_multiple_of(4), 0);
        };
        if !name.is_empty() {
            attribute(UNIX_DIAG_NAME, name);
        }
        if let Some(peer) = peer {
            attribute(UNIX_DIAG_PEER, &peer.to_ne_bytes());
        }
        message
    }

    #[test]
    fn reads_sockets() {
        let listener = unix_entry(&message(10, 7, b"/tmp/.X11-unix/X0\0", None)).unwrap();
        assert!(listener.listens && listener.peer.is_none());
        assert_eq!(listener.name.bytes(), b"/tmp/.X11-unix/X0");
        let accepted = unix_entry(&message(1, 8, b"\0/tmp/.X11-unix/X0", Some(9))).unwrap();
        assert_eq!((accepted.inode, accepted.peer), (8, Some(9)));
        assert_eq!(accepted.name.bytes(), b"\0/tmp/.X11-unix/X0");
        assert_eq!(unix_entry(&message(1, 8, b"", None)[..15]), None);
    }

    #[test]
    fn reads_lines() {
        let line = b"00000000f51a0557: 00000002 00000000 00010000 0001 01   625 @/tmp/.X11-unix/X0";
        let expected = UnixSocket {
            inode: 625,
            listens: true,
            name: b"\0/tmp/.X11-unix/X0"[..].into(),
            peer: None,
        };
        assert_eq!(unix_line(line), Some(expected));
        let line = b"00000000f51a0557: 00000003 00000000 00000000 0001 03   626";
        assert!(unix_line(line).is_some_and(|it| it.name.is_empty() && !it.listens));
        assert_eq!(
            unix_line(b"Num       RefCount Protocol Flags    Type St Inode Path"),
            None
        );
    }

    #[test]
    fn displays_by_their_names() {
        for (name, expected) in [
            ("/tmp/.X11-unix/X0", true),
            ("\0/tmp/.X11-unix/X1024", true),
            ("/run/user/1000/wayland-0", true),
            ("/tmp/x/gamescope-0", true),
            ("/tmp/.X11-unix/Xa", false),
            ("/tmp/X0", false),
            ("wayland-0", false),
            ("/run/user/1000/bus", false),
            ("", false),
        ] {
            assert_eq!(is_of_display(name.as_bytes()), expected, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            unix_entry(&bytes);
            unix_line(&bytes);
            is_of_display(&bytes);
        }
    }
}

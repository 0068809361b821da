//! The displays of this computer, by the Unix sockets at which they wait for programs. No right is needed
//! to see them.

use std::fs::File;
use std::io::Read;

use model::Text;

use crate::parse::unix_diag::{is_of_display, unix_line};

const MOST_BYTES: u64 = 16 * 1024 * 1024;
const X_SOCKETS: &[u8] = b"/tmp/.X11-unix/X";

/// A display that somebody may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Display {
    X(XDisplay),
    /// Or one of which is known only that it is there.
    Other,
}

/// An X server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct XDisplay {
    pub(crate) number: u16,
    /// Where it waits: at an abstract name (unix(7)), else at its path.
    pub(crate) is_abstract: bool,
    /// The inode of the socket at which it waits.
    pub(crate) inode: u32,
    /// Some program is connected to it: whoever comes and goes alone may make it start or end.
    pub(crate) is_used: bool,
}

/// All of our network namespace, each once.
pub(crate) fn displays() -> Vec<Display> {
    let mut text = Vec::new();
    if let Ok(file) = File::open("/proc/self/net/unix") {
        // What could be read of it stands.
        let _ = file.take(MOST_BYTES).read_to_end(&mut text);
    }
    of_table(&text)
}

fn of_table(text: &[u8]) -> Vec<Display> {
    let sockets = text.split(|byte| *byte == b'\n').filter_map(unix_line);
    let sockets: Vec<_> = sockets
        .filter(|it| is_of_display(it.name.bytes()))
        .collect();
    let mut found = Vec::new();
    for socket in sockets.iter().filter(|it| it.listens) {
        let used = |number| {
            let mut accepted = sockets.iter().filter(|it| !it.listens);
            accepted.any(|it| x_number(&it.name) == Some(number))
        };
        let display = match x_number(&socket.name) {
            Some(number) => Display::X(XDisplay {
                number,
                is_abstract: socket.name.bytes().first() == Some(&0),
                inode: socket.inode,
                is_used: used(number),
            }),
            None => Display::Other,
        };
        let is_known = found.iter().any(|it| match (it, &display) {
            (Display::X(one), Display::X(other)) => one.number == other.number,
            (Display::X(_) | Display::Other, _) => false,
        });
        if !is_known {
            found.push(display);
        }
    }
    found
}

/// The number of an X display, out of the name of its socket. `None`: it is none.
pub(crate) fn x_number(name: &Text) -> Option<u16> {
    let name = name.bytes();
    let path = name.strip_prefix(&[0]).unwrap_or(name);
    let number = path.strip_prefix(X_SOCKETS)?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn displays_stand_once_and_are_used_by_others() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 11 @/tmp/.X11-unix/X0
0000000000000000: 00000002 00000000 00010000 0001 01 12 /tmp/.X11-unix/X0
0000000000000000: 00000003 00000000 00000000 0001 03 13 @/tmp/.X11-unix/X0
0000000000000000: 00000002 00000000 00010000 0001 01 14 /tmp/.X11-unix/X99
0000000000000000: 00000002 00000000 00010000 0001 01 15 /run/user/1000/wayland-0
0000000000000000: 00000003 00000000 00000000 0001 03 16 /run/user/1000/wayland-0
0000000000000000: 00000002 00000000 00010000 0001 01 17 /run/user/1000/bus
0000000000000000: 00000002 00000000 00010000 0001 01 18 /other/.X11-unix/X3
";
        let x = |number, is_abstract, inode, is_used| {
            Display::X(XDisplay {
                number,
                is_abstract,
                inode,
                is_used,
            })
        };
        let expected = [
            x(0, true, 11, true),
            x(99, false, 14, false),
            Display::Other,
            Display::Other,
        ];
        assert_eq!(of_table(table), expected);
    }

    proptest! {
        #[test]
        fn never_panics(text in "([0-9a-f@/.X ]{0,60}\n){0,8}") {
            of_table(text.as_bytes());
        }
    }
}

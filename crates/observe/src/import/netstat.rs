//! What `netstat` writes: that of Linux (net-tools, busybox), of Windows in any language, and of BSD
//! and macOS. They have the order of the columns in common: protocol, ends, state.

mod unix;
mod windows;

use self::unix::Unix;
use self::windows::Windows;
use super::format::Kind;
use super::list::{self, Line, List, Reading};

pub(super) const KIND: Kind = Kind {
    name: "netstat output",
    recognises: list::recognises::<Netstat>,
    open: list::open::<Netstat>,
};

#[derive(Default)]
struct Netstat {
    windows: Windows,
    unix: Unix,
}

impl Reading for Netstat {
    const TOOL: &'static str = "netstat";
    const HEADED_BY_ANY_WORDS: bool = true;

    fn line(&mut self, line: &[u8], list: &mut List) -> Line {
        if let Some(told) = self.unix.line(line, list) {
            self.windows.forget_row();
            return told;
        }
        match self.windows.header(line) {
            Some(header) => header,
            None => self.windows.line(line, list),
        }
    }
}

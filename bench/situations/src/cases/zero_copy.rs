//! Content that never passes through the program's memory.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};

use crate::exchange::{CONTENT, MIB, ask, connect, finish};
use crate::lab::{Lab, SINK, SOURCE, far};
use crate::sys;

const BYTES: usize = 4 * MIB;

pub fn sendfile(lab: &Lab) -> io::Result<()> {
    let path = std::env::temp_dir().join(format!("situations-{}", std::process::id()));
    let mut file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    // It goes when this program does.
    std::fs::remove_file(&path)?;
    for _ in 0..BYTES / CONTENT.len() {
        file.write_all(&CONTENT)?;
    }
    file.rewind()?;

    let (mut act, socket) = connect(far(SINK))?;
    let mut left = BYTES;
    while left > 0 {
        let sent = sys::send_file(&socket, &file, left)?;
        if sent == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        act.sent(sent);
        left -= sent;
    }
    finish(&mut act, &socket)?;
    drop(socket);
    lab.record(act)
}

pub fn splice(lab: &Lab) -> io::Result<()> {
    let nowhere = File::options().write(true).open("/dev/null")?;
    let (out, into) = io::pipe()?;
    let (mut act, socket) = connect(far(SOURCE))?;
    ask(&mut act, &socket, BYTES)?;
    loop {
        let mut left = sys::splice(&socket, &into, 65_536)?;
        if left == 0 {
            break;
        }
        act.received(left);
        while left > 0 {
            left -= sys::splice(&out, &nowhere, left)?;
        }
    }
    drop(socket);
    lab.record(act)
}

//! Names of users, from our own reading of `/etc/passwd`: the C library would ask NSS modules,
//! and those may ask the network.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};

use model::Text;
use rustix::fs::{Mode, OFlags};

use crate::parse::passwd::user_names;

const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// The users of this computer. Those that only a directory service knows are not among them.
pub(crate) struct Users {
    names: HashMap<u32, Text>,
}

impl Users {
    /// Reads the file once. When it cannot be read, no user has a name.
    pub(crate) fn read() -> Self {
        let mut file = Vec::new();
        // What came before an error is still right, line by line.
        let _ = read_into(&mut file);
        let names = user_names(&file).into_iter();
        let names = names.map(|(uid, name)| (uid, Text::from(name))).collect();
        Self { names }
    }

    /// `None`: not listed.
    pub(crate) fn name(&self, uid: u32) -> Option<Text> {
        self.names.get(&uid).cloned()
    }
}

fn read_into(file: &mut Vec<u8>) -> io::Result<()> {
    // NONBLOCK: a FIFO in this place must not stop us.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let passwd = File::from(rustix::fs::open("/etc/passwd", flags, Mode::empty())?);
    passwd.take(MOST_BYTES).read_to_end(file)?;
    Ok(())
}

/// Whose rights this process has: a name, else a number.
pub(crate) fn user() -> String {
    let uid = rustix::process::geteuid().as_raw();
    let name = Users::read().name(uid);
    name.map_or_else(|| uid.to_string(), |name| name.lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_root_and_no_stranger() {
        let users = Users::read();
        assert_eq!(users.name(0), Some(Text::from("root")));
        assert_eq!(users.name(4_000_000_001), None);
    }
}

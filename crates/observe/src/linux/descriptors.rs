//! Who holds which socket, read from `/proc/PID/fd`: the way that works on every kernel.

use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::io;

use model::ProcessId;
use rustix::fs::{Dir, Mode, OFlags, readlinkat_raw};

/// Walks the descriptors of every process of `runs`: who holds which socket, by its inode, each
/// process once. A process that we may not look into is left out; see [`any_hidden`].
pub(crate) fn walk(runs: &[ProcessId]) -> HashMap<u64, Vec<ProcessId>> {
    let mut found = HashMap::<u64, Vec<ProcessId>>::new();
    for run in runs {
        // What was read before an error stays.
        let _ = sockets_of(run.pid, |inode| {
            let holders = found.entry(inode).or_default();
            if holders.last() != Some(run) {
                holders.push(*run);
            }
        });
    }
    found
}

/// Walks the descriptors of every thread of every process of `runs`, for the sockets of `wanted`:
/// a thread can take a table of descriptors of its own (unshare(2), CLONE_FILES).
pub(crate) fn walk_threads(
    runs: &[ProcessId],
    wanted: &HashSet<u64>,
) -> HashMap<u64, Vec<ProcessId>> {
    let mut found = HashMap::<u64, Vec<ProcessId>>::new();
    for run in runs {
        let _ = each_link_of_threads(run.pid, &mut |link| {
            let inode = link.ok().and_then(socket_inode);
            if let Some(inode) = inode.filter(|inode| wanted.contains(inode)) {
                let holders = found.entry(inode).or_default();
                if holders.last() != Some(run) {
                    holders.push(*run);
                }
            }
            true
        });
    }
    found
}

/// Whether any of `pids` has descriptors that we may not see.
pub(crate) fn any_hidden(pids: &[u32]) -> bool {
    pids.iter().any(|pid| {
        let mut first = Ok(());
        let all = each_link(*pid, |link| {
            first = link.map(|_| ());
            false
        });
        let denied = |error: io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        all.is_err_and(denied) || first.is_err_and(denied)
    })
}

fn sockets_of(pid: u32, mut socket: impl FnMut(u64)) -> io::Result<()> {
    let mut refused = None;
    each_link(pid, |link| {
        match link {
            Ok(link) => {
                if let Some(inode) = socket_inode(link) {
                    socket(inode);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                refused = Some(error);
                return false;
            }
            // That descriptor was closed meanwhile.
            Err(_) => {}
        }
        true
    })?;
    refused.map_or(Ok(()), Err)
}

/// Hands the target of each descriptor of a process to `each` until it returns false: those of its
/// threads too when its first thread has ended, as the kernel then shows none of the process.
fn each_link(pid: u32, mut each: impl FnMut(io::Result<&[u8]>) -> bool) -> io::Result<()> {
    if each_link_in(&format!("/proc/{pid}/fd"), &mut each)? > 0 {
        return Ok(());
    }
    each_link_of_threads(pid, &mut each)
}

fn each_link_of_threads(
    pid: u32,
    each: &mut impl FnMut(io::Result<&[u8]>) -> bool,
) -> io::Result<()> {
    let threads = format!("/proc/{pid}/task");
    for thread in std::fs::read_dir(&threads)?.map_while(Result::ok) {
        // It may have ended meanwhile.
        let _ = each_link_in(
            &format!("{threads}/{}/fd", thread.file_name().display()),
            each,
        );
    }
    Ok(())
}

/// Gives how many descriptors there were.
fn each_link_in(
    folder: &str,
    each: &mut impl FnMut(io::Result<&[u8]>) -> bool,
) -> io::Result<usize> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = rustix::fs::open(folder, flags, Mode::empty())?;
    let mut buffer = [std::mem::MaybeUninit::uninit(); 64];
    let mut count = 0;
    for entry in Dir::read_from(&folder)? {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        if name.to_bytes().first() == Some(&b'.') {
            continue;
        }
        count += 1;
        let link = readlinkat_raw(&folder, name, &mut buffer);
        let link = link.map(|(link, _)| &*link).map_err(io::Error::from);
        if !each(link) {
            break;
        }
    }
    Ok(count)
}

/// `socket:[33322]`
fn socket_inode(link: &[u8]) -> Option<u64> {
    let number = link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(number).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_socket_of_our_own() {
        let _socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let boot = model::BootId([0; 16]);
        let pid = std::process::id();
        let run = ProcessId {
            boot,
            pid,
            start_ticks: 1,
        };
        let found = walk(&[run]);
        assert!(found.values().all(|runs| *runs == [run]));
        assert!(!found.is_empty());
        assert!(!any_hidden(&[pid]));
    }

    #[test]
    fn only_sockets_have_an_inode() {
        assert_eq!(socket_inode(b"socket:[33322]"), Some(33322));
        assert_eq!(socket_inode(b"/tmp/socket:[33322]"), None);
        assert_eq!(socket_inode(b"socket:[]"), None);
    }
}

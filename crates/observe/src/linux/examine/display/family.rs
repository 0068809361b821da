//! Which processes belong together: those of one program, with one at the top. A browser shows its
//! windows with one process, and talks to the network with another.

use std::collections::BTreeSet;

use model::Untested;

use crate::linux::examine::Subject;
use crate::linux::examine::descriptors::entries;
use crate::parse::place::folders;
use crate::parse::script::file_name;

/// So many steps up, and so many processes in all.
const MOST_STEPS: usize = 32;
const MOST_MEMBERS: usize = 64;
/// The first ones start the others; a server may have thousands.
const MOST_THREADS: usize = 64;
const MOST_CHILDREN_BYTES: u64 = 16 * 1024;

/// Folders that many programs share.
const SHARED: [&[u8]; 10] = [
    b"/bin",
    b"/sbin",
    b"/usr/bin",
    b"/usr/sbin",
    b"/usr/local/bin",
    b"/usr/local/sbin",
    b"/usr/games",
    b"/usr/libexec",
    b"/usr/lib",
    b"/tmp",
];

/// Helpers of toolkits, which belong to whatever program has started them.
const HELPERS: [&[u8]; 5] = [
    b"WebKitNetworkProcess",
    b"WebKitWebProcess",
    b"WebKitGPUProcess",
    b"QtWebEngineProcess",
    b"CefSubprocess",
];

/// What stands between a program and its helpers.
const SANDBOXES: [&[u8]; 3] = [b"bwrap", b"chrome-sandbox", b"xdg-dbus-proxy"];

/// What became of going up.
pub(super) enum Top {
    /// One above it is such.
    IsSuch,
    /// The topmost of its program. `None`: it is that itself.
    Of(Option<Box<Subject>>),
}

/// Goes up as long as it is the same program.
pub(super) fn top(subject: &Subject, mut is_such: impl FnMut(&Subject) -> bool) -> Top {
    let mut top: Option<Box<Subject>> = None;
    for _ in 0..MOST_STEPS {
        let below = top.as_deref().unwrap_or(subject);
        let Some(parent) = parent(below).filter(|parent| belongs(below, parent)) else {
            break;
        };
        if is_such(&parent) {
            return Top::IsSuch;
        }
        top = Some(Box::new(parent));
    }
    Top::Of(top)
}

/// Whether any process below this one that is of the same program is such.
pub(super) fn any_below(
    top: &Subject,
    mut is_such: impl FnMut(&Subject) -> bool,
) -> Result<bool, Untested> {
    let mut seen = BTreeSet::from([top.pid()]);
    let mut waiting = children(top);
    while let Some(pid) = waiting.pop() {
        if !seen.insert(pid) {
            continue;
        }
        if seen.len() > MOST_MEMBERS {
            return Err(Untested::TooLarge);
        }
        let Some(child) = Subject::find(None, pid)
            .ok()
            .filter(|child| belongs(child, top))
        else {
            continue;
        };
        if is_such(&child) {
            return Ok(true);
        }
        waiting.extend(children(&child));
    }
    Ok(false)
}

fn parent(subject: &Subject) -> Option<Subject> {
    let pid = subject.stat().parent;
    // The first process belongs to nobody.
    if pid <= 1 {
        return None;
    }
    let parent = Subject::find(None, pid).ok()?;
    // The number may be of somebody else by now.
    (parent.stat().start_ticks <= subject.stat().start_ticks).then_some(parent)
}

/// Whether a process is of the program above it: the same file, a file of the same folder that only that
/// program has, or a helper of a toolkit.
fn belongs(below: &Subject, above: &Subject) -> bool {
    let (Ok(below), Ok(above)) = (below.program(), above.program()) else {
        return false;
    };
    if (below.device, below.inode) == (above.device, above.inode) {
        return true;
    }
    let name = file_name(below.link.bytes());
    if HELPERS.contains(&name) || SANDBOXES.contains(&name) {
        return true;
    }
    let (one, other) = (below.link.bytes(), above.link.bytes());
    let folder = folders(one).next();
    folder.is_some_and(|it| !SHARED.contains(&it)) && folder == folders(other).next()
}

/// The processes that its threads have started, as far as the kernel tells (`CONFIG_PROC_CHILDREN`).
fn children(subject: &Subject) -> Vec<u32> {
    let mut found = Vec::new();
    for thread in entries(subject.folder(), c"task", MOST_THREADS).unwrap_or_default() {
        let path = [b"task/", thread.to_bytes(), b"/children\0"].concat();
        let Ok(path) = std::ffi::CString::from_vec_with_nul(path) else {
            continue;
        };
        let text = subject.file(&path, MOST_CHILDREN_BYTES).unwrap_or_default();
        let numbers = text.split(u8::is_ascii_whitespace);
        let numbers = numbers.filter_map(|it| std::str::from_utf8(it).ok()?.parse::<u32>().ok());
        found.extend(numbers.take(MOST_MEMBERS));
    }
    found
}

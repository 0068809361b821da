//! The events of processes that the programs of `linux/bpf/events.bpf.c` tell (`struct
//! process_event` and `struct process_image`, `linux/bpf/events.h`).

use model::{FileIdentity, NetworkNamespace, PathState, Text};

use super::attributes::{u16_at, u32_at, u64_at};

const SIZE: usize = 104;

const PATH_WHOLE: u16 = 2;
const UNLINKED: u16 = 4;

/// What the kernel calls a memfd (mm/memfd.c).
const MEMFD: &[u8] = b"memfd:";

/// What happened to a process. One outside of our PID namespace has pid 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessEvent {
    /// Nanoseconds since boot, suspend included.
    pub(crate) time: u64,
    pub(crate) pid: u32,
    pub(crate) started: u64,
    pub(crate) parent: u32,
    pub(crate) parent_started: u64,
    pub(crate) thread: u32,
    pub(crate) uid: u32,
    pub(crate) netns: Option<NetworkNamespace>,
    /// Id of its cgroup of version 2: the inode number of its folder. 0: not told.
    pub(crate) cgroup: u64,
    pub(crate) name: Text,
    pub(crate) kind: ProcessEventKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ProcessEventKind {
    Started,
    Executed(Image),
    Ended {
        /// As wait(2) gives it. `None`: not told.
        status: Option<i32>,
    },
}

/// The program that a process has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    /// `None`: it could not be read to its beginning.
    pub(crate) path: Option<Text>,
    pub(crate) path_state: PathState,
    /// `None`: not told.
    pub(crate) file: Option<FileIdentity>,
    /// `None`: not told.
    pub(crate) arguments: Option<Vec<Text>>,
    /// There were more than were read.
    pub(crate) arguments_truncated: bool,
}

/// Reads one event; `None` when it is cut short or of a kind that we do not know.
pub(crate) fn process_event(bytes: &[u8]) -> Option<ProcessEvent> {
    let (head, rest) = bytes.split_first_chunk::<SIZE>()?;
    let word = |offset| u32_at(head, offset);
    let long = |offset| u64_at(head, offset);
    let kind = match u16_at(head, 72)? {
        12 => ProcessEventKind::Started,
        13 => ProcessEventKind::Executed(image(head, rest)?),
        14 => ProcessEventKind::Ended {
            status: Some(word(64)?.cast_signed()),
        },
        _ => return None,
    };
    Some(ProcessEvent {
        time: long(0)?,
        pid: word(40)?,
        started: long(8)?,
        parent: word(44)?,
        parent_started: long(16)?,
        thread: word(48)?,
        uid: word(52)?,
        netns: Some(word(56)?).filter(|it| *it != 0).map(NetworkNamespace),
        cgroup: long(32)?,
        name: head.last_chunk::<16>().map(|name| text(name))?,
        kind,
    })
}

fn image(head: &[u8], rest: &[u8]) -> Option<Image> {
    let size = |offset| u32_at(head, offset).and_then(|size| usize::try_from(size).ok());
    let (path, rest) = rest.split_at_checked(size(76)?)?;
    let arguments = rest.get(..size(80)?)?;
    let flags = u16_at(head, 74)?;
    let whole = flags & PATH_WHOLE != 0 && !path.is_empty();
    let path_state = match (whole, flags & UNLINKED != 0, u32_at(head, 68)?) {
        (false, _, _) => PathState::Unknown,
        (true, true, 0) if path.starts_with(MEMFD) => PathState::Memfd,
        (true, true, _) => PathState::Deleted,
        (true, false, _) if path.starts_with(MEMFD) && is_alone(path) => PathState::Memfd,
        (true, false, _) => PathState::Present,
    };
    Some(Image {
        path: whole.then(|| joined(path)),
        path_state,
        file: Some(FileIdentity {
            device: device_number(u32_at(head, 60)?),
            inode: u64_at(head, 24)?,
        }),
        arguments: Some(split(arguments)),
        arguments_truncated: size(84)? > arguments.len(),
    })
}

/// The names of a file and its folders, the file first, as a path.
fn joined(names: &[u8]) -> Text {
    let names = names.strip_suffix(b"\0").unwrap_or(names);
    let mut path = Vec::with_capacity(names.len() + 1);
    for name in names.rsplit(|byte| *byte == 0) {
        path.push(b'/');
        path.extend(name);
    }
    Text::from(path)
}

fn is_alone(names: &[u8]) -> bool {
    names.iter().filter(|byte| **byte == 0).count() == 1
}

/// Arguments as they lie in memory, each with its NUL.
fn split(arguments: &[u8]) -> Vec<Text> {
    if arguments.is_empty() {
        return Vec::new();
    }
    let arguments = arguments.strip_suffix(b"\0").unwrap_or(arguments);
    arguments.split(|byte| *byte == 0).map(Text::from).collect()
}

/// The kernel's number of a device (MKDEV, include/linux/kdev_t.h) as stat(2) gives it.
fn device_number(number: u32) -> u64 {
    let (major, minor) = (u64::from(number >> 20), u64::from(number & 0xf_ffff));
    (minor & 0xff) | major << 8 | (minor & !0xff) << 12
}

fn text(name: &[u8]) -> Text {
    Text::from(name.split(|byte| *byte == 0).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exec(flags: u16, links: u32, path: &[u8], arguments: &[u8], whole: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        for long in [1_000_u64, 2_000, 3_000, 99, 7] {
            bytes.extend(long.to_ne_bytes());
        }
        let device = 8 << 20 | 3;
        for word in [4242_u32, 4000, 4242, 1000, 4_026_531_840, device, 0, links] {
            bytes.extend(word.to_ne_bytes());
        }
        for half in [13, flags] {
            bytes.extend(half.to_ne_bytes());
        }
        for size in [path.len(), arguments.len()] {
            bytes.extend(u32::try_from(size).unwrap().to_ne_bytes());
        }
        bytes.extend(whole.to_ne_bytes());
        bytes.extend(b"curl\0\0\0\0\0\0\0\0\0\0\0\0");
        assert_eq!(bytes.len(), SIZE);
        bytes.extend(path);
        bytes.extend(arguments);
        bytes
    }

    fn check(bytes: &[u8], path: Option<&str>, state: PathState, arguments: &[&str], cut: bool) {
        let read = process_event(bytes).unwrap();
        let ProcessEventKind::Executed(image) = read.kind else {
            panic!("not an exec");
        };
        assert_eq!(image.path, path.map(Text::from));
        assert_eq!(image.path_state, state);
        let expected: Vec<_> = arguments.iter().map(|it| Text::from(*it)).collect();
        assert_eq!(
            (image.arguments, image.arguments_truncated),
            (Some(expected), cut)
        );
        assert_eq!(image.file.unwrap().device, 0x803);
        assert_eq!((read.pid, read.name), (4242, Text::from("curl")));
    }

    #[test]
    fn reads_path_and_arguments() {
        let path = b"curl\0bin\0usr\0";
        let bytes = exec(PATH_WHOLE, 1, path, b"curl\0-s\0\0", 9);
        let usual = Some("/usr/bin/curl");
        check(
            &bytes,
            usual,
            PathState::Present,
            &["curl", "-s", ""],
            false,
        );
        let bytes = exec(PATH_WHOLE | UNLINKED, 0, path, b"cu", 9);
        check(&bytes, usual, PathState::Deleted, &["cu"], true);
    }

    #[test]
    fn a_memfd_is_no_file() {
        let bytes = exec(PATH_WHOLE, 0, b"memfd:x\0", b"", 0);
        check(&bytes, Some("/memfd:x"), PathState::Memfd, &[], false);
    }

    #[test]
    fn half_a_path_is_none() {
        let bytes = exec(0, 1, b"curl\0bin\0", b"curl\0", 5);
        check(&bytes, None, PathState::Unknown, &["curl"], false);
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = process_event(&bytes);
        }
    }
}

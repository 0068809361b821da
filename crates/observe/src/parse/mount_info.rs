//! `/proc/PID/mountinfo` (proc(5)).

use super::proc_pid::decimal;

/// Where a network namespace is mounted, if this line tells of one: the root of such a mount is
/// `net:[NUMBER]`.
pub(crate) fn namespace_mount(line: &[u8]) -> Option<Vec<u8>> {
    let mut fields = line.split(|byte| *byte == b' ').skip(3);
    let (root, mount_point) = (fields.next()?, fields.next()?);
    root.starts_with(b"net:[").then(|| unescaped(mount_point))
}

/// The number of the network namespace that is mounted there, if this line tells of one.
pub(crate) fn namespace_number(line: &[u8]) -> Option<u32> {
    let root = line.split(|byte| *byte == b' ').nth(3)?;
    let number = root.strip_prefix(b"net:[")?.strip_suffix(b"]")?;
    decimal(number)
}

/// Where the whole tree of control groups (version 2) is mounted, if this line tells of it.
pub(crate) fn cgroup2_mount(line: &[u8]) -> Option<Vec<u8>> {
    let mut fields = line.split(|byte| *byte == b' ').skip(3);
    let (root, mount_point) = (fields.next()?, fields.next()?);
    // Optional fields, then `-` and the type.
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    (root == b"/" && kind == b"cgroup2").then(|| unescaped(mount_point))
}

/// A mount, as far as it bears on reading a file there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mount {
    pub(crate) id: u64,
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    /// Another computer or a program answers for its files, and may not answer at all.
    pub(crate) is_elsewhere: bool,
}

/// The mount that this line tells of.
pub(crate) fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = decimal(fields.next()?)?;
    let device = fields.nth(1)?;
    let colon = device.iter().position(|byte| *byte == b':')?;
    let (major, minor) = (device.get(..colon)?, device.get(colon + 1..)?);
    // Optional fields, then `-` and the type.
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    let elsewhere: [&[u8]; 10] = [
        b"9p",
        b"afs",
        b"ceph",
        b"cifs",
        b"coda",
        b"fuse",
        b"nfs",
        b"nfs4",
        b"orangefs",
        b"smb3",
    ];
    Some(Mount {
        id,
        device: (decimal(major)?, decimal(minor)?),
        is_elsewhere: elsewhere.contains(&kind) || kind.starts_with(b"fuse."),
    })
}

/// A mount, as far as it tells where its files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provenance {
    pub(crate) id: u64,
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    /// The folder of its file system that is seen there.
    pub(crate) root: Vec<u8>,
    /// The folder that it is seen in.
    pub(crate) point: Vec<u8>,
    /// Of its file system: `ext4`, `squashfs`, `fuse.sshfs` ...
    pub(crate) kind: Vec<u8>,
    /// Usually the block device; programs that answer for files write what they like.
    pub(crate) source: Vec<u8>,
}

/// The mount that this line tells of, with where its files come from.
pub(crate) fn provenance(line: &[u8]) -> Option<Provenance> {
    let Mount { id, device, .. } = mount(line)?;
    let mut fields = line.split(|byte| *byte == b' ').skip(3);
    let (root, point) = (fields.next()?, fields.next()?);
    let mut after = fields.skip_while(|field| *field != b"-").skip(1);
    let (kind, source) = (after.next()?, after.next()?);
    Some(Provenance {
        id,
        device,
        root: unescaped(root),
        point: unescaped(point),
        kind: unescaped(kind),
        source: unescaped(source),
    })
}

/// A mount, as far as it bears on writing there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mounted {
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    /// The folder that it is seen in.
    pub(crate) point: Vec<u8>,
    /// Usually the block device.
    pub(crate) source: Vec<u8>,
    pub(crate) is_writable: bool,
}

/// The mount that this line tells of, with its place.
pub(crate) fn mounted(line: &[u8]) -> Option<Mounted> {
    let Mount { device, .. } = mount(line)?;
    let mut fields = line.split(|byte| *byte == b' ').skip(4);
    let (point, options) = (fields.next()?, fields.next()?);
    let mut after = fields.skip_while(|field| *field != b"-").skip(2);
    let (source, of_all) = (after.next()?, after.next()?);
    let is_read_only = |options: &[u8]| options.split(|byte| *byte == b',').any(|it| it == b"ro");
    Some(Mounted {
        device,
        point: unescaped(point),
        source: unescaped(source),
        is_writable: !is_read_only(options) && !is_read_only(of_all),
    })
}

/// Something that is mounted over the folder of a process in `/proc`, or over something below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Covering {
    pub(crate) pid: u32,
    pub(crate) point: Vec<u8>,
    /// The type of the file system, and the folder of it where that is not all of it.
    pub(crate) what: Vec<u8>,
}

/// What this line tells of a process.
pub(crate) fn covering(line: &[u8]) -> Option<Covering> {
    let mut fields = line.split(|byte| *byte == b' ').skip(3);
    let (root, point) = (fields.next()?, unescaped(fields.next()?));
    let below = point.strip_prefix(b"/proc/")?;
    let pid = decimal(below.split(|byte| *byte == b'/').next()?)?;
    // Optional fields, then `-` and the type.
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?;
    let mut what = unescaped(kind);
    if root != b"/" {
        what.push(b' ');
        what.extend(unescaped(root));
    }
    Some(Covering { pid, point, what })
}

/// Space, tab, newline and backslash are written as `\\NNN` in octal.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        let digits = after.first_chunk::<3>().filter(|_| *byte == b'\\');
        match digits.and_then(octal) {
            Some(code) => {
                result.push(code);
                rest = after.get(3..).unwrap_or_default();
            }
            None => result.push(*byte),
        }
    }
    result
}

fn octal(digits: &[u8; 3]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(line: &[u8], expected: Option<&[u8]>) {
        assert_eq!(namespace_mount(line).as_deref(), expected);
    }

    #[test]
    fn finds_mounted_namespaces() {
        check(
            b"603 29 0:4 net:[4026532178] /run/netns/a\\040b rw shared:2 - nsfs nsfs rw",
            Some(b"/run/netns/a b"),
        );
        check(
            b"603 29 0:4 net:[1] /run/\\9\\134\xff rw - nsfs nsfs rw",
            Some(b"/run/\\9\\\xff"),
        );
        check(b"24 29 0:22 / /sys rw - sysfs sysfs rw", None);
        check(b"", None);
    }

    #[test]
    fn tells_what_covers_a_process() {
        let check = |line: &[u8], expected: Option<(u32, &[u8], &[u8])>| {
            let found = covering(line);
            let found = found
                .as_ref()
                .map(|it| (it.pid, &it.point[..], &it.what[..]));
            assert_eq!(found, expected);
        };
        check(
            b"90 22 0:40 / /proc/412 rw,relatime shared:1 - tmpfs none rw",
            Some((412, b"/proc/412", b"tmpfs")),
        );
        check(
            b"90 22 8:1 /empty\\040one /proc/412/fd rw - ext4 /dev/sda1 rw",
            Some((412, b"/proc/412/fd", b"ext4 /empty one")),
        );
        check(b"22 27 0:21 / /proc rw,relatime - proc proc rw", None);
        check(
            b"23 22 0:5 / /proc/sys/fs/binfmt_misc rw - binfmt_misc none rw",
            None,
        );
        check(b"23 22 0:5 / /proc/12x rw - tmpfs none rw", None);
        check(b"90 22 0:40 / /proc/412", None);
    }

    #[test]
    fn finds_the_whole_tree_of_groups() {
        let line = b"36 25 0:31 / /sys/fs/cgroup\\040x rw,nosuid shared:9 - cgroup2 cgroup2 rw";
        assert_eq!(
            cgroup2_mount(line).as_deref(),
            Some(&b"/sys/fs/cgroup x"[..])
        );
        let part = b"36 25 0:31 /docker/1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw";
        assert_eq!(cgroup2_mount(part), None);
    }

    #[test]
    fn tells_which_mounts_others_answer_for() {
        let check = |line: &[u8], expected: Option<(u64, (u32, u32), bool)>| {
            let found = mount(line).map(|mount| (mount.id, mount.device, mount.is_elsewhere));
            assert_eq!(found, expected);
        };
        let line = b"36 25 8:31 / /a\\040b rw,nosuid shared:9 master:1 - ext4 /dev/sda rw";
        check(line, Some((36, (8, 31), false)));
        let line = b"40 25 0:52 / /mnt rw - fuse.sshfs a@b:/ rw";
        check(line, Some((40, (0, 52), true)));
        check(
            b"41 25 0:53 / /m rw - nfs4 a:/ rw",
            Some((41, (0, 53), true)),
        );
        check(
            b"42 25 0:54 / /m rw - fuseblk /dev/sdb rw",
            Some((42, (0, 54), false)),
        );
        check(b"43 25 0 / /m rw - ext4 x rw", None);
        check(b"", None);
    }

    #[test]
    fn tells_where_can_be_written() {
        let check = |options: &str, of_all: &str, is_writable| {
            let line = format!("36 25 8:17 / /media/a\\040b {options} - vfat /dev/sdb1 {of_all}");
            let expected = Mounted {
                device: (8, 17),
                point: b"/media/a b".to_vec(),
                source: b"/dev/sdb1".to_vec(),
                is_writable,
            };
            assert_eq!(mounted(line.as_bytes()), Some(expected), "{line}");
        };
        check("rw,nosuid shared:9", "rw,errors=remount-ro", true);
        check("ro", "rw", false);
        check("rw", "ro", false);
        assert_eq!(mounted(b"36 25 8:17 / /m rw - vfat"), None);
    }

    #[test]
    fn tells_where_files_come_from() {
        let line = b"90 25 7:3 /a\\040b /snap/x/12 ro,nodev shared:9 - squashfs /dev/loop3 ro";
        let expected = Provenance {
            id: 90,
            device: (7, 3),
            root: b"/a b".to_vec(),
            point: b"/snap/x/12".to_vec(),
            kind: b"squashfs".to_vec(),
            source: b"/dev/loop3".to_vec(),
        };
        assert_eq!(provenance(line), Some(expected));
        assert_eq!(provenance(b"90 25 7:3 / /m rw - ext4"), None);
    }

    proptest! {
        #[test]
        fn never_panics(line: Vec<u8>) {
            let _ = provenance(&line);
            let _ = mounted(&line);
            let _ = mount(&line);
            let _ = namespace_mount(&line);
            let _ = cgroup2_mount(&line);
            prop_assert!(unescaped(&line).len() <= line.len());
        }

        #[test]
        fn reads_back_any_path(path: Vec<u8>) {
            let mut line = b"603 29 0:4 net:[1] ".to_vec();
            for byte in &path {
                match byte {
                    b' ' | b'\t' | b'\n' | b'\\' => line.extend(format!("\\{byte:03o}").bytes()),
                    byte => line.push(*byte),
                }
            }
            line.extend(b" rw - nsfs nsfs rw");
            prop_assert_eq!(namespace_mount(&line), Some(path));
        }
    }
}

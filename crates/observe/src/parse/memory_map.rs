//! `/proc/PID/maps` (proc_pid_maps(5); kernel: fs/proc/task_mmu.c, show_map_vma): what a process has in
//! its memory, one region a line.

use model::Text;

/// One region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) start: u64,
    /// The first byte behind it.
    pub(crate) end: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) executable: bool,
    pub(crate) shared: bool,
    /// Where in the file it begins.
    pub(crate) offset: u64,
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    /// 0: no file.
    pub(crate) inode: u64,
    /// As the kernel writes it: a path, with ` (deleted)` behind it where the file has no name any more;
    /// a name in brackets; or nothing.
    pub(crate) name: Text,
}

impl Region {
    pub(crate) fn length(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    pub(crate) fn has(&self, address: u64) -> bool {
        (self.start..self.end).contains(&address)
    }

    /// Whether its bytes come from a file, one that lives in memory only among them.
    pub(crate) fn is_of_file(&self) -> bool {
        self.inode != 0
    }

    /// Whether the file has no name any more, and the name that it had.
    ///
    /// A file may have that ending as part of its name: whoever needs to know has to look.
    pub(crate) fn deleted(&self) -> Option<&[u8]> {
        self.name.bytes().strip_suffix(b" (deleted)")
    }

    /// Whether its file lives in memory only: one of memfd_create(2), memory shared with children
    /// (`/dev/zero`), or memory shared by number (shmget(2)). None of them ever had a name in a folder.
    pub(crate) fn is_of_memory_file(&self) -> bool {
        let name = self.name.bytes();
        // mm/memfd.c, mm/shmem.c (shmem_zero_setup), ipc/shm.c, fs/hugetlbfs/inode.c
        let made: [&[u8]; 4] = [b"/memfd:", b"/SYSV", b"/dev/zero", b"/anon_hugepage"];
        // A folder made by somebody may be called so: what is in it has a further part.
        let is_made = |start: &&[u8]| {
            let rest = name.strip_prefix(*start);
            rest.is_some_and(|rest| **start == *b"/memfd:" || !rest.contains(&b'/'))
        };
        self.is_of_file() && self.deleted().is_some() && made.iter().any(is_made)
    }

    /// Whether it is the kernel's own: `[vdso]`, `[vsyscall]`, `[uprobes]` and the like.
    pub(crate) fn is_of_kernel(&self) -> bool {
        let name = self.name.bytes();
        [
            &b"[vdso]"[..],
            b"[vsyscall]",
            b"[vvar]",
            b"[vvar_vclock]",
            b"[uprobes]",
            b"[uprobes-trampoline]",
            b"[sigpage]",
            b"[vectors]",
        ]
        .contains(&name)
    }
}

/// All lines that are such; what is none is left out. At most `most`.
pub(crate) fn regions(file: &[u8], most: usize) -> Vec<Region> {
    let lines = file.split(|byte| *byte == b'\n');
    lines.filter_map(region).take(most).collect()
}

fn region(line: &[u8]) -> Option<Region> {
    let (range, rest) = word(line)?;
    let (rights, rest) = word(rest)?;
    let (offset, rest) = word(rest)?;
    let (device, rest) = word(rest)?;
    // Behind the inode there is nothing where there is no name.
    let (inode, name) = word(rest).unwrap_or((rest, b""));
    let (start, end) = halves(range, b'-')?;
    let (major, minor) = halves(device, b':')?;
    let &[r, w, x, p] = rights else {
        return None;
    };
    Some(Region {
        start: hexadecimal(start)?,
        end: hexadecimal(end)?,
        readable: r == b'r',
        writable: w == b'w',
        executable: x == b'x',
        shared: p == b's',
        offset: hexadecimal(offset)?,
        device: (
            u32::try_from(hexadecimal(major)?).ok()?,
            u32::try_from(hexadecimal(minor)?).ok()?,
        ),
        inode: std::str::from_utf8(inode).ok()?.parse().ok()?,
        name: unescaped(name.trim_ascii_start()),
    })
}

/// The kernel writes a line break within a path as `\012`, and nothing else so (fs/seq_file.c, seq_path).
fn unescaped(name: &[u8]) -> Text {
    const ESCAPED: &[u8] = b"\\012";
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some((first, behind)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(ESCAPED) {
            bytes.push(b'\n');
            rest = behind;
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    Text::from(bytes.as_slice())
}

fn word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b' ')?;
    Some((line.get(..at)?, line.get(at + 1..)?))
}

fn halves(text: &[u8], by: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == by)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn hexadecimal(text: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(text).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_and_memory_of_nobody() {
        let text =
            b"55d0c0a00000-55d0c0a25000 r-xp 00002000 fe:01 131 /usr/bin/a b\\012c (deleted)\n\
            7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n\
            7ffc5a9f0000-7ffc5a9f2000 r-xp 00000000 00:00 0                          [vdso]\n";
        let found = regions(text, 10);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].name.bytes(), b"/usr/bin/a b\nc (deleted)");
        assert_eq!((found[0].device, found[0].inode), ((0xfe, 1), 131));
        assert_eq!((found[0].offset, found[0].length()), (0x2000, 0x25000));
        assert!(found[1].writable && found[1].executable && !found[1].is_of_file());
        assert!(found[2].is_of_kernel() && found[2].name.bytes() == b"[vdso]");
        assert_eq!(regions(text, 1).len(), 1);
    }

    #[test]
    fn files_that_live_in_memory_only() {
        let is_one = |name: &str| {
            let line = format!("1000-2000 r-xp 00000000 00:01 7 {name}\n");
            regions(line.as_bytes(), 1)[0].is_of_memory_file()
        };
        for name in [
            "/memfd:a/b (deleted)",
            "/SYSV00000000 (deleted)",
            "/dev/zero (deleted)",
        ] {
            assert!(is_one(name), "{name}");
        }
        for name in [
            "/usr/lib/libc.so.6 (deleted)",
            "/memfd:x",
            "/dev/zero",
            "/SYSV1/x (deleted)",
        ] {
            assert!(!is_one(name), "{name}");
        }
    }

    #[test]
    fn the_own_memory_is_read() {
        let Ok(text) = std::fs::read("/proc/self/maps") else {
            return;
        };
        let lines = text
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        assert_eq!(regions(&text, usize::MAX).len(), lines.count());
    }

    proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = regions(&bytes, 10);
        }
    }
}

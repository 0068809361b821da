//! Whether our programs are still where we attached them: whoever is root too can take them off a
//! control group or put others in their place; the kernel has no way to do so with the others. It
//! tells where a link that we hold is attached (`fdinfo`, kernel: kernel/bpf/syscall.c,
//! bpf_link_show_fdinfo, and kernel/bpf/cgroup.c).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use model::{Gap, Source};

use crate::linux::events::boot_nanos;
use crate::stamp::Stamp;

/// What `/proc/self/fd` shows of a link; older kernels have no underscore.
const LINK: [&str; 2] = ["anon_inode:bpf_link", "anon_inode:bpf-link"];
/// The kernel shows some ten short lines.
const LONGEST: usize = 4096;

/// The links to control groups, as they were when all was attached.
#[derive(Default)]
pub(super) struct Links {
    links: Vec<Link>,
    gap_told: bool,
}

struct Link {
    /// Each time that it is read from its beginning, the kernel writes it anew.
    information: File,
    attached: Attached,
}

/// Which program, and at which control group; 0: taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Attached {
    program: u64,
    group: u64,
}

impl Links {
    /// Errors: they cannot be asked, or do not tell where they are attached, and so cannot be looked
    /// after.
    pub(super) fn find() -> io::Result<Self> {
        let mut links = Vec::new();
        for entry in fs::read_dir("/proc/self/fd")? {
            let entry = entry?;
            let is_link = fs::read_link(entry.path())
                .is_ok_and(|target| LINK.iter().any(|link| target.as_os_str() == *link));
            if !is_link {
                continue;
            }
            let path = std::path::Path::new("/proc/self/fdinfo").join(entry.file_name());
            let information = File::open(path)?;
            let text = read(&information)?;
            if fact(&text, "link_type:") == Some("cgroup") {
                let attached = attached(&text).ok_or_else(not_told)?;
                links.push(Link {
                    information,
                    attached,
                });
            }
        }
        if links.is_empty() {
            return Err(not_told());
        }
        Ok(Self {
            links,
            gap_told: false,
        })
    }

    /// Gaps for those that have been changed since, and for those that do not tell any more; each is
    /// told once.
    pub(super) fn changed(&mut self, stamp: &Stamp, gaps: &mut Vec<Gap>) {
        let mut changed = 0;
        self.links.retain(|link| {
            let now = read(&link.information).map(|text| attached(&text));
            let now = now.and_then(|attached| attached.ok_or_else(not_told));
            match now {
                Ok(now) if now == link.attached => return true,
                Ok(_) => changed += 1,
                Err(error) => {
                    if !std::mem::replace(&mut self.gap_told, true) {
                        gaps.push(since_now(stamp, not_checked(&error)));
                    }
                }
            }
            false
        });
        if changed > 0 {
            gaps.push(since_now(stamp, taken_off()).counted(changed));
        }
    }
}

/// That it cannot be told whether our programs are where they were.
pub(super) fn not_checked(error: &io::Error) -> Gap {
    Gap::standing(
        "programs_not_checked",
        Source::Ebpf,
        format!("cannot be told where our programs are attached: /proc/self/fdinfo: {error}"),
        "that somebody with root's rights takes our programs off",
    )
}

fn taken_off() -> Gap {
    Gap::standing(
        "programs_taken_off",
        Source::Ebpf,
        "somebody with root's rights took some of our programs off the network path, or put \
         others in their place, while we watched",
        "attempts, connections or packets from now on; start whocalls again, and ask who did that",
    )
}

fn since_now(stamp: &Stamp, gap: Gap) -> Gap {
    Gap {
        since: Some(stamp.time(boot_nanos())),
        ..gap
    }
}

fn not_told() -> io::Error {
    io::Error::other("this kernel does not tell at which control group a program is attached")
}

fn read(information: &File) -> io::Result<String> {
    let mut buffer = [0; LONGEST];
    let length = information.read_at(&mut buffer, 0)?;
    Ok(String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned())
}

/// `None`: it is not told.
fn attached(text: &str) -> Option<Attached> {
    Some(Attached {
        program: fact(text, "prog_id:")?.parse().ok()?,
        group: fact(text, "cgroup_id:")?.parse().ok()?,
    })
}

fn fact<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    lines
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CGROUP: &str = "pos:\t0\nflags:\t02000000\nmnt_id:\t16\nino:\t1057\nlink_type:\tcgroup\n\
        link_id:\t5\nprog_tag:\t6deef7357e7b4530\nprog_id:\t28\ncgroup_id:\t1\nattach_type:\t2\n";

    #[test]
    fn tells_what_is_attached_where() {
        let before = Attached {
            program: 28,
            group: 1,
        };
        assert_eq!(attached(CGROUP), Some(before));
        let taken_off = CGROUP.replace("cgroup_id:\t1", "cgroup_id:\t0");
        assert_ne!(attached(&taken_off), Some(before));
        let replaced = CGROUP.replace("prog_id:\t28", "prog_id:\t29");
        assert_ne!(attached(&replaced), Some(before));
    }

    #[test]
    fn what_is_not_told_is_not_taken_for_unchanged() {
        for line in ["prog_id:\t28\n", "cgroup_id:\t1\n"] {
            assert_eq!(attached(&CGROUP.replace(line, "")), None, "{line}");
        }
        assert_eq!(
            attached(&CGROUP.replace("cgroup_id:\t1", "cgroup_id:\tx")),
            None
        );
    }
}

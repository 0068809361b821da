//! Whether our programs are still where we attached them: whoever is root too can take them off or
//! put others in their place. The kernel tells it of each link that we hold (`fdinfo`, kernel:
//! kernel/bpf/syscall.c, bpf_link_show_fdinfo).

use std::fs;
use std::io;

use model::{Gap, Source};

use super::stamp::Stamp;
use crate::linux::events::boot_nanos;

/// What `/proc/self/fd` shows of a link; older kernels have no underscore.
const LINK: [&str; 2] = ["anon_inode:bpf_link", "anon_inode:bpf-link"];

/// The links as they were when all was attached.
#[derive(Default)]
pub(super) struct Links(Vec<Link>);

struct Link {
    descriptor: String,
    /// The lines that tell what is attached and where.
    told: String,
    gap_told: bool,
}

impl Links {
    /// Errors: they cannot be asked, and so not be looked after.
    pub(super) fn find() -> io::Result<Self> {
        let mut links = Vec::new();
        for entry in fs::read_dir("/proc/self/fd")? {
            let entry = entry?;
            let is_link = fs::read_link(entry.path())
                .is_ok_and(|target| LINK.iter().any(|link| target.as_os_str() == *link));
            if is_link && let Ok(descriptor) = entry.file_name().into_string() {
                links.push(Link {
                    told: told(&descriptor)?,
                    descriptor,
                    gap_told: false,
                });
            }
        }
        Ok(Self(links))
    }

    /// A gap for those that have been changed since; each is told once.
    pub(super) fn changed(&mut self, stamp: &Stamp) -> Option<Gap> {
        let mut changed = 0;
        for link in self.0.iter_mut().filter(|link| !link.gap_told) {
            if told(&link.descriptor).is_ok_and(|now| now != link.told) {
                link.gap_told = true;
                changed += 1;
            }
        }
        let gap = Gap {
            since: Some(stamp.time(boot_nanos())),
            ..Gap::standing(
                "programs_taken_off",
                Source::Ebpf,
                "somebody with root's rights took some of our programs off the network path, or put \
                 others in their place, while we watched",
                "attempts, connections or packets from now on; start whocalls again, and ask who \
                 did that",
            )
        };
        (changed > 0).then(|| gap.counted(changed))
    }
}

/// Which program, of which kind, and at which control group; 0: taken off.
fn told(descriptor: &str) -> io::Result<String> {
    let text = fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}"))?;
    let facts = ["link_id:", "prog_id:", "prog_tag:", "cgroup_id:"];
    let lines = text
        .lines()
        .filter(|line| facts.iter().any(|it| line.starts_with(it)));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
